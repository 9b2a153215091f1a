//! "Did you mean".

/// `` ; did you mean `search`? ``, where one or two of `known` are close to `word`; nothing
/// otherwise.
pub fn did_you_mean(word: &str, known: &[&str]) -> String {
    const CLOSE: f64 = 0.5;
    if let Some(meant) = misspelt(word, known) {
        return format!("; did you mean `{meant}`?");
    }
    let likeness: Vec<_> = known.iter().map(|known| shared_words(word, known)).collect();
    let closest = likeness.iter().copied().fold(CLOSE, f64::max);
    let meant = known.iter().zip(likeness).filter(|(_, likeness)| *likeness >= closest);
    let meant: Vec<_> = meant.map(|(known, _)| *known).collect();
    // What is in many of them says nothing.
    if let 1..=2 = meant.len() {
        format!("; did you mean {}?", one_of(&meant))
    } else {
        String::new()
    }
}

/// How large a part of the words in both names are the same, in whatever order.
#[expect(clippy::cast_precision_loss, reason = "a name has few words")]
fn shared_words(name: &str, known: &str) -> f64 {
    // `retries` and `retry`, but not `auto` and `authentication`.
    const SAME: f64 = 0.85;
    let words = |name| str::split(name, '_').collect::<Vec<_>>();
    let (name, known) = (words(name), words(known));
    let is_in_name =
        |known: &&&str| name.iter().any(|word| strsim::jaro_winkler(word, known) > SAME);
    let shared = known.iter().filter(is_in_name).count();
    2.0 * shared as f64 / (name.len() + known.len()) as f64
}

/// The one of `known` that `word` can only be a misspelling of.
pub fn misspelt<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    // `RateLimit`, `rate-limit` and `ratelimited` are all meant for `rate_limit_error`.
    let letters = |word: &str| {
        let word: String = word.chars().filter(|c| c.is_alphanumeric()).collect();
        word.to_lowercase()
    };
    let is_close = |word: &str, known: &str| {
        // One letter may be wrong in four.
        strsim::damerau_levenshtein(word, known) <= (known.len() / 4).min(2)
    };
    let is_meant = |known: &str| {
        let (word, known) = (letters(word), letters(known));
        let short = known.strip_suffix("error");
        is_close(&word, &known) || short.is_some_and(|short| is_close(&word, short))
    };
    known.iter().copied().find(|known| is_meant(known))
}

/// What is said of a key that does not exist, where those that do are `known`.
pub fn unknown_key(name: &str, known: &[&str]) -> String {
    // It is so near to `rate` that nearly anything would be taken for it.
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
    fn a_misspelling_is_told_from_another_name() {
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
            assert_eq!(misspelt(word, &known), meant, "{word}");
        }
    }

    #[test]
    fn words_are_listed_as_a_person_would() {
        assert_eq!(one_of(&["a"]), "`a`");
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(all_of(&["a", "b"]), "`a` and `b`");
    }
}
