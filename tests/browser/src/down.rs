//! The error of a server that is down.

use resilient_runtime::{Classify, ErrorKind, Rejection};

/// A transient error, or a rejection.
#[derive(Debug)]
pub struct Down;

impl Classify for Down {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NetworkError
    }
}

impl From<Rejection> for Down {
    fn from(_: Rejection) -> Self {
        Self
    }
}
