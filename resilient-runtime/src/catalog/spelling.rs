//! Whether a name may be a misspelling of another.

/// The one of `known` that comes closest to `name`, if it may be meant at all: a third of its
/// letters may be wrong.
pub(super) fn closest(
    name: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, known)| 3 * distance <= known.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Whether one may be a misspelling of the other, where nobody has declared either. It is strict,
/// since it stops a build that asks: the names have the same words but for a letter or two, and
/// names that differ in their numbers only are those of a series.
pub(super) fn is_similar(one: &str, other: &str) -> bool {
    const MOST: usize = 2;
    let (ones, others) = (words(one), words(other));
    if one == other || ones.len() != others.len() {
        return false;
    }
    let distances = ones.iter().zip(&others).map(|(one, other)| distance(one, other));
    distances.sum::<Option<usize>>().is_some_and(|wrong| wrong <= MOST)
}

fn words(name: &str) -> Vec<&str> {
    name.split(['/', '_', '-', '.', ':', ' ']).collect()
}

/// How many letters are wrong; none where they are other words.
fn distance(one: &str, other: &str) -> Option<usize> {
    /// One letter may be wrong in so many.
    const LETTERS: usize = 4;
    let without_digits = |word: &str| word.replace(|c: char| c.is_ascii_digit(), "");
    if one == other {
        return Some(0);
    }
    let is_series = without_digits(one) == without_digits(other);
    let is_placeholder = one.contains('{') || other.contains('{');
    let distance = strsim::damerau_levenshtein(one, other);
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
    fn the_closest_name_is_the_one_that_is_meant() {
        let known = ["writes", "reads", "read all"];
        assert_eq!(closest("read", known), Some("reads"));
        assert_eq!(closest("import", known), None);
    }
}
