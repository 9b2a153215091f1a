//! Text indexes: how they split strings into tokens, and what they match.

use std::collections::BTreeSet;

/// How a text index splits a string into tokens.
///
/// ```
/// use resilient_testkit::store::Tokenizer;
///
/// let query = Tokenizer::default().query("fox QUICK");
/// assert!(query.matches(["The quick brown fox."]));
/// assert!(!query.matches(["quicker foxes"]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tokenizer {
    /// Where to split strings.
    pub split: TokenSplit,
    /// Whether case is ignored.
    pub lowercase: bool,
    /// Tokens with fewer characters are dropped.
    pub min_len: Option<usize>,
    /// Tokens with more characters are dropped. With prefixes, the length of the longest prefix.
    pub max_len: Option<usize>,
    /// These tokens are dropped.
    pub stopwords: BTreeSet<String>,
}

/// Where a [`Tokenizer`] splits strings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenSplit {
    /// At characters that are neither letters nor digits.
    #[default]
    Word,
    /// At whitespace.
    Whitespace,
    /// Like [`Word`](Self::Word), and every prefix of a word is a token.
    Prefix,
}

/// A text match on a field with a text index. It matches all of its tokens, in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextQuery {
    tokenizer: Tokenizer,
    tokens: BTreeSet<String>,
}

impl Default for Tokenizer {
    fn default() -> Self {
        Self {
            split: TokenSplit::default(),
            lowercase: true,
            min_len: None,
            max_len: None,
            stopwords: BTreeSet::new(),
        }
    }
}

impl Tokenizer {
    /// Creates a query for all tokens of a text.
    #[must_use]
    pub fn query(&self, text: &str) -> TextQuery {
        let tokens = self
            .words(text)
            .filter_map(|word| match self.split {
                TokenSplit::Word | TokenSplit::Whitespace => self.keep(word, self.max_len),
                // The longest stored prefix.
                TokenSplit::Prefix => {
                    let longest = self.max_len.unwrap_or(usize::MAX);
                    self.keep(word.chars().take(longest).collect(), None)
                }
            })
            .collect();
        TextQuery { tokenizer: self.clone(), tokens }
    }

    /// Collects the tokens that the index stores for a text.
    fn document(&self, text: &str, tokens: &mut BTreeSet<String>) {
        for word in self.words(text) {
            match self.split {
                TokenSplit::Word | TokenSplit::Whitespace => {
                    tokens.extend(self.keep(word, self.max_len));
                }
                TokenSplit::Prefix => {
                    if self.stopwords.contains(&word) {
                        continue;
                    }
                    let length = word.chars().count();
                    let longest = self.max_len.map_or(length, |max| max.min(length));
                    for end in self.min_len.unwrap_or(1)..=longest {
                        tokens.insert(word.chars().take(end).collect());
                    }
                }
            }
        }
    }

    fn words<'a>(&'a self, text: &'a str) -> impl Iterator<Item = String> + 'a {
        text.split(move |c: char| match self.split {
            TokenSplit::Whitespace => c.is_whitespace(),
            TokenSplit::Word | TokenSplit::Prefix => !c.is_alphanumeric(),
        })
        .filter(|word| !word.is_empty())
        .map(|word| if self.lowercase { word.to_lowercase() } else { word.to_owned() })
    }

    fn keep(&self, word: String, max_len: Option<usize>) -> Option<String> {
        let length = word.chars().count();
        let kept = !self.stopwords.contains(&word)
            && self.min_len.is_none_or(|min| length >= min)
            && max_len.is_none_or(|max| length <= max);
        kept.then_some(word)
    }
}

impl TextQuery {
    /// Returns whether the strings of a field together contain all tokens. A query without tokens
    /// matches nothing.
    pub fn matches<'a>(&self, strings: impl IntoIterator<Item = &'a str>) -> bool {
        let mut stored = BTreeSet::new();
        for string in strings {
            self.tokenizer.document(string, &mut stored);
        }
        !self.tokens.is_empty() && self.tokens.is_subset(&stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_match_in_any_order_and_whole() {
        let tokenizer = Tokenizer::default();
        assert!(tokenizer.query("fox quick").matches(["a Quick, brown fox"]));
        assert!(tokenizer.query("quick fox").matches(["fox", "quick"]));
        assert!(!tokenizer.query("ick f").matches(["a quick fox"]));
        assert!(!tokenizer.query("fox dog").matches(["a quick fox"]));
        assert!(!tokenizer.query(" ,").matches(["a quick fox"]), "no token");
    }

    #[test]
    fn white_space_keeps_punctuation() {
        let tokenizer = Tokenizer { split: TokenSplit::Whitespace, ..Tokenizer::default() };
        assert!(tokenizer.query("fox.").matches(["a fox."]));
        assert!(!tokenizer.query("fox").matches(["a fox."]));
    }

    #[test]
    fn prefixes_match_the_start_of_a_word() {
        let tokenizer = Tokenizer {
            split: TokenSplit::Prefix,
            min_len: Some(2),
            max_len: Some(4),
            ..Tokenizer::default()
        };
        assert!(tokenizer.query("qu fo").matches(["a quick fox"]));
        assert!(tokenizer.query("quicker").matches(["a quick fox"]), "cut to four characters");
        assert!(!tokenizer.query("q").matches(["a quick fox"]), "too short");
        assert!(!tokenizer.query("ick").matches(["a quick fox"]));
    }

    #[test]
    fn lengths_case_and_stopwords_are_those_of_the_index() {
        let tokenizer = Tokenizer {
            lowercase: false,
            min_len: Some(3),
            stopwords: ["the".to_owned()].into(),
            ..Tokenizer::default()
        };
        assert!(tokenizer.query("Fox").matches(["the Fox"]));
        assert!(!tokenizer.query("fox").matches(["the Fox"]));
        assert!(tokenizer.query("the ox Fox").matches(["Fox"]), "dropped tokens are not asked for");
        assert!(!tokenizer.query("the").matches(["the Fox"]), "no token is left");
    }
}
