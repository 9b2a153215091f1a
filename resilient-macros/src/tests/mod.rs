//! Tests of whole expansions.

mod advice;
mod incomplete_input;
mod snapshots;
