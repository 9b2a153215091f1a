//! The executor that drives every candidate.

use std::hint::{self, black_box};
use std::pin::{Pin, pin};
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use tokio::runtime::{Builder, EnterGuard, Runtime};

/// Enters the runtime whose clock timeouts take: nothing here has to turn it.
pub(crate) fn entered() -> EnterGuard<'static> {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let runtime = Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime without threads is made of memory alone")
    });
    RUNTIME.enter()
}

/// Polls `future` until it is ready. Those of the benchmark are so at once, but where one waits
/// for a lock of its own that another core holds.
///
/// It is polled by a pointer that the compiler cannot see through, as runtimes poll their tasks:
/// otherwise there would be nothing left of the plain function.
#[expect(clippy::inline_always, reason = "else the executor moves some futures, and not others")]
#[inline(always)]
pub fn drive<F: Future>(future: F) -> F::Output {
    let future: Pin<&mut dyn Future<Output = F::Output>> = pin!(future);
    let mut future = black_box(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => hint::spin_loop(),
        }
    }
}
