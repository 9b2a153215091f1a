//! A crate of edition 2024, with more lints than most have: see [`shapes`].
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms, unreachable_pub, unused_lifetimes)]
#![deny(unused_qualifications, unused_results, single_use_lifetimes, let_underscore_drop)]
#![deny(clippy::all, clippy::pedantic)]

#[path = "../../shapes.rs"]
pub mod shapes;

/// The temporaries of a body's last expression live as long as this edition says.
#[cfg(test)]
#[tokio::test(start_paused = true)]
async fn temporaries_are_dropped_as_in_this_edition() {
    let expected = ["temporary", "local"];
    assert_eq!(shapes::drop_order::plain().await, expected);
    assert_eq!(shapes::drop_order::retried().await, expected);
    assert_eq!(shapes::drop_order::guarded().await, expected);
}
