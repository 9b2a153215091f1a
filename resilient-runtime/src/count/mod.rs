//! Counters that threads write without contention.

pub(crate) mod stripe;
mod striped;

pub(crate) use self::striped::Striped;
