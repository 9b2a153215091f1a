//! The gRPC services over a store.

mod collections;
mod convert;
mod filter;
mod health;
mod points;
mod query;
mod state;
mod status;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use qdrant_client::qdrant::collections_server::CollectionsServer;
use qdrant_client::qdrant::points_server::PointsServer;
use qdrant_client::qdrant::qdrant_server::QdrantServer;
use tokio::time::Instant;
use tonic::Status;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;

use crate::store::Store;
use crate::sync::lock;
use state::CollectionState;
use status::to_status;

/// The three services of the server, ready to be called.
pub(crate) fn routes(store: Arc<dyn Store>) -> Routes {
    // As the real server: gzip is taken, and messages may have any size.
    macro_rules! server {
        ($server:ident, $service:expr) => {
            $server::new($service)
                .accept_compressed(CompressionEncoding::Gzip)
                .send_compressed(CompressionEncoding::Gzip)
                .max_decoding_message_size(usize::MAX)
        };
    }
    let engine = Arc::new(Engine { store, states: Mutex::default() });
    Routes::new(server!(CollectionsServer, collections::Service(Arc::clone(&engine))))
        .add_service(server!(PointsServer, points::Service(engine)))
        .add_service(server!(QdrantServer, health::Service))
        .prepare()
}

/// A store, and what the protocol knows of its collections beyond it.
struct Engine {
    store: Arc<dyn Store>,
    states: Mutex<HashMap<String, CollectionState>>,
}

/// Which of a collection's rate limits a call counts against.
#[derive(Clone, Copy)]
enum Access {
    Read,
    Write,
}

impl Engine {
    /// Charges a call to the collection's rate limit.
    fn charge(&self, collection: &str, access: Access, cost: usize) -> Result<(), Status> {
        self.check_exists(collection)?;
        lock(&self.states)
            .get_mut(collection)
            .map_or(Ok(()), |state| state.charge(access, cost, Instant::now()))
    }

    fn check_exists(&self, collection: &str) -> Result<(), Status> {
        self.store.vectors(collection).map(drop).map_err(|e| to_status(&e))
    }

    /// The number of the next write to a collection.
    fn next_operation(&self, collection: &str) -> u64 {
        lock(&self.states).entry(collection.to_owned()).or_default().next_operation()
    }
}

/// Implements a service's trait: some calls by methods of what the service wraps, the others by a
/// refusal.
macro_rules! implement {
    (
        $trait:ident for $service:ident($engine:ty);
        handled { $($call:ident: $handler:ident($request:ident) -> $response:ident;)* }
        refused { $($refused:ident($refused_request:ident) -> $refused_response:ident;)* }
    ) => {
        pub(super) struct $service(pub(super) ::std::sync::Arc<$engine>);

        #[tonic::async_trait]
        impl $trait for $service {
            $(
                async fn $call(
                    &self,
                    request: tonic::Request<qdrant::$request>,
                ) -> Result<tonic::Response<qdrant::$response>, tonic::Status> {
                    self.0.$handler(request.into_inner()).map(tonic::Response::new)
                }
            )*
            $(
                async fn $refused(
                    &self,
                    _: tonic::Request<qdrant::$refused_request>,
                ) -> Result<tonic::Response<qdrant::$refused_response>, tonic::Status> {
                    Err($crate::service::status::unsupported(concat!(
                        stringify!($trait),
                        "::",
                        stringify!($refused),
                    )))
                }
            )*
        }
    };
}
use implement;
