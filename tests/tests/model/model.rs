//! What a breaker does, in the plainest words.

use std::collections::VecDeque;
use std::time::Duration;

use resilient_runtime::{BreakerConfig, BreakerState, ErrorKind};

/// How far back it looks.
#[derive(Clone, Copy, Debug)]
pub enum Window {
    None,
    Calls(u32),
    Millis(u64),
}

/// Which kinds of error count.
#[derive(Clone, Copy, Debug)]
pub enum Kinds {
    Transient,
    Only([ErrorKind; 2]),
    AllBut(ErrorKind),
}

/// Its configuration, in whole numbers.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub window: Window,
    pub failure_threshold: u32,
    /// Whether so many failures in the window open it.
    pub counts_in_window: bool,
    pub success_threshold: u32,
    pub half_open_max_calls: u32,
    pub probe_timeout: Option<u64>,
    pub open_millis: u64,
    pub growth: u32,
    pub max_open_millis: u64,
    pub minimum_calls: u32,
    pub failure_percent: Option<u32>,
    /// Milliseconds, and percent.
    pub slow: Option<(u64, u32)>,
    pub kinds: Kinds,
}

impl Settings {
    pub fn config(self) -> BreakerConfig {
        let mut builder = BreakerConfig::builder()
            .success_threshold(self.success_threshold)
            .half_open_max_calls(self.half_open_max_calls)
            .open_duration(Duration::from_millis(self.open_millis))
            .open_duration_multiplier(f64::from(self.growth));
        builder = builder.max_open_duration(Duration::from_millis(self.max_open_millis));
        if let Some(timeout) = self.probe_timeout {
            builder = builder.probe_timeout(Duration::from_millis(timeout));
        }
        builder = match self.kinds {
            Kinds::Transient => builder,
            Kinds::Only(kinds) => builder.trip_on(&kinds),
            Kinds::AllBut(kind) => builder.ignore(&[kind]),
        };
        builder = match self.window {
            Window::None => {
                return builder.failure_threshold(self.failure_threshold).build().unwrap();
            }
            Window::Calls(calls) => builder.window_calls(calls),
            Window::Millis(millis) => builder.window_time(Duration::from_millis(millis)),
        };
        if self.counts_in_window {
            builder = builder.failure_threshold(self.window_threshold());
        }
        if let Some(percent) = self.failure_percent() {
            builder = builder.failure_rate(f64::from(percent) / 100.0);
        }
        if self.failure_percent().is_some() || self.slow.is_some() {
            builder = builder.minimum_calls(self.minimum_calls());
        }
        if let Some((millis, percent)) = self.slow {
            builder = builder
                .slow_call_duration(Duration::from_millis(millis))
                .slow_call_rate(f64::from(percent) / 100.0);
        }
        builder.build().unwrap()
    }

    fn minimum_calls(self) -> u32 {
        match self.window {
            Window::Calls(calls) => self.minimum_calls.min(calls),
            _ => self.minimum_calls,
        }
    }

    fn window_threshold(self) -> u32 {
        match self.window {
            Window::Calls(calls) => self.failure_threshold.min(calls),
            _ => self.failure_threshold,
        }
    }

    /// A window without a number of failures has a rate.
    fn failure_percent(self) -> Option<u32> {
        self.failure_percent.or_else(|| (!self.counts_in_window).then_some(50))
    }

    fn counts(self, kind: ErrorKind) -> bool {
        match self.kinds {
            Kinds::Transient => kind.is_transient(),
            Kinds::Only(kinds) => kinds.contains(&kind),
            Kinds::AllBut(ignored) => kind.is_transient() && kind != ignored,
        }
    }

    const fn has_window(self) -> bool {
        !matches!(self.window, Window::None)
    }

    /// For how long it is open the `nth` time in a row, after a failure with this hint.
    fn open_for(self, nth: u32, hint: Option<u64>) -> u64 {
        let grown = u64::from(self.growth).saturating_pow(nth - 1);
        let own = self.open_millis.saturating_mul(grown);
        own.max(hint.unwrap_or(0)).min(self.max_open_millis)
    }
}

/// The leave to make one call.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    period: u64,
    /// Which call it is.
    number: u64,
    probe: bool,
    began: u64,
}

impl Pass {
    pub const fn is_probe(&self) -> bool {
        self.probe
    }
}

#[derive(Clone, Debug)]
enum State {
    Closed { failures: u32 },
    Open { until: u64, nth: u32 },
    HalfOpen { successes: u32, nth: u32 },
    ForcedOpen,
    ForcedClosed,
    Disabled { failures: u32 },
}

#[derive(Clone, Copy, Debug)]
struct Ended {
    at: u64,
    failed: bool,
    slow: bool,
}

#[derive(Clone, Debug)]
pub struct Model {
    settings: Settings,
    now: u64,
    state: State,
    period: u64,
    calls: u64,
    /// Probes of any period that are still under way.
    probes: Vec<Pass>,
    window: VecDeque<Ended>,
    pub last_failure: Option<u64>,
    pub successes: u64,
    pub failures: u64,
    pub ignored: u64,
    pub slow_calls: u64,
    pub rejected: u64,
    pub transitions: u64,
}

impl Model {
    pub const fn new(settings: Settings) -> Self {
        Self {
            settings,
            now: 0,
            state: State::Closed { failures: 0 },
            period: 0,
            calls: 0,
            probes: Vec::new(),
            window: VecDeque::new(),
            last_failure: None,
            successes: 0,
            failures: 0,
            ignored: 0,
            slow_calls: 0,
            rejected: 0,
            transitions: 0,
        }
    }

    pub const fn advance(&mut self, millis: u64) {
        self.now += millis;
    }

    fn change(&mut self, state: State) {
        let before = self.moved_to();
        self.state = state;
        self.period += 1;
        if self.moved_to() != before {
            self.transitions += 1;
        }
        if matches!(self.state, State::Closed { .. } | State::Disabled { .. }) {
            self.window.clear();
        }
    }

    fn open(&mut self, nth: u32, hint: Option<u64>) {
        let until = self.now + self.settings.open_for(nth, hint);
        self.change(State::Open { until, nth });
    }

    fn has_hung(&self, probe: &Pass) -> bool {
        self.settings.probe_timeout.is_some_and(|timeout| self.now - probe.began >= timeout)
    }

    /// Probes that have hung for too long, noticed by the next call that asks to pass.
    fn time_out_probes(&mut self) {
        let is_hung = |probe: &Pass| probe.period == self.period && self.has_hung(probe);
        if let State::HalfOpen { nth, .. } = self.state
            && self.probes.iter().any(is_hung)
        {
            self.last_failure = Some(self.now);
            self.open(nth + 1, None);
        }
    }

    pub fn is_ready(&mut self) -> bool {
        self.time_out_probes();
        let probes_out = self.probes.iter().filter(|probe| !self.has_hung(probe)).count();
        let has_slot = probes_out < self.settings.half_open_max_calls as usize;
        match &self.state {
            State::Closed { .. } | State::ForcedClosed | State::Disabled { .. } => true,
            State::Open { until, .. } => self.now >= *until && has_slot,
            State::HalfOpen { .. } => has_slot,
            State::ForcedOpen => false,
        }
    }

    /// A rejection says after how many milliseconds to come again, where that is known.
    pub fn acquire(&mut self) -> Result<Pass, Option<u64>> {
        if !self.is_ready() {
            self.rejected += 1;
            return Err(self.time_until_half_open());
        }
        if let State::Open { nth, .. } = self.state {
            self.change(State::HalfOpen { successes: 0, nth });
        }
        self.calls += 1;
        let mut pass =
            Pass { period: self.period, number: self.calls, probe: false, began: self.now };
        if let State::HalfOpen { .. } = self.state {
            pass.probe = true;
            self.probes.push(pass);
        }
        Ok(pass)
    }

    /// Whether the call has been slow, which is counted.
    fn is_slow(&mut self, pass: Pass) -> bool {
        let limit = self.settings.slow.filter(|_| self.settings.has_window());
        let slow = limit.is_some_and(|(millis, _)| self.now - pass.began > millis);
        self.slow_calls += u64::from(slow);
        slow
    }

    fn release(&mut self, pass: Pass) {
        self.probes.retain(|probe| probe.number != pass.number);
    }

    pub fn succeed(&mut self, pass: Pass) {
        self.release(pass);
        self.successes += 1;
        let slow = self.is_slow(pass);
        if pass.probe && slow {
            self.last_failure = Some(self.now);
        }
        if pass.period == self.period {
            self.settle(false, slow, None);
        }
    }

    pub fn fail(&mut self, pass: Pass, hint: Option<u64>) {
        self.release(pass);
        self.failures += 1;
        let slow = self.is_slow(pass);
        self.last_failure = Some(self.now);
        if pass.period == self.period {
            self.settle(true, slow, hint);
        }
    }

    pub fn end_with(&mut self, pass: Pass, kind: ErrorKind, hint: Option<u64>) {
        if self.settings.counts(kind) {
            self.fail(pass, hint);
        } else {
            self.ignore(pass);
        }
    }

    pub fn ignore(&mut self, pass: Pass) {
        self.release(pass);
        self.ignored += 1;
    }

    fn settle(&mut self, failed: bool, slow: bool, hint: Option<u64>) {
        let has_window = self.settings.has_window();
        match &mut self.state {
            State::HalfOpen { nth, .. } if failed || slow => {
                let next = *nth + 1;
                self.open(next, hint);
            }
            State::HalfOpen { successes, .. } => {
                *successes += 1;
                if *successes == self.settings.success_threshold {
                    self.change(State::Closed { failures: 0 });
                }
            }
            State::Closed { .. } | State::Disabled { .. } if has_window => {
                self.window.push_back(Ended { at: self.now, failed, slow });
                if matches!(self.state, State::Closed { .. }) && self.is_exceeded() {
                    self.open(1, hint);
                }
            }
            State::Closed { failures } | State::Disabled { failures } => {
                *failures = if failed { *failures + 1 } else { 0 };
                let reached = *failures >= self.settings.failure_threshold;
                if reached && matches!(self.state, State::Closed { .. }) {
                    self.open(1, hint);
                }
            }
            State::Open { .. } | State::ForcedOpen | State::ForcedClosed => {}
        }
    }

    /// Calls, failures and slow calls that are in the window now.
    fn counts(&self) -> (u64, u64, u64) {
        let count = |is: fn(&Ended) -> bool| {
            let all = self.window.iter().rev();
            let last: Box<dyn Iterator<Item = &Ended>> = match self.settings.window {
                Window::None => Box::new(std::iter::empty()),
                Window::Calls(calls) => Box::new(all.take(calls as usize)),
                Window::Millis(millis) => {
                    let tenth = millis / 10;
                    Box::new(all.filter(move |ended| self.now / tenth - ended.at / tenth < 10))
                }
            };
            last.filter(|ended| is(ended)).count() as u64
        };
        (count(|_| true), count(|ended| ended.failed), count(|ended| ended.slow))
    }

    fn is_exceeded(&self) -> bool {
        let (calls, failures, slow) = self.counts();
        let reached =
            |count: u64, percent: u32| count > 0 && count * 100 >= u64::from(percent) * calls;
        let settings = self.settings;
        let too_many =
            settings.counts_in_window && failures >= u64::from(settings.window_threshold());
        too_many
            || calls >= u64::from(settings.minimum_calls())
                && (settings.failure_percent().is_some_and(|percent| reached(failures, percent))
                    || settings.slow.is_some_and(|(_, percent)| reached(slow, percent)))
    }

    pub fn reset(&mut self) {
        self.probes.clear();
        self.change(State::Closed { failures: 0 });
    }

    pub fn force_open(&mut self) {
        self.change(State::ForcedOpen);
    }

    pub fn force_closed(&mut self) {
        self.change(State::ForcedClosed);
    }

    pub fn disable(&mut self) {
        self.change(State::Disabled { failures: 0 });
    }

    /// The state as a caller sees it.
    pub const fn state(&self) -> BreakerState {
        match self.state {
            State::Open { until, .. } if self.now >= until => BreakerState::HalfOpen,
            _ => self.moved_to(),
        }
    }

    /// The state to which the last change has moved it, which time does not move on.
    const fn moved_to(&self) -> BreakerState {
        match self.state {
            State::Closed { .. } | State::ForcedClosed | State::Disabled { .. } => {
                BreakerState::Closed
            }
            State::Open { .. } | State::ForcedOpen => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    pub const fn is_held(&self) -> bool {
        matches!(self.state, State::ForcedOpen | State::ForcedClosed | State::Disabled { .. })
    }

    pub const fn is_disabled(&self) -> bool {
        matches!(self.state, State::Disabled { .. })
    }

    pub fn failure_count(&self) -> u32 {
        if let Some((_, failures, _)) = self.window() {
            return u32::try_from(failures).unwrap();
        }
        match self.state {
            State::Closed { failures } | State::Disabled { failures } => failures,
            State::Open { .. } | State::HalfOpen { .. } => self.settings.failure_threshold,
            State::ForcedOpen | State::ForcedClosed => 0,
        }
    }

    pub const fn success_count(&self) -> u32 {
        match self.state {
            State::HalfOpen { successes, .. } => successes,
            _ => 0,
        }
    }

    pub const fn consecutive_openings(&self) -> u32 {
        match self.state {
            State::Open { nth, .. } | State::HalfOpen { nth, .. } => nth,
            _ => 0,
        }
    }

    pub fn time_until_half_open(&self) -> Option<u64> {
        match self.state {
            State::Open { until, .. } => Some(until.saturating_sub(self.now)),
            _ => None,
        }
    }

    pub fn window(&self) -> Option<(u64, u64, u64)> {
        let held = matches!(self.state, State::ForcedOpen | State::ForcedClosed);
        self.settings.has_window().then(|| if held { (0, 0, 0) } else { self.counts() })
    }
}
