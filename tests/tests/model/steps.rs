//! What can happen to a breaker.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use resilient_runtime::ErrorKind;

use super::model::{Kinds, Settings, Window};

#[derive(Clone, Copy, Debug)]
pub enum Step {
    Acquire,
    /// One of the calls under way ends.
    End(usize, End),
    Advance(u64),
    AskIfReady,
    Reset,
    ForceOpen,
    ForceClosed,
    Disable,
}

#[derive(Clone, Copy, Debug)]
pub enum End {
    Success,
    Failure,
    /// With a hint, in milliseconds.
    Error(ErrorKind, Option<u64>),
    Ignored,
    Dropped,
}

/// Two that are transient, and two that are not.
const KINDS: [ErrorKind; 4] = [
    ErrorKind::RateLimitError,
    ErrorKind::TimeoutError,
    ErrorKind::NotFoundError,
    ErrorKind::Unknown,
];

/// Calls and time mostly; a hand on the breaker now and then.
pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let end = prop_oneof![
        4 => Just(End::Success),
        4 => Just(End::Failure),
        3 => (select(&KINDS[..]), option::of(1_u64..80)).prop_map(|(kind, hint)| End::Error(kind, hint)),
        1 => Just(End::Ignored),
        1 => Just(End::Dropped),
    ];
    let step = prop_oneof![
        20 => Just(Step::Acquire),
        18 => (0_usize..8, end).prop_map(|(which, how)| Step::End(which, how)),
        8 => (1_u64..30).prop_map(Step::Advance),
        4 => Just(Step::Advance(10)),
        2 => Just(Step::AskIfReady),
        1 => Just(Step::Reset),
        1 => Just(Step::ForceOpen),
        1 => Just(Step::ForceClosed),
        1 => Just(Step::Disable),
    ];
    vec(step, 1..80)
}

/// Small numbers, so that a short sequence meets them all.
pub fn settings(window: impl Strategy<Value = Window>) -> impl Strategy<Value = Settings> {
    let rate = || prop_oneof![Just(0), Just(25), Just(50), Just(100)];
    let kinds = prop_oneof![
        2 => Just(Kinds::Transient),
        1 => Just(Kinds::Only([ErrorKind::TimeoutError, ErrorKind::NotFoundError])),
        1 => Just(Kinds::AllBut(ErrorKind::RateLimitError)),
    ];
    (
        window,
        (1_u32..4, 1_u32..4, 1_u32..4),
        option::of(Just(15_u64)),
        (1_u32..4, 10_u64..60),
        (1_u32..6, option::of(rate()), any::<bool>()),
        option::of((5_u64..20, rate())),
        kinds,
    )
        .prop_map(|(window, thresholds, probe_timeout, growth, failures, slow, kinds)| {
            Settings {
                window,
                failure_threshold: thresholds.0,
                success_threshold: thresholds.1,
                half_open_max_calls: thresholds.2,
                probe_timeout,
                open_millis: 10,
                growth: growth.0,
                max_open_millis: growth.1,
                minimum_calls: failures.0,
                failure_percent: failures.1,
                counts_in_window: failures.2,
                slow,
                kinds,
            }
        })
}
