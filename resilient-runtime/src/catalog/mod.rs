//! The catalog: every annotated function and every declaration of the program, in all of its
//! crates, before any function has run. The linker gathers them.

mod breaker_entry;
mod checks;
mod conflicts;
mod constant;
mod declaration;
mod deferred;
#[cfg(feature = "metrics")]
mod exported;
mod function_numbers;
mod here;
#[cfg(feature = "test-util")]
mod isolation;
mod keyed_breaker;
mod keyed_site;
mod passed_over;
mod problem;
mod program;
mod registered;
mod registry;
mod report;
mod resolve_breaker;
mod retry_rule;
mod rows;
mod sections;
mod settings;
mod site;
mod view;

pub use self::constant::{
    Number, NumberIn, Time, TimeIn, WholeNumber, WholeNumberIn, WindowIn, WindowLength, WrongType,
    number_in, time_in, whole_number_in, window_in,
};
pub use self::declaration::Declaration;
pub use self::deferred::{
    attempt_timeout_before_deadline, base_delay_before_deadline, max_delay_over_base_delay,
    several_attempts, several_attempts_with_delays, slow_call_before_limits,
};
#[cfg(feature = "metrics")]
pub(crate) use self::exported::Exported;
#[cfg(feature = "metrics")]
pub(crate) use self::here::exported;
#[cfg(feature = "test-util")]
pub(crate) use self::isolation::Isolation;
pub use self::keyed_site::KeyedSite;
pub use self::passed_over::{PassedOver, Why};
pub use self::problem::{CatalogError, Problem};
pub use self::registered::RegisteredPolicy;
#[cfg(feature = "metrics")]
pub(crate) use self::registry::{Counted, breaker_groups};
pub(crate) use self::registry::{
    NoBreaker, breaker_to_restore, budgets, counted, registered_breakers,
};
pub use self::registry::{breaker, breaker_of, breakers, budget};
pub use self::resolve_breaker::{ResolveBreaker, ResolveBreakerName};
pub use self::retry_rule::RetryRule;
pub use self::sections::{BREAKERS, BUDGETS, PASSED_OVER, ROWS, SITES};
pub use self::settings::BreakerSettings;
pub use self::site::{BreakerSource, BreakerSpec, CallSite, RetrySpec};
pub use self::view::{AnnotatedFunction, Catalog, catalog};
#[cfg(feature = "settings")]
pub(crate) use self::{
    breaker_entry::Keyed, function_numbers::FunctionNumbers, program::Program, rows::Rows,
};
