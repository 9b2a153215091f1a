//! "Did you mean".

use resilient_config::spelling::misspelt;

/// Returns `` ; did you mean `search`? `` if one or two of `known` are close to `word`. Otherwise the
/// text is empty.
pub fn did_you_mean(word: &str, known: &[&str]) -> String {
    const CLOSE: f64 = 0.5;
    if let Some(meant) = misspelt(word, known) {
        return format!("; did you mean `{meant}`?");
    }
    let likeness: Vec<_> = known.iter().map(|known| shared_words(word, known)).collect();
    let closest = likeness.iter().copied().fold(CLOSE, f64::max);
    let meant = known.iter().zip(likeness).filter(|(_, likeness)| *likeness >= closest);
    let meant: Vec<_> = meant.map(|(known, _)| *known).collect();
    // A word that many of them contain says nothing.
    if let 1..=2 = meant.len() {
        format!("; did you mean {}?", one_of(&meant))
    } else {
        String::new()
    }
}

/// How large a part of the words of both names is the same, in any order.
#[expect(clippy::cast_precision_loss, reason = "a name has few words")]
fn shared_words(name: &str, known: &str) -> f64 {
    let words = |name| str::split(name, '_').collect::<Vec<_>>();
    let (name, known) = (words(name), words(known));
    let is_in_name = |known: &&&str| name.iter().any(|word| is_same(word, known));
    let shared = known.iter().filter(is_in_name).count();
    2.0 * shared as f64 / (name.len() + known.len()) as f64
}

/// Whether two words have the same beginning: `retries` and `retry`, or `min` and `minimum`, but not
/// `auto` and `authentication`.
fn is_same(one: &str, other: &str) -> bool {
    const BEGINNING: usize = 4;
    let shared = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    let shorter = one.chars().count().min(other.chars().count());
    shared >= BEGINNING || (shared == shorter && shared + 1 >= BEGINNING)
}

/// The message for an unknown key, if these are known.
pub fn unknown_key(name: &str, known: &[&str]) -> String {
    // It is so close to `rate` that many words look like it.
    let is_crate = misspelt(name, &["crate"]).is_some();
    let likely: Vec<_> =
        known.iter().copied().filter(|known| *known != "crate" || is_crate).collect();
    match did_you_mean(name, &likely) {
        none if none.is_empty() => {
            format!("unknown key `{name}`; the keys here are {}", all_of(known))
        }
        hint => format!("unknown key `{name}`{hint}"),
    }
}

/// `` `a`, `b` or `c` ``
pub fn one_of(words: &[&str]) -> String {
    listed(words, "or")
}

/// `` `a`, `b` and `c` ``
pub fn all_of(words: &[&str]) -> String {
    listed(words, "and")
}

fn listed(words: &[&str], conjunction: &str) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {conjunction} {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_word_is_suggested() {
        let known = ["retry", "breaker"];
        assert_eq!(did_you_mean("braker", &known), "; did you mean `breaker`?");
        assert_eq!(did_you_mean("retries", &known), "; did you mean `retry`?");
        assert_eq!(did_you_mean("timeout", &known), "");
        assert_eq!(did_you_mean("2", &["0", "1"]), "");
    }

    #[test]
    fn a_key_is_suggested_by_its_words_in_whatever_order() {
        let known = [
            "failure_threshold",
            "success_threshold",
            "failure_rate",
            "minimum_calls",
            "slow_call_rate",
            "open_duration",
            "open_duration_multiplier",
            "max_open_duration",
            "open_jitter",
            "probe_timeout",
        ];
        for (word, meant) in [
            ("open_max_duration", "`max_open_duration`"),
            ("maximum_open_duration", "`max_open_duration`"),
            ("duration", "`open_duration`"),
            ("timeout", "`probe_timeout`"),
            ("probes_timeout", "`probe_timeout`"),
            ("jitter", "`open_jitter`"),
            ("duration_multiplier", "`open_duration_multiplier`"),
            ("error_rate", "`failure_rate`"),
            ("slow_rate", "`slow_call_rate`"),
            ("min_calls", "`minimum_calls`"),
            ("failures", "`failure_threshold` or `failure_rate`"),
            ("threshold", "`failure_threshold` or `success_threshold`"),
        ] {
            assert_eq!(did_you_mean(word, &known), format!("; did you mean {meant}?"), "{word}");
        }
        for word in ["name", "scope", "", "_"] {
            assert_eq!(did_you_mean(word, &known), "", "{word}");
        }
    }

    #[test]
    fn words_are_listed_as_a_person_would() {
        assert_eq!(one_of(&["a"]), "`a`");
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(all_of(&["a", "b"]), "`a` and `b`");
    }
}
