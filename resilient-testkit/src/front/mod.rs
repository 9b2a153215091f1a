//! The network side of the server, which can make connections fail.
//!
//! The front accepts connections on the loopback port, and copies bytes between the socket of each
//! client and an in-memory pipe to the gRPC server. The server itself has no sockets.

mod frames;
mod relay;

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::DuplexStream;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use crate::sync::lock;
use relay::Relay;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// The capacity of the pipe between a connection and the server, in bytes per direction.
const PIPE: usize = 64 * 1024;

/// How long to wait if the system cannot accept, for example for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The server's connections, which can be made to fail.
///
/// Every change is in effect when the call returns. For example, the next attempt to connect after
/// [`refuse`](Self::refuse) is refused.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use resilient_testkit::EmbeddedQdrant;
///
/// let server = EmbeddedQdrant::start().await?;
/// server.connections().refuse();
/// assert!(server.client().list_collections().await.is_err());
/// server.connections().allow();
/// assert!(server.client().list_collections().await.is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Connections {
    shared: Arc<Shared>,
    addr: SocketAddr,
}

/// The state that the front, its acceptor and its relays share.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    open: watch::Sender<usize>,
    /// The runtime of the sockets and relays, which is the server's, not the caller's.
    runtime: Handle,
}

#[derive(Debug, Default)]
struct State {
    door: Option<Door>,
    /// A socket that is bound to the port but does not listen. It reserves the port while the door is
    /// shut, and becomes the next door.
    spare: Option<TcpSocket>,
    acceptor: Option<Waker>,
    links: HashMap<u64, Link>,
    accepted: u64,
    stalled: bool,
    cuts: VecDeque<usize>,
    /// Receives accepted connections. `None` while the server is stopped.
    server: Option<mpsc::UnboundedSender<DuplexStream>>,
    closed: bool,
}

#[derive(Debug)]
struct Door {
    listener: TcpListener,
    /// The same socket, to accept connections without a task and without waiting.
    entrance: std::net::TcpListener,
}

/// An open connection.
#[derive(Debug)]
struct Link {
    socket: TcpStream,
    relay: Option<Waker>,
    /// Whether the connection is silenced.
    dead: bool,
}

impl Connections {
    /// Binds a port on the loopback interface. If it is 0, the system chooses a port. Connections are
    /// refused until [`open_door`](Self::open_door).
    pub(crate) fn bind(port: u16, runtime: &Handle) -> io::Result<Self> {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if port != 0 {
            check_free(addr)?;
        }
        let spare = socket(addr)?;
        let addr = spare.local_addr()?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State { spare: Some(spare), ..State::default() }),
            open: watch::Sender::new(0),
            runtime: runtime.clone(),
        });
        let acceptor = Arc::clone(&shared);
        shared.runtime.spawn(async move {
            loop {
                match poll_fn(|cx| acceptor.poll_accept(cx)).await {
                    Accepted::Closed => return,
                    Accepted::Failed => tokio::time::sleep(ACCEPT_PAUSE).await,
                }
            }
        });
        Ok(Self { shared, addr })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Listens on the port, and sends accepted connections to `server` until
    /// [`hang_up`](Self::hang_up).
    pub(crate) fn open_door(&self, server: mpsc::UnboundedSender<DuplexStream>) -> io::Result<()> {
        let mut state = self.shared.lock();
        self.shared.open_door(&mut state, self.addr)?;
        state.server = Some(server);
        Ok(())
    }

    /// Refuses new connections (`ECONNREFUSED`) until [`allow`](Self::allow). Open connections stay
    /// open, including those that the system has completed but the server has not accepted yet. The
    /// port stays reserved.
    ///
    /// A client with an open connection does not notice. To simulate a server that is down, call
    /// [`reset`](Self::reset) as well.
    pub fn refuse(&self) {
        let mut state = self.shared.lock();
        self.shared.accept_waiting(&mut state);
        state.door = None;
    }

    /// Accepts new connections again, on the same port. Does nothing if connections are not refused,
    /// or if the server is stopped.
    ///
    /// # Panics
    ///
    /// If the system does not allow the port to listen again, for example for lack of file
    /// descriptors.
    pub fn allow(&self) {
        let mut state = self.shared.lock();
        if state.server.is_none() {
            // The server is stopped.
            return;
        }
        if let Err(error) = self.shared.open_door(&mut state, self.addr) {
            drop(state);
            panic!("cannot listen on {} again: {error}", self.addr);
        }
    }

    /// Resets every open connection: the client gets `ECONNRESET`, or a broken pipe if it is writing.
    /// Requests in flight are dropped, whether they have been executed or not. New connections are
    /// not affected.
    pub fn reset(&self) {
        let mut state = self.shared.lock();
        self.shared.accept_waiting(&mut state);
        for (_, link) in state.links.drain() {
            // This fails only if the connection is already broken.
            let _ = link.socket.set_zero_linger();
            link.close();
        }
        self.shared.note_open(&state);
    }

    /// Cuts the next response after this many bytes, and closes its connection. With 0, no part of
    /// the response arrives. A response starts with its HTTP/2 headers, which take about 10 to 100
    /// bytes, and fewer if the connection has carried a response before. The body follows.
    ///
    /// Each call cuts one response, in the order of the calls. A response that is shorter than
    /// `after_bytes` arrives completely, and the connection closes once it has carried that many
    /// bytes.
    pub fn cut_next_answer(&self, after_bytes: usize) {
        self.shared.lock().cuts.push_back(after_bytes);
    }

    /// Holds back all bytes, in both directions, on open and on new connections. Clients can still
    /// connect. No bytes are lost: they arrive after [`resume`](Self::resume).
    pub fn stall(&self) {
        self.shared.lock().stalled = true;
    }

    /// Lets bytes flow again after [`stall`](Self::stall).
    pub fn resume(&self) {
        let mut state = self.shared.lock();
        state.stalled = false;
        for link in state.links.values_mut() {
            link.wake();
        }
    }

    /// Silences every open connection, permanently: it stays open, but no bytes pass in either
    /// direction. New connections work.
    ///
    /// A client sees this when a firewall drops the state of a connection, or when the server's
    /// machine loses power: no `FIN` and no `RST`. Requests that have arrived are executed, and
    /// their answers are lost.
    ///
    /// `qdrant-client` replaces such a connection when its own timeout ends a call (5 seconds by
    /// default). A shorter timeout around the call, such as an `attempt_timeout`, ends the call
    /// first, and the next call uses the same dead connection again. Keep the client's timeout
    /// below the others. TCP keep-alive does not detect such a connection, since the kernel still
    /// acknowledges what it receives. HTTP/2 pings do.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// use qdrant_client::Qdrant;
    /// use resilient_testkit::EmbeddedQdrant;
    ///
    /// let server = EmbeddedQdrant::start().await?;
    /// let mut config = Qdrant::from_url(&server.url()).timeout(Duration::from_millis(100));
    /// config.set_pool_size(1);
    /// let client = config.skip_compatibility_check().build()?;
    /// client.list_collections().await?;
    ///
    /// server.connections().blackhole();
    /// assert!(client.list_collections().await.is_err());
    /// // The client's timeout has replaced the connection.
    /// assert!(client.list_collections().await.is_ok());
    /// # Ok(())
    /// # }
    /// ```
    pub fn blackhole(&self) {
        let mut state = self.shared.lock();
        self.shared.accept_waiting(&mut state);
        for link in state.links.values_mut() {
            link.dead = true;
        }
    }

    /// Returns the number of connections that clients have made since the server was created.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        let mut state = self.shared.lock();
        self.shared.accept_waiting(&mut state);
        state.accepted
    }

    /// Returns the number of open connections. If a client closes a connection, it is counted until
    /// the server notices.
    #[must_use]
    pub fn open(&self) -> usize {
        let mut state = self.shared.lock();
        self.shared.accept_waiting(&mut state);
        state.links.len()
    }

    /// Refuses new connections and closes the open ones, until [`open_door`](Self::open_door).
    /// The port stays reserved.
    pub(crate) fn hang_up(&self) {
        let mut state = self.shared.lock();
        self.shared.accept_waiting(&mut state);
        state.door = None;
        state.server = None;
        for (_, link) in state.links.drain() {
            link.close();
        }
        self.shared.note_open(&state);
    }

    /// Closes the connections that [`blackhole`](Self::blackhole) has silenced, since their peers
    /// cannot.
    pub(crate) fn close_dead(&self) {
        let mut state = self.shared.lock();
        for (_, link) in state.links.extract_if(|_, link| link.dead) {
            link.close();
        }
        self.shared.note_open(&state);
    }

    /// Closes the port and every connection permanently.
    pub(crate) fn close(&self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.door = None;
        state.spare = None;
        state.server = None;
        for (_, link) in state.links.drain() {
            link.close();
        }
        self.shared.note_open(&state);
        if let Some(acceptor) = state.acceptor.take() {
            acceptor.wake();
        }
    }

    /// Resolves once no connection is open.
    pub(crate) fn all_closed(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut open = self.shared.open.subscribe();
        async move {
            // This fails if the server has been dropped, which closes all connections.
            let _ = open.wait_for(|n| *n == 0).await;
        }
    }
}

impl Door {
    fn open(socket: TcpSocket) -> io::Result<Self> {
        // Not set earlier: two sockets with this option can share a port as long as neither
        // listens, and most programs set it. Connections inherit the option, so that those that
        // linger after the server is gone do not block the port.
        socket.set_reuseaddr(true)?;
        let entrance = socket.listen(BACKLOG)?.into_std()?;
        let listener = TcpListener::from_std(entrance.try_clone()?)?;
        Ok(Self { listener, entrance })
    }
}

impl Link {
    fn wake(&mut self) {
        if let Some(relay) = self.relay.take() {
            relay.wake();
        }
    }

    /// Closes the socket and wakes the relay, which then ends.
    fn close(mut self) {
        self.wake();
    }
}

/// Why the acceptor returned.
enum Accepted {
    Closed,
    Failed,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Makes the spare socket listen, unless the door is open.
    fn open_door(&self, state: &mut State, addr: SocketAddr) -> io::Result<()> {
        if state.door.is_some() || state.closed {
            return Ok(());
        }
        let _runtime = self.runtime.enter();
        let spare = state.spare.take().map_or_else(|| socket(addr), Ok)?;
        let door = Door::open(spare)?;
        state.spare = Some(socket(addr)?);
        state.door = Some(door);
        if let Some(acceptor) = state.acceptor.take() {
            acceptor.wake();
        }
        Ok(())
    }

    fn poll_accept(self: &Arc<Self>, cx: &mut Context<'_>) -> Poll<Accepted> {
        let mut state = self.lock();
        if state.closed {
            return Poll::Ready(Accepted::Closed);
        }
        state.acceptor = Some(cx.waker().clone());
        loop {
            let Some(door) = &state.door else {
                return Poll::Pending;
            };
            match door.listener.poll_accept(cx) {
                Poll::Ready(Ok((socket, _))) => self.admit(&mut state, socket),
                Poll::Ready(Err(_)) => return Poll::Ready(Accepted::Failed),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Accepts the connections that the system has completed, without waiting for the acceptor.
    fn accept_waiting(self: &Arc<Self>, state: &mut State) {
        let _runtime = self.runtime.enter();
        while let Some(door) = &state.door {
            let Ok((socket, _)) = door.entrance.accept() else {
                return;
            };
            if socket.set_nonblocking(true).is_ok()
                && let Ok(socket) = TcpStream::from_std(socket)
            {
                self.admit(state, socket);
            }
        }
    }

    fn admit(self: &Arc<Self>, state: &mut State, socket: TcpStream) {
        // This fails only if the connection is already broken.
        let _ = socket.set_nodelay(true);
        let id = state.accepted;
        state.accepted += 1;
        let (server, pipe) = tokio::io::duplex(PIPE);
        if state.server.as_ref().is_none_or(|server| server.send(pipe).is_err()) {
            // The server is stopping and accepts no more connections.
            return;
        }
        state.links.insert(id, Link { socket, relay: None, dead: false });
        self.note_open(state);
        self.runtime.spawn(Relay::new(Arc::clone(self), id, server));
    }

    fn note_open(&self, state: &State) {
        self.open.send_replace(state.links.len());
    }
}

/// Returns an error if the address is in use. Binding a [`socket`] does not detect this: two
/// servers of this process could share a port, and each would get some of the connections.
fn check_free(addr: SocketAddr) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    // On Unix, this ignores closed connections in `TIME_WAIT`, but not a listener.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)
}

/// Creates a socket that is bound to the address. Several sockets of one server can be bound to it.
fn socket(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    #[cfg(unix)]
    socket.set_reuseport(true)?;
    #[cfg(not(unix))]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    Ok(socket)
}
