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
//! - Collections: create, get, list, exists, delete, and update of the strict mode's rate limits.
//!   Dense vectors, named or not, compared by cosine, dot product, Euclid or Manhattan.
//! - Points: upsert, get, delete, scroll, count, search, query by vector or point, both in batches,
//!   changes of payload and of vectors. Every search is exact.
//! - Filters: must, should, must not, min should, nested; match (but phrases, prefixes and
//!   substrings), range, number of values, empty, null, has id, has vector.
//! - Health check.
//!
//! Every other call is answered `Unimplemented`, as is an option that would change the result; an
//! unsupported condition in a filter is `InvalidArgument`. Read consistency, write ordering, search
//! parameters, timeouts and the settings of indexes are taken and have no effect, nor have the
//! strict mode's other limits.
//!
//! Three differences to a real server are on purpose: a write is applied when it is answered,
//! whatever `wait` says; its errors are reported whatever `wait` says; an upsert of several points
//! with one that is wrong stores none of them.
//!
//! # Rate limits
//!
//! A bucket holds one minute's tokens, starts full and refills steadily. A search or query costs 1
//! and 1 for each condition of its filter, and 1 for a point that it takes its vector from; so do
//! a scroll and a count; a get costs its number of ids; a write costs the points that it touches,
//! and at least 1.

mod answer;
mod fault;
mod front;
mod gate;
mod method;
mod rate_limit;
mod raw_peer;
mod server;
mod service;
pub mod store;
mod sync;

pub use answer::Answer;
pub use fault::{Fault, ScriptedFault};
pub use front::Connections;
/// For [`Fault::reset_stream`], [`Answer::then_reset`] and [`RawPeer::going_away`].
pub use h2::Reason;
pub use method::Method;
pub use raw_peer::RawPeer;
pub use server::EmbeddedQdrant;
pub use store::{MemoryStore, Store};
/// For [`Fault::status`], in the version that the server is built with.
pub use tonic;
