//! The events of [problems](Problem) that a running program finds.

use std::sync::OnceLock;

use super::problem::Problem;
use crate::event::{self, Event, TARGET};

/// Returns what is in `cell`. The first call stores what `make` makes, and then reports `problems`.
///
/// The value is stored before the report, and made before it is stored, since both may emit events:
/// a subscriber may ask for the same value.
pub(super) fn get_or_report<T>(
    cell: &OnceLock<T>,
    make: impl Fn() -> T,
    problems: impl FnOnce() -> Vec<Problem>,
) -> &T {
    if let Some(known) = cell.get() {
        return known;
    }
    if cell.set(make()).is_ok() {
        problems().iter().for_each(Problem::report);
    }
    cell.get_or_init(make)
}

impl Problem {
    /// Emits the event of this problem.
    pub(super) fn report(&self) {
        // First: see `event::emit`.
        event::tell(&Event::Problem { message: &self.to_string() });
        match self {
            Self::BreakerConflict { breaker, kept, dropped } => tracing::error!(
                target: TARGET,
                breaker,
                kept,
                dropped,
                "circuit breaker is configured in two ways: give its settings in one place only"
            ),
            Self::SharedName { name, one, one_in, other, other_in } => tracing::error!(
                target: TARGET,
                name,
                one,
                one_in,
                other,
                other_in,
                "two circuit breakers can have one name, and then are one: change one of them"
            ),
            Self::TemplateInConstant { breaker, function } => tracing::error!(
                target: TARGET,
                breaker,
                function,
                "placeholders in a constant are no placeholders: all calls share one circuit breaker"
            ),
            Self::RowConflict { row, kept, dropped } => tracing::error!(
                target: TARGET,
                row,
                kept,
                dropped,
                "retry row is declared in two ways: declare it in one place only"
            ),
            Self::BudgetConflict { budget, kept, dropped } => tracing::error!(
                target: TARGET,
                budget,
                kept,
                dropped,
                "retry budget is declared in two ways: declare it in one place only"
            ),
            Self::UndeclaredRow { row, function, similar } => tracing::error!(
                target: TARGET,
                row,
                function,
                similar,
                "retry row is never declared, and the default row is used: declare it by `policies!`"
            ),
            // Only `validate` looks for these.
            Self::UndeclaredBreaker { .. }
            | Self::SimilarBreakers { .. }
            | Self::DifferentPlaceholders { .. }
            | Self::UndeclaredBudget { .. }
            | Self::UnclearName { .. }
            | Self::NeverRetried { .. }
            | Self::DelayBeyondDeadline { .. }
            | Self::NeverSlow { .. } => {}
        }
    }
}
