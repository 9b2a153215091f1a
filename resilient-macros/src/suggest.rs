//! "Did you mean".

/// `; did you mean "search"?`, where one of `known` is close to `word`; nothing otherwise.
pub fn did_you_mean(word: &str, known: &[&str]) -> String {
    const CLOSE: f64 = 0.8;
    known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= CLOSE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map_or_else(String::new, |(_, candidate)| format!("; did you mean `{candidate}`?"))
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
        strsim::damerau_levenshtein(word, known) <= (known.len() / 4).clamp(1, 2)
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
    match did_you_mean(name, known) {
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
