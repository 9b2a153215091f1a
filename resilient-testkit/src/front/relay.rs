//! Copies the bytes of one connection between its socket and the server.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;

use super::Shared;
use super::frames::Frames;

/// How many bytes a relay buffers in each direction.
const BUFFER: usize = 16 * 1024;

/// The task of one connection. It ends when either side ends, or when the front removes the socket.
///
/// The front owns the socket, so that any thread can reset the connection immediately, without
/// waiting for this task. The task holds the lock only while it copies bytes without waiting.
pub(super) struct Relay {
    shared: Arc<Shared>,
    id: u64,
    server: DuplexStream,
    upward: Buffer,
    downward: Buffer,
    client_finished: bool,
    frames: Frames,
    /// How many more bytes reach the client before the connection is cut.
    remaining: Option<usize>,
}

/// The connection is over. The reason does not matter, since neither side can receive it.
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

    /// Copies bytes from the client to the server.
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

    /// Copies bytes from the server to the client. Ends only with the connection.
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

    /// Applies the next cut if a response starts in the bytes just read.
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
        // Woken when the socket is removed, or when bytes flow again.
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

/// Discards the input. Closing a socket with unread input resets the connection, and the client may
/// lose the bytes that it has not read.
fn discard_input(socket: &TcpStream) {
    let mut space = [0; 1024];
    while socket.try_read(&mut space).is_ok_and(|read| read > 0) {}
}

/// Bytes that have been read from one side but not yet written to the other.
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

    /// Fills the buffer with a read. It must be empty.
    fn fill(&mut self, read: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> io::Result<usize> {
        let count = read(&mut self.bytes)?;
        self.start = 0;
        self.end = count;
        Ok(count)
    }
}
