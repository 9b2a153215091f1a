//! An error and its sources.

use std::error::Error;
use std::io;

/// Returns `error` and its sources, the outermost first.
pub(crate) fn sources<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| source(*error))
}

/// Returns the source of `error`. The `source` method of three types skips the next error in the
/// chain.
fn source<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    #[cfg(feature = "qdrant")]
    if let Some(status) = error.downcast_ref().and_then(status) {
        return status.source();
    }
    #[cfg(feature = "qdrant")]
    if let Some(boxed) = error.downcast_ref::<Box<qdrant_client::QdrantError>>() {
        return Some(&**boxed);
    }
    if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        return Some(inner);
    }
    error.source()
}

/// Returns the status inside `error`, which `QdrantError` does not return as its source.
#[cfg(feature = "qdrant")]
pub(crate) const fn status(error: &qdrant_client::QdrantError) -> Option<&tonic::Status> {
    use qdrant_client::QdrantError;

    match error {
        QdrantError::ResponseError { status }
        | QdrantError::ResourceExhaustedError { status, .. } => Some(status),
        _ => None,
    }
}
