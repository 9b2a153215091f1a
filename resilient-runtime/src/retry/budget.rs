//! Retry budgets: how much of the load on a service may be retries.

use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::{ConfigError, ErrorKind};

/// A store of tokens that retries take from and successes fill again, shared by all calls of a
/// service.
///
/// Occasional failures are retried as usual. If most calls fail, the tokens run out and calls end
/// with their first error: a service that is down does not get several times the requests.
///
/// Each retry takes [`retry_cost`](BudgetConfigBuilder::retry_cost) tokens, or
/// [`timeout_cost`](BudgetConfigBuilder::timeout_cost) after a timeout. After a rate limit with a
/// hint when to retry, it takes [`rate_limit_cost`](BudgetConfigBuilder::rate_limit_cost), which is
/// none by default. Each call that succeeds gives
/// [`success_refund`](BudgetConfigBuilder::success_refund) back, up to the capacity. A budget that
/// is full is only read.
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
        Self { name, config, tokens: AtomicU32::new(config.capacity) }
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
        // Relaxed, here and below: the number stands alone, and orders nothing else.
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
            ErrorKind::RateLimitError if hint.is_some() => self.config.rate_limit_cost,
            ErrorKind::TimeoutError | ErrorKind::SearchTimeout | ErrorKind::ConnectionTimeout => {
                self.config.timeout_cost
            }
            _ => self.config.retry_cost,
        };
        let take = |tokens: u32| tokens.checked_sub(cost);
        let taken = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.ok().map(|_| Withdrawal { budget: self, tokens: cost })
    }

    /// Returns the tokens of a success to the budget.
    #[inline]
    pub(crate) fn refund(&self) {
        if self.available() < self.config.capacity {
            self.fill(self.config.success_refund);
        }
    }

    #[cold]
    fn fill(&self, more: u32) {
        let fill = |tokens: u32| Some(tokens.saturating_add(more).min(self.config.capacity));
        // It never fails: `fill` always gives a number.
        let _ = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fill);
    }
}

/// The tokens for a retry. They are returned to the budget if this is dropped before the retry is
/// made.
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

/// How a [`RetryBudget`] behaves.
///
/// ```
/// use resilient_runtime::BudgetConfig;
///
/// let config = BudgetConfig::builder().capacity(100).retry_cost(10).build()?;
/// assert_eq!(config.timeout_cost(), 10);
/// # Ok::<(), resilient_runtime::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetConfig {
    capacity: u32,
    retry_cost: u32,
    timeout_cost: u32,
    rate_limit_cost: u32,
    success_refund: u32,
}

impl BudgetConfig {
    /// 500 tokens; 5 for a retry, 10 after a timeout, 1 back for a success: the numbers of the
    /// standard retry mode of the AWS SDKs. A retry that the server asked for, after a rate limit
    /// with a hint, takes none.
    pub const DEFAULT: Self = Self {
        capacity: 500,
        retry_cost: 5,
        timeout_cost: 10,
        rate_limit_cost: 0,
        success_refund: 1,
    };

    /// Starts from [`DEFAULT`](Self::DEFAULT).
    pub const fn builder() -> BudgetConfigBuilder {
        BudgetConfigBuilder { config: Self::DEFAULT, timeout_cost: None }
    }

    /// How many tokens there are at most, and at first. Default 500.
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// How many tokens a retry takes. Default 5.
    #[must_use]
    pub const fn retry_cost(&self) -> u32 {
        self.retry_cost
    }

    /// How many tokens a retry after a timeout takes. Default 10, or the retry cost if that is
    /// higher.
    #[must_use]
    pub const fn timeout_cost(&self) -> u32 {
        self.timeout_cost
    }

    /// How many tokens a retry takes after a rate limit with a hint. Default 0.
    #[must_use]
    pub const fn rate_limit_cost(&self) -> u32 {
        self.rate_limit_cost
    }

    /// How many tokens a call that succeeds gives back. Default 1.
    #[must_use]
    pub const fn success_refund(&self) -> u32 {
        self.success_refund
    }
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Builds a [`BudgetConfig`]; [`build`](Self::build) checks it.
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder does nothing before `build`"]
pub struct BudgetConfigBuilder {
    config: BudgetConfig,
    // Its default depends on the retry cost.
    timeout_cost: Option<u32>,
}

impl BudgetConfigBuilder {
    /// How many tokens there are at most, and at first: enough for one retry at least, whatever it
    /// costs.
    pub const fn capacity(mut self, tokens: u32) -> Self {
        self.config.capacity = tokens;
        self
    }

    /// How many tokens a retry takes, 1 or more.
    pub const fn retry_cost(mut self, tokens: u32) -> Self {
        self.config.retry_cost = tokens;
        self
    }

    /// How many tokens a retry takes after a timeout, of whatever kind: the retry cost or more. A
    /// service that answers late is closer to its limit than one that refuses at once. Default 10,
    /// or the retry cost if that is higher.
    pub const fn timeout_cost(mut self, tokens: u32) -> Self {
        self.timeout_cost = Some(tokens);
        self
    }

    /// How many tokens a retry takes after a rate limit that came with a
    /// [hint](crate::Classify::retry_after), 0 or more. Default 0: the server itself asked for that
    /// retry and said when, so calls that wait as they are told do not use up the tokens of others.
    /// A rate limit without a hint costs what any retry costs.
    ///
    /// ```
    /// use resilient_runtime::BudgetConfig;
    ///
    /// // Retries that the server asked for are paid for too.
    /// let config = BudgetConfig::builder().rate_limit_cost(5).build()?;
    /// assert_eq!(config.rate_limit_cost(), config.retry_cost());
    /// # Ok::<(), resilient_runtime::ConfigError>(())
    /// ```
    pub const fn rate_limit_cost(mut self, tokens: u32) -> Self {
        self.config.rate_limit_cost = tokens;
        self
    }

    /// How many tokens a call that succeeds gives back, 1 or more and not more than the capacity:
    /// with 1 and a cost of 5, one call in five may be a retry for ever.
    pub const fn success_refund(mut self, tokens: u32) -> Self {
        self.config.success_refund = tokens;
        self
    }

    /// Checks the numbers.
    ///
    /// # Errors
    ///
    /// If a number other than the rate limit cost is 0, a timeout costs less than another retry, or
    /// the capacity is less than what a retry costs or a success gives back.
    pub const fn build(self) -> Result<BudgetConfig, ConfigError> {
        let BudgetConfig { capacity, retry_cost, rate_limit_cost, success_refund, .. } =
            self.config;
        let timeout_cost = match self.timeout_cost {
            Some(tokens) => tokens,
            None if retry_cost > BudgetConfig::DEFAULT.timeout_cost => retry_cost,
            None => BudgetConfig::DEFAULT.timeout_cost,
        };
        if retry_cost == 0 || timeout_cost == 0 {
            return Err(ConfigError::BudgetCost);
        }
        if success_refund == 0 {
            return Err(ConfigError::SuccessRefund);
        }
        if timeout_cost < retry_cost {
            return Err(ConfigError::TimeoutCost);
        }
        if capacity < timeout_cost || capacity < rate_limit_cost {
            return Err(ConfigError::BudgetCapacity);
        }
        if success_refund > capacity {
            return Err(ConfigError::SuccessRefundOverCapacity);
        }
        Ok(BudgetConfig { timeout_cost, ..self.config })
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
    fn a_timeout_costs_no_less_than_another_retry() {
        let cost =
            |retry| BudgetConfig::builder().retry_cost(retry).build().unwrap().timeout_cost();
        assert_eq!([5, 10, 20].map(cost), [10, 10, 20]);
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

    #[test]
    fn numbers_out_of_range_are_refused() {
        let builder = BudgetConfig::builder;
        for (refused, error) in [
            (builder().retry_cost(0), ConfigError::BudgetCost),
            (builder().timeout_cost(0), ConfigError::BudgetCost),
            (builder().success_refund(0), ConfigError::SuccessRefund),
            (builder().capacity(9), ConfigError::BudgetCapacity),
            (builder().rate_limit_cost(501), ConfigError::BudgetCapacity),
            (builder().retry_cost(501), ConfigError::BudgetCapacity),
            (builder().timeout_cost(4), ConfigError::TimeoutCost),
            (builder().retry_cost(20).timeout_cost(19), ConfigError::TimeoutCost),
            (builder().success_refund(501), ConfigError::SuccessRefundOverCapacity),
            (builder().capacity(10).success_refund(11), ConfigError::SuccessRefundOverCapacity),
        ] {
            assert_eq!(refused.build(), Err(error));
        }
    }
}
