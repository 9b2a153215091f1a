//! What a function must be, so that a configuration applies to it.

pub mod borrow_rules;
pub mod passing;
pub mod placeholders;
pub mod signature;
pub mod twice;
