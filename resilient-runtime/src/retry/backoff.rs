//! The arithmetic of jitter.

use std::time::Duration;

/// The delays that jitter allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) shortest: Duration,
    pub(crate) longest: Duration,
}

impl Range {
    /// Spreads `delay` by `jitter` of itself in both directions, and cuts the range at `cap`.
    ///
    /// The range is cut after the jitter, so that callers with the longest delay are still spread.
    pub(crate) fn around(delay: Duration, cap: Duration, jitter: f64) -> Self {
        Self {
            shortest: scale(delay, 1.0 - jitter).min(cap),
            longest: scale(delay, 1.0 + jitter).min(cap),
        }
    }

    /// Moves the range so that it does not begin before `hint`.
    ///
    /// The range can exceed the cap by the jitter of the hint, so that callers with the same hint
    /// do not return in the same instant.
    pub(crate) fn not_before(self, hint: Duration, jitter: f64) -> Self {
        Self {
            shortest: self.shortest.max(hint),
            longest: self.longest.max(above(hint, jitter, 1.0)),
        }
    }

    /// Returns the delay at `position`, from 0 to 1. Uniform positions give uniform delays.
    pub(crate) fn at(self, position: f64) -> Duration {
        let width = self.longest.saturating_sub(self.shortest);
        self.shortest.saturating_add(scale(width, position)).min(self.longest)
    }
}

/// Lengthens `hint` by up to `jitter` of itself.
pub(crate) fn above(hint: Duration, jitter: f64, position: f64) -> Duration {
    hint.saturating_add(scale(hint, jitter * position))
}

/// `Duration::mul_f64`, except that it saturates instead of panicking.
fn scale(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(delay: Duration, cap: Duration, jitter: f64, position: f64) -> Duration {
        Range::around(delay, cap, jitter).at(position)
    }

    const BASE: Duration = Duration::from_millis(100);
    const CAP: Duration = Duration::from_secs(5);

    #[test]
    fn jitter_that_overflows_saturates() {
        assert_eq!(spread(Duration::MAX, Duration::MAX, 1.0, 1.0), Duration::MAX);
    }

    #[test]
    fn jitter_spreads_evenly_around_the_delay() {
        let delay = Duration::from_secs(1);
        let spread_at = |position| spread(delay, CAP, 0.1, position).as_millis();
        assert_eq!([0.0, 0.25, 0.5, 1.0].map(spread_at), [900, 950, 1000, 1100]);
    }

    #[test]
    fn jitter_at_the_cap_still_spreads_and_stays_below_it() {
        let spread_at = |position| spread(CAP, CAP, 0.1, position).as_millis();
        assert_eq!([0.0, 0.5, 1.0].map(spread_at), [4500, 4750, 5000]);
    }

    #[test]
    fn jitter_is_never_narrower_for_a_hint() {
        let delay = Duration::from_secs(1);
        let range = |hint| {
            let range = Range::around(delay, CAP, 0.1);
            let Range { shortest, longest } = range.not_before(Duration::from_millis(hint), 0.1);
            (shortest.as_millis(), longest.as_millis())
        };
        assert_eq!(range(0), (900, 1100), "without a hint");
        assert_eq!(range(900), (900, 1100), "a shorter one changes nothing");
        assert_eq!(range(1000), (1000, 1100));
        assert_eq!(range(1090), (1090, 1199));
        assert_eq!(range(3000), (3000, 3300));
        assert_eq!(range(5000), (5000, 5500), "the cap is the hint's, not that of its jitter");
    }

    #[test]
    fn jitter_above_a_hint_only_lengthens_it() {
        let above_at = |position| above(CAP, 0.1, position).as_millis();
        assert_eq!([0.0, 0.5, 1.0].map(above_at), [5000, 5250, 5500]);
        assert_eq!(above(Duration::MAX, 1.0, 1.0), Duration::MAX);
    }

    #[test]
    fn no_jitter_changes_nothing() {
        assert_eq!(spread(BASE, CAP, 0.0, 0.7), BASE);
        assert_eq!(above(BASE, 0.0, 0.7), BASE);
    }
}
