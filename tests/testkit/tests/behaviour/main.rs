//! The server's behaviour, as a real `qdrant-client` sees it.

mod collections;
mod connections;
mod errors;
mod faults;
mod filters;
mod points;
mod rate_limits;
mod search;
mod server;
mod support;
mod wire;
