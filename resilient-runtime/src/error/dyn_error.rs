//! `Classify` for boxed and type-erased errors, by their chain of sources.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::error::Elapsed;

use super::classify::Classify;
use super::open_error::CircuitOpenError;
use super::own_error::own;
use super::rejection::Rejection;
use super::sources::{is_or_holds, sources};
use crate::ErrorKind;

/// Implements `Classify` for pointers: by the error behind the pointer.
macro_rules! by_pointee {
    ($($pointer:ident)*) => {$(
        /// By the error inside.
        impl<E: Classify + ?Sized> Classify for $pointer<E> {
            fn kind(&self) -> ErrorKind {
                (**self).kind()
            }

            fn retry_after(&self) -> Option<Duration> {
                (**self).retry_after()
            }

            fn maybe_executed(&self) -> bool {
                (**self).maybe_executed()
            }

            fn may_retry(&self) -> bool {
                (**self).may_retry()
            }
        }
    )*};
}

by_pointee! { Arc Box }

/// Implements `Classify` for type-erased errors: by the chain of sources of the error inside.
macro_rules! by_chain {
    ($($(#[cfg($feature:meta)])? $any:ty: |$error:ident| $inner:expr,)*) => {$(
        /// By the outermost error in the chain of sources that has a kind. If none has, the kind is
        /// [`Unknown`](ErrorKind::Unknown). See [errors of your own](crate::guide::errors#chains).
        $(#[cfg($feature)])?
        impl Classify for $any {
            fn kind(&self) -> ErrorKind {
                let $error = self;
                in_chain($inner, |known| known.kind()).unwrap_or(ErrorKind::Unknown)
            }

            fn retry_after(&self) -> Option<Duration> {
                let $error = self;
                in_chain($inner, |known| known.retry_after()).flatten()
            }

            fn maybe_executed(&self) -> bool {
                let $error = self;
                in_chain($inner, |known| known.maybe_executed()).unwrap_or(true)
            }

            fn may_retry(&self) -> bool {
                let $error = self;
                in_chain($inner, |known| known.may_retry()).unwrap_or(true)
            }
        }
    )*};
}

by_chain! {
    dyn Error: |error| error,
    dyn Error + Send: |error| error,
    dyn Error + Send + Sync: |error| error,
    #[cfg(feature = "anyhow")]
    anyhow::Error: |error| &**error,
    #[cfg(feature = "eyre")]
    eyre::Report: |error| &**error,
}

/// Asks the outermost error in the chain of `error` that has a kind.
pub(crate) fn in_chain<T>(
    error: &(dyn Error + 'static),
    ask: impl Fn(&dyn Classify) -> T,
) -> Option<T> {
    sources(error).find_map(|error| known(error).or_else(|| own(error))).map(ask)
}

/// Returns `error` as a type of this library or of one that it supports, if it is one and has a
/// kind.
fn known<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e dyn Classify> {
    fn of<'e, E: Classify + Error + 'static>(
        error: &'e (dyn Error + 'static),
    ) -> Option<&'e dyn Classify> {
        is_or_holds::<E>(error).map(|error| error as &dyn Classify)
    }

    let found = of::<Rejection>(error)
        .or_else(|| of::<CircuitOpenError>(error))
        .or_else(|| of::<Elapsed>(error));
    // An `io::Error` that asks the error inside it adds nothing: that error comes next in the
    // chain. If both asked, chains of such errors would take time exponential in their length.
    let io = is_or_holds::<io::Error>(error).filter(|io| io.kind() != io::ErrorKind::Other);
    let found = found.or_else(|| io.map(|io| io as &dyn Classify));
    #[cfg(feature = "qdrant")]
    let found = found.or_else(|| of::<qdrant_client::QdrantError>(error));
    #[cfg(feature = "tonic")]
    let found = found.or_else(|| of::<tonic::Status>(error));
    #[cfg(feature = "reqwest")]
    let found = found.or_else(|| of::<reqwest::Error>(error));
    found.filter(|known| known.kind() != ErrorKind::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the import failed")]
    struct ImportError(#[source] io::Error);

    #[test]
    fn a_boxed_error_is_classified_by_its_chain() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let boxed: Box<dyn Error + Send + Sync> = Box::new(ImportError(refused));
        assert_eq!(boxed.kind(), ErrorKind::ConnectionError);
        assert!(!boxed.maybe_executed());
    }

    #[test]
    fn a_box_of_an_error_passes_its_questions_on() {
        let boxed = Box::new(io::Error::from(io::ErrorKind::ConnectionRefused));
        assert_eq!(Classify::kind(&boxed), ErrorKind::ConnectionError);
        assert!(!boxed.maybe_executed());
        assert_eq!(boxed.retry_after(), None);
    }

    #[test]
    fn a_shared_error_passes_its_questions_on() {
        struct Busy;

        impl Classify for Busy {
            fn kind(&self) -> ErrorKind {
                ErrorKind::RateLimitError
            }

            fn retry_after(&self) -> Option<Duration> {
                Some(Duration::from_secs(3))
            }

            fn maybe_executed(&self) -> bool {
                false
            }

            fn may_retry(&self) -> bool {
                false
            }
        }

        let shared = Arc::new(Busy);
        assert_eq!(shared.kind(), ErrorKind::RateLimitError);
        assert_eq!(shared.retry_after(), Some(Duration::from_secs(3)));
        assert!(!shared.maybe_executed() && !shared.may_retry());
        let erased: Arc<dyn Classify> = shared;
        assert_eq!(erased.kind(), ErrorKind::RateLimitError);
    }

    #[test]
    fn a_shared_error_of_any_type_is_classified_by_its_chain() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let shared: Arc<dyn Error + Send + Sync> = Arc::new(ImportError(refused));
        assert_eq!(shared.kind(), ErrorKind::ConnectionError);
        assert!(!shared.maybe_executed());
    }

    #[test]
    fn a_boxed_error_of_no_known_type_is_unknown() {
        let boxed: Box<dyn Error + Send + Sync> = "no idea".into();
        assert_eq!(boxed.kind(), ErrorKind::Unknown);
        assert!(boxed.maybe_executed());
    }

    #[test]
    fn an_error_inside_an_io_error_is_seen() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let boxed: Box<dyn Error + Send + Sync> = Box::new(io::Error::other(refused));
        assert_eq!(boxed.kind(), ErrorKind::ConnectionError);
    }
}
