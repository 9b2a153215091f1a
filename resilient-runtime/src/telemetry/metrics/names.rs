//! The names of the metrics, and their descriptions.

use ::metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(super) const CALLS: &str = "resilient_calls_total";
pub(super) const CALL_DURATION: &str = "resilient_call_duration_seconds";
pub(super) const RETRIES: &str = "resilient_retries_total";
pub(super) const GAVE_UP: &str = "resilient_gave_up_total";
pub(super) const BREAKER_STATE: &str = "resilient_breaker_state";
pub(super) const BREAKER_TRANSITIONS: &str = "resilient_breaker_transitions_total";
pub(super) const BREAKER_RESULTS: &str = "resilient_breaker_results_total";
pub(super) const BUDGET_TOKENS: &str = "resilient_budget_tokens";

/// Describes every metric to the recorder.
pub(super) fn describe() {
    describe_counter!(CALLS, Unit::Count, "Calls that have ended, by how they ended");
    describe_histogram!(
        CALL_DURATION,
        Unit::Seconds,
        "How long calls took, delays between attempts included, by how they ended"
    );
    describe_counter!(
        RETRIES,
        Unit::Count,
        "Retries that have begun, by the kind of the error before"
    );
    describe_counter!(
        GAVE_UP,
        Unit::Count,
        "Calls that may be retried and ended with an error, by the reason why no attempt followed"
    );
    describe_gauge!(
        BREAKER_STATE,
        Unit::Count,
        "1 for the state that the circuit breaker is in, otherwise 0; for a template, the number of \
         its breakers in that state"
    );
    describe_counter!(BREAKER_TRANSITIONS, Unit::Count, "Changes of state of the circuit breaker");
    describe_counter!(
        BREAKER_RESULTS,
        Unit::Count,
        "Calls through the circuit breaker, by what they were to it"
    );
    describe_gauge!(BUDGET_TOKENS, Unit::Count, "Tokens that the retry budget has left");
}
