//! Sets of kinds of error.

use std::fmt;

use crate::kind::ErrorKind;

/// A set of kinds of error: one bit for each kind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KindSet(u32);

const _: () = assert!(ErrorKind::ALL.len() <= u32::BITS as usize, "a kind has no bit");

impl KindSet {
    /// The empty set.
    pub const NONE: Self = Self(0);

    /// Every kind.
    pub const ALL: Self = Self((1 << ErrorKind::ALL.len()) - 1);

    /// Every transient kind.
    pub const TRANSIENT: Self = {
        let mut kinds = Self::NONE;
        let mut number = 0;
        while number < ErrorKind::ALL.len() {
            let kind = ErrorKind::ALL[number];
            if kind.is_transient() {
                kinds = kinds.with(kind);
            }
            number += 1;
        }
        kinds
    };

    /// Returns the set with one more kind.
    #[must_use]
    pub const fn with(self, kind: ErrorKind) -> Self {
        Self(self.0 | 1 << kind as u32)
    }

    /// Returns the set without the kinds of another set.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Returns whether the kind is in the set.
    #[must_use]
    #[inline]
    pub const fn contains(self, kind: ErrorKind) -> bool {
        self.0 & 1 << kind as u32 != 0
    }

    /// Returns whether no kind is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the names of its kinds, in the order of declaration.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        let kinds = ErrorKind::ALL.iter().filter(|kind| self.contains(**kind));
        kinds.map(|kind| kind.as_str()).collect()
    }
}

/// `{TimeoutError, NetworkError}`
impl fmt::Debug for KindSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = ErrorKind::ALL.iter().filter(|kind| self.contains(**kind));
        formatter.debug_set().entries(kinds).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_in_a_set_for_itself() {
        for &kind in ErrorKind::ALL {
            let set = KindSet::NONE.with(kind);
            for &other in ErrorKind::ALL {
                assert_eq!(set.contains(other), other == kind, "{other} in {set:?}");
            }
            assert_eq!(set.with(kind), set);
            assert!(!set.is_empty() && set.without(set).is_empty());
        }
    }

    #[test]
    fn the_transient_set_holds_the_transient_kinds() {
        for &kind in ErrorKind::ALL {
            assert_eq!(KindSet::TRANSIENT.contains(kind), kind.is_transient(), "{kind}");
        }
        assert_eq!(KindSet::ALL.names().len(), ErrorKind::ALL.len());
    }

    #[test]
    fn a_set_is_printed_by_its_kinds() {
        let set = KindSet::NONE.with(ErrorKind::Unknown).with(ErrorKind::TimeoutError);
        assert_eq!(format!("{set:?}"), "{TimeoutError, Unknown}");
    }
}
