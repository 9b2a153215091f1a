//! From a valid configuration and a function to code. Nothing here can fail.
//!
//! Generated names have `Span::mixed_site()`, so that they cannot clash with the user's. Paths begin
//! at a crate. In comments, `p` is the path of the runtime's private module.

pub mod function;
pub mod guarded_call;
mod keyed;
mod params;
pub mod passed_over;
mod receiver;
mod run;
pub mod site_tokens;
