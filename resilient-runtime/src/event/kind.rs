//! The kinds of events, and sets of them.

use std::fmt;
use std::ops::BitOr;

/// Which event it is. [`Event`](crate::Event) says what each means.
///
/// ```
/// assert_eq!(resilient_runtime::EventKind::GaveUp.as_str(), "gave_up");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// [`Event::Retrying`](crate::Event::Retrying)
    Retrying,
    /// [`Event::GaveUp`](crate::Event::GaveUp)
    GaveUp,
    /// [`Event::TimedOut`](crate::Event::TimedOut)
    TimedOut,
    /// [`Event::Rejected`](crate::Event::Rejected)
    Rejected,
    /// [`Event::Transition`](crate::Event::Transition)
    Transition,
    /// [`Event::Evicted`](crate::Event::Evicted)
    Evicted,
    /// [`Event::Restored`](crate::Event::Restored)
    Restored,
    /// [`Event::BudgetExhausted`](crate::Event::BudgetExhausted)
    BudgetExhausted,
    /// [`Event::UnknownError`](crate::Event::UnknownError)
    UnknownError,
    /// [`Event::RetriesMultiply`](crate::Event::RetriesMultiply)
    RetriesMultiply,
    /// [`Event::SettingChanged`](crate::Event::SettingChanged)
    SettingChanged,
    /// [`Event::SettingsRefused`](crate::Event::SettingsRefused)
    SettingsRefused,
    /// [`Event::Problem`](crate::Event::Problem)
    Problem,
}

impl EventKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Retrying,
        Self::GaveUp,
        Self::TimedOut,
        Self::Rejected,
        Self::Transition,
        Self::Evicted,
        Self::Restored,
        Self::BudgetExhausted,
        Self::UnknownError,
        Self::RetriesMultiply,
        Self::SettingChanged,
        Self::SettingsRefused,
        Self::Problem,
    ];

    /// Returns the name: `"gave_up"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retrying => "retrying",
            Self::GaveUp => "gave_up",
            Self::TimedOut => "timed_out",
            Self::Rejected => "rejected",
            Self::Transition => "transition",
            Self::Evicted => "evicted",
            Self::Restored => "restored",
            Self::BudgetExhausted => "budget_exhausted",
            Self::UnknownError => "unknown_error",
            Self::RetriesMultiply => "retries_multiply",
            Self::SettingChanged => "setting_changed",
            Self::SettingsRefused => "settings_refused",
            Self::Problem => "problem",
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// `gave_up`
impl fmt::Display for EventKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// Which kinds of events an [`Observer`](crate::Observer) receives.
///
/// ```
/// use resilient_runtime::{EventKind, EventSet};
///
/// let wanted = EventKind::Transition | EventKind::GaveUp;
/// assert!(wanted.contains(EventKind::GaveUp) && !wanted.contains(EventKind::Rejected));
/// assert!(EventSet::ALL.contains(EventKind::Rejected));
/// assert!(!EventSet::from_iter([EventKind::Rejected]).contains(EventKind::GaveUp));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EventSet(u32);

impl EventSet {
    /// All events, those of later versions of the library among them.
    pub const ALL: Self = Self(u32::MAX);
    /// No event.
    pub const NONE: Self = Self(0);

    /// Returns whether this kind is in the set.
    #[must_use]
    pub const fn contains(self, kind: EventKind) -> bool {
        self.0 & kind.bit() != 0
    }

    /// Returns the set without this kind.
    #[must_use]
    pub const fn without(self, kind: EventKind) -> Self {
        Self(self.0 & !kind.bit())
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn bits(self) -> u32 {
        self.0
    }

    pub(super) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
}

impl From<EventKind> for EventSet {
    fn from(kind: EventKind) -> Self {
        Self(kind.bit())
    }
}

impl FromIterator<EventKind> for EventSet {
    fn from_iter<I: IntoIterator<Item = EventKind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::NONE, Self::bitor)
    }
}

impl BitOr<EventKind> for EventSet {
    type Output = Self;

    fn bitor(self, kind: EventKind) -> Self {
        Self(self.0 | kind.bit())
    }
}

impl BitOr for EventSet {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOr for EventKind {
    type Output = EventSet;

    fn bitor(self, other: Self) -> EventSet {
        EventSet::from(self) | other
    }
}
