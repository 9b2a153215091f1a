//! `Classify` for the errors of other crates. Each file belongs to the feature of its name.

#[cfg(feature = "qdrant")]
mod qdrant;
#[cfg(feature = "reqwest")]
mod reqwest;

#[cfg(feature = "reqwest")]
pub use self::reqwest::retry_after;
