//! Mistakes in the configuration of the page.

/// A mistake in an [`AdminConfig`](super::AdminConfig). Its text never contains the token.
///
/// ```
/// use resilient_runtime::admin::{AdminConfig, AdminConfigError};
///
/// let error = AdminConfig::new().token("admin").unwrap_err();
/// assert_eq!(error, AdminConfigError::TokenTooShort { length: 5 });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdminConfigError {
    /// The token has too few characters.
    #[error(
        "the token of the admin page has {length} characters, and needs at least {}: \
         `openssl rand -hex 32` prints one",
        Self::SHORTEST_TOKEN
    )]
    TokenTooShort {
        /// How many it has.
        length: usize,
    },
    /// The token has a character that is not a visible ASCII character, such as a space or the end of
    /// a line.
    #[error(
        "the token of the admin page has a character that a header cannot carry: remove spaces and \
         line ends"
    )]
    TokenNotVisible,
    /// The origin is none.
    #[error("`{origin}` is not an origin: write it as `https://ops.example.com`, without a path")]
    NotAnOrigin {
        /// What was given.
        origin: String,
    },
}

impl AdminConfigError {
    /// The fewest characters of a token. A random token of this length has at least 64 bits in
    /// hexadecimal digits. At 100,000 guesses a second, to guess it takes millions of years.
    pub(super) const SHORTEST_TOKEN: usize = 16;
}
