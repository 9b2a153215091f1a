//! Errors of users that derive `Classify`, found inside type-erased errors.
//!
//! A `dyn Error` can be downcast only to a type that is known. So the derive adds a function to a list
//! that the linker gathers, and each function tries its one type.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;

use linkme::distributed_slice;

use super::classify::Classify;
use super::sources::is_or_holds;

// The name of a section: see `catalog/sections.rs`.
pub use RESILIENT_RUNTIME_0_1_0_ERRORS as ERRORS;

/// Every type without parameters that derives `Classify`.
#[distributed_slice]
pub static RESILIENT_RUNTIME_0_1_0_ERRORS: [OwnError];

/// Returns `error` as a type that derives `Classify`, if it is one. Such an error always decides,
/// also if its kind is unknown: its kind is the same alone and inside another error.
pub(super) fn own<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e dyn Classify> {
    ERRORS.iter().find_map(|own| (own.0)(error))
}

/// Returns an error as one type, if it is of that type.
type Downcast = for<'e> fn(&'e (dyn Error + 'static)) -> Option<&'e dyn Classify>;

/// A type that derives `Classify`.
#[derive(Clone, Copy)]
pub struct OwnError(Downcast);

impl fmt::Debug for OwnError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OwnError").finish_non_exhaustive()
    }
}

/// Leads from a type that derives `Classify` to its entry in the list: `Registered::<E>::ENTRY`.
///
/// If `E` is an error, that is the constant here. Otherwise its bounds are not met, and the compiler
/// takes the one of [`NoError`], which never finds anything.
#[derive(Debug)]
pub struct Registered<E: ?Sized>(PhantomData<E>);

impl<E: Classify + Error + 'static> Registered<E> {
    /// Finds an `E`, and an `E` in a box or an `Arc`.
    pub const ENTRY: OwnError =
        OwnError(|error| is_or_holds::<E>(error).map(|error| error as &dyn Classify));
}

/// The entry of a type that is not an error.
pub trait NoError {
    /// Finds nothing.
    const ENTRY: OwnError = OwnError(|_| None);
}

impl<E: ?Sized> NoError for Registered<E> {}

#[cfg(test)]
mod tests {
    #[test]
    fn the_section_carries_the_name_and_the_version_of_the_crate() {
        let prefix = format!("{}_{}_", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        let prefix = prefix.replace(['-', '.', '+'], "_").to_uppercase();
        let expected = format!("pub static {prefix}ERRORS: ");
        assert!(include_str!("own_error.rs").lines().any(|line| line.starts_with(&expected)));
    }
}
