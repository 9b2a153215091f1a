//! How a call of a real `qdrant-client` fails, and what is known of it then: each failure that can
//! be made on one machine is made here. For each, a test asserts the kind, whether the call may
//! have been executed, the hint, and how many requests reached the server. Failures that take a
//! cluster or a full disk are in `texts`, on the exact status.

mod answering;
mod connecting;
mod dead_connections;
mod proxies;
mod redaction;
mod replay;
mod serving;
#[cfg(feature = "snapshots")]
mod snapshots;
mod support;
mod texts;
mod transport;
mod variants;
