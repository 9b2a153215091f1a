//! Gathers mistakes, so that all of them are reported at once.

use std::fmt::Display;
use std::thread;

use quote::ToTokens;
use syn::Error;

/// The mistakes found so far. [`finish`](Self::finish) must be called: an unread mistake would let
/// wrong code compile.
#[derive(Default)]
pub struct Errors {
    found: Option<Error>,
    count: usize,
    finished: bool,
}

impl Errors {
    /// Adds a mistake at these tokens.
    pub fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.push(Error::new_spanned(tokens, message));
    }

    /// Adds a mistake.
    pub fn push(&mut self, error: Error) {
        self.count += 1;
        match &mut self.found {
            Some(found) => found.combine(error),
            none => *none = Some(error),
        }
    }

    /// The number of mistakes so far.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Returns all mistakes as one error.
    pub fn finish(mut self) -> Result<(), Error> {
        self.finished = true;
        self.found.take().map_or(Ok(()), Err)
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        assert!(self.finished || thread::panicking(), "mistakes were gathered and never read");
    }
}
