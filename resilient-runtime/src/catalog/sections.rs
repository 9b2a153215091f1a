//! The lists that the linker gathers.
//!
//! The name of each static is the name of a section, and sections are global to a program. The name
//! and version of the crate keep it apart from the sections of users and of other versions of this
//! crate. Generated code uses the short names.

use linkme::distributed_slice;

use super::declaration::Declaration;
use super::passed_over::PassedOver;
use super::settings::BreakerSettings;
use super::site::CallSite;
use crate::{BudgetConfig, RetryPolicy};

pub use RESILIENT_RUNTIME_0_1_0_BREAKERS as BREAKERS;
pub use RESILIENT_RUNTIME_0_1_0_BUDGETS as BUDGETS;
pub use RESILIENT_RUNTIME_0_1_0_PASSED_OVER as PASSED_OVER;
pub use RESILIENT_RUNTIME_0_1_0_ROWS as ROWS;
pub use RESILIENT_RUNTIME_0_1_0_SITES as SITES;

/// Every function with `#[resilient]`.
#[distributed_slice]
pub static RESILIENT_RUNTIME_0_1_0_SITES: [CallSite];

/// The methods without a policy of every `impl` block with `#[resilient]`.
#[distributed_slice]
pub static RESILIENT_RUNTIME_0_1_0_PASSED_OVER: [&'static [PassedOver]];

/// Every breaker that `policies!` declares.
#[distributed_slice]
pub static RESILIENT_RUNTIME_0_1_0_BREAKERS: [Declaration<BreakerSettings>];

/// Every row that `policies!` declares.
#[distributed_slice]
pub static RESILIENT_RUNTIME_0_1_0_ROWS: [Declaration<RetryPolicy>];

/// Every budget that `policies!` declares.
#[distributed_slice]
pub static RESILIENT_RUNTIME_0_1_0_BUDGETS: [Declaration<BudgetConfig>];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn each_section_carries_the_name_and_the_version_of_the_crate() {
        let prefix = format!("{}_{}_", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        let prefix = prefix.replace(['-', '.', '+'], "_").to_uppercase();
        let statics = include_str!("sections.rs").lines().filter_map(|line| {
            line.strip_prefix("pub static ").and_then(|rest| rest.split(':').next())
        });
        let names: BTreeSet<_> = statics.map(|name| name.strip_prefix(&prefix)).collect();
        let expected = ["BREAKERS", "BUDGETS", "PASSED_OVER", "ROWS", "SITES"].map(Some);
        assert_eq!(names, BTreeSet::from(expected), "each begins with `{prefix}`");
    }
}
