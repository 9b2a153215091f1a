//! The peers, each as its documentation says, and as near to ours as it can be: five failures in a
//! row open the breaker, and only what is transient is retried, or counts.

use std::time::Duration;

use backon::Retryable;
use failsafe::futures::CircuitBreaker as _;
use layered::{Execute, Service as _, Stack};
use seatbelt::{RecoveryInfo, ResilienceContext};
use tower::{Service, ServiceExt};

use crate::candidate::{Candidate, Case};
use crate::drive;
use crate::executor::entered;
use crate::function::{CLIENT, DOWN, SearchError, search};
use crate::ours::OPEN_DURATION;

const FAILURES: u32 = 5;
const ATTEMPTS: usize = 3;
const BASE_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(5);

type Make = fn(Case) -> Candidate;

const BOTH: &[Make] = &[backon_in_recloser, seatbelt_retry_and_breaker];
const RETRY: &[Make] = &[backon, tokio_retry];
const BREAKER: &[Make] = &[recloser, failsafe, breaker, seatbelt, tower_resilience];

pub fn candidates(case: Case) -> Vec<Candidate> {
    let makers = match case {
        Case::Success | Case::Neutral => [BOTH, RETRY, BREAKER].concat(),
        Case::Rejection => [BOTH, BREAKER].concat(),
        // Those that retry would wait for it.
        Case::Failure => BREAKER.to_vec(),
    };
    makers.into_iter().map(|make| make(case)).collect()
}

/// What is made once and serves until the program ends.
fn leaked<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// Opens a breaker, where the case begins with an open one, by a few failures more than it takes.
fn open<F: Future>(case: Case, mut fail: impl FnMut() -> F) {
    if case == Case::Rejection {
        for _ in 0..2 * FAILURES {
            drive(fail());
        }
    }
}

/// It counts by rate: all of the last five.
fn new_recloser() -> &'static recloser::AsyncRecloser {
    let recloser = recloser::Recloser::custom()
        .error_rate(1.0)
        .closed_len(FAILURES as usize)
        .half_open_len(2)
        .open_wait(OPEN_DURATION)
        .build();
    leaked(recloser::AsyncRecloser::from(recloser))
}

fn recloser(case: Case) -> Candidate {
    let recloser = new_recloser();
    let call = move |limit| recloser.call_with(SearchError::is_transient, search(&CLIENT, limit));
    open(case, || call(DOWN));
    Candidate::new("recloser", case, move || call)
}

fn exponential() -> backon::ExponentialBuilder {
    backon::ExponentialBuilder::default()
        .with_min_delay(BASE_DELAY)
        .with_max_delay(MAX_DELAY)
        .with_max_times(ATTEMPTS - 1)
        .with_jitter()
}

fn backon(case: Case) -> Candidate {
    Candidate::new("backon", case, || {
        |limit| {
            let search = move || search(&CLIENT, limit);
            search.retry(exponential()).when(SearchError::is_transient)
        }
    })
}

fn tokio_retry(case: Case) -> Candidate {
    use tokio_retry::RetryIf;
    use tokio_retry::strategy::{ExponentialBackoff, jitter};

    Candidate::new("tokio-retry", case, || {
        |limit| {
            let strategy = ExponentialBackoff::from_millis(2)
                .factor(50)
                .max_delay(MAX_DELAY)
                .map(jitter)
                .take(ATTEMPTS - 1);
            let search = move || search(&CLIENT, limit);
            RetryIf::start(strategy, search, SearchError::is_transient)
        }
    })
}

fn backon_in_recloser(case: Case) -> Candidate {
    let recloser = new_recloser();
    open(case, || recloser.call_with(SearchError::is_transient, search(&CLIENT, DOWN)));
    Candidate::new("recloser around backon", case, move || {
        move |limit| {
            let search = move || search(&CLIENT, limit);
            let retried = search.retry(exponential()).when(SearchError::is_transient);
            recloser.call_with(SearchError::is_transient, retried)
        }
    })
}

fn failsafe(case: Case) -> Candidate {
    let backoff = failsafe::backoff::constant(OPEN_DURATION);
    let policy = failsafe::failure_policy::consecutive_failures(FAILURES, backoff);
    let failsafe = leaked(failsafe::Config::new().failure_policy(policy).build());
    let call = move |limit| failsafe.call_with(SearchError::is_transient, search(&CLIENT, limit));
    open(case, || call(DOWN));
    Candidate::new("failsafe", case, move || call)
}

fn breaker(case: Case) -> Candidate {
    let config = breaker::CircuitBreakerConfig::builder()
        .consecutive_failures(FAILURES)
        // Documented to switch off the rule by rate.
        .failure_rate_threshold(0.0)
        .wait_duration(OPEN_DURATION)
        .half_open_max_calls(2)
        .success_threshold(2)
        .failure_predicate(SearchError::is_transient)
        .build();
    let breaker = leaked(breaker::CircuitBreaker::new(config));
    let call = move |limit| breaker.call(move || search(&CLIENT, limit));
    open(case, || call(DOWN));
    Candidate::new("breaker", case, move || call)
}

fn recovery(result: &Result<usize, SearchError>) -> RecoveryInfo {
    match result {
        Err(error) if error.is_transient() => RecoveryInfo::retry(),
        Ok(_) | Err(_) => RecoveryInfo::never(),
    }
}

fn context() -> ResilienceContext<u32, Result<usize, SearchError>> {
    let _entered = entered();
    ResilienceContext::new(tick::Clock::new_tokio())
}

/// It counts by rate in a time: nearly all of five or more, since it takes no rate of one.
macro_rules! seatbelt_breaker {
    ($context:expr) => {
        seatbelt::breaker::Breaker::layer("search", $context)
            .recovery_with(|result, _| recovery(result))
            .rejected_input_error(|_, _| SearchError::RejectedByPeer)
            .failure_threshold(0.99)
            .min_throughput(FAILURES)
            .break_duration(OPEN_DURATION)
    };
}

fn seatbelt(case: Case) -> Candidate {
    let execute = Execute::new(|limit| search(&CLIENT, limit));
    let service = leaked((seatbelt_breaker!(&context()), execute).into_service());
    open(case, || service.execute(DOWN));
    Candidate::new("seatbelt", case, move || move |limit| service.execute(limit))
}

fn seatbelt_retry_and_breaker(case: Case) -> Candidate {
    let context = context();
    let retry = seatbelt::retry::Retry::layer("search", &context)
        .clone_input()
        .recovery_with(|result, _| recovery(result))
        .max_retry_attempts(2)
        .base_delay(BASE_DELAY)
        .max_delay(MAX_DELAY)
        .use_jitter(true);
    let execute = Execute::new(|limit| search(&CLIENT, limit));
    let service = leaked((retry, seatbelt_breaker!(&context), execute).into_service());
    // The breaker is inside: the retries' delays are not waited for, and so their calls dropped.
    if case == Case::Rejection {
        for _ in 0..2 * FAILURES {
            let mut call = std::pin::pin!(service.execute(DOWN));
            let waker = std::task::Waker::noop();
            let _ = call.as_mut().poll(&mut std::task::Context::from_waker(waker));
        }
    }
    Candidate::new("seatbelt, retry and breaker", case, move || move |limit| service.execute(limit))
}

fn tower_resilience(case: Case) -> Candidate {
    let layer = tower_resilience_circuitbreaker::CircuitBreakerLayer::builder()
        .consecutive_failures(FAILURES as usize)
        .wait_duration_in_open(OPEN_DURATION)
        .permitted_calls_in_half_open(2)
        .failure_classifier(|result: &Result<usize, SearchError>| {
            result.as_ref().is_err_and(SearchError::is_transient)
        })
        .build()
        .expect("the numbers are in range");
    let service = tower::service_fn(|limit| search(&CLIENT, limit));
    let service = tower::ServiceBuilder::new().layer(layer).service(service);
    // A clone has the same breaker; each user of it needs one.
    let caller = move || {
        let mut service = service.clone();
        move |limit: u32| {
            drive(service.ready()).expect("it is ready, be it to reject");
            service.call(limit)
        }
    };
    let mut call = caller();
    open(case, || call(DOWN));
    Candidate::new("tower-resilience", case, caller)
}
