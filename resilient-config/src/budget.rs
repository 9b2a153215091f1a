//! Settings of retry budgets.

use crate::error::ConfigError;
use crate::setting::{Count, Key, Setting};

const CAPACITY: Count = Count { least: 1, most: u32::MAX, error: ConfigError::BudgetCapacity };
const COST: Count = Count { least: 1, most: u32::MAX, error: ConfigError::BudgetCost };
// Any number is allowed.
const RATE_LIMIT_COST: Count = Count { least: 0, most: u32::MAX, error: ConfigError::BudgetCost };
const SUCCESS_REFUND: Count = Count { least: 1, most: u32::MAX, error: ConfigError::SuccessRefund };

/// The keys of a budget.
pub const KEYS: [Key<BudgetConfigBuilder>; 5] = [
    Key::new("capacity", Setting::Count(CAPACITY, BudgetConfigBuilder::capacity)),
    Key::new("retry_cost", Setting::Count(COST, BudgetConfigBuilder::retry_cost)),
    Key::new("timeout_cost", Setting::Count(COST, BudgetConfigBuilder::timeout_cost)),
    Key::new(
        "rate_limit_cost",
        Setting::Count(RATE_LIMIT_COST, BudgetConfigBuilder::rate_limit_cost),
    ),
    Key::new("success_refund", Setting::Count(SUCCESS_REFUND, BudgetConfigBuilder::success_refund)),
];

/// How a `RetryBudget` behaves.
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

    /// Starts from this configuration: each number that is not changed keeps its value. A
    /// [`timeout_cost`](BudgetConfigBuilder::timeout_cost) with its default value changes with the
    /// retry cost.
    pub const fn to_builder(self) -> BudgetConfigBuilder {
        let is_default = self.timeout_cost == default_timeout_cost(self.retry_cost);
        let timeout_cost = if is_default { None } else { Some(self.timeout_cost) };
        BudgetConfigBuilder { config: self, timeout_cost }
    }

    /// Returns the maximum number of tokens, which the budget starts with. Default 500.
    #[must_use]
    #[inline]
    pub const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Returns how many tokens a retry takes. Default 5.
    #[must_use]
    pub const fn retry_cost(&self) -> u32 {
        self.retry_cost
    }

    /// Returns how many tokens a retry after a timeout takes. Default 10, or the retry cost if that is
    /// higher.
    #[must_use]
    pub const fn timeout_cost(&self) -> u32 {
        self.timeout_cost
    }

    /// Returns how many tokens a retry takes after a rate limit with a hint. Default 0.
    #[must_use]
    pub const fn rate_limit_cost(&self) -> u32 {
        self.rate_limit_cost
    }

    /// Returns how many tokens a successful call gives back. Default 1.
    #[must_use]
    #[inline]
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
    /// The maximum number of tokens, which the budget starts with. It must cover the most expensive
    /// retry.
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
    /// service that answers late is closer to its limit than one that refuses immediately. Default 10,
    /// or the retry cost if that is higher.
    pub const fn timeout_cost(mut self, tokens: u32) -> Self {
        self.timeout_cost = Some(tokens);
        self
    }

    /// How many tokens a retry takes after a rate limit that came with a
    /// hint (`Classify::retry_after`), 0 or more. Default 0: the server itself asked for that
    /// retry and said when, so it does not use up the tokens of other calls.
    /// A rate limit without a hint costs as much as any other retry.
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

    /// How many tokens a successful call gives back, 1 or more and not more than the capacity:
    /// with 1 and a cost of 5, one call in five can be a retry indefinitely.
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
            None => default_timeout_cost(retry_cost),
        };
        ok!(COST.check(retry_cost));
        ok!(COST.check(timeout_cost));
        ok!(SUCCESS_REFUND.check(success_refund));
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

/// Returns the default cost of a retry after a timeout.
const fn default_timeout_cost(retry_cost: u32) -> u32 {
    let default = BudgetConfig::DEFAULT.timeout_cost;
    if retry_cost > default { retry_cost } else { default }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_costs_no_less_than_another_retry() {
        let cost =
            |retry| BudgetConfig::builder().retry_cost(retry).build().unwrap().timeout_cost();
        assert_eq!([5, 10, 20].map(cost), [10, 10, 20]);
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
