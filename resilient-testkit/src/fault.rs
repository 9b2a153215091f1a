//! What goes wrong with a request, and when.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use h2::Reason;
use tonic::Status;

use crate::rate_limit::{come_back_in, whole_seconds};
use crate::sync::lock;
use crate::{Answer, Method};

/// What happens to a request, on which method, when, and how often.
///
/// A fault is built here and put to work by
/// [`EmbeddedQdrant::script`](crate::EmbeddedQdrant::script). Unless told otherwise it meets every
/// request of every method, at once, until it is removed.
///
/// # Several faults
///
/// Faults are asked in the order in which they were scripted. A delay is added up and the next
/// fault is asked; the first of another kind decides, and those after it are not asked: they
/// neither count the request nor use up their [`times`](Self::times).
///
/// # The client's own second try
///
/// `qdrant-client` sends a request of the `Points` service again, at once and by itself, when the
/// answer is `Internal`, `Unavailable`, `Cancelled` or `Unknown`. One such answer is therefore
/// invisible to the caller: script it `times(2)` for one failed call.
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

/// What becomes of a request in the end.
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
    /// Answers with this status, its metadata (such as `retry-after`) included. The call is not
    /// executed.
    pub fn status(status: Status) -> Self {
        Self::new(Kind::Decisive(Outcome::Status(Box::new(status))))
    }

    /// Answers as a shard does that cannot be reached for now.
    pub fn unavailable() -> Self {
        Self::status(Status::unavailable("Shard temporarily unavailable"))
    }

    /// Answers as a collection does that has used up its rate limit: with `retry-after`, in whole
    /// seconds, rounded up.
    pub fn rate_limited(retry_after: Duration) -> Self {
        let seconds = whole_seconds(retry_after);
        let message = format!("Rate limiting exceeded: scripted. Retry after {seconds}s");
        Self::status(come_back_in(retry_after, message))
    }

    /// Answers as a shard does whose search ran out of time.
    pub fn search_timeout() -> Self {
        Self::status(Status::internal(
            "Service internal error: 1 of 1 read operations failed:\n  Timeout error: Operation \
             'Search' timed out after 60 seconds",
        ))
    }

    /// Executes the call, and then answers with this status whatever the result was: a write is
    /// applied, and the caller cannot know.
    pub fn status_after_execution(status: Status) -> Self {
        Self::new(Kind::Decisive(Outcome::StatusAfterExecution(Box::new(status))))
    }

    /// Handles the request after this time, unless the caller gave up by then.
    pub fn delay(delay: Duration) -> Self {
        Self::new(Kind::Delay(delay))
    }

    /// Never answers. The call is not executed; it ends when the caller gives up, the connection
    /// breaks or the server stops.
    pub fn hang() -> Self {
        Self::new(Kind::Decisive(Outcome::Hang))
    }

    /// Executes the call and sends the headers of the answer, but nothing after them. The timeout
    /// of `qdrant-client` ends with the headers, so a caller without one of its own waits until
    /// the connection breaks or the server stops.
    pub fn stall_body() -> Self {
        Self::new(Kind::Decisive(Outcome::StallBody))
    }

    /// Gives this answer in the server's place, as a proxy may. The call is not executed.
    pub fn answer(answer: Answer) -> Self {
        Self::new(Kind::Decisive(Outcome::Answer(Box::new(answer))))
    }

    /// Resets the stream of the request (`RST_STREAM`) in place of an answer. The call is not
    /// executed, whatever the reason lets the client believe.
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

    /// Restricts the fault to this method. Called again, it adds a method. By default every
    /// request is met, those of services that the server does not have included.
    pub fn on(mut self, method: Method) -> Self {
        self.methods.insert(method);
        self
    }

    /// Ends the fault after it has happened to so many requests. 0 is never.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Starts the fault this long after it is scripted. By default it starts at once.
    pub fn starting_in(mut self, delay: Duration) -> Self {
        self.starting_in = delay;
        self
    }

    /// Ends the fault this long after its start. By default it lasts until it is removed.
    pub fn lasting(mut self, duration: Duration) -> Self {
        self.lasting = Some(duration);
        self
    }

    /// Lets the fault happen only to each `nth` request that it could happen to: a steady rate of
    /// faults. 1 by default; 0 is taken for 1.
    pub fn every(mut self, nth: u64) -> Self {
        self.every = nth.max(1);
        self
    }
}

/// A fault at work. Dropping this leaves it at work.
#[derive(Clone, Debug)]
pub struct ScriptedFault {
    script: Arc<Mutex<Script>>,
    id: u64,
    hits: Arc<AtomicU64>,
}

impl ScriptedFault {
    /// How many requests the fault has happened to.
    #[must_use]
    pub fn hits(&self) -> u64 {
        // Relaxed: a count that orders nothing; the script's lock orders the decisions.
        self.hits.load(Ordering::Relaxed)
    }

    /// Ends the fault for requests from now on. A request that it has met already, such as one
    /// that hangs, stays as it is.
    pub fn remove(&self) {
        lock(&self.script).entries.retain(|entry| entry.id != self.id);
    }
}

/// The faults at work, in the order in which they were scripted.
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
    /// Requests that it could have happened to.
    met: u64,
    hits: Arc<AtomicU64>,
}

/// What is to be done with one request.
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
        this.entries.push(Entry { id, fault, scripted_at: now, met: 0, hits: Arc::clone(&hits) });
        ScriptedFault { script: Arc::clone(script), id, hits }
    }

    /// Decides on a request. `method` is `None` for a call that the server does not know.
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
        let meets = fault.methods.is_empty() || method.is_some_and(|m| fault.methods.contains(&m));
        // The script's lock is held, so the count cannot change between the load and the add.
        let spent = fault.times.is_some_and(|times| self.hits.load(Ordering::Relaxed) >= times);
        let running = now
            .saturating_duration_since(self.scripted_at)
            .checked_sub(fault.starting_in)
            .is_some_and(|since| fault.lasting.is_none_or(|lasting| since < lasting));
        if !meets || spent || !running {
            return false;
        }
        self.met += 1;
        let happens = self.met.is_multiple_of(fault.every);
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
