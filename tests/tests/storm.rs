//! An outage with hundreds of clients, in paused time: what the service has to bear, and how soon
//! all of them are served again.
//!
//! `cargo test -p resilient-tests --test storm -- --nocapture` prints the table of the guide's page on budgets.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use resilient_runtime::{
    BreakerConfig, BudgetConfig, CircuitBreaker, CircuitOpenError, ErrorKind, Policy, RetryBudget,
    RetryPolicy,
};
use resilient_tests::Failure;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep, sleep_until};

const CLIENTS: u32 = 200;
/// Each client wants an answer so often.
const INTERVAL: Duration = Duration::from_secs(2);
/// And wants it for so long.
const PATIENCE: Duration = Duration::from_secs(60);
const SERVICE_TIME: Duration = Duration::from_millis(5);
const DOWN: Duration = Duration::from_secs(10);
const BACK: Duration = Duration::from_secs(75);
/// No more is wanted from here on.
const END: Duration = Duration::from_secs(120);
/// What a burst is counted in.
const MOMENT: Duration = Duration::from_millis(10);

const SECOND: Duration = Duration::from_secs(1);

/// A service that is down for a while, and counts what reaches it.
struct Service {
    start: Instant,
    /// By [`MOMENT`].
    requests: RefCell<BTreeMap<u128, u32>>,
    /// Calls that clients began during the outage.
    calls: Cell<u32>,
}

impl Service {
    async fn ask(&self) -> Result<(), Failure> {
        let (now, is_down) = (self.start.elapsed(), self.is_down());
        *self.requests.borrow_mut().entry(moment(now)).or_default() += 1;
        sleep(SERVICE_TIME).await;
        if is_down {
            return Err(Failure::of(ErrorKind::ServiceUnavailable));
        }
        Ok(())
    }

    fn is_down(&self) -> bool {
        (DOWN..BACK).contains(&self.start.elapsed())
    }

    fn requests(&self, from: Duration, until: Duration) -> Vec<u32> {
        let requests = self.requests.borrow();
        requests.range(moment(from)..moment(until)).map(|(_, requests)| *requests).collect()
    }
}

fn moment(of: Duration) -> u128 {
    of.as_millis() / MOMENT.as_millis()
}

/// An answer that a client wanted.
struct Wanted {
    client: u32,
    at: Duration,
    /// None where nobody wanted it any more.
    answered: Option<Duration>,
}

/// What stands between the clients and the service, beside retries.
#[derive(Clone, Copy)]
struct Protection {
    breaker: bool,
    budget: bool,
    jitter: bool,
}

/// How the service and the clients fared.
#[derive(Debug)]
struct Report {
    /// Requests sent for each call, during the outage.
    amplification: f64,
    /// From the recovery until every client has had an answer.
    served_after: Duration,
    /// The most requests in a [`MOMENT`] after the recovery.
    burst: u32,
    /// Answers that were not had, though the service was back for an `open_duration` and a second
    /// while they were wanted.
    lost: usize,
}

/// How a patient caller asks: whoever is rejected comes again when the
/// breaker says, within the second after, and whoever fails in a second.
async fn ask_patiently(service: &Service, policy: &Policy, jitter: bool, client: u32) -> Wanted {
    let at = service.start.elapsed();
    loop {
        if service.is_down() {
            service.calls.set(service.calls.get() + 1);
        }
        let error = match policy.run(|| service.ask()).await {
            Ok(()) => {
                return Wanted { client, at, answered: Some(service.start.elapsed()) };
            }
            Err(error) => error,
        };
        let open = CircuitOpenError::find(&error).map(|open| open.retry_after.unwrap_or_default());
        let spread = if jitter { SECOND.mul_f64(rand::random_range(0.0..0.9)) } else { MOMENT };
        let wait = open.map_or(SECOND, |wait| wait + spread);
        if service.start.elapsed() + wait > at + PATIENCE {
            return Wanted { client, at, answered: None };
        }
        sleep(wait).await;
    }
}

fn policy(Protection { breaker, budget, jitter }: Protection) -> Policy {
    let row = RetryPolicy::for_kind(ErrorKind::ServiceUnavailable).to_builder();
    let row = if jitter { row } else { row.jitter(0.0) };
    let mut policy = Policy::builder("storm").retry(row.build().unwrap());
    if breaker {
        let breaker = CircuitBreaker::named("storm", BreakerConfig::DEFAULT);
        policy = policy.breaker(std::sync::Arc::new(breaker));
    }
    if budget {
        let budget = RetryBudget::named("storm", BudgetConfig::DEFAULT);
        policy = policy.budget(std::sync::Arc::new(budget));
    }
    policy.build().unwrap()
}

async fn storm(protection: Protection) -> Report {
    let service = Rc::new(Service {
        start: Instant::now(),
        requests: RefCell::default(),
        calls: Cell::new(0),
    });
    let policy = Rc::new(policy(protection));
    let wanted = Rc::new(RefCell::new(Vec::new()));
    let local = LocalSet::new();
    for client in 0..CLIENTS {
        let (service, policy, wanted) =
            (Rc::clone(&service), Rc::clone(&policy), Rc::clone(&wanted));
        local.spawn_local(async move {
            let mut next = service.start + INTERVAL * client / CLIENTS;
            while next < service.start + END {
                sleep_until(next).await;
                next += INTERVAL;
                let (service, policy, wanted) =
                    (Rc::clone(&service), Rc::clone(&policy), Rc::clone(&wanted));
                tokio::task::spawn_local(async move {
                    let asked = ask_patiently(&service, &policy, protection.jitter, client).await;
                    wanted.borrow_mut().push(asked);
                });
            }
        });
    }
    local.await;
    report(&service, &wanted.borrow())
}

fn report(service: &Service, wanted: &[Wanted]) -> Report {
    let sent: u32 = service.requests(DOWN, BACK).iter().sum();
    let first_answer = |client| {
        let answers = wanted.iter().filter(|wanted| wanted.client == client);
        answers.filter_map(|wanted| wanted.answered).filter(|at| *at >= BACK).min()
    };
    let served = (0..CLIENTS).map(|client| first_answer(client).expect("it is served again")).max();
    let ready = BACK + BreakerConfig::DEFAULT.open_duration() + SECOND;
    let lost = wanted.iter().filter(|it| it.answered.is_none() && it.at + PATIENCE >= ready);
    Report {
        amplification: f64::from(sent) / f64::from(service.calls.get()),
        served_after: served.unwrap_or_default().saturating_sub(BACK),
        burst: service.requests(BACK, END).into_iter().max().unwrap_or_default(),
        lost: lost.count(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_breaker_and_a_budget_spare_the_service_and_lose_no_request() {
    let both = Protection { breaker: true, budget: true, jitter: true };
    let neither = Protection { breaker: false, budget: false, jitter: true };
    println!(
        "| beside retries | requests for each call, during the outage | all served again after | largest burst in 10 ms | lost |"
    );
    println!("|---|---|---|---|---|");
    let mut reports = Vec::new();
    for (name, protection) in [
        ("nothing", neither),
        ("a budget", Protection { budget: true, ..neither }),
        ("a breaker", Protection { breaker: true, ..neither }),
        ("both", both),
        ("both, without jitter", Protection { jitter: false, ..both }),
    ] {
        let report = storm(protection).await;
        println!(
            "| {name} | {:.2} | {:.1} s | {} | {} |",
            report.amplification,
            report.served_after.as_secs_f64(),
            report.burst,
            report.lost
        );
        reports.push(report);
    }
    let [nothing, budget, _, both, in_step] = &reports[..] else { unreachable!("five storms") };
    assert!(both.amplification <= 1.1, "{both:?}");
    assert!(both.served_after <= BreakerConfig::DEFAULT.open_duration() + SECOND, "{both:?}");
    assert_eq!(both.lost, 0, "{both:?}");
    assert!(budget.amplification <= 1.1 && nothing.amplification > 2.5, "{budget:?} {nothing:?}");
    assert!(in_step.burst > 10 * both.burst, "jitter spreads them: {both:?} {in_step:?}");
}
