//! An error and what it came from.

use std::error::Error;
use std::io;

/// `error` and its sources, the outermost first.
pub(crate) fn chain<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| source(*error))
}

/// The source of `error`: what it says itself, but for two types that pass over the next error in
/// the chain.
fn source<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    #[cfg(feature = "qdrant")]
    if let Some(status) = error.downcast_ref().and_then(crate::qdrant::status) {
        return status.source();
    }
    if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        return Some(inner);
    }
    error.source()
}
