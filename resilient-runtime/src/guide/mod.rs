//! The guide: how to use the library, page by page.
//!
//! Start here:
//!
//! 1. [A service from nothing](service): annotate the storage layer, set the timeouts, map errors
//!    to HTTP, report health.
//! 2. [In existing code](existing): guard one call by `guard!`, and errors that cannot be classified.
//! 3. [The attribute](attribute): every key, and what the attribute goes on.
//! 4. [Choosing a policy](choosing): kinds of error, retry rows, and which policy suits which call.
//!
//! Each mechanism in depth:
//!
//! 5. [Breakers](breakers): states, settings, windows, scope, calls inside a call.
//! 6. [Keyed breakers](keyed): one breaker for each collection, tenant or shard.
//! 7. [Time](time): attempt timeouts, deadlines, and the client's own timeout.
//! 8. [What may be sent twice](repeats): which calls of Qdrant are safe to repeat.
//! 9. [Budgets](budgets): how much of the load may be retries.
//! 10. [Errors of your own](errors): `Classify`, rejections, `anyhow` and `eyre`.
//! 11. [Without the attribute](without_attribute): `Policy`, `RetryExecutor`, `CircuitBreaker`.
//!
//! In practice:
//!
//! 12. [Testing](testing): the embedded server, parallel tests, the paused clock.
//! 13. [Operating](operating): events, counts, state, health, restarts, manual control, the catalog.
//! 14. [Metrics](metrics): names and labels, a dashboard, alerts.
//! 15. [The admin page](admin): what operators see and do in a browser.
//! 16. [Settings](settings): numbers over source, at run time.
//! 17. [What it costs](cost): measurements.
//! 18. [How it compares](comparison): other libraries, and what they do better.
//! 19. [How it works inside](internals): for contributors.

#[doc = include_str!("service.md")]
pub mod service {}

#[doc = include_str!("existing.md")]
pub mod existing {}

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

#[cfg_attr(feature = "metrics", doc = include_str!("metrics.md"))]
#[cfg_attr(not(feature = "metrics"), doc = "Metrics need the feature `metrics`.")]
pub mod metrics {}

// Markdown takes the first definition of a link: the picture is part of the page.
#[cfg_attr(feature = "admin", doc = concat!("[page]: ", include_str!("admin.uri"), "\n"))]
#[cfg_attr(feature = "admin", doc = include_str!("admin.md"))]
#[cfg_attr(not(feature = "admin"), doc = "The page needs the feature `admin`.")]
pub mod admin {}

#[cfg_attr(feature = "settings", doc = include_str!("settings.md"))]
#[cfg_attr(not(feature = "settings"), doc = "Settings need the feature `settings`.")]
pub mod settings {}

#[doc = include_str!("cost.md")]
pub mod cost {}

#[doc = include_str!("comparison.md")]
pub mod comparison {}

#[doc = include_str!("internals.md")]
pub mod internals {}
