//! An error and its sources.

use std::error::Error;
use std::io;
use std::sync::Arc;

/// Returns `error` and its sources, the outermost first.
pub(crate) fn sources<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| source(*error))
}

/// Returns the source of `error`. The `source` method of these types skips the next error in the
/// chain, and that of a pointer is the one of the error behind it.
fn source<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    #[cfg(feature = "qdrant")]
    if let Some(status) = is_or_holds(error).and_then(status) {
        return status.source();
    }
    if let Some(inner) = is_or_holds::<io::Error>(error).and_then(io::Error::get_ref) {
        return Some(inner);
    }
    if let Some(shared) = error.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        return Some(&**shared);
    }
    error.source()
}

/// Returns `error` as an `E`, or the `E` in the box or the `Arc` that it is.
pub(crate) fn is_or_holds<'e, E: Error + 'static>(
    error: &'e (dyn Error + 'static),
) -> Option<&'e E> {
    error
        .downcast_ref()
        .or_else(|| error.downcast_ref::<Box<E>>().map(|boxed| &**boxed))
        .or_else(|| error.downcast_ref::<Arc<E>>().map(|shared| &**shared))
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
