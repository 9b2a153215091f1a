//! `retry-after`: when the server wants the next request.

use std::time::{Duration, SystemTime};

/// Reads `retry-after` of HTTP (RFC 9110, 10.2.3): a number of seconds, or a date. The RFC has no
/// fractions, but proxies send them. A date in the past is a wait of zero. Returns `None` for any
/// other value.
pub(crate) fn retry_after(value: &str) -> Option<Duration> {
    from(value, SystemTime::now)
}

fn from(value: &str, now: impl FnOnce() -> SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Some(wait) = seconds(value) {
        return Some(wait);
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now()).unwrap_or_default())
}

/// Reads a number of seconds, with or without a fraction.
fn seconds(value: &str) -> Option<Duration> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    // A number that is too large is a very long wait, not a missing hint.
    let Ok(whole) = whole.parse() else { return Some(Duration::MAX) };
    let nanos = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanos = nanos.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    Some(Duration::new(whole, nanos))
}

pub(crate) fn is_number(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn seconds_are_read_with_a_fraction_or_without() {
        for (value, expected) in [
            ("3", Some(3 * SECOND)),
            (" 3 ", Some(3 * SECOND)),
            ("0", Some(Duration::ZERO)),
            ("1.5", Some(SECOND * 3 / 2)),
            ("0.000000001", Some(Duration::from_nanos(1))),
            ("0.0000000019", Some(Duration::from_nanos(1))),
            ("99999999999999999999", Some(Duration::MAX)),
            ("99999999999999999999.5", Some(Duration::MAX)),
            ("18446744073709551615.999999999", Some(Duration::MAX)),
            ("", None),
            (".", None),
            ("1.", None),
            (".5", None),
            ("1.5.5", None),
            ("1,5", None),
            ("-1", None),
            ("+1", None),
            ("1e3", None),
            ("inf", None),
            ("NaN", None),
            ("soon", None),
        ] {
            assert_eq!(retry_after(value), expected, "{value:?}");
        }
    }

    #[test]
    fn a_date_is_read_in_each_format_of_http() {
        // 1994-11-06T08:49:37Z
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(from(date, || then - 7 * SECOND), Some(7 * SECOND), "{date}");
            assert_eq!(from(date, || then), Some(Duration::ZERO), "{date}");
            assert_eq!(from(date, || then + SECOND), Some(Duration::ZERO), "{date}");
        }
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        assert_eq!(retry_after("Sun, 31 Feb 2094 08:49:37 GMT"), None);
        assert!(retry_after("Fri, 31 Dec 9999 23:59:59 GMT") > Some(SECOND));
    }
}
