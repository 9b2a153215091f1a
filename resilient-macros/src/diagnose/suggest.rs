//! "Did you mean".

use resilient_config::spelling::misspelled;

/// Returns `` ; did you mean `search`? `` if `word` is a misspelling of one of `known`.
/// Otherwise the text is empty.
pub fn did_you_mean(word: &str, known: &[&str]) -> String {
    misspelled(word, known).map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"))
}

/// Returns the message for an unknown key, if these are known.
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
        assert_eq!(did_you_mean("timeout", &known), "");
        assert_eq!(did_you_mean("2", &["0", "1"]), "");
    }

    #[test]
    fn words_are_listed_as_a_person_would() {
        assert_eq!(one_of(&["a"]), "`a`");
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(all_of(&["a", "b"]), "`a` and `b`");
    }
}
