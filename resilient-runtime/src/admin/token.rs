//! The token that lets an operator act.

use std::fmt;

use subtle::ConstantTimeEq;

use super::error::AdminConfigError;

/// A token that is long enough. No `Debug` shows it.
#[derive(Clone)]
pub(super) struct Token(String);

impl Token {
    /// The token is sent in a header, so it consists of visible ASCII characters.
    pub(super) fn new(text: String) -> Result<Self, AdminConfigError> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(AdminConfigError::TokenNotVisible);
        }
        if text.len() < AdminConfigError::SHORTEST_TOKEN {
            return Err(AdminConfigError::TokenTooShort { length: text.len() });
        }
        Ok(Self(text))
    }

    /// Returns whether this is the token. The time that this takes depends on the length, and not on
    /// how many characters are right.
    pub(super) fn is(&self, presented: &str) -> bool {
        self.0.as_bytes().ct_eq(presented.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token")
    }
}
