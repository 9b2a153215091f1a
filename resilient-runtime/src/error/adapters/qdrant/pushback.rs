//! `grpc-retry-pushback-ms`: whether and when a gRPC server allows a retry.

use std::time::Duration;

use tonic::Status;

use crate::error::hint::is_number;

/// What the server says about a retry
/// (<https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushback {
    /// Retry after this time.
    After(Duration),
    /// Do not retry.
    Never,
}

impl Pushback {
    /// Reads the metadata of an answer.
    pub(super) fn of(status: &Status) -> Option<Self> {
        let value = status.metadata().get("grpc-retry-pushback-ms")?;
        Some(Self::read(value.to_str().ok()))
    }

    /// Reads a number of milliseconds. The specification says that a negative number, and any other
    /// value, asks not to retry. `None` stands for bytes that are no text.
    fn read(value: Option<&str>) -> Self {
        let millis = value.filter(|value| is_number(value)).and_then(|value| value.parse().ok());
        millis.map_or(Self::Never, |millis| Self::After(Duration::from_millis(millis)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pushback_that_is_no_number_of_milliseconds_forbids_a_retry() {
        for (value, expected) in [
            (Some("0"), Pushback::After(Duration::ZERO)),
            (Some("250"), Pushback::After(Duration::from_millis(250))),
            (Some("-1"), Pushback::Never),
            (Some("+1"), Pushback::Never),
            (Some("1.5"), Pushback::Never),
            (Some(" 1"), Pushback::Never),
            (Some(""), Pushback::Never),
            (Some("soon"), Pushback::Never),
            (Some("99999999999999999999"), Pushback::Never),
            (None, Pushback::Never),
        ] {
            assert_eq!(Pushback::read(value), expected, "{value:?}");
        }
    }
}
