//! The circuit breaker: the edge where the pure state machine meets atomics, the clock and events.

mod clock;
mod config;
mod name;
mod open_error;
mod permit;
mod state;
mod stats;
mod totals;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use self::config::{BreakerConfig, BreakerConfigBuilder};
pub use self::name::BreakerName;
pub use self::open_error::CircuitOpenError;
pub use self::permit::Permit;
pub use self::stats::{BreakerState, BreakerStats, BreakerTotals};

use self::clock::Clock;
use self::state::{Admission, Mode, Moment, State, Ticket, Word};
use self::totals::Totals;
use crate::event;

/// Fails fast while a service is down, and lets a few calls probe whether it is back.
///
/// - **Closed**: every call passes. After
///   [`failure_threshold`](BreakerConfigBuilder::failure_threshold) failures in a row it opens.
/// - **Open**: every call is rejected with [`CircuitOpenError`]. Nothing is sent. The first call
///   after [`open_duration`](BreakerConfigBuilder::open_duration) makes it half-open.
/// - **Half-open**: up to [`half_open_max_calls`](BreakerConfigBuilder::half_open_max_calls) calls
///   at once pass as probes, and all others are rejected.
///   [`success_threshold`](BreakerConfigBuilder::success_threshold) successes close it; any
///   failure opens it again.
///
/// A failure is an error of a [transient](crate::ErrorKind::is_transient) kind, or a panic. Any
/// other error is neither failure nor success, and so is a call whose future was dropped. A result
/// counts only in the state in which its call was admitted: an answer that comes after a change of
/// state changes nothing.
///
/// While it is closed and nothing fails, a call reads one word that no call writes, takes no lock,
/// allocates nothing and reads no clock.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{BreakerConfig, CircuitBreaker, Rejection};
/// # use resilient_runtime::{Classify, ErrorKind};
/// # #[derive(Debug)] struct SearchError;
/// # impl Classify for SearchError { fn kind(&self) -> ErrorKind { ErrorKind::Unknown } }
/// # impl From<Rejection> for SearchError { fn from(_: Rejection) -> Self { Self } }
/// # async fn search() -> Result<u32, SearchError> { Ok(7) }
///
/// static SEARCH: CircuitBreaker = CircuitBreaker::named("search", BreakerConfig::DEFAULT);
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let hits = SEARCH.call(search).await?;
/// assert_eq!(SEARCH.stats().totals.successes, 1);
/// # assert_eq!(hits, 7);
/// # Ok::<(), SearchError>(()) }).unwrap();
/// ```
pub struct CircuitBreaker {
    name: BreakerName,
    config: BreakerConfig,
    /// All that decides whether a call may pass: see [`Word`].
    word: AtomicU64,
    clock: Clock,
    totals: Totals,
}

impl CircuitBreaker {
    /// A closed breaker by the name of `unnamed`.
    #[must_use]
    pub const fn new(config: BreakerConfig) -> Self {
        Self::named("unnamed", config)
    }

    /// A closed breaker. Events and rejections carry its name.
    #[must_use]
    pub const fn named(name: &'static str, config: BreakerConfig) -> Self {
        Self {
            name: BreakerName::from_static(name),
            config,
            word: AtomicU64::new(Word::NEW.0),
            clock: Clock::new(),
            totals: Totals::new(),
        }
    }

    /// A closed breaker whose name is made at run time.
    pub(crate) fn shared(name: Arc<str>, config: BreakerConfig) -> Self {
        Self { name: BreakerName::shared(name), ..Self::new(config) }
    }

    /// The name that events and rejections carry.
    #[must_use]
    pub const fn name(&self) -> &BreakerName {
        &self.name
    }

    /// How it behaves.
    #[must_use]
    pub const fn config(&self) -> &BreakerConfig {
        &self.config
    }

    /// Asks to make a call, for code that [`call`](Self::call) does not fit.
    ///
    /// # Errors
    ///
    /// [`CircuitOpenError`] while the breaker is open, or half-open with all its probes out.
    #[inline]
    pub fn acquire(&self) -> Result<Permit<'_>, CircuitOpenError> {
        self.acquire_for(None)
    }

    /// [`acquire`](Self::acquire) by a function whose name goes into the event of a rejection.
    #[inline]
    pub(crate) fn acquire_for(
        &self,
        function: Option<&str>,
    ) -> Result<Permit<'_>, CircuitOpenError> {
        let ticket = match self.load().admit_closed() {
            Some(ticket) => ticket,
            None => self.admit(function)?,
        };
        Ok(Permit::new(self, ticket))
    }

    /// The present state. An open breaker whose time is over stays [`Open`](BreakerState::Open)
    /// until a call asks to pass.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.load().mode().into()
    }

    /// State, counts and totals at this moment. The totals are read one after the other while
    /// calls go on.
    #[must_use]
    pub fn stats(&self) -> BreakerStats {
        let word = self.load();
        let (failure_count, success_count) = match word.state() {
            State::Closed { failures } => (u32::from(failures), 0),
            State::Open { .. } => (self.config.failure_threshold(), 0),
            State::HalfOpen { successes, .. } => {
                (self.config.failure_threshold(), u32::from(successes))
            }
            State::ForcedOpen | State::ForcedClosed => (0, 0),
        };
        let time_until_half_open = match word.state() {
            State::Open { until } => Some(self.clock.until(until)),
            _ => None,
        };
        BreakerStats {
            state: word.mode().into(),
            held_by_hand: matches!(word.mode(), Mode::ForcedOpen | Mode::ForcedClosed),
            failure_count,
            success_count,
            last_failure_time: self.clock.last_failure(),
            time_until_half_open,
            config: self.config,
            totals: self.totals.read(),
        }
    }

    /// Closes the breaker and forgets what it has counted, whatever its state, also where it was
    /// held by hand. Calls that are under way no longer count for it. The totals stay.
    pub fn reset(&self) {
        self.force(State::Closed { failures: 0 });
    }

    /// Opens the breaker and holds it open: every call is rejected until
    /// [`reset`](Self::reset) or [`force_closed`](Self::force_closed).
    pub fn force_open(&self) {
        self.force(State::ForcedOpen);
    }

    /// Closes the breaker and holds it closed: every call passes and failures do not open it,
    /// until [`reset`](Self::reset) or [`force_open`](Self::force_open).
    pub fn force_closed(&self) {
        self.force(State::ForcedClosed);
    }

    fn load(&self) -> Word {
        // Acquire: whoever sees a state also sees what its maker did before, such as the reset
        // that a test or an operator ordered after repairing the service.
        Word(self.word.load(Ordering::Acquire))
    }

    /// Moves the word from `current` to `next`, if it is still `current`; returns what it is
    /// otherwise.
    fn exchange(&self, current: Word, next: Word) -> Result<(), Word> {
        // Release: the counterpart of the load above. A failed exchange is a load.
        self.word
            .compare_exchange(current.0, next.0, Ordering::AcqRel, Ordering::Acquire)
            .map_err(Word)?;
        self.announce(current, next);
        Ok(())
    }

    /// Moves the word by `step` until nobody comes between, or there is nothing to change.
    fn advance(&self, step: impl Fn(Word) -> Option<Word>) {
        let mut current = self.load();
        while let Some(next) = step(current) {
            match self.exchange(current, next) {
                Ok(()) => return,
                Err(actual) => current = actual,
            }
        }
    }

    /// The part of an admission that reads the clock: the breaker is not closed.
    #[cold]
    fn admit(&self, function: Option<&str>) -> Result<Ticket, CircuitOpenError> {
        let now = self.clock.now();
        let mut current = self.load();
        loop {
            match current.admit(&self.config, now) {
                Admission::Pass(ticket) => return Ok(ticket),
                Admission::Probe(ticket, next) => match self.exchange(current, next) {
                    Ok(()) => return Ok(ticket),
                    Err(actual) => current = actual,
                },
                Admission::Reject { until } => return Err(self.reject(function, current, until)),
            }
        }
    }

    fn reject(
        &self,
        function: Option<&str>,
        word: Word,
        until: Option<Moment>,
    ) -> CircuitOpenError {
        self.totals.count_rejected();
        let retry_after = until.map(|moment| self.clock.until(moment));
        event::rejected(function, &self.name, retry_after);
        CircuitOpenError { breaker: self.name.clone(), state: word.mode().into(), retry_after }
    }

    #[inline]
    fn succeeded(&self, ticket: Ticket) {
        self.totals.count_success();
        self.advance(|word| word.succeed(&self.config, ticket));
    }

    #[cold]
    fn failed(&self, ticket: Ticket) {
        self.totals.count_failure();
        let until = self.clock.failed(self.config.open_duration());
        self.advance(|word| word.fail(&self.config, ticket, until));
    }

    fn ignored(&self, ticket: Ticket) {
        self.totals.count_ignored();
        self.advance(|word| word.release(ticket));
    }

    fn force(&self, state: State) {
        self.advance(|word| Some(word.begin(state)));
    }

    /// Says that the breaker has moved, once for each change of its public state.
    fn announce(&self, from: Word, to: Word) {
        let (from, to) = (BreakerState::from(from.mode()), BreakerState::from(to.mode()));
        if from == to {
            return;
        }
        self.totals.count_transition();
        let announce = if to == BreakerState::Open { event::opened } else { event::recovering };
        announce(&self.name, from.as_str(), to.as_str());
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CircuitBreaker")
            .field("name", &self.name)
            .field("state", &self.state())
            .field("totals", &self.totals.read())
            .finish_non_exhaustive()
    }
}

impl Default for CircuitBreaker {
    /// [`new`](Self::new) with [`BreakerConfig::DEFAULT`].
    fn default() -> Self {
        Self::new(BreakerConfig::DEFAULT)
    }
}
