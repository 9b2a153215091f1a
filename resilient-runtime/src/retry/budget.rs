//! Retry budgets.

use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::{BudgetConfig, ErrorKind};

/// A bucket of tokens that all calls of a service share. Retries take tokens, and successes return
/// them.
///
/// Occasional failures are retried as usual. When most calls fail, the tokens run out, and calls
/// end with their first error. So a service that is down does not receive several times the
/// requests.
///
/// Each retry takes [`retry_cost`](crate::BudgetConfigBuilder::retry_cost) tokens, or
/// [`timeout_cost`](crate::BudgetConfigBuilder::timeout_cost) after a timeout. After a rate limit
/// with a hint, it takes [`rate_limit_cost`](crate::BudgetConfigBuilder::rate_limit_cost), which is
/// 0 by default. Each call that succeeds returns
/// [`success_refund`](crate::BudgetConfigBuilder::success_refund), up to the capacity. A success
/// only reads a full budget.
///
/// ```
/// use std::sync::Arc;
/// use resilient_runtime::{BudgetConfig, Policy, RetryBudget, RetryPolicy};
///
/// let budget = Arc::new(RetryBudget::named("qdrant", BudgetConfig::DEFAULT));
/// let policy =
///     Policy::builder("search").retry(RetryPolicy::DEFAULT).budget(Arc::clone(&budget)).build()?;
/// assert_eq!(budget.available(), 500);
/// # drop(policy);
/// # Ok::<(), resilient_runtime::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct RetryBudget {
    name: &'static str,
    config: BudgetConfig,
    tokens: AtomicU32,
}

impl RetryBudget {
    /// Creates a full budget. Debug output contains its name.
    #[must_use]
    pub const fn named(name: &'static str, config: BudgetConfig) -> Self {
        Self { name, config, tokens: AtomicU32::new(config.capacity()) }
    }

    /// Returns the name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the configuration.
    #[must_use]
    pub const fn config(&self) -> &BudgetConfig {
        &self.config
    }

    /// Returns how many tokens are left.
    #[must_use]
    pub fn available(&self) -> u32 {
        // Relaxed, here and below: the number orders no other memory.
        self.tokens.load(Ordering::Relaxed)
    }

    /// Withdraws the cost of a retry after an error of this kind and with this hint. `None` if too
    /// few tokens are left.
    pub(crate) fn withdraw(
        &self,
        kind: ErrorKind,
        hint: Option<Duration>,
    ) -> Option<Withdrawal<'_>> {
        let cost = match kind {
            ErrorKind::RateLimitError if hint.is_some() => self.config.rate_limit_cost(),
            ErrorKind::TimeoutError | ErrorKind::SearchTimeout | ErrorKind::ConnectionTimeout => {
                self.config.timeout_cost()
            }
            _ => self.config.retry_cost(),
        };
        let take = |tokens: u32| tokens.checked_sub(cost);
        let taken = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.ok().map(|_| Withdrawal { budget: self, tokens: cost })
    }

    /// Returns the tokens of a success to the budget.
    #[inline]
    pub(crate) fn refund(&self) {
        if self.available() < self.config.capacity() {
            self.fill(self.config.success_refund());
        }
    }

    #[cold]
    fn fill(&self, more: u32) {
        let fill = |tokens: u32| Some(tokens.saturating_add(more).min(self.config.capacity()));
        // This never fails: `fill` always returns a number.
        let _ = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fill);
    }
}

/// The tokens for a retry. Dropping this returns them to the budget.
#[derive(Debug)]
pub(crate) struct Withdrawal<'b> {
    budget: &'b RetryBudget,
    tokens: u32,
}

impl Withdrawal<'_> {
    /// Spends the tokens: the retry is made.
    pub(crate) fn spend(self) {
        mem::forget(self);
    }
}

impl Drop for Withdrawal<'_> {
    fn drop(&mut self) {
        self.budget.fill(self.tokens);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(capacity: u32) -> RetryBudget {
        RetryBudget::named("test", BudgetConfig::builder().capacity(capacity).build().unwrap())
    }

    /// Whether a retry after such an error is paid, and made.
    fn spends(budget: &RetryBudget, kind: ErrorKind) -> bool {
        budget.withdraw(kind, None).map(Withdrawal::spend).is_some()
    }

    #[test]
    fn retries_take_tokens_until_there_are_none() {
        let budget = budget(17);
        assert!(spends(&budget, ErrorKind::TimeoutError));
        assert!(spends(&budget, ErrorKind::ServiceUnavailable));
        assert!(!spends(&budget, ErrorKind::ServiceUnavailable));
        assert_eq!(budget.available(), 2, "what cannot be paid takes nothing");
    }

    #[test]
    fn a_retry_that_the_server_asked_for_costs_nothing_by_default() {
        let hint = Some(Duration::from_secs(1));
        let pays = |budget: &RetryBudget, kind, hint| {
            let before = budget.available();
            budget.withdraw(kind, hint).map(Withdrawal::spend)?;
            Some(before - budget.available())
        };
        let free = budget(10);
        assert_eq!(pays(&free, ErrorKind::RateLimitError, hint), Some(0));
        assert_eq!(pays(&free, ErrorKind::RateLimitError, None), Some(5), "it names no time");
        assert_eq!(
            pays(&free, ErrorKind::ServiceUnavailable, hint),
            Some(5),
            "it is no rate limit"
        );
        assert_eq!(pays(&free, ErrorKind::NetworkError, None), None);
        assert_eq!(pays(&free, ErrorKind::RateLimitError, hint), Some(0), "nothing is needed");

        let config = BudgetConfig::builder().capacity(12).rate_limit_cost(7).build().unwrap();
        let paid = RetryBudget::named("test", config);
        assert_eq!(pays(&paid, ErrorKind::RateLimitError, hint), Some(7));
        assert_eq!(pays(&paid, ErrorKind::RateLimitError, hint), None);
    }

    #[test]
    fn a_retry_that_is_not_made_costs_nothing() {
        let budget = budget(10);
        let withdrawal = budget.withdraw(ErrorKind::TimeoutError, None);
        assert_eq!(budget.available(), 0);
        drop(withdrawal);
        assert_eq!(budget.available(), 10);
    }

    #[test]
    fn successes_fill_it_up_to_its_capacity() {
        let budget = budget(11);
        assert!(spends(&budget, ErrorKind::NetworkError));
        (0..3).for_each(|_| budget.refund());
        assert_eq!(budget.available(), 9);
        (0..9).for_each(|_| budget.refund());
        assert_eq!(budget.available(), 11);
    }

    #[test]
    fn no_token_is_spent_twice_and_none_is_lost_between_threads() {
        const RETRIES: u32 = 10_000;
        let budget = budget(5 * RETRIES);
        let spend = || (0..RETRIES).filter(|_| spends(&budget, ErrorKind::NetworkError)).count();
        let retries = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(spend)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!((retries, budget.available()), (RETRIES as usize, 0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..RETRIES).for_each(|_| budget.refund()));
            }
        });
        assert_eq!(budget.available(), 4 * RETRIES);
    }
}
