//! How delays grow.

/// How the delay grows from one retry to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backoff {
    /// Doubles: the base delay times 1, 2, 4, 8, ….
    #[default]
    Exponential,
    /// Grows by the base delay: times 1, 2, 3, 4, ….
    Linear,
}

/// Every backoff, with the name that the attribute takes.
pub const NAMES: [(&str, Backoff); 2] =
    [("exponential", Backoff::Exponential), ("linear", Backoff::Linear)];

/// Returns the factor of the base delay before retry number `retry`; the first is 1. `None` if it
/// overflows.
#[must_use]
pub const fn factor(backoff: Backoff, retry: u32) -> Option<u128> {
    match backoff {
        Backoff::Exponential => 1_u128.checked_shl(retry.saturating_sub(1)),
        Backoff::Linear => Some(retry as u128),
    }
}
