//! The numbers of functions, by source and by settings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::rows::Rows;
use super::site::{CallSite, RetrySpec};
use crate::call::{Numbers, RowChoice};
use crate::live::{Current, Live};
use crate::retry::RetryChanges;

/// The numbers that settings give a function, in place of those of source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FunctionNumbers {
    pub(crate) retry: RetryChanges,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) durations: Option<bool>,
}

/// By the path of the function.
static BY_SETTINGS: Live<BTreeMap<String, FunctionNumbers>> = Live::new(BTreeMap::new());

impl FunctionNumbers {
    pub(crate) const NONE: Self =
        Self { retry: RetryChanges::NONE, attempt_timeout: None, deadline: None, durations: None };

    /// Returns what settings give to functions.
    pub(crate) fn by_settings() -> Current<'static, BTreeMap<String, Self>> {
        BY_SETTINGS.current()
    }

    /// Replaces what settings give to functions that are looked up from now on.
    pub(crate) fn set(numbers: BTreeMap<String, Self>) {
        BY_SETTINGS.set(numbers);
    }

    /// Returns what settings give to the function of this path.
    pub(crate) fn of(function: &str) -> Self {
        Self::by_settings().get(function).copied().unwrap_or(Self::NONE)
    }

    /// Returns these numbers in place of those of source. A time limit that source does not have
    /// stays away: nothing would end the call.
    pub(crate) fn replace(&self, source: &Numbers) -> Numbers {
        let retry = source.retry.clone().map(|retry| match retry {
            RowChoice::Row(row) => RowChoice::Row(self.retry.apply(row)),
            by_kind @ RowChoice::ByKind(_) => by_kind,
        });
        let limit =
            |source: Option<Duration>, now: Option<Duration>| source.map(|it| now.unwrap_or(it));
        Numbers {
            retry,
            attempt_timeout: limit(source.attempt_timeout, self.attempt_timeout),
            deadline: limit(source.deadline, self.deadline),
            durations: self.durations.unwrap_or(source.durations),
        }
    }
}

impl CallSite {
    /// Returns the numbers of the function with these rows, before its own settings.
    pub(crate) fn numbers(&self, rows: &Rows) -> Numbers {
        let retry = self.retry.map(|retry| match retry {
            RetrySpec::ByKind => RowChoice::ByKind(Arc::new(rows.table.clone())),
            RetrySpec::Row(row, changes) => {
                RowChoice::Row(changes.apply(rows.find_or_default(row)))
            }
        });
        let Self { attempt_timeout, deadline, durations, .. } = *self;
        Numbers { retry, attempt_timeout, deadline, durations }
    }
}
