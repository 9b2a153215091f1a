mod async_trait_store;
mod boxed_client_errors;
mod embed_then_upsert;
mod foreign_errors;
mod generic_store;
mod lossy_errors;
mod paginated_scroll;
mod text_errors;
