//! A TCP peer that is not a Qdrant server.

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use h2::Reason;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::worker::Worker;

/// If the system does not complete a connection within this time, the backlog is full. On the
/// loopback interface, the system completes connections immediately.
const NO_ROOM: Duration = Duration::from_millis(200);

/// A TCP peer on a loopback port that is neither a Qdrant server nor a gRPC server.
///
/// It produces failures below the level of requests, which [`Fault`](crate::Fault) and
/// [`Connections`](crate::Connections) cannot produce, and counts connections and requests. It runs
/// on a thread of its own. Dropping it stops it: its port is closed when `drop` returns.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use qdrant_client::Qdrant;
/// use resilient_testkit::{RawPeer, Reason};
///
/// let peer = RawPeer::going_away(Reason::NO_ERROR).await?;
/// let client = Qdrant::from_url(&peer.url()).skip_compatibility_check().build()?;
/// assert!(client.list_collections().await.is_err());
/// assert_eq!(peer.requests(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RawPeer {
    addr: SocketAddr,
    counts: Arc<Counts>,
    /// Connections that fill the backlog, since they are never accepted.
    _filling: Vec<TcpStream>,
    /// Dropping it ends the task that owns the port.
    _worker: Worker,
}

#[derive(Debug, Default)]
struct Counts {
    connections: AtomicU64,
    requests: AtomicU64,
}

/// What a peer does with a connection.
#[derive(Clone, Debug)]
enum Manner {
    GoAway(Reason),
    Say(Arc<[u8]>),
}

impl RawPeer {
    /// Starts a peer that speaks HTTP/2 without TLS. When a request arrives, the peer sends `GOAWAY`
    /// with this reason and closes the connection without a response.
    ///
    /// # Errors
    ///
    /// If the system provides no port or no thread.
    pub async fn going_away(reason: Reason) -> io::Result<Self> {
        Self::start(Manner::GoAway(reason)).await
    }

    /// Starts a peer that speaks another protocol. When a client sends bytes, the peer sends these
    /// bytes and closes the connection.
    ///
    /// # Errors
    ///
    /// If the system provides no port or no thread.
    pub async fn saying(bytes: impl AsRef<[u8]>) -> io::Result<Self> {
        Self::start(Manner::Say(bytes.as_ref().into())).await
    }

    /// Starts a peer whose backlog is full: every attempt to connect hangs.
    ///
    /// # Errors
    ///
    /// If the system provides no port or no thread.
    pub async fn full() -> io::Result<Self> {
        let worker = Worker::start("raw-peer").await?;
        // On the worker, since a test may have paused the clock of its own runtime.
        let filled = worker.runtime().spawn(fill()).await;
        let (listener, filling) = filled.map_err(io::Error::other)??;
        let addr = listener.local_addr()?;
        // The task keeps the port open, but never accepts.
        worker.runtime().spawn(async move {
            let _listener = listener;
            std::future::pending::<()>().await;
        });
        Ok(Self { addr, counts: Arc::default(), _filling: filling, _worker: worker })
    }

    async fn start(manner: Manner) -> io::Result<Self> {
        let worker = Worker::start("raw-peer").await?;
        let listener = {
            let _runtime = worker.runtime().enter();
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)?
        };
        let addr = listener.local_addr()?;
        let counts = Arc::default();
        worker.runtime().spawn(serve(listener, manner, Arc::clone(&counts)));
        Ok(Self { addr, counts, _filling: Vec::new(), _worker: worker })
    }

    /// Returns the address that the peer listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the peer's URL, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Returns the number of connections that the peer has accepted.
    #[must_use]
    pub fn connections(&self) -> u64 {
        // Relaxed: nothing depends on its order.
        self.counts.connections.load(Ordering::Relaxed)
    }

    /// Returns the number of requests that have arrived. It is 0 for a peer that does not speak
    /// HTTP/2.
    #[must_use]
    pub fn requests(&self) -> u64 {
        // Relaxed: see above.
        self.counts.requests.load(Ordering::Relaxed)
    }
}

/// Fills the backlog of a new port with connections.
async fn fill() -> io::Result<(TcpListener, Vec<TcpStream>)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let listener = socket.listen(1)?;
    let addr = listener.local_addr()?;
    let mut filling = Vec::new();
    while let Ok(connected) = tokio::time::timeout(NO_ROOM, TcpStream::connect(addr)).await {
        filling.push(connected?);
    }
    Ok((listener, filling))
}

async fn serve(listener: TcpListener, manner: Manner, counts: Arc<Counts>) {
    // The connections end with this task.
    let mut open = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        counts.connections.fetch_add(1, Ordering::Relaxed);
        let (manner, counts) = (manner.clone(), Arc::clone(&counts));
        open.spawn(async move {
            // This fails only if the client has closed the connection.
            let _ = match manner {
                Manner::GoAway(reason) => go_away(socket, reason, &counts).await,
                Manner::Say(bytes) => say(socket, &bytes).await,
            };
        });
    }
}

async fn go_away(socket: TcpStream, reason: Reason, counts: &Counts) -> io::Result<()> {
    let mut connection = h2::server::handshake(socket).await.map_err(io::Error::other)?;
    // Kept until the end: dropping a request would reset its stream before the connection ends.
    let mut requests = Vec::new();
    if let Some(request) = connection.accept().await {
        requests.push(request.map_err(io::Error::other)?);
        counts.requests.fetch_add(1, Ordering::Relaxed);
        connection.abrupt_shutdown(reason);
    }
    poll_fn(|cx| connection.poll_closed(cx)).await.map_err(io::Error::other)
}

async fn say(mut socket: TcpStream, bytes: &[u8]) -> io::Result<()> {
    let mut input = [0; 1024];
    if socket.read(&mut input).await? == 0 {
        return Ok(());
    }
    socket.write_all(bytes).await?;
    socket.shutdown().await?;
    // Closing a socket with unread input resets the connection, and the client may lose the bytes
    // that it has not read.
    while socket.read(&mut input).await? > 0 {}
    Ok(())
}
