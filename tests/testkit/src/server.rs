//! The server as a whole.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use qdrant_client::Qdrant;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tonic::codegen::tokio_stream::{StreamExt, wrappers::UnboundedReceiverStream};
use tonic::transport::Server;

use crate::fault::{Fault, ScriptedFault};
use crate::front::Connections;
use crate::gate::{Desk, Gate, Life};
use crate::method::Method;
use crate::service::Engine;
use crate::storage::Storage;
use crate::store::Store;
use crate::sync::lock;
use crate::worker::Worker;

/// How long a graceful stop waits for peers to take leave once every call has been answered.
const LEAVE_TAKING: Duration = Duration::from_secs(1);

/// A Qdrant server in the process, on a loopback port of its own, whose failures are scripted.
///
/// It speaks Qdrant's gRPC protocol and runs on a thread of its own, so that a client works in a
/// runtime of either flavor, and even one that blocks its only thread. Dropping the server stops it
/// at once: its port and its connections are closed, and its thread has ended, when `drop` returns.
///
/// Everything in the server is measured in real time: delays, windows of faults and rate limits. A
/// test that pauses tokio's clock pauses or advances its own timers only.
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
///
/// # Stopping and starting again
///
/// A server that was stopped, gracefully by [`stop`](Self::stop) or like a killed process by
/// [`kill`](Self::kill), starts again on the same port and with the same data:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use resilient_testkit::EmbeddedQdrant;
/// # use qdrant_client::qdrant::CreateCollectionBuilder;
/// let server = EmbeddedQdrant::start().await?;
/// let client = server.client();
/// client.create_collection(CreateCollectionBuilder::new("docs")).await?;
///
/// server.kill();
/// assert!(client.list_collections().await.is_err());
/// server.start_again()?;
/// assert!(client.collection_exists("docs").await?);
/// # Ok(())
/// # }
/// ```
///
/// # Several servers over the same data
///
/// The nodes of a cluster answer with the same data. Servers that are started with one [`Storage`]
/// do too:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use resilient_testkit::EmbeddedQdrant;
/// # use qdrant_client::qdrant::CreateCollectionBuilder;
/// let one = EmbeddedQdrant::start().await?;
/// let two = EmbeddedQdrant::builder().storage(one.storage()).start().await?;
///
/// one.client().create_collection(CreateCollectionBuilder::new("docs")).await?;
/// assert!(two.client().collection_exists("docs").await?);
/// # Ok(())
/// # }
/// ```
///
/// Faults, connections, counts of requests and rate limits are each server's own.
#[derive(Debug)]
pub struct EmbeddedQdrant {
    connections: Connections,
    desk: Arc<Desk>,
    engine: Arc<Engine>,
    /// `None` while the server is stopped.
    serving: Mutex<Option<Serving>>,
    /// Last, so that it is dropped last.
    worker: Worker,
}

#[derive(Debug)]
struct Serving {
    life: Life,
    /// Taken by a graceful stop, which is then under way.
    task: Option<JoinHandle<()>>,
}

/// How a server is started. [`EmbeddedQdrant::builder`] makes one.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use resilient_testkit::{EmbeddedQdrant, Storage};
///
/// let storage = Storage::default();
/// let server = EmbeddedQdrant::builder().storage(storage.clone()).start().await?;
/// let port = server.addr().port();
/// drop(server);
///
/// // A new server at the old place, with the old data.
/// let server = EmbeddedQdrant::builder().port(port).storage(storage).start().await?;
/// assert_eq!(server.addr().port(), port);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it starts a server"]
pub struct EmbeddedQdrantBuilder {
    port: u16,
    storage: Storage,
}

impl EmbeddedQdrantBuilder {
    /// Sets the port on `127.0.0.1`. By default, or with 0, it is a free one of the system's
    /// choice.
    ///
    /// A fixed port can be in use by another program or test. Prefer the default, and
    /// [`start_again`](EmbeddedQdrant::start_again) to come back on the same port: it stays
    /// reserved meanwhile.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets what the server serves. By default, it is empty and the server's own.
    pub fn storage(mut self, storage: Storage) -> Self {
        self.storage = storage;
        self
    }

    /// Starts the server. It listens when this returns.
    ///
    /// # Errors
    ///
    /// If the port is in use, or if the system provides no port or no thread.
    pub async fn start(self) -> io::Result<EmbeddedQdrant> {
        let worker = Worker::start("embedded-qdrant").await?;
        let connections = Connections::bind(self.port, worker.runtime())?;
        let server = EmbeddedQdrant {
            connections,
            desk: Arc::new(Desk::new()),
            engine: Arc::new(Engine::new(self.storage)),
            serving: Mutex::default(),
            worker,
        };
        server.start_again()?;
        Ok(server)
    }
}

impl EmbeddedQdrant {
    /// Starts a server on `127.0.0.1`, at a free port, with nothing in it. It listens when this
    /// returns.
    ///
    /// # Errors
    ///
    /// If the system provides no port or no thread.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Starts a server over this store.
    ///
    /// # Errors
    ///
    /// See [`start`](Self::start).
    pub async fn start_with(store: impl Store) -> io::Result<Self> {
        Self::builder().storage(Storage::new(store)).start().await
    }

    /// Returns a builder, for a server with a port or a [`Storage`] of the caller's choice.
    pub fn builder() -> EmbeddedQdrantBuilder {
        EmbeddedQdrantBuilder::default()
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

    /// What the server serves, for another server to serve too.
    #[must_use]
    pub fn storage(&self) -> Storage {
        self.engine.storage().clone()
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

    /// Stops the server the way a well-behaved one does, until
    /// [`start_again`](Self::start_again): new connections are refused, calls in flight complete,
    /// delayed ones too, and then the connections are closed. Requests that a fault holds forever
    /// are broken off, and stalled bytes flow again. The port stays reserved.
    ///
    /// If this is cancelled, the server stops at once. Does nothing if the server is stopped, or
    /// if it is being stopped.
    pub async fn stop(&self) {
        let Some((life, task)) = self.begin_to_stop() else {
            return;
        };
        // Also if this future is dropped before its end.
        let _at_the_end = KillOnDrop(self);
        self.connections.refuse();
        self.connections.resume();
        self.connections.close_dead();
        self.desk.close(life);
        let (desk, all_closed) = (Arc::clone(&self.desk), self.connections.all_closed());
        // The clock of the server runs, whatever becomes of the caller's.
        let leaving = self.worker.runtime().spawn(async move {
            desk.idle().await;
            // A peer that neither reads nor closes must not keep the server from stopping.
            let _ = tokio::time::timeout(LEAVE_TAKING, async {
                // This fails if the task panicked. Then there is nothing left to wait for.
                let _ = task.await;
                all_closed.await;
            })
            .await;
        });
        // This fails only if the task panicked, see above.
        let _ = leaving.await;
    }

    fn begin_to_stop(&self) -> Option<(Life, JoinHandle<()>)> {
        let mut serving = lock(&self.serving);
        let serving = serving.as_mut()?;
        Some((serving.life, serving.task.take()?))
    }

    /// Stops the server at once, as a process that is killed, until
    /// [`start_again`](Self::start_again): new connections are refused, open ones are closed, and
    /// calls in flight are dropped. What they have not written by now is never written. The port
    /// stays reserved.
    ///
    /// Does nothing if the server is stopped.
    pub fn kill(&self) {
        self.connections.hang_up();
        if let Some(Serving { life, task }) = lock(&self.serving).take() {
            self.desk.kill(life);
            if let Some(task) = task {
                task.abort();
            }
        }
    }

    /// Starts a stopped server again, on the same port and with the same data. It listens when
    /// this returns. Its rate limits start full; faults and counts of requests stay as they are.
    ///
    /// Does nothing if the server runs.
    ///
    /// # Errors
    ///
    /// If the system does not let the port listen again, such as for want of file descriptors.
    pub fn start_again(&self) -> io::Result<()> {
        let mut serving = lock(&self.serving);
        if serving.is_some() {
            return Ok(());
        }
        self.engine.restart();
        let (accepted, incoming) = mpsc::unbounded_channel();
        self.connections.open_door(accepted)?;
        let life = self.desk.next_life();
        let gate = Gate::new(Engine::routes(&self.engine), Arc::clone(&self.desk), life);
        let incoming = UnboundedReceiverStream::new(incoming).map(Ok::<_, io::Error>);
        let closing = Arc::clone(&self.desk);
        let task = self.worker.runtime().spawn(async move {
            // Its only errors are those of `incoming`, which has none.
            let _ = Server::builder()
                .serve_with_incoming_shutdown(gate, incoming, async move {
                    closing.closed(life).await;
                })
                .await;
        });
        *serving = Some(Serving { life, task: Some(task) });
        Ok(())
    }

    /// Stops the server for good, as [`stop`](Self::stop) does.
    ///
    /// If this is cancelled, the server stops at once.
    pub async fn shutdown(self) {
        self.stop().await;
    }
}

/// Stops a server at once.
struct KillOnDrop<'a>(&'a EmbeddedQdrant);

impl Drop for KillOnDrop<'_> {
    fn drop(&mut self) {
        self.0.kill();
    }
}

impl Drop for EmbeddedQdrant {
    fn drop(&mut self) {
        self.connections.close();
        self.kill();
    }
}
