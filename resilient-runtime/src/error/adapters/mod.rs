//! `Classify` for the errors of other crates.

// The feature `qdrant` implies `tonic`.
#[cfg(feature = "tonic")]
mod qdrant;
#[cfg(feature = "reqwest")]
mod reqwest;

#[cfg(feature = "reqwest")]
pub use self::reqwest::retry_after;
