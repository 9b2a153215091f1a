//! What a function must be for a configuration to apply to it.

pub mod borrow_rules;
pub mod error_type;
pub mod passing;
pub mod placeholders;
pub mod signature;
pub mod twice;
