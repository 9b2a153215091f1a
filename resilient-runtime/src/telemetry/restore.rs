//! Restoring the state of an earlier process.

use std::time::Duration;

use super::breaker_snapshot::BreakerSnapshot;
use super::restored::{NotRestored, Restored};
use super::snapshot::{BudgetSnapshot, Snapshot};
use super::wall_clock::now_in_millis;
use crate::breaker::RestoredState;
use crate::catalog::{self, NoBreaker};
use crate::event::{self, Event};
use crate::{BreakerStatus, SharedBreaker, SharedBudget};

/// Restores the state of the breakers and retry budgets of an earlier process. Call it when the
/// program starts, before the first calls.
///
/// - An open breaker stays open for the time that was left, less the time that has passed since by
///   the wall clock. If the clock has gone backward, that is the time that was left. It is never
///   longer than the breaker's [`max_open_duration`].
/// - If no time is left, or the breaker was half-open, it is half-open at once.
/// - How often it has opened in a row is kept, so that growing open durations grow on.
/// - A breaker that was [forced open](crate::CircuitBreaker::force_open), [forced closed] or
///   [disabled] is so again, without a limit in time.
/// - A retry budget has as many tokens spent as it had.
/// - A breaker of a template that does not exist yet is made, unless that would evict another.
///
/// A breaker that was closed stays as it is, and totals and counts are not restored. A breaker that
/// is no longer closed, or is held, keeps its own state. To restore twice changes nothing more.
///
/// Each restored breaker emits an event, beside that of its transition. A snapshot of another
/// version of the format restores nothing. The result says what was not restored.
///
/// The snapshot may come from outside the program. Whatever is in it, this does not panic.
///
/// ```
/// # use resilient_runtime::{Classify, ErrorKind, Rejection, resilient};
/// # #[derive(Debug)] struct SearchError;
/// # impl Classify for SearchError { fn kind(&self) -> ErrorKind { ErrorKind::Unknown } }
/// # impl From<Rejection> for SearchError { fn from(_: Rejection) -> Self { Self } }
/// #[resilient(breaker = "search")]
/// async fn search() -> Result<u32, SearchError> {
///     Ok(7)
/// }
///
/// let search = resilient_runtime::breaker("search").unwrap();
/// search.force_open();
/// let snapshot = resilient_runtime::snapshot();
/// search.reset(); // as after a restart
///
/// let restored = resilient_runtime::restore(&snapshot);
/// assert_eq!(
///     restored.to_string(),
///     "restored 1 breaker and 0 budgets\n- breaker \"search\": forced_open"
/// );
/// assert!(search.acquire().is_err());
/// ```
///
/// [`max_open_duration`]: crate::BreakerConfigBuilder::max_open_duration
/// [forced closed]: crate::CircuitBreaker::force_closed
/// [disabled]: crate::CircuitBreaker::disable
pub fn restore(snapshot: &Snapshot) -> Restored {
    let mut restored = Restored::default();
    let version = snapshot.version;
    if version != Snapshot::VERSION {
        restored.failed.push(NotRestored::OtherVersion { version });
        return restored;
    }
    let passed = passed(snapshot.taken_at_millis, now_in_millis());
    let registered: Vec<_> = catalog::registered_breakers().collect();
    for breaker in &snapshot.breakers {
        let Some(state) = state_to_restore(breaker, passed) else { continue };
        match restore_breaker(&breaker.name, state, &registered) {
            Ok(breaker) => restored.breakers.push(breaker),
            Err(not) => restored.failed.push(not),
        }
    }
    let unreadable = snapshot.unreadable.iter().cloned();
    restored.failed.extend(unreadable.map(|name| NotRestored::UnreadableBreaker { name }));
    let budgets = catalog::budgets();
    for budget in snapshot.budgets.iter().filter(|budget| budget.spent() > 0) {
        match restore_budget(budget, &budgets) {
            Ok(budget) => restored.budgets.push(budget),
            Err(not) => restored.failed.push(not),
        }
    }
    restored
}

/// Returns the time between two readings of the wall clock. 0 if it has gone backward.
const fn passed(taken_at_millis: u64, now_millis: u64) -> Duration {
    Duration::from_millis(now_millis.saturating_sub(taken_at_millis))
}

/// Returns the state that a breaker takes over, if so much time has passed. `None` if it was closed.
fn state_to_restore(breaker: &BreakerSnapshot, passed: Duration) -> Option<RestoredState> {
    let openings = breaker.consecutive_openings;
    match breaker.status {
        BreakerStatus::ForcedOpen => Some(RestoredState::ForcedOpen),
        BreakerStatus::ForcedClosed => Some(RestoredState::ForcedClosed),
        BreakerStatus::Disabled => Some(RestoredState::Disabled),
        BreakerStatus::Closed => None,
        BreakerStatus::Open => {
            let time_left = breaker.time_until_half_open.unwrap_or_default();
            let time_left = time_left.saturating_sub(passed);
            Some(RestoredState::Open { time_left, openings })
        }
        BreakerStatus::HalfOpen => {
            Some(RestoredState::Open { time_left: Duration::ZERO, openings })
        }
    }
}

fn restore_breaker(
    name: &str,
    state: RestoredState,
    registered: &[SharedBreaker],
) -> Result<BreakerSnapshot, NotRestored> {
    let found = catalog::breaker_to_restore(name, registered);
    let breaker = found.map_err(|error| {
        let name = name.to_owned();
        match error {
            NoBreaker::Unknown => NotRestored::UnknownBreaker { name },
            NoBreaker::Several => NotRestored::SeveralBreakers { name },
            NoBreaker::NoRoom => NotRestored::NoRoom { name },
        }
    })?;
    let is_restored = breaker.restore(state);
    let now = BreakerSnapshot::of(&breaker);
    if !is_restored {
        return Err(NotRestored::NotClosed { breaker: Box::new(now) });
    }
    event::emit(&Event::Restored {
        breaker: name,
        status: breaker.status(),
        time_left: now.time_until_half_open,
    });
    Ok(now)
}

fn restore_budget(
    budget: &BudgetSnapshot,
    known: &[SharedBudget],
) -> Result<BudgetSnapshot, NotRestored> {
    let name = budget.name.clone();
    let mut found = known.iter().filter(|known| known.name() == name);
    match (found.next(), found.next()) {
        (None, _) => Err(NotRestored::UnknownBudget { name }),
        (Some(_), Some(_)) => Err(NotRestored::SeveralBudgets { name }),
        (Some(known), None) => {
            known.restore_spent(budget.spent());
            Ok(BudgetSnapshot::of(known))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CircuitBreaker;

    const SECOND: Duration = Duration::from_secs(1);

    fn snapshot(status: BreakerStatus, time_left: Option<Duration>) -> BreakerSnapshot {
        BreakerSnapshot {
            status,
            time_until_half_open: time_left,
            consecutive_openings: 3,
            ..BreakerSnapshot::of(&CircuitBreaker::default())
        }
    }

    fn open(time_left: Duration) -> RestoredState {
        RestoredState::Open { time_left, openings: 3 }
    }

    #[test]
    fn the_time_that_has_passed_is_taken_off_the_time_that_was_left() {
        let breaker = snapshot(BreakerStatus::Open, Some(30 * SECOND));
        for (passed, left) in [
            (Duration::ZERO, 30 * SECOND),
            (10 * SECOND, 20 * SECOND),
            (30 * SECOND, Duration::ZERO),
            (Duration::MAX, Duration::ZERO),
        ] {
            assert_eq!(state_to_restore(&breaker, passed), Some(open(left)));
        }
    }

    #[test]
    fn a_clock_that_has_gone_backward_lengthens_nothing() {
        assert_eq!(passed(5_000, 4_000), Duration::ZERO);
        assert_eq!(passed(u64::MAX, 0), Duration::ZERO);
        assert_eq!(passed(4_000, 5_000), SECOND);
        assert_eq!(passed(0, u64::MAX), Duration::from_millis(u64::MAX));
    }

    #[test]
    fn half_open_or_without_a_time_it_is_half_open_at_once() {
        let half_open = snapshot(BreakerStatus::HalfOpen, Some(SECOND));
        assert_eq!(state_to_restore(&half_open, Duration::ZERO), Some(open(Duration::ZERO)));
        let timeless = snapshot(BreakerStatus::Open, None);
        assert_eq!(state_to_restore(&timeless, Duration::ZERO), Some(open(Duration::ZERO)));
    }

    #[test]
    fn closed_it_stays_as_it_is_and_held_it_stays_held() {
        let mut breaker = snapshot(BreakerStatus::Closed, None);
        assert_eq!(state_to_restore(&breaker, Duration::ZERO), None);
        for (status, state) in [
            (BreakerStatus::ForcedOpen, RestoredState::ForcedOpen),
            (BreakerStatus::ForcedClosed, RestoredState::ForcedClosed),
            (BreakerStatus::Disabled, RestoredState::Disabled),
        ] {
            breaker.status = status;
            assert_eq!(state_to_restore(&breaker, Duration::MAX), Some(state));
        }
    }
}
