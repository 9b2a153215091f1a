//! How mistakes are gathered and explained.

pub mod errors;
pub mod suggest;
