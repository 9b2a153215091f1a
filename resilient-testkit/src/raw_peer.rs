//! A peer below gRPC: what answers in a server's place when the server is not there.

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

/// A connection that the system does not complete in this time is one that it has no room for: on
/// the loopback interface it completes the others at once.
const NO_ROOM: Duration = Duration::from_millis(200);

/// A peer on a loopback port that is no Qdrant server, and no gRPC server either.
///
/// It makes the failures that lie below a request, where [`Fault`](crate::Fault) and
/// [`Connections`](crate::Connections) do not reach; it counts what reaches it. It runs on a thread
/// of its own and stops when it is dropped: its port is closed when `drop` returns.
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
    /// Connections that nobody accepts, so that there is no room for others.
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
    /// Speaks HTTP/2 without TLS. When a request has arrived, it sends `GOAWAY` with this reason
    /// and closes the connection, and the request with it.
    ///
    /// # Errors
    ///
    /// If the system provides no port or no thread.
    pub async fn going_away(reason: Reason) -> io::Result<Self> {
        Self::start(Manner::GoAway(reason)).await
    }

    /// Speaks another protocol: when a client has sent something, it sends these bytes and closes
    /// the connection.
    ///
    /// # Errors
    ///
    /// If the system provides no port or no thread.
    pub async fn saying(bytes: impl AsRef<[u8]>) -> io::Result<Self> {
        Self::start(Manner::Say(bytes.as_ref().into())).await
    }

    /// Takes no connection: who connects waits in vain, since the backlog of the port is full.
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
        // The port is open as long as the task has the listener, which it never asks.
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

    /// The address that the peer listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The peer's URL, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// How many connections it has accepted.
    #[must_use]
    pub fn connections(&self) -> u64 {
        // Relaxed: a count that orders nothing.
        self.counts.connections.load(Ordering::Relaxed)
    }

    /// How many requests have arrived; 0 for a peer that does not speak HTTP/2.
    #[must_use]
    pub fn requests(&self) -> u64 {
        // Relaxed: see above.
        self.counts.requests.load(Ordering::Relaxed)
    }
}

/// Makes connections to a new port until it has no room for more.
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
    // They end with this task.
    let mut open = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        counts.connections.fetch_add(1, Ordering::Relaxed);
        let (manner, counts) = (manner.clone(), Arc::clone(&counts));
        open.spawn(async move {
            // Its errors are those of a connection that the client has closed.
            let _ = match manner {
                Manner::GoAway(reason) => go_away(socket, reason, &counts).await,
                Manner::Say(bytes) => say(socket, &bytes).await,
            };
        });
    }
}

async fn go_away(socket: TcpStream, reason: Reason, counts: &Counts) -> io::Result<()> {
    let mut connection = h2::server::handshake(socket).await.map_err(io::Error::other)?;
    // Kept until the end: dropped, it would reset the stream before the connection ends.
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
    // A socket that is closed with input unread resets the connection, which may cost the client
    // the bytes that it was meant to get.
    while socket.read(&mut input).await? > 0 {}
    Ok(())
}
