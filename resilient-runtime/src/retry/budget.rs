//! Retry budgets.

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use crate::live::Live;
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
    config: Live<BudgetConfig>,
    /// That of the configuration: every success reads it.
    capacity: AtomicU32,
    tokens: AtomicU32,
    /// Whether it has run out since it was last half full.
    is_exhausted: AtomicBool,
}

impl RetryBudget {
    /// Creates a full budget. Debug output contains its name.
    #[must_use]
    pub const fn named(name: &'static str, config: BudgetConfig) -> Self {
        let capacity = config.capacity();
        Self {
            name,
            config: Live::new(config),
            capacity: AtomicU32::new(capacity),
            tokens: AtomicU32::new(capacity),
            is_exhausted: AtomicBool::new(false),
        }
    }

    /// Returns the name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the configuration that holds now. Settings can change it.
    #[must_use]
    pub fn config(&self) -> BudgetConfig {
        *self.config.current()
    }

    /// Returns the configuration of source.
    pub(crate) const fn source_config(&self) -> &BudgetConfig {
        self.config.source()
    }

    /// Replaces the configuration. The tokens that are spent stay spent: another capacity changes
    /// what is left by the difference. The caller ensures that nothing else replaces it at the same
    /// time.
    pub(crate) fn set_config(&self, config: BudgetConfig) {
        let before = self.config();
        self.config.set(config);
        let (old, new) = (before.capacity(), config.capacity());
        let leave = |tokens: u32| Some(new.saturating_sub(old.saturating_sub(tokens)));
        // A larger capacity comes before its tokens, and a smaller one after them: a success in
        // between fills the budget no further than to the capacity.
        if new > old {
            self.capacity.store(new, Ordering::Relaxed);
        }
        // This never fails: `leave` always returns a number.
        let _ = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, leave);
        self.capacity.store(new, Ordering::Relaxed);
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
        let config = self.config.current();
        let cost = match kind {
            ErrorKind::RateLimitError if hint.is_some() => config.rate_limit_cost(),
            ErrorKind::TimeoutError | ErrorKind::SearchTimeout | ErrorKind::ConnectionTimeout => {
                config.timeout_cost()
            }
            _ => config.retry_cost(),
        };
        let take = |tokens: u32| tokens.checked_sub(cost);
        let taken = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        if taken.is_ok_and(|before| before >= config.capacity() / 2) {
            self.is_exhausted.store(false, Ordering::Relaxed);
        }
        taken.ok().map(|_| Withdrawal { budget: self, tokens: cost })
    }

    /// Records that a retry got no tokens. Returns whether it is the first since the budget was half
    /// full.
    pub(crate) fn record_exhausted(&self) -> bool {
        !self.is_exhausted.swap(true, Ordering::Relaxed)
    }

    /// Returns the tokens of a success to the budget.
    #[inline]
    pub(crate) fn refund(&self) {
        // Relaxed: as for the tokens.
        if self.available() < self.capacity.load(Ordering::Relaxed) {
            self.refund_success();
        }
    }

    #[cold]
    fn refund_success(&self) {
        self.fill(self.config.current().success_refund());
    }

    /// Takes out the tokens that an earlier process had spent, as far as they are not already spent.
    pub(crate) fn restore_spent(&self, spent: u32) {
        // Whichever of both has spent more: restoring twice takes nothing twice.
        let left = self.capacity.load(Ordering::Relaxed).saturating_sub(spent);
        self.tokens.fetch_min(left, Ordering::Relaxed);
    }

    fn fill(&self, more: u32) {
        let capacity = self.capacity.load(Ordering::Relaxed);
        let fill = |tokens: u32| Some(tokens.saturating_add(more).min(capacity));
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
    fn tokens_of_an_earlier_process_are_spent_once_and_at_most_all() {
        let budget = budget(100);
        budget.restore_spent(30);
        budget.restore_spent(30);
        assert_eq!(budget.available(), 70);
        budget.restore_spent(10);
        assert_eq!(budget.available(), 70, "this process has spent more");
        budget.restore_spent(u32::MAX);
        assert_eq!(budget.available(), 0);
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
    fn what_is_spent_stays_spent_under_another_capacity() {
        let with = |capacity| BudgetConfig::builder().capacity(capacity).build().unwrap();
        let budget = budget(500);
        assert!(spends(&budget, ErrorKind::TimeoutError));
        budget.set_config(with(1_000));
        assert_eq!(budget.available(), 990);
        budget.set_config(with(100));
        assert_eq!(budget.available(), 90);
        budget.set_config(with(10));
        assert_eq!(budget.available(), 0);
        (0..100).for_each(|_| budget.refund());
        assert_eq!(budget.available(), 10, "no more than the capacity");
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
