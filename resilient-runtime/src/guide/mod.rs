//! The guide: how to use the library, page by page.
//!
//! Start here:
//!
//! 1. [A service from nothing](service): annotate the storage layer, set the timeouts, map errors
//!    to HTTP, report health.
//! 2. [The attribute](attribute): every key, and what the attribute goes on.
//! 3. [Choosing a policy](choosing): kinds of error, retry rows, and which policy suits which call.
//!
//! Each mechanism in depth:
//!
//! 4. [Breakers](breakers): states, settings, windows, scope, calls inside a call.
//! 5. [Keyed breakers](keyed): one breaker for each collection, tenant or shard.
//! 6. [Time](time): attempt timeouts, deadlines, and the client's own timeout.
//! 7. [What may be sent twice](repeats): which calls of Qdrant are safe to repeat.
//! 8. [Budgets](budgets): how much of the load may be retries.
//! 9. [Errors of your own](errors): `Classify`, rejections, `anyhow` and `eyre`.
//! 10. [Without the attribute](without_attribute): `Policy`, `RetryExecutor`, `CircuitBreaker`.
//!
//! In practice:
//!
//! 11. [Testing](testing): the embedded server, parallel tests, the paused clock.
//! 12. [Operating](operating): events, state, manual control, the catalog.
//! 13. [What it costs](cost): measurements.
//! 14. [How it compares](comparison): other libraries, and what they do better.
//! 15. [How it works inside](internals): for contributors.

#[doc = include_str!("service.md")]
pub mod service {}

#[doc = include_str!("attribute.md")]
pub mod attribute {}

#[doc = include_str!("choosing.md")]
pub mod choosing {}

#[doc = include_str!("breakers.md")]
pub mod breakers {}

#[doc = include_str!("keyed.md")]
pub mod keyed {}

#[doc = include_str!("time.md")]
pub mod time {}

#[doc = include_str!("repeats.md")]
pub mod repeats {}

#[doc = include_str!("budgets.md")]
pub mod budgets {}

#[doc = include_str!("errors.md")]
pub mod errors {}

#[doc = include_str!("without_attribute.md")]
pub mod without_attribute {}

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("operating.md")]
pub mod operating {}

#[doc = include_str!("cost.md")]
pub mod cost {}

#[doc = include_str!("comparison.md")]
pub mod comparison {}

#[doc = include_str!("internals.md")]
pub mod internals {}
