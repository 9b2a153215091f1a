//! The server as a whole.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use qdrant_client::Qdrant;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tonic::codegen::tokio_stream::{StreamExt, wrappers::UnboundedReceiverStream};
use tonic::transport::Server;

use crate::fault::{Fault, ScriptedFault};
use crate::front::Connections;
use crate::gate::{Desk, Gate};
use crate::method::Method;
use crate::service;
use crate::store::{MemoryStore, Store};

/// How long a graceful stop waits for peers to take leave once every call has been answered.
const LEAVE_TAKING: Duration = Duration::from_secs(1);

/// A Qdrant server in the process, on a loopback port of its own, whose failures are scripted.
///
/// It speaks Qdrant's gRPC protocol and runs on the tokio runtime that it is started on, of either
/// flavour. Dropping it stops it at once: its port and its connections are closed when `drop`
/// returns. Delays and windows of faults are measured in real time.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use resilient_testkit::{EmbeddedQdrant, Method};
///
/// let server = EmbeddedQdrant::start().await?;
/// server.client().list_collections().await?;
/// assert_eq!(server.requests(Method::LIST_COLLECTIONS), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct EmbeddedQdrant {
    connections: Connections,
    desk: Arc<Desk>,
    serving: JoinHandle<()>,
}

impl EmbeddedQdrant {
    /// Starts a server on `127.0.0.1`, at a free port, over an empty [`MemoryStore`]. It listens
    /// when this returns.
    ///
    /// # Errors
    ///
    /// If the system gives no port.
    ///
    /// # Panics
    ///
    /// If it is called outside a tokio runtime with IO and time enabled.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(MemoryStore::default()).await
    }

    /// Starts a server over this store.
    ///
    /// # Errors
    ///
    /// See [`start`](Self::start).
    ///
    /// # Panics
    ///
    /// See [`start`](Self::start).
    // Reason: a front that has to wait to open its port must not change this signature.
    #[allow(clippy::unused_async)]
    pub async fn start_with(store: impl Store) -> io::Result<Self> {
        let (accepted, incoming) = mpsc::unbounded_channel();
        let connections = Connections::open_port(accepted)?;
        let desk = Arc::new(Desk::new());
        let closing = Arc::clone(&desk);
        let gate = Gate::new(service::routes(Arc::new(store)), Arc::clone(&desk));
        let incoming = UnboundedReceiverStream::new(incoming).map(Ok::<_, io::Error>);
        let serving = tokio::spawn(async move {
            // Its only errors are those of `incoming`, which has none.
            let _ = Server::builder()
                .serve_with_incoming_shutdown(gate, incoming, async move {
                    closing.closed().await;
                })
                .await;
        });
        Ok(Self { connections, desk, serving })
    }

    /// The address that the server listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.connections.addr()
    }

    /// The server's URL, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// A client of the server, with the defaults of `qdrant-client` but for the compatibility
    /// check, which would cost a thread and a request. It connects with its first call. For other
    /// settings, build one from [`url`](Self::url).
    ///
    /// # Panics
    ///
    /// If `qdrant-client` takes no loopback URL, which it does.
    #[must_use]
    pub fn client(&self) -> Qdrant {
        Qdrant::from_url(&self.url())
            .skip_compatibility_check()
            .build()
            .expect("a loopback URL is a valid one")
    }

    /// Puts a fault to work, for requests that arrive from now on.
    // Reason: the handle is for those who want to look at the fault or end it.
    #[allow(clippy::must_use_candidate)]
    pub fn script(&self, fault: Fault) -> ScriptedFault {
        self.desk.script(fault)
    }

    /// The server's connections, and what may go wrong with them.
    #[must_use]
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// How many requests for this method arrived, those with faults and errors included. A request
    /// is counted when its headers arrive. `qdrant-client` sends some twice; see [`Fault`].
    #[must_use]
    pub fn requests(&self, method: Method) -> u64 {
        self.desk.requests(method)
    }

    /// How many requests arrived, those for calls without a [`Method`] included.
    #[must_use]
    pub fn total_requests(&self) -> u64 {
        self.desk.total_requests()
    }

    /// How many requests arrived for each method that had any.
    #[must_use]
    pub fn requests_by_method(&self) -> BTreeMap<Method, u64> {
        self.desk.requests_by_method()
    }

    /// Counts requests from 0 again. [`ScriptedFault::hits`] stays as it is.
    pub fn reset_counts(&self) {
        self.desk.reset_counts();
    }

    /// Stops the server the way a well-behaved one does: new connections are refused, calls in
    /// flight complete, delayed ones too, and then the connections are closed. Requests that a
    /// fault holds for ever are broken off, and stalled bytes flow again.
    ///
    /// If this is cancelled, the server stops at once.
    pub async fn shutdown(mut self) {
        self.connections.refuse();
        self.connections.resume();
        self.desk.close();
        self.desk.idle().await;
        // A peer that neither reads nor closes must not keep the server from stopping.
        let _ = tokio::time::timeout(LEAVE_TAKING, async {
            // It fails if the task panicked; there is nothing left to wait for then.
            let _ = (&mut self.serving).await;
            self.connections.all_closed().await;
        })
        .await;
    }
}

impl Drop for EmbeddedQdrant {
    fn drop(&mut self) {
        self.connections.close();
        self.desk.close();
        self.serving.abort();
    }
}
