//! Sets of kinds of error.

use std::fmt;

use crate::ErrorKind;

/// A set of kinds: a bit for each, by its number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ErrorKinds(u32);

const _: () = assert!(ErrorKind::COUNT <= u32::BITS as usize, "a kind has no bit");

impl ErrorKinds {
    pub(crate) const NONE: Self = Self(0);

    /// Every kind that is transient.
    pub(crate) const TRANSIENT: Self = {
        let mut kinds = Self::NONE;
        let mut number = 0;
        while number < ErrorKind::COUNT {
            let kind = ErrorKind::ALL[number];
            if kind.is_transient() {
                kinds = kinds.with(kind);
            }
            number += 1;
        }
        kinds
    };

    pub(crate) const fn with(self, kind: ErrorKind) -> Self {
        Self(self.0 | 1 << kind as u32)
    }

    pub(crate) const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    pub(crate) const fn contains(self, kind: ErrorKind) -> bool {
        self.0 & 1 << kind as u32 != 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// `{TimeoutError, NetworkError}`
impl fmt::Debug for ErrorKinds {
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
            let set = ErrorKinds::NONE.with(kind);
            for &other in ErrorKind::ALL {
                assert_eq!(set.contains(other), other == kind, "{other} in {set:?}");
            }
            assert_eq!(set.with(kind), set);
            assert!(!set.is_empty() && set.without(set).is_empty());
        }
    }

    #[test]
    fn the_transient_ones_are_those_that_say_so() {
        for &kind in ErrorKind::ALL {
            assert_eq!(ErrorKinds::TRANSIENT.contains(kind), kind.is_transient(), "{kind}");
        }
    }

    #[test]
    fn a_set_is_printed_by_its_kinds() {
        let set = ErrorKinds::NONE.with(ErrorKind::Unknown).with(ErrorKind::TimeoutError);
        assert_eq!(format!("{set:?}"), "{TimeoutError, Unknown}");
    }
}
