#![doc = include_str!("../README.md")]

pub mod candidate;
mod executor;
mod function;
pub mod measure;
mod ours;
mod peers;
pub mod table;

pub use candidate::{Candidate, Case};
pub use executor::drive;
pub use ours::{keyed_hits, new_keys};

use function::{CLIENT, search};

/// The name of the row that all others are held against.
pub const PLAIN: &str = "plain function";

/// The plain function in a case that it succeeds in.
#[must_use]
pub fn plain() -> Candidate {
    Candidate::new(PLAIN, Case::Success, || |limit| search(&CLIENT, limit))
}

/// Everything that takes part in a case: the plain function first, then the plain function once
/// more, which shows how far two equal rows of a table may lie apart; then ours, then the peers.
#[must_use]
pub fn candidates(case: Case) -> Vec<Candidate> {
    let plain = |name| Candidate::new(name, case, || |limit| search(&CLIENT, limit));
    let mut all = vec![plain(PLAIN), plain("plain function, again")];
    all.extend(ours::candidates(case));
    all.extend(peers::candidates(case));
    all
}
