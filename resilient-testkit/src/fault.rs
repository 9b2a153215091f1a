//! Scripted failures of requests.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use h2::Reason;
use tonic::Status;

use crate::rate_limit::{rate_limited, whole_seconds};
use crate::sync::lock;
use crate::{Answer, Method};

/// A failure of requests: its kind, and which requests it affects.
///
/// [`EmbeddedQdrant::script`](crate::EmbeddedQdrant::script) activates it. By default, it affects
/// every request of every method, immediately and until it is removed.
///
/// # Several faults
///
/// The server checks faults in the order in which they were scripted. Delays add up, and the server
/// goes on to the next fault. The first fault of another kind decides. The faults after it are not
/// checked: they neither count the request nor use up their [`times`](Self::times).
///
/// # The client's own second try
///
/// When a request of the `Points` service fails with `Internal`, `Unavailable`, `Cancelled` or
/// `Unknown`, `qdrant-client` immediately sends it once more. The caller does not see a single such
/// failure. For one failed call, script the fault with `times(2)`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use resilient_testkit::{EmbeddedQdrant, Fault, Method};
/// use tonic::{Code, Status};
///
/// let server = EmbeddedQdrant::start().await?;
/// let fault = Fault::status(Status::unavailable("restarting"))
///     .on(Method::LIST_COLLECTIONS)
///     .times(1);
/// let scripted = server.script(fault);
///
/// let client = server.client();
/// assert!(client.list_collections().await.is_err());
/// assert!(client.list_collections().await.is_ok());
/// assert_eq!(scripted.hits(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a fault does nothing until it is scripted"]
pub struct Fault {
    kind: Kind,
    methods: BTreeSet<Method>,
    times: Option<u64>,
    starting_in: Duration,
    lasting: Option<Duration>,
    every: u64,
}

#[derive(Clone, Debug)]
enum Kind {
    Delay(Duration),
    Decisive(Outcome),
}

/// How a request ends.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Status(Box<Status>),
    StatusAfterExecution(Box<Status>),
    Hang,
    StallBody,
    Answer(Box<Answer>),
    ResetStream(Reason),
}

impl Fault {
    /// Responds with this status and its metadata, such as `retry-after`. The call is not executed.
    pub fn status(status: Status) -> Self {
        Self::new(Kind::Decisive(Outcome::Status(Box::new(status))))
    }

    /// Responds like a shard that is temporarily unavailable.
    pub fn unavailable() -> Self {
        Self::status(Status::unavailable("Shard temporarily unavailable"))
    }

    /// Responds like a collection that has used up its rate limit: with `retry-after` in whole
    /// seconds, rounded up.
    pub fn rate_limited(retry_after: Duration) -> Self {
        let seconds = whole_seconds(retry_after);
        let message = format!("Rate limiting exceeded: scripted. Retry after {seconds}s");
        Self::status(rate_limited(retry_after, message))
    }

    /// Responds like a shard whose search has timed out.
    pub fn search_timeout() -> Self {
        Self::status(Status::internal(
            "Service internal error: 1 of 1 read operations failed:\n  Timeout error: Operation \
             'Search' timed out after 60 seconds",
        ))
    }

    /// Executes the call, and then responds with this status whatever the result is. A write is
    /// applied, but the caller cannot know.
    pub fn status_after_execution(status: Status) -> Self {
        Self::new(Kind::Decisive(Outcome::StatusAfterExecution(Box::new(status))))
    }

    /// Delays the request. If the caller gives up during the delay, the call is not executed.
    pub fn delay(delay: Duration) -> Self {
        Self::new(Kind::Delay(delay))
    }

    /// Never responds. The call is not executed. It ends when the caller gives up, the connection
    /// breaks or the server stops.
    pub fn hang() -> Self {
        Self::new(Kind::Decisive(Outcome::Hang))
    }

    /// Executes the call and sends the headers of the response, but no body. The timeout of
    /// `qdrant-client` covers only the headers. A caller without a timeout of its own waits until
    /// the connection breaks or the server stops.
    pub fn stall_body() -> Self {
        Self::new(Kind::Decisive(Outcome::StallBody))
    }

    /// Sends this response instead of the server's, as a proxy may. The call is not executed.
    pub fn answer(answer: Answer) -> Self {
        Self::new(Kind::Decisive(Outcome::Answer(Box::new(answer))))
    }

    /// Resets the stream of the request (`RST_STREAM`) instead of responding. The call is not
    /// executed, whatever the reason suggests.
    pub fn reset_stream(reason: Reason) -> Self {
        Self::new(Kind::Decisive(Outcome::ResetStream(reason)))
    }

    fn new(kind: Kind) -> Self {
        Self {
            kind,
            methods: BTreeSet::new(),
            times: None,
            starting_in: Duration::ZERO,
            lasting: None,
            every: 1,
        }
    }

    /// Restricts the fault to this method. Further calls add methods. By default, the fault affects
    /// every request, including those for services that the server does not have.
    pub fn on(mut self, method: Method) -> Self {
        self.methods.insert(method);
        self
    }

    /// Ends the fault after it has affected this many requests. With 0, it affects none.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Starts the fault this long after it is scripted. By default, it starts immediately.
    pub fn starting_in(mut self, delay: Duration) -> Self {
        self.starting_in = delay;
        self
    }

    /// Ends the fault this long after its start. By default, it lasts until it is removed.
    pub fn lasting(mut self, duration: Duration) -> Self {
        self.lasting = Some(duration);
        self
    }

    /// Affects only every `nth` of the requests that match, for a steady rate of faults. The default
    /// is 1. 0 means 1.
    pub fn every(mut self, nth: u64) -> Self {
        self.every = nth.max(1);
        self
    }
}

/// An active fault. It stays active when this handle is dropped.
#[derive(Clone, Debug)]
pub struct ScriptedFault {
    script: Arc<Mutex<Script>>,
    id: u64,
    hits: Arc<AtomicU64>,
}

impl ScriptedFault {
    /// Returns the number of requests that the fault has affected.
    #[must_use]
    pub fn hits(&self) -> u64 {
        // Relaxed: nothing depends on its order. The script's lock orders the decisions.
        self.hits.load(Ordering::Relaxed)
    }

    /// Ends the fault for requests that arrive from now on. A request that it has already affected,
    /// such as one that hangs, stays affected.
    pub fn remove(&self) {
        lock(&self.script).entries.retain(|entry| entry.id != self.id);
    }
}

/// The active faults, in the order in which they were scripted.
#[derive(Debug, Default)]
pub(crate) struct Script {
    entries: Vec<Entry>,
    next_id: u64,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    fault: Fault,
    scripted_at: Instant,
    /// The number of requests that have matched.
    matched: u64,
    hits: Arc<AtomicU64>,
}

/// What the server does with one request.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) delay: Duration,
    pub(crate) outcome: Option<Outcome>,
}

impl Script {
    pub(crate) fn add(script: &Arc<Mutex<Self>>, fault: Fault, now: Instant) -> ScriptedFault {
        let mut this = lock(script);
        let id = this.next_id;
        this.next_id += 1;
        let hits = Arc::new(AtomicU64::new(0));
        this.entries.push(Entry {
            id,
            fault,
            scripted_at: now,
            matched: 0,
            hits: Arc::clone(&hits),
        });
        ScriptedFault { script: Arc::clone(script), id, hits }
    }

    /// Decides about a request. `method` is `None` for a call that the server does not know.
    pub(crate) fn decide(&mut self, method: Option<Method>, now: Instant) -> Verdict {
        let mut verdict = Verdict::default();
        for entry in &mut self.entries {
            if !entry.happens_to(method, now) {
                continue;
            }
            match &entry.fault.kind {
                Kind::Delay(delay) => verdict.delay = verdict.delay.saturating_add(*delay),
                Kind::Decisive(outcome) => {
                    verdict.outcome = Some(outcome.clone());
                    break;
                }
            }
        }
        verdict
    }
}

impl Entry {
    fn happens_to(&mut self, method: Option<Method>, now: Instant) -> bool {
        let fault = &self.fault;
        let matches =
            fault.methods.is_empty() || method.is_some_and(|m| fault.methods.contains(&m));
        // The script's lock is held, so the count cannot change between the load and the add.
        let spent = fault.times.is_some_and(|times| self.hits.load(Ordering::Relaxed) >= times);
        let running = now
            .saturating_duration_since(self.scripted_at)
            .checked_sub(fault.starting_in)
            .is_some_and(|since| fault.lasting.is_none_or(|lasting| since < lasting));
        if !matches || spent || !running {
            return false;
        }
        self.matched += 1;
        let happens = self.matched.is_multiple_of(fault.every);
        if happens {
            self.hits.fetch_add(1, Ordering::Relaxed);
        }
        happens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    struct Setup {
        script: Arc<Mutex<Script>>,
        start: Instant,
    }

    impl Setup {
        fn new() -> Self {
            Self { script: Arc::default(), start: Instant::now() }
        }

        fn add(&self, fault: Fault) -> ScriptedFault {
            Script::add(&self.script, fault, self.start)
        }

        fn decide(&self, method: Method, after: Duration) -> Verdict {
            lock(&self.script).decide(Some(method), self.start + after)
        }

        fn hangs(&self, method: Method, after: Duration) -> bool {
            matches!(self.decide(method, after).outcome, Some(Outcome::Hang))
        }
    }

    #[test]
    fn a_fault_meets_every_method_unless_told_otherwise() {
        let setup = Setup::new();
        let fault = setup.add(Fault::hang());
        assert!(setup.hangs(Method::SEARCH, Duration::ZERO));
        assert!(setup.hangs(Method::HEALTH_CHECK, Duration::ZERO));
        fault.remove();
        setup.add(Fault::hang().on(Method::SEARCH).on(Method::QUERY));
        assert!(setup.hangs(Method::SEARCH, Duration::ZERO));
        assert!(setup.hangs(Method::QUERY, Duration::ZERO));
        assert!(!setup.hangs(Method::UPSERT, Duration::ZERO));
    }

    #[test]
    fn an_unknown_method_is_met_only_by_a_fault_for_all() {
        let setup = Setup::new();
        setup.add(Fault::hang().on(Method::SEARCH));
        let decide = || lock(&setup.script).decide(None, setup.start).outcome;
        assert!(decide().is_none());
        setup.add(Fault::hang());
        assert!(decide().is_some());
    }

    #[test]
    fn times_ends_a_fault_and_hits_counts_it() {
        let setup = Setup::new();
        let fault = setup.add(Fault::hang().times(2));
        let hangs = [(); 3].map(|()| setup.hangs(Method::SEARCH, Duration::ZERO));
        assert_eq!(hangs, [true, true, false]);
        assert_eq!(fault.hits(), 2);
        setup.add(Fault::hang().times(0));
        assert!(!setup.hangs(Method::SEARCH, Duration::ZERO));
    }

    #[test]
    fn a_window_opens_and_closes() {
        let setup = Setup::new();
        setup.add(Fault::hang().starting_in(SECOND).lasting(SECOND));
        assert!(!setup.hangs(Method::SEARCH, SECOND / 2));
        assert!(setup.hangs(Method::SEARCH, SECOND));
        assert!(!setup.hangs(Method::SEARCH, SECOND * 2));
    }

    #[test]
    fn every_nth_request_counts_only_those_it_could_happen_to() {
        let setup = Setup::new();
        setup.add(Fault::hang().on(Method::SEARCH).every(3).times(2));
        let mut happened = Vec::new();
        for nth in 1..=12 {
            assert!(!setup.hangs(Method::QUERY, Duration::ZERO));
            if setup.hangs(Method::SEARCH, Duration::ZERO) {
                happened.push(nth);
            }
        }
        assert_eq!(happened, [3, 6]);
    }

    #[test]
    fn every_zeroth_is_every() {
        let setup = Setup::new();
        setup.add(Fault::hang().every(0));
        assert!(setup.hangs(Method::SEARCH, Duration::ZERO));
    }

    #[test]
    fn delays_add_up_until_a_fault_decides() {
        let setup = Setup::new();
        setup.add(Fault::delay(SECOND));
        setup.add(Fault::delay(SECOND));
        setup.add(Fault::hang());
        let late = setup.add(Fault::stall_body());
        let last = setup.add(Fault::delay(SECOND));
        let verdict = setup.decide(Method::SEARCH, Duration::ZERO);
        assert_eq!(verdict.delay, SECOND * 2);
        assert!(matches!(verdict.outcome, Some(Outcome::Hang)));
        assert_eq!((late.hits(), last.hits()), (0, 0));
    }
}
