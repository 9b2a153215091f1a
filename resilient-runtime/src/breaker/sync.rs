//! The atomics and the lock whose every interleaving the tests under loom run through.
//!
//! What decides nothing (totals, the time of the last failure) stays with the standard library:
//! each atomic more makes loom's work longer by a factor.

#[cfg(all(test, loom))]
pub(super) use loom::{
    hint::spin_loop,
    sync::{
        Mutex,
        atomic::{AtomicU64, fence},
    },
};
#[cfg(not(all(test, loom)))]
pub(super) use std::{
    hint::spin_loop,
    sync::{
        Mutex,
        atomic::{AtomicU64, fence},
    },
};

/// A constructor that is `const`, but not under loom, whose atomics are made while it runs.
macro_rules! const_unless_loom {
    ($(#[$attribute:meta])* $visibility:vis const fn $($rest:tt)*) => {
        $(#[$attribute])*
        #[cfg(not(all(test, loom)))]
        $visibility const fn $($rest)*

        $(#[$attribute])*
        #[cfg(all(test, loom))]
        $visibility fn $($rest)*
    };
}

pub(super) use const_unless_loom;
