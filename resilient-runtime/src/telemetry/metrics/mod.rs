//! Metrics, through the [`metrics`](https://docs.rs/metrics) facade. Needs the feature `metrics`.
//!
//! The library counts everything by itself, on stripes that threads do not contend for.
//! [`collect`](fn@collect) brings the recorder that the program has installed up to date, and
//! [`scrape`] does so for one scrape. Nothing of this is on the path of a call.
//!
//! The guide's page on [metrics](crate::guide::metrics) lists the names, labels and units.

mod collect;
mod durations;
mod names;
mod values;

pub use self::collect::{collect, scrape};
pub use self::values::label_values;
