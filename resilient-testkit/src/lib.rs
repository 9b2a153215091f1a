//! An embedded Qdrant server with scripted faults, to test how a service survives them.
//!
//! [`EmbeddedQdrant`] speaks Qdrant's gRPC protocol on a loopback port, over a store in memory. It
//! answers as the real server does, in its codes and words, until it is told to fail:
//!
//! - [`Fault`]: what happens to a request. A status, a status after the write was applied, a
//!   delay, no answer, an answer that stops, a stream that is reset, an [`Answer`] that is a
//!   proxy's or broken; on some methods, some times, for some time.
//! - [`Connections`]: what happens to connections. Refused, reset, cut within an answer, stalled.
//! - [`RawPeer`]: what stands in the server's place and is none.
//! - Qdrant's own rate limits: `read_rate_limit` and `write_rate_limit` of a collection's strict
//!   mode, with `retry-after`.
//!
//! Requests are counted by [`Method`] as the server sees them, which is what a test of retries and
//! breakers has to assert on.
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
//! // The next two searches fail. The client tries one of them again by itself.
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
//! - Collections: create, update, get, list, exists, delete. Dense vectors, named or not, compared
//!   by cosine, dot product, Euclid or Manhattan.
//! - Points: upsert, get, delete, scroll, count, search, query by vector or point, both in batches,
//!   changes of payload and of vectors, writes in batches. Every search is exact.
//! - Filters: must, should, must not, min should, nested; match (but phrases, prefixes and
//!   substrings), range, number of values, empty, null, has id, has vector.
//! - Payload indexes: create and delete, shown in the info of the collection. A text index makes
//!   a text match ask for words instead of a part of the string.
//! - Strict mode: rate limits; limits of `limit`, `timeout`, batches, filters, points and indexes;
//!   exact searches; filters on fields without an index.
//! - Health check.
//!
//! The whole request is validated before anything is charged, written or counted. Errors have the
//! codes and messages of Qdrant 1.18.
//!
//! Every other call is answered `Unimplemented`, as is an option that would change the result; an
//! unsupported condition in a filter is `InvalidArgument`. Read consistency, write ordering, search
//! parameters, timeouts and the settings of indexes are checked and have no effect, nor have the
//! strict mode's limits of sizes in bytes and of memory.
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
//! - A get costs its number of ids.
//! - A write costs its number of points. By filter, it costs as many points as Qdrant estimates that
//!   it touches, and at least 1. Without an index, Qdrant assumes that half of all points pass a
//!   condition. As in Qdrant, the first write to a collection is charged twice.
//!
//! A request that is refused for another reason costs nothing.
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
/// For [`Fault::reset_stream`], [`Answer::then_reset`] and [`RawPeer::going_away`].
pub use h2::Reason;
pub use method::Method;
pub use raw_peer::RawPeer;
pub use server::{EmbeddedQdrant, EmbeddedQdrantBuilder};
pub use storage::Storage;
pub use store::{MemoryStore, Store};
/// For [`Fault::status`], in the version that the server is built with.
pub use tonic;
