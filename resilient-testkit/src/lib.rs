//! An embedded Qdrant server with scripted faults, to test how a service survives them.
//!
//! [`EmbeddedQdrant`] speaks Qdrant's gRPC protocol on a loopback port, over a store in memory. It
//! responds with the codes and messages of the real server until a test makes it fail:
//!
//! - [`Fault`] makes requests fail: with a status, with a status after the write was applied, with a
//!   delay, without a response, with a response that stops, with a stream reset, or with the
//!   [`Answer`] of a proxy. A fault can be limited to methods, to a number of requests and to a
//!   period of time.
//! - [`Connections`] makes connections fail: they are refused, reset, stalled, silenced, or cut
//!   within a response.
//! - [`RawPeer`] is a TCP peer that is not a Qdrant server.
//! - The rate limits of Qdrant itself, `read_rate_limit` and `write_rate_limit` of a collection's
//!   strict mode, work as in the real server, with `retry-after`.
//!
//! The server counts requests by [`Method`] when they arrive. Tests of retries and breakers assert
//! on these counts.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use qdrant_client::qdrant::{
//!     CreateCollectionBuilder, Distance, PointStruct, SearchPointsBuilder, UpsertPointsBuilder,
//!     VectorParamsBuilder,
//! };
//! use resilient_testkit::{EmbeddedQdrant, Fault, Method};
//! use tonic::Status;
//!
//! let server = EmbeddedQdrant::start().await?;
//! let client = server.client();
//!
//! let vectors = VectorParamsBuilder::new(2, Distance::Cosine);
//! client
//!     .create_collection(CreateCollectionBuilder::new("docs").vectors_config(vectors))
//!     .await?;
//! let point = PointStruct::new(1, vec![0.6, 0.8], [("city", "Oslo".into())]);
//! client
//!     .upsert_points(UpsertPointsBuilder::new("docs", vec![point]).wait(true))
//!     .await?;
//!
//! // The next two searches fail. `qdrant-client` repeats a failed search once by itself.
//! let fault = Fault::status(Status::unavailable("restarting"))
//!     .on(Method::SEARCH)
//!     .times(2);
//! server.script(fault);
//!
//! let search = SearchPointsBuilder::new("docs", vec![0.6, 0.8], 1);
//! assert!(client.search_points(search.clone()).await.is_err());
//! assert_eq!(server.requests(Method::SEARCH), 2);
//!
//! let found = client.search_points(search).await?.result;
//! assert_eq!(found[0].id, Some(1.into()));
//! # Ok(())
//! # }
//! ```
//!
//! # What the server does
//!
//! - Collections: create, update, get, list, exists, delete. Vectors are dense, with or without a
//!   name, and compared by cosine, dot product, Euclid or Manhattan.
//! - Points: upsert, get, delete, scroll, count; search and query by vector or by point, also in
//!   batches; changes of payload and of vectors; writes in batches. Every search is exact.
//! - Filters: must, should, must not, min should, nested; match (except phrases, prefixes and
//!   substrings), range, number of values, empty, null, has id, has vector.
//! - Payload indexes: create and delete. The info of the collection lists them. With a text index, a
//!   text match looks for words instead of a substring.
//! - Strict mode: rate limits; limits of `limit`, `timeout`, batches, filters, points and indexes;
//!   exact searches; filters on fields without an index.
//! - Health check.
//!
//! The server validates the whole request before it charges, writes or counts anything. Errors have
//! the codes and messages of Qdrant 1.18.
//!
//! Every other call fails with `Unimplemented`. So does a request with an unsupported option that
//! would change the result. An unsupported condition in a filter is `InvalidArgument`. Read
//! consistency, write ordering, search parameters, timeouts and the settings of indexes are
//! validated, but have no effect. Neither have strict mode's limits on bytes and memory.
//!
//! Two differences from a real server are intentional. A write is applied before the response is
//! sent, even without `wait`. The `version` of a scored point is always 0.
//!
//! # Rate limits
//!
//! A bucket holds one minute's tokens, starts full and refills steadily.
//!
//! - A search, query, scroll or count costs 1, and 1 more for each condition of its filter. A query
//!   by a point costs 1 more for the point, once in a batch.
//! - A get costs 1 for each id.
//! - A write costs 1 for each point. A write by filter costs the number of points that Qdrant
//!   estimates to pass the filter, and at least 1. Without an index, Qdrant assumes that half of all
//!   points pass a condition. As in Qdrant, the first write to a collection is charged twice.
//!
//! A request that is rejected for another reason costs nothing.
//!
//! # Time
//!
//! The server runs on a thread of its own, and measures delays, windows of faults and rate limits
//! in real time. A test may pause tokio's clock, which affects only the timers of the test itself.
//! Pause it only while no call is under way, and call `tokio::time::resume` before the next call.
//! When a test with a paused clock waits for the server, the clock jumps to the next timer, which
//! is usually the client's timeout.
//!
//! # Speed
//!
//! Without optimization, a search compares about 500,000 vectors of 64 dimensions per second. If
//! your tests search thousands of points, optimize this crate in the `Cargo.toml` of the workspace.
//! Searches become nine times as fast, in all profiles that inherit from `dev`, such as `test`:
//!
//! ```toml
//! [profile.dev.package.resilient-testkit]
//! opt-level = 3
//! ```
//!
//! Optimizing `h2`, `prost` and `qdrant-client` as well makes no measurable difference.

mod answer;
mod fault;
mod front;
mod gate;
mod method;
mod rate_limit;
mod raw_peer;
mod server;
mod service;
mod storage;
pub mod store;
mod sync;
mod worker;

pub use answer::Answer;
pub use fault::{Fault, ScriptedFault};
pub use front::Connections;
/// The reason for [`Fault::reset_stream`], [`Answer::then_reset`] and [`RawPeer::going_away`].
pub use h2::Reason;
pub use method::Method;
pub use raw_peer::RawPeer;
pub use server::{EmbeddedQdrant, EmbeddedQdrantBuilder};
pub use storage::Storage;
pub use store::{MemoryStore, Store};
/// The version of tonic that the server is built with, for [`Fault::status`].
pub use tonic;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
