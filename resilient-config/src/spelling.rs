//! Whether a name may be a misspelling of another one.

/// Returns the one of `known` that is closest to `name`, if at most a third of its letters differ.
pub fn closest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    known
        .into_iter()
        .map(|known| (edits(name, known), known))
        .filter(|(distance, known)| 3 * distance <= known.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Returns a name as an environment variable can hold it: in upper case, with `_` in place of every
/// run of other characters.
#[must_use]
pub fn as_variable(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_uppercase).collect::<Vec<_>>().join("_")
}

/// Returns whether one of two undeclared names may be a misspelling of the other.
///
/// The test is strict, since a program that validates its catalog fails on it: the names have the
/// same words except for a letter or two. Names that differ only in their numbers are a series.
#[must_use]
pub fn is_similar(one: &str, other: &str) -> bool {
    const MOST: usize = 2;
    let (ones, others) = (words(one), words(other));
    if one == other || ones.len() != others.len() {
        return false;
    }
    let distances = ones.iter().zip(&others).map(|(one, other)| distance(one, other));
    distances.sum::<Option<usize>>().is_some_and(|wrong| wrong <= MOST)
}

/// Returns the one of `known` that `word` is a misspelling of.
///
/// `RateLimit`, `rate-limit` and `ratelimited` all mean `rate_limit_error`.
#[must_use]
pub fn misspelled<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let letters = |word: &str| {
        let word: String = word.chars().filter(|c| c.is_alphanumeric()).collect();
        word.to_lowercase()
    };
    // One letter in four may differ.
    let is_close = |word: &str, known: &str| edits(word, known) <= (known.len() / 4).min(2);
    let word = letters(word);
    known.iter().copied().find(|known| {
        let known = letters(known);
        let short = known.strip_suffix("error");
        is_close(&word, &known) || short.is_some_and(|short| is_close(&word, short))
    })
}

/// Returns the number of letters to insert, delete, replace or swap with their neighbor.
#[must_use]
pub fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    // The rows of the Damerau-Levenshtein table: edits from the first letters of `from` to those of `to`.
    let mut before = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    let mut last = None;
    for (row, letter) in from.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in to.iter().enumerate() {
            let replaced = above[column] + usize::from(letter != *other);
            let mut fewest = replaced.min(above[column + 1] + 1).min(current[column] + 1);
            let is_swapped = column > 0 && last == Some(*other) && letter == to[column - 1];
            if is_swapped {
                let before: &Vec<usize> = &before;
                fewest = fewest.min(before[column - 1] + 1);
            }
            current.push(fewest);
        }
        before = std::mem::replace(&mut above, current);
        last = Some(letter);
    }
    above[to.len()]
}

fn words(name: &str) -> Vec<&str> {
    name.split(['/', '_', '-', '.', ':', ' ']).collect()
}

/// Returns how many letters differ. `None` if these are different words.
fn distance(one: &str, other: &str) -> Option<usize> {
    /// One letter in so many may differ.
    const LETTERS: usize = 4;
    let without_digits = |word: &str| word.replace(|c: char| c.is_ascii_digit(), "");
    if one == other {
        return Some(0);
    }
    let is_series = without_digits(one) == without_digits(other);
    let is_placeholder = one.contains('{') || other.contains('{');
    let distance = edits(one, other);
    let most = one.len().min(other.len()).saturating_sub(1) / LETTERS;
    (!is_series && !is_placeholder && distance <= most).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelling_is_told_from_another_name() {
        for (one, other) in [
            ("search", "serach"),
            ("writes", "write"),
            ("nightly_import", "nightly-inport"),
            ("search/{collection}", "serach/{collection}"),
        ] {
            assert!(is_similar(one, other) && is_similar(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("get", "set"),
            ("docs", "dogs"),
            ("shard1", "shard2"),
            ("search", "upsert"),
            ("upsert/{collection}", "insert/{collection}"),
            ("reads", "reads of docs"),
        ] {
            assert!(!is_similar(one, other), "{one} {other}");
        }
    }

    #[test]
    fn edits_are_counted() {
        for (from, to, count) in [
            ("", "", 0),
            ("", "ab", 2),
            ("ab", "", 2),
            ("search", "serach", 1),
            ("braker", "breaker", 1),
            ("kitten", "sitting", 3),
            ("ca", "ac", 1),
            ("µs", "us", 1),
        ] {
            assert_eq!((edits(from, to), edits(to, from)), (count, count), "{from} {to}");
        }
    }

    #[test]
    fn a_misspelling_is_recognized() {
        let known = ["rate_limit_error", "search_timeout", "auto"];
        for (word, meant) in [
            ("rate_limit", Some("rate_limit_error")),
            ("ratelimit_error", Some("rate_limit_error")),
            ("search_timeuot", Some("search_timeout")),
            ("atuo", Some("auto")),
            ("rate_limt_eror", Some("rate_limit_error")),
            ("RateLimitError", Some("rate_limit_error")),
            ("rate_limited", Some("rate_limit_error")),
            ("ratelimit", Some("rate_limit_error")),
            ("search", None),
            ("nightly_import", None),
        ] {
            assert_eq!(misspelled(word, &known), meant, "{word}");
        }
    }

    #[test]
    fn the_closest_name_is_the_one_that_is_meant() {
        let known = ["writes", "reads", "read all"];
        assert_eq!(closest("read", known), Some("reads"));
        assert_eq!(closest("import", known), None);
    }
}
