//! A thread with its own tokio runtime, for a server.

use std::io;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::{self, ThreadId};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// How long a drop waits for the thread to end. The thread ends when its current task yields, so
/// this only matters if a [`Store`](crate::Store) blocks.
const JOIN_TIMEOUT: Duration = Duration::from_secs(1);

/// A thread that runs tasks until this is dropped.
///
/// A server does not share the runtime of its client. Otherwise, a client that blocks the only
/// thread of a test, such as in the compatibility check of `qdrant-client`, would wait for a
/// response from that same thread. It does not share the clock either, which a test may pause.
#[derive(Debug)]
pub(crate) struct Worker {
    runtime: Handle,
    thread: ThreadId,
    /// Dropped to stop the thread.
    stop: Option<oneshot::Sender<()>>,
    /// Disconnected when the thread ends. The mutex makes it `Sync`; it is never locked.
    ended: Mutex<mpsc::Receiver<()>>,
}

impl Worker {
    /// Starts a thread of this name.
    ///
    /// # Errors
    ///
    /// If the system provides no thread, or not the resources that a runtime needs.
    pub(crate) async fn start(name: &str) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (end, ended) = mpsc::channel();
        let (ready, started) = oneshot::channel();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            // Dropped last, after the runtime and its tasks.
            let _end = end;
            // Built here: a runtime must not be dropped inside another one.
            match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => {
                    // This fails if the caller has given up.
                    if ready.send(Ok(runtime.handle().clone())).is_ok() {
                        let _ = runtime.block_on(stopped);
                    }
                    runtime.shutdown_background();
                }
                Err(error) => {
                    let _ = ready.send(Err(error));
                }
            }
        })?;
        let (stop, ended) = (Some(stop), Mutex::new(ended));
        let runtime = started.await.map_err(io::Error::other)??;
        Ok(Self { runtime, thread: thread.thread().id(), stop, ended })
    }

    /// The runtime on the thread.
    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.stop.take());
        // If a task on the thread drops this, it cannot wait for its own thread.
        if thread::current().id() != self.thread {
            let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
            let _ = ended.recv_timeout(JOIN_TIMEOUT);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn a_drop_ends_the_thread_and_drops_its_tasks() {
        let worker = Worker::start("test").await.unwrap();
        let task = Arc::new(());
        let held = Arc::clone(&task);
        worker.runtime().spawn(async move {
            std::future::pending::<()>().await;
            drop(held);
        });
        drop(worker);
        assert_eq!(Arc::strong_count(&task), 1);
    }

    #[tokio::test]
    async fn a_task_may_drop_the_worker_that_runs_it() {
        let worker = Worker::start("test").await.unwrap();
        let (dropped, mut done) = oneshot::channel::<()>();
        let runtime = worker.runtime().clone();
        runtime.spawn(async move {
            drop(worker);
            let _ = dropped.send(());
        });
        let start = Instant::now();
        (&mut done).await.unwrap();
        assert!(start.elapsed() < JOIN_TIMEOUT, "the thread waited for itself");
    }

    #[tokio::test]
    async fn a_task_that_blocks_does_not_block_a_drop_for_long() {
        let worker = Worker::start("test").await.unwrap();
        let (release, blocked) = mpsc::channel::<()>();
        let (entered, inside) = mpsc::channel::<()>();
        worker.runtime().spawn(async move {
            entered.send(()).unwrap();
            let _ = blocked.recv();
        });
        inside.recv().unwrap();
        // This returns although the task blocks until `release` is dropped.
        drop(worker);
        drop(release);
    }
}
