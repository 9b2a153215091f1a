//! Durations as people write them: `"500ms"`, `"1m30s"`.

use std::time::Duration;

const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a sequence of whole numbers, each with its unit, in any order of units.
///
/// # Errors
///
/// A message that names the mistake and says what to write.
pub fn parse(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(format!("an empty duration; {EXAMPLE}"));
    }
    let mut nanos: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = split_where(rest, |c| !c.is_ascii_digit());
        let (unit, after) = split_where(after, |c| c.is_ascii_digit() || c == ' ');
        if number.is_empty() {
            return Err(format!("`{text}` is not a duration; {EXAMPLE}"));
        }
        let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(if unit.is_empty() {
                format!("`{number}` has no unit; {EXAMPLE}")
            } else {
                format!("`{unit}` is not a unit of time; {EXAMPLE}")
            });
        };
        nanos = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(*scale))
            .and_then(|more| nanos.checked_add(more))
            .ok_or_else(|| format!("`{text}` is longer than 584 years"))?;
        rest = after.trim_start();
    }
    Ok(Duration::from_nanos(nanos))
}

/// Writes a duration so that [`parse`] reads it again: `1m30s`.
#[must_use]
pub fn written(duration: Duration) -> String {
    let mut rest = duration.as_nanos();
    let units = UNITS.into_iter().rev().filter(|(unit, _)| *unit != "µs");
    let parts = units.filter_map(|(unit, scale)| {
        let number = rest / u128::from(scale);
        rest %= u128::from(scale);
        (number > 0).then(|| format!("{number}{unit}"))
    });
    let written: String = parts.collect();
    if written.is_empty() { "0s".to_owned() } else { written }
}

const EXAMPLE: &str = "write whole numbers with the units h, m, s, ms, us or ns, as in \"500ms\" \
                       or \"1m30s\"";

fn split_where(text: &str, boundary: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(boundary).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_understood() {
        for (text, nanos) in [
            ("7ns", 7),
            ("250us", 250_000),
            ("250µs", 250_000),
            ("500ms", 500_000_000),
            ("10s", 10_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1h 1ms", 3_600_001_000_000),
            ("0s", 0),
        ] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(parse(text), Ok(duration), "{text}");
            assert_eq!(parse(&written(duration)), Ok(duration), "{text}");
        }
    }

    #[test]
    fn a_duration_is_written_in_its_largest_units() {
        let millis = Duration::from_millis;
        let written = [0, 500, 30_000, 90_500].map(|number| written(millis(number)));
        assert_eq!(written, ["0s", "500ms", "30s", "1m30s500ms"]);
    }

    #[test]
    fn a_mistake_is_named() {
        for (text, message) in [
            ("", "an empty duration"),
            ("500", "`500` has no unit"),
            ("1.5s", "`.` is not a unit of time"),
            ("5 minutes", "`5` has no unit"),
            ("5minutes", "`minutes` is not a unit of time"),
            ("soon", "`soon` is not a duration"),
            ("-1s", "`-1s` is not a duration"),
            ("99999999999h", "`99999999999h` is longer than 584 years"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(message), "{text}: {error}");
        }
    }
}
