//! The server's behavior, as a real `qdrant-client` sees it.

mod batches;
mod collections;
mod connections;
mod errors;
mod faults;
mod filters;
mod indexes;
mod points;
mod rate_limits;
mod search;
mod server;
mod strict_mode;
mod support;
mod validation;
mod wire;
