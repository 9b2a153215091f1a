//! The shapes of public projects that call Qdrant, guarded as a maintainer of each would have it.
//! Each passes the tests of `survival`, and tests of what is special about it. All run over real
//! sockets, and count points and requests at the server.

mod async_trait_store;
mod boxed_client_errors;
mod embed_then_upsert;
mod foreign_errors;
mod generic_store;
mod lossy_errors;
mod paginated_scroll;
mod survival;
mod text_errors;

// The projects keep the rows of production. Only the waits are those of a test.
resilient_runtime::policies! {
    retry "default" { base_delay: "1ms" }
    retry "rate_limit_error" { base_delay: "1ms" }
    retry "connection_error" { base_delay: "1ms" }
    retry "service_unavailable" { base_delay: "1ms" }
}
