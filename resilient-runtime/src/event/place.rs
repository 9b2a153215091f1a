//! A place in source.

use std::fmt;

/// A file and a line in source. The order of places is the same in every run and every build.
///
/// ```
/// use resilient_runtime::Place;
///
/// let place = Place { file: "src/search.rs", line: 17 };
/// assert_eq!(place.to_string(), "src/search.rs:17");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The path of the file, as the compiler was given it.
    pub file: &'static str,
    /// The line. The first is 1.
    pub line: u32,
}

/// `src/search.rs:17`
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}
