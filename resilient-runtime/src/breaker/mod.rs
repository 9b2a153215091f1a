//! The circuit breaker: the edge where the pure state machine meets atomics, the clock and events.

mod changes;
mod clock;
mod config;
#[cfg(all(test, loom))]
mod interleavings;
mod name;
mod open_error;
mod openings;
mod permit;
mod probe_slots;
mod settle;
mod state;
mod stats;
mod sync;
pub(crate) mod thread_number;
mod totals;
mod wait;
mod window;

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use self::config::{Behavior, BreakerConfig};
pub use self::name::BreakerName;
pub use self::open_error::CircuitOpenError;
pub(crate) use self::permit::CallState;
pub use self::permit::Permit;
pub use self::stats::{BreakerState, BreakerStats, BreakerTotals};

pub use self::window::WindowStats;

use self::changes::Changes;
use self::clock::Clock;
use self::openings::Openings;
use self::probe_slots::ProbeSlots;
use self::state::{Mode, State, Word};
use self::sync::{AtomicU64, const_unless_loom};
use self::totals::Totals;
use self::wait::Waiters;
use self::window::Results;

/// Fails fast while a service is down, and lets a few calls probe whether it is back.
///
/// - **Closed**: every call passes. After
///   [`failure_threshold`](crate::BreakerConfigBuilder::failure_threshold) failures in a row it opens; or,
///   with a [window of calls](crate::BreakerConfigBuilder::window_calls) or
///   [of time](crate::BreakerConfigBuilder::window_time), when failures or slow calls are too large a
///   share of the calls in it.
/// - **Open**: every call is rejected with [`CircuitOpenError`]. Nothing is sent. When the
///   [`open_duration`](crate::BreakerConfigBuilder::open_duration) is over, which growth, jitter and hints
///   of the server lengthen, it is half-open.
/// - **Half-open**: up to [`half_open_max_calls`](crate::BreakerConfigBuilder::half_open_max_calls) calls
///   at once pass as probes, and all others are rejected.
///   [`success_threshold`](crate::BreakerConfigBuilder::success_threshold) successes close it; any
///   failure opens it again.
///
/// A failure is an error of a kind that counts (the [transient](crate::ErrorKind::is_transient)
/// ones, unless [`trip_on`](crate::BreakerConfigBuilder::trip_on) or
/// [`ignore`](crate::BreakerConfigBuilder::ignore) says otherwise), a panic, or a probe that is
/// [slow](crate::BreakerConfigBuilder::slow_call_duration) or [hangs](crate::BreakerConfigBuilder::probe_timeout). Any
/// other error is neither failure nor success, and so is a call whose future was dropped. A result
/// counts only in the state in which its call was admitted: an answer that comes after a change of
/// state changes nothing.
///
/// A call that is made inside a call through the same breaker, by [`call`](Self::call), a
/// [`Policy`](crate::Policy) or the attribute, is part of that call: it passes, and is not counted
/// once more, also while the breaker is open: the outer call has been admitted. A task that is
/// spawned on the runtime is not inside the call that spawns it; one that the call itself polls, as
/// a `LocalSet` within it does, is.
///
/// While it is closed and nothing fails, a call reads one word that no call writes, takes no lock,
/// allocates nothing and reads no clock. With a window it takes a lock for some nanoseconds, and it
/// reads the clock if calls can be slow or the window is one of time.
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
    openings: Openings,
    /// The window of a breaker that opens by rates, made at the first result.
    results: OnceLock<Box<Results>>,
    probes: ProbeSlots,
    clock: Clock,
    totals: Totals,
    changes: Changes,
    waiters: Waiters,
}

impl CircuitBreaker {
    const_unless_loom! {
        /// A closed breaker by the name of `unnamed`.
        #[must_use]
        pub const fn new(config: BreakerConfig) -> Self {
            Self::named("unnamed", config)
        }
    }

    const_unless_loom! {
        /// A closed breaker. Events and rejections carry its name.
        #[must_use]
        pub const fn named(name: &'static str, config: BreakerConfig) -> Self {
            Self {
                name: BreakerName::from_static(name),
                config,
                word: AtomicU64::new(Word::NEW.0),
                openings: Openings::new(),
                results: OnceLock::new(),
                probes: ProbeSlots::new(),
                clock: Clock::new(),
                totals: Totals::new(),
                changes: Changes::new(),
                waiters: Waiters::new(),
            }
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
    /// The permit is one of its own, also inside a call through the same breaker: do not acquire
    /// one there, or with a single probe the breaker never closes.
    ///
    /// # Errors
    ///
    /// [`CircuitOpenError`] while the breaker is open, or half-open with all its probes out.
    #[inline]
    pub fn acquire(&self) -> Result<Permit<'_>, CircuitOpenError> {
        self.pass().map_or_else(|| self.ask(None), Ok)
    }

    /// The state at this moment. Another thread may have changed it by the time the caller looks
    /// at it.
    ///
    /// An open breaker is [`HalfOpen`](BreakerState::HalfOpen) from the moment the time that it
    /// stays open is over, whether a call has come
    /// since or not. Reading the state changes nothing; the event of the change comes with the
    /// first probe.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.mode_now(self.load()).into()
    }

    /// Whether `force_open`, `force_closed` or `disable` holds the breaker in its state.
    pub(crate) fn is_forced(&self) -> bool {
        matches!(self.load().mode(), Mode::ForcedOpen | Mode::ForcedClosed | Mode::Disabled)
    }

    /// State, counts and totals at this moment. The totals are read one after the other while
    /// calls go on.
    #[must_use]
    pub fn stats(&self) -> BreakerStats {
        let (word, consecutive_openings) = self.consecutive_openings();
        let window = self.window(word);
        let (failures, successes) = match word.state() {
            State::Closed { failures } | State::Disabled { failures } => (u32::from(failures), 0),
            State::Open { .. } => (self.config.failure_threshold(), 0),
            State::HalfOpen { successes, .. } => {
                (self.config.failure_threshold(), u32::from(successes))
            }
            State::ForcedOpen | State::ForcedClosed => (0, 0),
        };
        let state = self.mode_now(word).into();
        let time_until_half_open = match word.state() {
            State::Open { until } => Some(self.clock.until(until)),
            _ => None,
        };
        BreakerStats {
            state,
            is_forced: matches!(
                word.mode(),
                Mode::ForcedOpen | Mode::ForcedClosed | Mode::Disabled
            ),
            disabled: word.mode() == Mode::Disabled,
            failure_count: window
                .map_or(failures, |window| u32::try_from(window.failures).unwrap_or(u32::MAX)),
            success_count: successes,
            last_failure_time: self.clock.last_failure(),
            time_until_half_open,
            consecutive_openings,
            window,
            config: self.config,
            totals: self.totals.read(),
        }
    }

    /// The state word, and how often it has opened in a row.
    fn consecutive_openings(&self) -> (Word, u32) {
        loop {
            let word = self.load();
            let note = self.openings.load();
            // As long as a period lasts, the note is one that speaks of it.
            if self.load().period() == word.period() {
                return (word, note.in_a_row(word));
            }
        }
    }

    /// What is in the window of a breaker with this state word; none where it has no window.
    fn window(&self, word: Word) -> Option<WindowStats> {
        let results = self.results(self.config.rates()?);
        match word.mode() {
            Mode::Closed | Mode::Disabled => {
                Some(results.stats(Some(word.period()), self.clock.now()))
            }
            // The last result that was counted is the one that opened it.
            Mode::Open | Mode::HalfOpen => Some(results.stats(None, self.clock.now())),
            Mode::ForcedOpen | Mode::ForcedClosed => Some(WindowStats::default()),
        }
    }

    /// Closes the breaker and forgets what it has counted, whatever its state, also where it was
    /// held by hand. Calls that are under way no longer count for it, and probes no longer take up
    /// room. The totals stay.
    pub fn reset(&self) {
        // Also if a subscriber panics.
        let _cleared = ClearProbes(&self.probes);
        self.force(State::Closed { failures: 0 });
    }

    /// Opens the breaker and holds it open: every call is rejected until
    /// [`reset`](Self::reset), [`force_closed`](Self::force_closed) or [`disable`](Self::disable).
    pub fn force_open(&self) {
        self.force(State::ForcedOpen);
    }

    /// Closes the breaker and holds it closed: every call passes and failures do not open it,
    /// until [`reset`](Self::reset), [`force_open`](Self::force_open) or
    /// [`disable`](Self::disable). Failures are counted in the totals only.
    pub fn force_closed(&self) {
        self.force(State::ForcedClosed);
    }

    /// Lets every call pass and counts it as if the breaker were closed, so that
    /// [`stats`](Self::stats) shows what would have opened it; but nothing opens it. It ends with
    /// [`reset`](Self::reset), [`force_open`](Self::force_open) or
    /// [`force_closed`](Self::force_closed), and counting then begins anew.
    ///
    /// While it is disabled its state is [`Closed`](BreakerState::Closed), and
    /// [`BreakerStats::disabled`] tells the difference.
    pub fn disable(&self) {
        self.force(State::Disabled { failures: 0 });
    }

    #[inline]
    fn load(&self) -> Word {
        // Acquire: whoever sees a state also sees what its maker did before, such as the reset
        // that a test or an operator ordered after repairing the service.
        Word(self.word.load(Ordering::Acquire))
    }

    /// Moves the word from `current` to `next`, if it is still `current`.
    fn compare_exchange(&self, current: Word, next: Word) -> bool {
        // Release: the counterpart of the load above. A failed exchange tells nothing: the caller
        // loads again.
        self.word.compare_exchange(current.0, next.0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

struct ClearProbes<'b>(&'b ProbeSlots);

impl Drop for ClearProbes<'_> {
    fn drop(&mut self) {
        self.0.clear();
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
