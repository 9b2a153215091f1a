//! A result that counts as a failure, and what events say about it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::event::{CountedFailure, FailureSource};

/// The function or policy that makes a call. A thin pointer, since nearly every call passes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a>(Option<&'a Cow<'static, str>>);

impl<'a> Caller<'a> {
    /// A breaker that is used without a policy.
    pub(crate) const NONE: Self = Self(None);

    #[expect(clippy::ptr_arg, reason = "a `&str` would be two words")]
    #[inline]
    pub(crate) const fn named(name: &'a Cow<'static, str>) -> Self {
        Self(Some(name))
    }

    pub(super) fn name(self) -> Option<&'a str> {
        self.0.map(|name| &**name)
    }
}

/// A result that counts as a failure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure<'a> {
    pub(super) source: FailureSource,
    pub(super) caller: Caller<'a>,
    /// How long the server asks to wait, if it does.
    pub(super) hint: Option<Duration>,
}

impl<'a> Failure<'a> {
    pub(super) const fn new(source: FailureSource, caller: Caller<'a>) -> Self {
        Self { source, caller, hint: None }
    }

    /// Returns what an event says about it.
    #[cold]
    pub(super) fn counted(&self) -> CountedFailure {
        CountedFailure { source: self.source, function: self.caller.name().map(Arc::from) }
    }
}
