//! Gathers mistakes, so that all of them are reported at once.

use std::fmt::Display;
use std::thread;

use quote::ToTokens;
use syn::Error;

/// The mistakes found so far. [`finish`](Self::finish) must be called: mistakes that nobody reads
/// would let wrong code pass.
#[derive(Default)]
pub struct Errors {
    found: Option<Error>,
    count: usize,
    finished: bool,
}

impl Errors {
    /// A mistake at these tokens.
    pub fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.push(Error::new_spanned(tokens, message));
    }

    /// A mistake.
    pub fn push(&mut self, error: Error) {
        self.count += 1;
        match &mut self.found {
            Some(found) => found.combine(error),
            none => *none = Some(error),
        }
    }

    /// How many there are so far.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// All that was found.
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
