//! The breakers that the arguments of a call select.

use std::fmt::{self, Write};
use std::sync::OnceLock;

use arrayvec::ArrayString;

use super::breaker_entry::Keyed;
use super::here;
use super::keyed_breaker::KeyedBreaker;
use super::program::Program;
use crate::breaker::Part;

/// The static that `#[resilient]` emits for a template: `breaker = "search/{collection}"`.
#[derive(Debug)]
pub struct KeyedSite {
    template: &'static str,
    keyed: OnceLock<&'static Keyed>,
}

impl KeyedSite {
    /// The breakers of this template.
    #[must_use]
    pub const fn new(template: &'static str) -> Self {
        Self { template, keyed: OnceLock::new() }
    }

    /// Returns the breaker whose name the values of this call make.
    pub fn get(&self, values: &[Part<'_>]) -> KeyedBreaker {
        let keyed = self.keyed.get().copied().unwrap_or_else(|| {
            // Looked up before it is stored: that may emit an event, and a subscriber may call the
            // function again.
            let keyed = Program::get().breaker(self.template, true).keyed();
            self.keyed.get_or_init(|| keyed)
        });
        let mut name = Name::default();
        // This never fails: a value that fails to be written leaves a mark in the name.
        let _ = keyed.template.write(values, &mut name);
        here::keyed(keyed, |keyed| keyed.get(name.as_str()))
    }
}

/// Longer than most names.
const SHORT: usize = 128;

/// Collects a name. A short name needs no allocation.
#[derive(Default)]
struct Name {
    short: ArrayString<SHORT>,
    /// The whole name, if `short` is too small for it.
    long: String,
}

impl Name {
    fn as_str(&self) -> &str {
        if self.long.is_empty() { &self.short } else { &self.long }
    }
}

impl Write for Name {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = self.long.is_empty() && self.short.try_push_str(text).is_ok();
        if !fits {
            if self.long.is_empty() {
                self.long.push_str(&self.short);
            }
            self.long.push_str(text);
        }
        Ok(())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::breaker::key_part;

    struct Broken;

    impl fmt::Display for Broken {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("half/").and(Err(fmt::Error))
        }
    }

    #[test]
    fn a_value_that_cannot_be_shown_does_not_hide_the_others() {
        static SITE: KeyedSite = KeyedSite::new("{broken}/{name}");
        let name = |name| SITE.get(&[key_part(&Broken), key_part(&name)]).name().to_string();
        assert_eq!(name("one"), "half%2F\u{fffd}/one");
        assert_eq!(name("two"), "half%2F\u{fffd}/two");
        let whole = SITE.get(&[key_part(&"half/"), key_part(&"one")]);
        assert_eq!(*whole.name(), "half%2F/one");
    }

    #[test]
    fn a_name_of_any_length_serves() {
        static SITE: KeyedSite = KeyedSite::new("{name}");
        for length in [0, 1, SHORT / 2, SHORT / 2 + 1, 10_000] {
            let name = "ä".repeat(length);
            assert_eq!(*SITE.get(&[key_part(&name)]).name(), *name);
            let name = "ä".repeat(length) + "/";
            assert_eq!(*SITE.get(&[key_part(&name)]).name(), *name.replace('/', "%2F"));
        }
    }
}
