//! The breaker held against a plain model of it, through sequences that nobody would think of.
//!
//! The model (`model.rs`) is a struct that one thread changes: no words, no atomics, no tricks. The
//! breaker and its model are told the same, and after each step all that the breaker tells of
//! itself must be what the model says.

mod model;
mod steps;

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use resilient_runtime::{CircuitBreaker, Permit};
use resilient_tests::Failure;
use tokio::time::{Instant, advance, pause};

use self::model::{Model, Pass, Settings, Window};
use self::steps::{End, Step, settings, steps};

/// 10,000 sequences for each way to open.
const SEQUENCES: u32 = 10_000;

fn run(settings: Settings, steps: &[Step]) -> TestCaseResult {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        pause();
        let breaker = CircuitBreaker::new(settings.config());
        let mut pair = Pair::new(&breaker, settings);
        pair.compare()?;
        for step in steps {
            pair.take(step).await?;
            pair.compare()?;
        }
        Ok(())
    })
}

/// The breaker and its model, and the calls that are under way in both.
struct Pair<'b> {
    breaker: &'b CircuitBreaker,
    model: Model,
    began: Instant,
    calls: Vec<(Permit<'b>, Pass)>,
}

impl<'b> Pair<'b> {
    fn new(breaker: &'b CircuitBreaker, settings: Settings) -> Self {
        Self { breaker, model: Model::new(settings), began: Instant::now(), calls: Vec::new() }
    }

    async fn take(&mut self, step: &Step) -> TestCaseResult {
        match *step {
            Step::Acquire => self.acquire()?,
            Step::End(which, how) => self.end(which, how),
            Step::Advance(millis) => {
                advance(Duration::from_millis(millis)).await;
                self.model.advance(millis);
            }
            Step::AskIfReady => {
                let ready = pin!(self.breaker.wait_until_ready())
                    .poll(&mut Context::from_waker(Waker::noop()));
                prop_assert_eq!(ready == Poll::Ready(()), self.model.is_ready());
            }
            Step::Reset => {
                self.breaker.reset();
                self.model.reset();
            }
            Step::ForceOpen => {
                self.breaker.force_open();
                self.model.force_open();
            }
            Step::ForceClosed => {
                self.breaker.force_closed();
                self.model.force_closed();
            }
            Step::Disable => {
                self.breaker.disable();
                self.model.disable();
            }
        }
        Ok(())
    }

    fn acquire(&mut self) -> TestCaseResult {
        match (self.breaker.acquire(), self.model.acquire()) {
            (Ok(permit), Ok(pass)) => {
                prop_assert_eq!(permit.is_probe(), pass.is_probe());
                self.calls.push((permit, pass));
            }
            (Err(error), Err(retry_after)) => {
                prop_assert_eq!(error.retry_after, retry_after.map(Duration::from_millis));
            }
            (permit, pass) => prop_assert!(false, "{permit:?}, but the model says {pass:?}"),
        }
        Ok(())
    }

    fn end(&mut self, which: usize, how: End) {
        if self.calls.is_empty() {
            return;
        }
        let (permit, pass) = self.calls.swap_remove(which % self.calls.len());
        match how {
            End::Success => {
                permit.success();
                self.model.succeed(pass);
            }
            End::Failure => {
                permit.failure();
                self.model.fail(pass, None);
            }
            End::Error(kind, hint) => {
                let retry_after = hint.map(Duration::from_millis);
                permit.settle(&Err::<(), _>(Failure::Failed { kind, retry_after }));
                self.model.end_with(pass, kind, hint);
            }
            End::Ignored => {
                permit.ignore();
                self.model.ignore(pass);
            }
            End::Dropped => {
                drop(permit);
                self.model.ignore(pass);
            }
        }
    }

    fn compare(&self) -> TestCaseResult {
        let stats = self.breaker.stats();
        let model = &self.model;
        prop_assert_eq!(stats.state, model.state());
        prop_assert_eq!(stats.is_forced, model.is_held());
        prop_assert_eq!(stats.disabled, model.is_disabled());
        prop_assert_eq!(stats.failure_count, model.failure_count());
        prop_assert_eq!(stats.success_count, model.success_count());
        prop_assert_eq!(stats.consecutive_openings, model.consecutive_openings());
        let wait = model.time_until_half_open().map(Duration::from_millis);
        prop_assert_eq!(stats.time_until_half_open, wait);
        let failed = model.last_failure.map(|millis| self.began + Duration::from_millis(millis));
        prop_assert_eq!(stats.last_failure_time, failed);
        let window = stats.window.map(|window| (window.calls, window.failures, window.slow_calls));
        prop_assert_eq!(window, model.window());
        let totals = &stats.totals;
        prop_assert_eq!(totals.successes, model.successes);
        prop_assert_eq!(totals.failures, model.failures);
        prop_assert_eq!(totals.ignored, model.ignored);
        prop_assert_eq!(totals.slow_calls, model.slow_calls);
        prop_assert_eq!(totals.rejected, model.rejected);
        prop_assert_eq!(totals.transitions, model.transitions);
        Ok(())
    }
}

fn sequences() -> ProptestConfig {
    // A sequence that fails is printed, in its shortest form: it becomes a test with a name.
    ProptestConfig { cases: SEQUENCES, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(sequences())]

    #[test]
    fn by_failures_in_a_row(settings in settings(Just(Window::None)), steps in steps()) {
        run(settings, &steps)?;
    }

    #[test]
    fn by_a_window_of_calls(
        settings in settings((1_u32..6).prop_map(Window::Calls)),
        steps in steps(),
    ) {
        run(settings, &steps)?;
    }

    #[test]
    fn by_a_window_of_time(
        settings in settings((1_u64..6).prop_map(|tens| Window::Millis(10 * tens))),
        steps in steps(),
    ) {
        run(settings, &steps)?;
    }
}
