//! What is wrong with what the source of a program says in several places.

use std::fmt;
use std::time::Duration;

/// An inconsistency between several places in source, which the compiler cannot see. Each text says
/// where it is, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A breaker has two configurations, or is two static ones. That of a static breaker holds
    /// before that of a declaration, which holds before that of a function, and of two of the same
    /// rank the first in the order of the source.
    #[error(
        "circuit breaker `{breaker}` is configured in two ways: as in {kept}, which holds, and as \
         in {dropped}; give its settings in one place"
    )]
    #[non_exhaustive]
    BreakerConflict {
        /// Its name.
        breaker: String,
        /// Where the configuration is that holds.
        kept: String,
        /// Where the other one is.
        dropped: String,
    },
    /// Two breakers can have the same name: a template makes a name that stands in source, or that
    /// another template makes too. All calls of this name share one breaker, which is `one`'s and
    /// has its settings.
    #[error(
        "circuit breakers `{one}` in {one_in} and `{other}` in {other_in} can both have the name \
         `{name}`, and then are one breaker, that of `{one}`: change one of them; a `/` behind a \
         placeholder is part of no value"
    )]
    #[non_exhaustive]
    SharedName {
        /// Such a name, with `…` for any text.
        name: String,
        /// The name or template whose breaker has it.
        one: String,
        /// Where source first names it.
        one_in: String,
        /// The template that can make it too.
        other: String,
        /// Where source first names it.
        other_in: String,
    },
    /// Two templates differ only in what their placeholders are called. They share their breakers:
    /// values that are equal have one breaker, also if they mean different things.
    #[error(
        "circuit breakers `{one}` in {one_in} and `{other}` in {other_in} differ only in what \
         their placeholders are called, and are the same breakers: use the same names if they \
         mean the same, and another text around them if they do not"
    )]
    #[non_exhaustive]
    DifferentPlaceholders {
        /// The template that comes first in source.
        one: String,
        /// Its file and line.
        one_in: String,
        /// The other template.
        other: String,
        /// Its file and line.
        other_in: String,
    },
    /// A constant names a breaker by what looks like a template. Only a literal can be one: all
    /// calls share one breaker of this very name.
    #[error(
        "circuit breaker `{breaker}` is named by a constant in {function}, and placeholders in a \
         constant are no placeholders: write the name as a literal"
    )]
    #[non_exhaustive]
    TemplateInConstant {
        /// The name.
        breaker: String,
        /// Where the function is.
        function: String,
    },
    /// A retry row has two declarations. The first in the order of the source is the one that
    /// holds.
    #[error(
        "retry row `{row}` is declared in two ways: as in {kept}, which holds, and as in \
         {dropped}; declare it in one place"
    )]
    #[non_exhaustive]
    RowConflict {
        /// Its name.
        row: String,
        /// Where the declaration is that holds.
        kept: String,
        /// Where the other one is.
        dropped: String,
    },
    /// A retry budget has two declarations. The first in the order of the source is the one that
    /// holds.
    #[error(
        "retry budget `{budget}` is declared in two ways: as in {kept}, which holds, and as in \
         {dropped}; declare it in one place"
    )]
    #[non_exhaustive]
    BudgetConflict {
        /// Its name.
        budget: String,
        /// Where the declaration is that holds.
        kept: String,
        /// Where the other one is.
        dropped: String,
    },
    /// A function names a breaker that `policies!` does not declare, while it declares others.
    #[error("circuit breaker `{breaker}` is named in {function} and never declared{}", advice(*similar))]
    #[non_exhaustive]
    UndeclaredBreaker {
        /// Its name.
        breaker: String,
        /// Where the function is.
        function: String,
        /// The declared one that may be meant.
        similar: Option<&'static str>,
    },
    /// Two names of breakers are so close that one may be a misspelling, and `policies!` declares
    /// neither.
    #[error(
        "circuit breakers `{one}` in {one_in} and `{other}` in {other_in} differ by a letter or \
         two: give both functions the same name, or declare both by `policies!`"
    )]
    #[non_exhaustive]
    SimilarBreakers {
        /// The name that comes first in source.
        one: String,
        /// Where its function is.
        one_in: String,
        /// The other name.
        other: String,
        /// Where its function is.
        other_in: String,
    },
    /// A function names a retry budget that `policies!` does not declare, while it declares others.
    #[error("retry budget `{budget}` is named in {function} and never declared{}", advice(*similar))]
    #[non_exhaustive]
    UndeclaredBudget {
        /// Its name.
        budget: String,
        /// Where the function is.
        function: String,
        /// The declared one that may be meant.
        similar: Option<&'static str>,
    },
    /// A function is retried by a row that nothing declares. The default row is used.
    #[error("retry row `{row}` is named in {function} and never declared{}", advice(*similar))]
    #[non_exhaustive]
    UndeclaredRow {
        /// Its name.
        row: String,
        /// Where the function is.
        function: String,
        /// The row that may be meant.
        similar: Option<&'static str>,
    },
    /// The name of a breaker, in a constant or of a `static` one, reads like another name: it is
    /// empty, has a space at an end, or has a control character.
    #[error(
        "circuit breaker {breaker:?} is named in {function}, and its name has what does not show: \
         write it without a space at an end and without control characters"
    )]
    #[non_exhaustive]
    UnclearName {
        /// The name.
        breaker: String,
        /// Where the function is.
        function: String,
    },
    /// A function says how to retry, and its row allows one attempt only. It is never retried.
    #[error(
        "`{key}` in {function} is about retries, and its row `{row}` allows one attempt: raise \
         `max_attempts` of the row, or leave `{key}` out"
    )]
    #[non_exhaustive]
    NeverRetried {
        /// What it says: `budget`, `idempotent` or `scope`.
        key: &'static str,
        /// Its row.
        row: String,
        /// Where the function is.
        function: String,
    },
    /// A function is retried by a row whose first delay is longer than the function's deadline. It
    /// is never retried.
    #[error(
        "{function} is retried by row `{row}`, whose first delay of at least {delay:?} is not \
         shorter than the `deadline` of {deadline:?}: raise `deadline`, or give a shorter \
         `base_delay`"
    )]
    #[non_exhaustive]
    DelayBeyondDeadline {
        /// The row; `auto` if each row is as long.
        row: String,
        /// Where the function is.
        function: String,
        /// The shortest delay before a first retry, jitter included.
        delay: Duration,
        /// The function's deadline.
        deadline: Duration,
    },
    /// No call through a breaker can be slow, since each of its functions ends its calls before.
    #[error(
        "circuit breaker `{breaker}` has a `slow_call_duration` of {slow_call_duration:?} in {configured}, and the \
         timeouts of all its functions end a call before: lower `slow_call_duration`"
    )]
    #[non_exhaustive]
    NeverSlow {
        /// The breaker's name.
        breaker: String,
        /// How long a slow call takes.
        slow_call_duration: Duration,
        /// Where the setting is.
        configured: String,
    },
}

fn advice(similar: Option<&'static str>) -> String {
    similar.map_or_else(
        || ": declare it by `policies!`".to_owned(),
        |similar| format!("; is `{similar}` meant? If not, declare it by `policies!`"),
    )
}

/// All that [`Catalog::validate`](crate::Catalog::validate) has found.
#[derive(Clone, PartialEq, Eq)]
pub struct CatalogError(Vec<Problem>);

impl CatalogError {
    /// `Ok` if there are no problems.
    pub(super) fn of(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }

    /// Each problem; there is at least one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

/// One problem a line.
impl fmt::Display for CatalogError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let problems = if count == 1 { "problem" } else { "problems" };
        write!(formatter, "{count} {problems} with the policies of this program")?;
        self.0.iter().try_for_each(|problem| write!(formatter, "\n- {problem}"))
    }
}

/// As it is displayed: `expect` prints this.
impl fmt::Debug for CatalogError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for CatalogError {}
