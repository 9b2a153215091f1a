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

/// How long a graceful stop waits for peers to close their connections after the last response.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A Qdrant server inside the process, with scripted failures, on a loopback port of its own.
///
/// It speaks Qdrant's gRPC protocol and runs on its own thread, so that clients work in a runtime
/// of either flavor, even if they block its only thread. Dropping the server stops it immediately:
/// when `drop` returns, its port and its connections are closed, and its thread has ended.
///
/// Delays, windows of faults and rate limits are measured in real time, even if a test pauses
/// tokio's clock.
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
/// Servers that are started with the same [`Storage`] serve the same data, as the nodes of a
/// cluster do:
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
/// Each server has its own faults, connections, request counts and rate limits.
#[derive(Debug)]
pub struct EmbeddedQdrant {
    connections: Connections,
    desk: Arc<Desk>,
    engine: Arc<Engine>,
    /// `None` while the server is stopped.
    serving: Mutex<Option<Serving>>,
    /// The last field, so that it is dropped last.
    worker: Worker,
}

#[derive(Debug)]
struct Serving {
    life: Life,
    /// `None` while a graceful stop is under way.
    task: Option<JoinHandle<()>>,
}

/// Configures and starts a server. Created by [`EmbeddedQdrant::builder`].
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
/// // A new server on the same port, with the same data.
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
    /// Sets the port on `127.0.0.1`. By default, or if it is 0, the system chooses a free port.
    ///
    /// Another program or test may be using a fixed port. To restart a server on the same port,
    /// prefer [`start_again`](EmbeddedQdrant::start_again), which keeps the port reserved.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the data that the server serves. By default, the server gets an empty [`Storage`].
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
    /// Starts a server on `127.0.0.1`, on a free port, without any data. It listens when this
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

    /// Returns a builder, which can set the port and the [`Storage`].
    pub fn builder() -> EmbeddedQdrantBuilder {
        EmbeddedQdrantBuilder::default()
    }

    /// Returns the address that the server listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.connections.addr()
    }

    /// Returns the server's URL, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// Returns a client of the server, with the default settings of `qdrant-client` except that it
    /// skips the compatibility check, which costs a thread and a request. The client connects on
    /// its first call. For other settings, build a client from [`url`](Self::url).
    ///
    /// # Panics
    ///
    /// If `qdrant-client` rejects a loopback URL, which it does not.
    #[must_use]
    pub fn client(&self) -> Qdrant {
        Qdrant::from_url(&self.url())
            .skip_compatibility_check()
            .build()
            .expect("a loopback URL is a valid one")
    }

    /// Returns the data of the server, which can be passed to other servers.
    #[must_use]
    pub fn storage(&self) -> Storage {
        self.engine.storage().clone()
    }

    /// Activates a fault for requests that arrive from now on.
    // Reason: the handle is needed only to inspect the fault or to remove it.
    #[allow(clippy::must_use_candidate)]
    pub fn script(&self, fault: Fault) -> ScriptedFault {
        self.desk.script(fault)
    }

    /// Returns the server's connections, which can be made to fail.
    #[must_use]
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Returns the number of requests for this method that have arrived, including those that failed.
    /// A request is counted when its headers arrive. `qdrant-client` sends some requests twice; see
    /// [`Fault`].
    #[must_use]
    pub fn requests(&self, method: Method) -> u64 {
        self.desk.requests(method)
    }

    /// Returns the number of requests that have arrived, including calls without a [`Method`].
    #[must_use]
    pub fn total_requests(&self) -> u64 {
        self.desk.total_requests()
    }

    /// Returns the number of requests for each method that has received any.
    #[must_use]
    pub fn requests_by_method(&self) -> BTreeMap<Method, u64> {
        self.desk.requests_by_method()
    }

    /// Resets the counts of requests to 0, but not [`ScriptedFault::hits`].
    pub fn reset_counts(&self) {
        self.desk.reset_counts();
    }

    /// Stops the server gracefully, until [`start_again`](Self::start_again): new connections are
    /// refused, calls in flight complete, including delayed ones, and then the connections are
    /// closed. Requests that a fault would hold forever are aborted, and stalled bytes flow again.
    /// The port stays reserved.
    ///
    /// If this is cancelled, the server stops immediately. Does nothing if the server is already
    /// stopped or stopping.
    pub async fn stop(&self) {
        let Some((life, task)) = self.begin_to_stop() else {
            return;
        };
        // Also runs if this future is dropped early.
        let _at_the_end = KillOnDrop(self);
        self.connections.refuse();
        self.connections.resume();
        self.connections.close_dead();
        self.desk.close(life);
        let (desk, all_closed) = (Arc::clone(&self.desk), self.connections.all_closed());
        // On the server's runtime, since the clock of the caller's runtime may be paused.
        let leaving = self.worker.runtime().spawn(async move {
            desk.idle().await;
            // A peer that neither reads nor closes must not keep the server from stopping.
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, async {
                // This fails if the task panicked. Then there is nothing left to wait for.
                let _ = task.await;
                all_closed.await;
            })
            .await;
        });
        // See above.
        let _ = leaving.await;
    }

    fn begin_to_stop(&self) -> Option<(Life, JoinHandle<()>)> {
        let mut serving = lock(&self.serving);
        let serving = serving.as_mut()?;
        Some((serving.life, serving.task.take()?))
    }

    /// Stops the server immediately, as if its process were killed, until
    /// [`start_again`](Self::start_again): new connections are refused, open ones are closed, and
    /// calls in flight are dropped. A write that has not been applied yet never is. The port stays
    /// reserved.
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
    /// this returns. Its rate limits start full. Scripted faults and request counts are kept.
    ///
    /// Does nothing if the server is running.
    ///
    /// # Errors
    ///
    /// If the system does not allow the port to listen again, for example for lack of file
    /// descriptors.
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
            // The only possible errors are those of `incoming`, which never fails.
            let _ = Server::builder()
                .serve_with_incoming_shutdown(gate, incoming, async move {
                    closing.closed(life).await;
                })
                .await;
        });
        *serving = Some(Serving { life, task: Some(task) });
        Ok(())
    }

    /// Stops the server gracefully, as [`stop`](Self::stop) does, and drops it.
    ///
    /// If this is cancelled, the server stops immediately.
    pub async fn shutdown(self) {
        self.stop().await;
    }
}

/// Kills a server when it is dropped.
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
