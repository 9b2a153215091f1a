//! Under construction.
mod method;
mod rate_limit;
pub mod store;
mod sync;
pub use method::Method;
