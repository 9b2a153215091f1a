//! Carries the bytes of one connection, between its socket and the server behind the front.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;

use super::Shared;
use super::frames::Frames;

/// What a relay holds at most in each direction.
const BUFFER: usize = 16 * 1024;

/// The task of one connection. It ends when either side does, or when its socket is taken away.
///
/// The socket is with the front and not here: taking it away is how a connection is reset *now*,
/// from any thread, and not when this task gets its turn. The lock is held only while bytes are
/// moved without waiting.
pub(super) struct Relay {
    shared: Arc<Shared>,
    id: u64,
    server: DuplexStream,
    upward: Buffer,
    downward: Buffer,
    client_finished: bool,
    frames: Frames,
    /// How many more bytes the client may get.
    remaining: Option<usize>,
}

/// The connection is over. Why does not matter: neither side can be told.
struct Over;

impl From<io::Error> for Over {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl Relay {
    pub(super) fn new(shared: Arc<Shared>, id: u64, server: DuplexStream) -> Self {
        Self {
            shared,
            id,
            server,
            upward: Buffer::new(),
            downward: Buffer::new(),
            client_finished: false,
            frames: Frames::default(),
            remaining: None,
        }
    }

    /// From the client to the server.
    fn poll_upward(&mut self, socket: &TcpStream, cx: &mut Context<'_>) -> Poll<Result<(), Over>> {
        loop {
            if !self.upward.is_empty() {
                let written =
                    ready!(Pin::new(&mut self.server).poll_write(cx, self.upward.filled()))?;
                self.upward.consume(written);
            } else if self.client_finished {
                return Pin::new(&mut self.server).poll_shutdown(cx).map_err(Over::from);
            } else {
                ready!(socket.poll_read_ready(cx))?;
                match self.upward.fill(|space| socket.try_read(space)) {
                    Ok(0) => self.client_finished = true,
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => return Poll::Ready(Err(Over)),
                }
            }
        }
    }

    /// From the server to the client. Ends only with the connection.
    fn poll_downward(
        &mut self,
        socket: &TcpStream,
        cuts: &mut VecDeque<usize>,
        cx: &mut Context<'_>,
    ) -> Poll<Over> {
        loop {
            if self.remaining == Some(0) {
                discard_input(socket);
                return Poll::Ready(Over);
            }
            if self.downward.is_empty() {
                let mut read = 0;
                let polled = self.downward.fill(|space| {
                    let mut space = ReadBuf::new(space);
                    let polled = Pin::new(&mut self.server).poll_read(cx, &mut space);
                    read = space.filled().len();
                    match polled {
                        Poll::Ready(result) => result.map(|()| read),
                        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
                    }
                });
                match polled {
                    Ok(0) => return Poll::Ready(Over),
                    Ok(_) => self.look_for_cut(cuts),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        return Poll::Pending;
                    }
                    Err(_) => return Poll::Ready(Over),
                }
            } else {
                if ready!(socket.poll_write_ready(cx)).is_err() {
                    return Poll::Ready(Over);
                }
                let filled = self.downward.filled();
                let allowed = self.remaining.unwrap_or(usize::MAX).min(filled.len());
                match socket.try_write(&filled[..allowed]) {
                    Ok(written) => {
                        self.downward.consume(written);
                        self.remaining = self.remaining.map(|remaining| remaining - written);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => return Poll::Ready(Over),
                }
            }
        }
    }

    /// Takes the next cut upon itself if an answer starts in what was just read.
    fn look_for_cut(&mut self, cuts: &mut VecDeque<usize>) {
        let Some(start) = self.frames.read(self.downward.filled()) else {
            return;
        };
        if self.remaining.is_none()
            && let Some(after) = cuts.pop_front()
        {
            self.remaining = Some(after.saturating_add_signed(start));
        }
    }
}

impl Future for Relay {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let shared = Arc::clone(&this.shared);
        let mut state = shared.lock();
        let state = &mut *state;
        let Some(link) = state.links.get_mut(&this.id) else {
            return Poll::Ready(());
        };
        // Whoever takes the socket away or lets the bytes flow again wakes this task.
        link.relay = Some(cx.waker().clone());
        if state.stalled || link.dead {
            return Poll::Pending;
        }
        let over = matches!(this.poll_upward(&link.socket, cx), Poll::Ready(Err(Over)))
            || this.poll_downward(&link.socket, &mut state.cuts, cx).is_ready();
        if !over {
            return Poll::Pending;
        }
        state.links.remove(&this.id);
        shared.note_open(state);
        Poll::Ready(())
    }
}

/// Throws away what the client sent: a socket that is closed with input unread resets the
/// connection, which may cost the client the bytes that it was meant to get.
fn discard_input(socket: &TcpStream) {
    let mut space = [0; 1024];
    while socket.try_read(&mut space).is_ok_and(|read| read > 0) {}
}

/// Bytes on their way.
struct Buffer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Buffer {
    fn new() -> Self {
        Self { bytes: vec![0; BUFFER].into_boxed_slice(), start: 0, end: 0 }
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
    }

    /// Fills the buffer, which must be empty, by a read.
    fn fill(&mut self, read: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> io::Result<usize> {
        let count = read(&mut self.bytes)?;
        self.start = 0;
        self.end = count;
        Ok(count)
    }
}
