//! What is written, with its spans: arguments, values, functions and `impl` blocks.

pub mod args;
pub mod async_trait;
pub mod guarded_call;
pub mod impl_block;
pub mod item;
pub mod kinds;
pub mod lints;
pub mod template;
pub mod values;
