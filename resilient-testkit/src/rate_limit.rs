//! The token bucket of strict mode's rate limits.

use std::time::{Duration, Instant};

use tonic::Status;
use tonic::metadata::MetadataValue;

/// The limits are stated per minute.
const PERIOD: Duration = Duration::from_secs(60);

/// A bucket that starts full, holds one minute's tokens and refills steadily, as Qdrant's does.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    capacity: f64,
    tokens: f64,
    refilled_at: Instant,
}

/// Why a bucket provides no tokens.
#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    /// The cost exceeds the capacity: waiting does not help.
    LargerThanCapacity,
    /// The bucket holds too few tokens at the moment.
    Empty { available: f64, retry_after: Duration },
}

impl TokenBucket {
    pub(crate) fn per_minute(limit: u32, now: Instant) -> Self {
        Self { capacity: f64::from(limit), tokens: f64::from(limit), refilled_at: now }
    }

    /// Takes `cost` tokens, or none if there are too few.
    pub(crate) fn try_take(&mut self, cost: f64, now: Instant) -> Result<(), Refusal> {
        if cost > self.capacity {
            return Err(Refusal::LargerThanCapacity);
        }
        let per_second = self.capacity / PERIOD.as_secs_f64();
        let elapsed = now.saturating_duration_since(self.refilled_at);
        self.refilled_at = now;
        self.tokens = (self.tokens + elapsed.as_secs_f64() * per_second).min(self.capacity);
        if self.tokens >= cost {
            self.tokens -= cost;
            return Ok(());
        }
        // The capacity is above 0 here: tokens < cost <= capacity.
        Err(Refusal::Empty {
            available: self.tokens,
            retry_after: Duration::from_secs_f64((cost - self.tokens) / per_second),
        })
    }
}

/// Returns whole seconds, rounded up, as in `retry-after`.
pub(crate) fn whole_seconds(duration: Duration) -> u128 {
    // Rounded to milliseconds first, so that the error of the bucket's floats does not add a second.
    duration.as_millis().div_ceil(1000)
}

/// Returns the status of a rate limit, with `retry-after`.
pub(crate) fn rate_limited(retry_after: Duration, message: String) -> Status {
    let mut status = Status::resource_exhausted(message);
    if let Ok(seconds) = MetadataValue::try_from(whole_seconds(retry_after).to_string()) {
        status.metadata_mut().insert("retry-after", seconds);
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_full_and_refuses_when_empty() {
        let start = Instant::now();
        let mut bucket = TokenBucket::per_minute(10, start);
        assert_eq!(bucket.try_take(10.0, start), Ok(()));
        assert_eq!(
            bucket.try_take(10.0, start),
            Err(Refusal::Empty { available: 0.0, retry_after: Duration::from_secs(60) })
        );
    }

    #[test]
    fn it_refills_one_token_in_each_sixtieth_of_its_rate() {
        let start = Instant::now();
        let mut bucket = TokenBucket::per_minute(60, start);
        assert_eq!(bucket.try_take(60.0, start), Ok(()));
        assert!(bucket.try_take(1.0, start + Duration::from_millis(900)).is_err());
        assert_eq!(bucket.try_take(1.0, start + Duration::from_millis(1001)), Ok(()));
    }

    #[test]
    fn it_never_holds_more_than_a_minute_of_tokens() {
        let start = Instant::now();
        let mut bucket = TokenBucket::per_minute(5, start);
        let later = start + Duration::from_secs(3600);
        assert_eq!(bucket.try_take(5.0, later), Ok(()));
        assert!(bucket.try_take(1.0, later).is_err());
    }

    #[test]
    fn a_cost_above_the_capacity_never_passes() {
        let start = Instant::now();
        let mut bucket = TokenBucket::per_minute(10, start);
        assert_eq!(bucket.try_take(11.0, start), Err(Refusal::LargerThanCapacity));
        assert_eq!(bucket.try_take(10.0, start), Ok(()), "nothing was taken");
    }

    #[test]
    fn a_bucket_of_nothing_refuses_without_a_hint() {
        let start = Instant::now();
        let mut bucket = TokenBucket::per_minute(0, start);
        assert_eq!(bucket.try_take(1.0, start), Err(Refusal::LargerThanCapacity));
    }

    #[test]
    fn time_that_runs_backwards_takes_nothing_away() {
        let start = Instant::now();
        let mut bucket = TokenBucket::per_minute(2, start + Duration::from_secs(1));
        assert_eq!(bucket.try_take(2.0, start), Ok(()));
    }

    #[test]
    fn seconds_are_rounded_up() {
        assert_eq!(whole_seconds(Duration::from_millis(5_001)), 6);
        assert_eq!(whole_seconds(Duration::from_secs(6)), 6);
    }
}
