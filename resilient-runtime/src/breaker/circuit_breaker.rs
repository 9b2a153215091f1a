//! The breaker itself: what it consists of, its state and its statistics.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::clock::Clock;
use super::config::BreakerConfig;
use super::live_config::LiveConfig;
use super::open_streak::OpenStreak;
use super::probe_slots::ProbeSlots;
use super::state::{State, Word};
use super::stats::BreakerStats;
use super::sync::{AtomicU64, const_unless_loom};
use super::totals::Totals;
use super::transition_log::{Transition, TransitionLog};
use super::waiters::Waiters;
use super::window::WindowStats;
use crate::error::{BreakerName, BreakerState, BreakerStatus};

/// Fails fast while a service is down, and lets a few calls probe whether it has recovered.
///
/// - **Closed**: every call is admitted. After [`failure_threshold`] consecutive failures it opens.
///   With a [window of calls] or [of time], it opens when failures or slow calls are too large a
///   share of the calls in the window.
/// - **Open**: every call is rejected with [`CircuitOpenError`](crate::CircuitOpenError). Nothing is
///   sent. When the [`open_duration`] is over, it is half-open. Growth, jitter and hints of the
///   server lengthen that time.
/// - **Half-open**: up to [`half_open_max_calls`] calls at once are admitted as probes, and all
///   others are rejected. [`success_threshold`] successes close it. Any failure opens it again.
///
/// A failure is an error of a kind that counts, a panic, or a probe that is [slow] or [hangs]. The
/// [transient](crate::ErrorKind::is_transient) kinds count, unless [`trip_on`] or [`ignore`] says
/// otherwise. Any other error is neither failure nor success, and so is a call whose future was
/// dropped. A result counts only in the state in which its call was admitted: an answer that arrives
/// after a change of state changes nothing.
///
/// [`failure_threshold`]: crate::BreakerConfigBuilder::failure_threshold
/// [window of calls]: crate::BreakerConfigBuilder::window_calls
/// [of time]: crate::BreakerConfigBuilder::window_time
/// [`open_duration`]: crate::BreakerConfigBuilder::open_duration
/// [`half_open_max_calls`]: crate::BreakerConfigBuilder::half_open_max_calls
/// [`success_threshold`]: crate::BreakerConfigBuilder::success_threshold
/// [slow]: crate::BreakerConfigBuilder::slow_call_duration
/// [hangs]: crate::BreakerConfigBuilder::probe_timeout
/// [`trip_on`]: crate::BreakerConfigBuilder::trip_on
/// [`ignore`]: crate::BreakerConfigBuilder::ignore
///
/// A call made inside a call through the same breaker, by [`call`](Self::call), a
/// [`Policy`](crate::Policy) or the attribute, is part of that call. It is admitted with the outer
/// call, even while the breaker is open, and is not counted again. A task spawned on the runtime is
/// not inside the call that spawns it. A task that the call itself polls, as a `LocalSet` within it
/// does, is inside.
///
/// While the breaker is closed and nothing fails, a call reads one word that no call writes, takes
/// no lock, allocates nothing and reads no clock. With a window, it takes a lock for a few
/// nanoseconds. It reads the clock if calls can be slow, or the window is one of time.
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
    pub(super) name: BreakerName,
    pub(super) config: LiveConfig,
    /// All that decides whether a call is admitted: see [`Word`].
    pub(super) word: AtomicU64,
    pub(super) open_streak: OpenStreak,
    pub(super) probes: ProbeSlots,
    pub(super) clock: Clock,
    pub(super) totals: Totals,
    pub(super) transition_log: TransitionLog,
    pub(super) waiters: Waiters,
}

impl CircuitBreaker {
    const_unless_loom! {
        /// Creates a closed breaker named `unnamed`.
        #[must_use]
        pub const fn new(config: BreakerConfig) -> Self {
            Self::named("unnamed", config)
        }
    }

    const_unless_loom! {
        /// Creates a closed breaker. Events and rejections carry its name.
        #[must_use]
        pub const fn named(name: &'static str, config: BreakerConfig) -> Self {
            Self {
                name: BreakerName::from_static(name),
                config: LiveConfig::new(config),
                word: AtomicU64::new(Word::NEW.0),
                open_streak: OpenStreak::new(),
                probes: ProbeSlots::new(),
                clock: Clock::new(),
                totals: Totals::new(),
                transition_log: TransitionLog::new(),
                waiters: Waiters::new(),
            }
        }
    }

    /// Returns the same breaker with another name, which can be made at run time. Use
    /// [`named`](Self::named) for a name in source.
    ///
    /// [`breaker`](crate::breaker()) does not find the breaker by this name, and no function of the
    /// program shares it. For one breaker for each value, see
    /// [`KeyedBreakers`](crate::KeyedBreakers).
    ///
    /// ```
    /// use resilient_runtime::{BreakerConfig, CircuitBreaker};
    ///
    /// let node = "10.0.0.7:6334";
    /// let breaker = CircuitBreaker::new(BreakerConfig::DEFAULT).with_name(format!("node {node}"));
    /// assert_eq!(breaker.name(), "node 10.0.0.7:6334");
    /// ```
    #[must_use]
    pub fn with_name(self, name: impl Into<Arc<str>>) -> Self {
        Self { name: BreakerName::shared(name.into()), ..self }
    }

    /// Returns the name that events and rejections carry.
    #[must_use]
    pub const fn name(&self) -> &BreakerName {
        &self.name
    }

    /// Returns the configuration that holds now. Settings can change it.
    #[must_use]
    pub fn config(&self) -> BreakerConfig {
        self.config.current().config
    }

    /// Returns the configuration of source.
    pub(crate) const fn source_config(&self) -> &BreakerConfig {
        self.config.source()
    }

    /// Replaces the configuration. The breaker keeps its state and its counts, and decides
    /// everything that follows by the new numbers: see the guide's page on settings. The caller
    /// ensures that nothing else replaces it at the same time.
    pub(crate) fn set_config(&self, config: BreakerConfig) {
        if self.config.set(config) {
            // Waiting tasks may have less to wait for now.
            self.waiters.wake_all();
        }
    }

    /// Returns a snapshot of the state. Another thread may have changed it by the time the caller
    /// reads it.
    ///
    /// An open breaker reads as [`HalfOpen`](BreakerState::HalfOpen) as soon as its open duration
    /// is over, whether a call has come since or not. Reading the state changes nothing. The event
    /// of the transition comes with the first probe.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.status_now(self.load()).state()
    }

    /// Returns the state, and whether the breaker is held there by hand. Like
    /// [`state`](Self::state), it reads as half-open as soon as the open duration is over.
    #[must_use]
    pub fn status(&self) -> BreakerStatus {
        self.status_now(self.load())
    }

    /// Returns whether `force_open`, `force_closed` or `disable` holds the breaker in its state.
    pub(crate) fn is_forced(&self) -> bool {
        self.load().status().is_held()
    }

    /// Returns a snapshot of state, counts and totals. The totals are read one after the other
    /// while calls go on.
    #[must_use]
    pub fn stats(&self) -> BreakerStats {
        let (word, consecutive_openings) = self.consecutive_openings();
        let window = self.window(word);
        // A window replaces the number of failures below.
        let config = self.config();
        let threshold = config.failure_threshold().unwrap_or_default();
        let (failures, successes) = match word.state() {
            State::Closed { failures } | State::Disabled { failures } => (u32::from(failures), 0),
            State::Open { .. } => (threshold, 0),
            State::HalfOpen { successes, .. } => (threshold, u32::from(successes)),
            State::ForcedOpen | State::ForcedClosed => (0, 0),
        };
        let state = self.status_now(word).state();
        let time_until_half_open = match word.state() {
            State::Open { until } => Some(self.clock.until(until)),
            _ => None,
        };
        BreakerStats {
            state,
            is_forced: word.status().is_held(),
            disabled: word.status() == BreakerStatus::Disabled,
            failure_count: window
                .map_or(failures, |window| u32::try_from(window.failures).unwrap_or(u32::MAX)),
            success_count: successes,
            last_failure_time: self.clock.last_failure(),
            time_until_half_open,
            consecutive_openings,
            window,
            config,
            totals: self.totals.read(),
        }
    }

    /// Returns the state word, and how often it has opened in a row.
    fn consecutive_openings(&self) -> (Word, u32) {
        loop {
            let word = self.load();
            let streak = self.open_streak.load();
            // While a period lasts, the streak refers to it.
            if self.load().period() == word.period() {
                return (word, streak.openings(word));
            }
        }
    }

    /// Returns what is in the window of a breaker with this state word. `None` if the breaker has
    /// no window.
    fn window(&self, word: Word) -> Option<WindowStats> {
        let now = Instant::now();
        let configured = self.config.current();
        let results = configured.results(|| now)?;
        match word.status() {
            BreakerStatus::Closed | BreakerStatus::Disabled => {
                Some(results.stats(Some(word.period()), now))
            }
            // The last result in the window is the one that opened the breaker.
            BreakerStatus::Open | BreakerStatus::HalfOpen => Some(results.stats(None, now)),
            BreakerStatus::ForcedOpen | BreakerStatus::ForcedClosed => Some(WindowStats::default()),
        }
    }

    /// Closes the breaker and clears its counts, whatever its state, even if it was forced. Calls
    /// in flight no longer count, and probes in flight release their slots. The totals stay.
    pub fn reset(&self) {
        self.act(ManualAction::Reset, None);
    }

    /// Opens the breaker and holds it open. Every call is rejected until
    /// [`reset`](Self::reset), [`force_closed`](Self::force_closed) or [`disable`](Self::disable).
    pub fn force_open(&self) {
        self.act(ManualAction::ForceOpen, None);
    }

    /// Closes the breaker and holds it closed. Every call is admitted and failures do not open it,
    /// until [`reset`](Self::reset), [`force_open`](Self::force_open) or
    /// [`disable`](Self::disable). Failures are counted in the totals only.
    pub fn force_closed(&self) {
        self.act(ManualAction::ForceClosed, None);
    }

    /// Admits every call and counts it as if the breaker were closed, but never opens.
    /// [`stats`](Self::stats) shows what would have opened it. This ends with
    /// [`reset`](Self::reset), [`force_open`](Self::force_open) or
    /// [`force_closed`](Self::force_closed), and counting then starts from zero.
    ///
    /// While it is disabled its state is [`Closed`](BreakerState::Closed), and
    /// [`BreakerStats::disabled`] tells the difference.
    pub fn disable(&self) {
        self.act(ManualAction::Disable, None);
    }

    /// Does what an operator asks for. The event names who it is, as far as the service knows.
    pub(crate) fn act(&self, action: ManualAction, by: Option<&Arc<str>>) {
        let state = match action {
            ManualAction::ForceOpen => State::ForcedOpen,
            ManualAction::ForceClosed => State::ForcedClosed,
            ManualAction::Disable => State::Disabled { failures: 0 },
            ManualAction::Reset => State::Closed { failures: 0 },
        };
        // Also if a subscriber panics.
        let _cleared = (action == ManualAction::Reset).then(|| ClearProbes(&self.probes));
        self.force(state, by);
    }

    /// Returns the last change of state that was published, or the last act of an operator.
    pub(crate) fn last_transition(&self) -> Option<Arc<Transition>> {
        self.transition_log.last()
    }

    #[inline]
    pub(super) fn load(&self) -> Word {
        // Acquire: a thread that sees a state also sees what the thread that made it did before,
        // such as an operator who repaired the service and then reset the breaker.
        Word(self.word.load(Ordering::Acquire))
    }

    /// Moves the word from `current` to `next`, if it is still `current`.
    pub(super) fn compare_exchange(&self, current: Word, next: Word) -> bool {
        // Release: the counterpart of the load above. If the exchange fails, the caller loads
        // again.
        self.word.compare_exchange(current.0, next.0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

/// What an operator can do to a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ManualAction {
    ForceOpen,
    ForceClosed,
    Disable,
    Reset,
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
