//! `Classify` for the errors of other crates.

// `qdrant` brings `tonic`, whose statuses are read here too.
#[cfg(feature = "tonic")]
mod qdrant;
#[cfg(feature = "reqwest")]
mod reqwest;

#[cfg(feature = "reqwest")]
pub use self::reqwest::retry_after;
