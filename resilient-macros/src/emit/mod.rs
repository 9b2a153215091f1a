//! From a valid configuration and a function to code. Nothing here can fail.
//!
//! Generated names have `Span::mixed_site()`, so that they cannot clash with the user's. Paths begin
//! at a crate. In comments, `p` is the path of the runtime's private module.
//!
//! A method that borrows its receiver is called on an explicit borrow: `(&mut __call).admit()`. On
//! `__call` alone, the compiler prefers a method that takes `self` by value, and a trait of the user's
//! may give every type one of that name. `Call::admit(&mut __call)` would do too, but in a function that
//! returns no `Result`, each such call is an error of its own.

pub mod function;
pub mod guarded_call;
mod keyed;
mod params;
pub mod passed_over;
mod receiver;
mod run;
pub mod site_tokens;
