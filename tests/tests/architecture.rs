//! The arrows between the files of a crate go one way: there is no cycle, and a folder knows only
//! the folders above it.
//!
//! The test reads the source files. An arrow is a path in a `use` declaration, or any other path
//! that begins with `crate::`, `self::` or `super::`. It leads to the file that defines the name,
//! however often the name is re-exported on the way. Code under `#[cfg(test)]` has no arrows. Nor
//! has what a `mod.rs` re-exports from its own folder: that is the folder's table of contents.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The source of a crate, and the order of its folders.
struct Layout {
    /// The folder of the source, from the root of the repository.
    source: &'static str,
    /// The files that may know all others.
    unbound: &'static [&'static str],
    /// The folders. Each knows only those above it. Files outside of folders are only checked for
    /// cycles.
    folders: &'static [&'static str],
}

/// To check another crate, add it here.
const LAYOUTS: &[Layout] = &[
    Layout { source: "resilient-config/src", unbound: &["lib.rs"], folders: &["breaker"] },
    Layout {
        source: "resilient-macros/src",
        unbound: &["lib.rs"],
        folders: &["diagnose", "parse", "config", "check", "emit", "attribute", "classify"],
    },
    Layout {
        source: "resilient-runtime/src",
        unbound: &["lib.rs", "private.rs"],
        folders: &[
            "error",
            "count",
            "event",
            "retry",
            "breaker",
            "call",
            "catalog",
            "settings",
            "telemetry",
            "admin",
            "guide",
        ],
    },
];

#[test]
fn no_arrow_leads_upward_and_none_back() {
    for layout in LAYOUTS {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(layout.source);
        let mut files = BTreeMap::new();
        read(&root, &root, &mut files);
        assert!(files.len() > 10, "few files in {}", layout.source);
        let faults = faults(&files, layout);
        assert!(faults.is_empty(), "in {}:\n{}", layout.source, faults.join("\n"));
    }
}

fn read(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

/// Returns what is wrong with the arrows between these files, one line for each fault.
fn faults(files: &BTreeMap<String, String>, layout: &Layout) -> Vec<String> {
    let source = Source::new(files);
    let mut arrows: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut faults = Vec::new();
    let rank = |file: &str| {
        let folder = file.split_once('/')?.0;
        layout.folders.iter().position(|known| *known == folder)
    };
    for (file, parsed) in &source.files {
        if source.is_test(file) || layout.unbound.contains(&file.as_str()) {
            continue;
        }
        if file.contains('/') && rank(file).is_none() {
            faults.push(format!("{file}: its folder is not in the order of folders"));
        }
        let known = arrows.entry(file).or_default();
        for path in &parsed.paths {
            let Some(target) = source.resolve(&path.module, &path.segments, 0) else { continue };
            let is_listed = path.is_reexport
                && file.strip_suffix("mod.rs").is_some_and(|folder| target.starts_with(folder));
            if target == *file || is_listed || layout.unbound.contains(&target.as_str()) {
                continue;
            }
            if let (Some(from), Some(to)) = (rank(file), rank(&target))
                && to > from
            {
                let path = path.segments.join("::");
                faults.push(format!("{file} -> {target}: `{path}` leads to a folder below"));
            }
            known.insert(target);
        }
    }
    faults.extend(cycle(&arrows));
    faults.sort();
    faults.dedup();
    faults
}

/// Finds a cycle, if there is one.
fn cycle(arrows: &BTreeMap<&str, BTreeSet<String>>) -> Option<String> {
    fn visit<'a>(
        file: &'a str,
        arrows: &'a BTreeMap<&str, BTreeSet<String>>,
        way: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<String> {
        if let Some(start) = way.iter().position(|known| *known == file) {
            return Some(format!("a cycle: {} -> {file}", way[start..].join(" -> ")));
        }
        if !done.insert(file) {
            return None;
        }
        way.push(file);
        let targets = arrows.get(file).into_iter().flatten();
        let found = targets.into_iter().find_map(|target| visit(target, arrows, way, done));
        way.pop();
        found
    }
    let mut done = BTreeSet::new();
    arrows.keys().find_map(|file| visit(file, arrows, &mut Vec::new(), &mut done))
}

/// All files of a crate, by their paths from the folder of the source.
struct Source {
    files: BTreeMap<String, Parsed>,
}

/// What one file says of others.
#[derive(Default)]
struct Parsed {
    paths: Vec<Reference>,
    /// The modules whose files are compiled for tests only.
    test_modules: Vec<Vec<String>>,
}

/// A path in a file.
struct Reference {
    /// The module in which it stands.
    module: Vec<String>,
    /// `crate::…`, or relative to a child of that module. A glob ends with `*`.
    segments: Vec<String>,
    /// The name that a `use` declaration gives it.
    name: Option<String>,
    is_reexport: bool,
}

impl Source {
    fn new(files: &BTreeMap<String, String>) -> Self {
        let parse = |(file, text): (&String, &String)| {
            let mut parser = Parser { tokens: tokens(text), at: 0, parsed: Parsed::default() };
            parser.items(&module_of(file));
            (file.clone(), parser.parsed)
        };
        Self { files: files.iter().map(parse).collect() }
    }

    /// The file of this module, or of the one around it if it has no file of its own.
    fn file_of(&self, module: &[String]) -> Option<&String> {
        (0..=module.len()).rev().find_map(|length| self.own_file_of(&module[..length]))
    }

    fn own_file_of(&self, module: &[String]) -> Option<&String> {
        let path = module.join("/");
        let files = match module {
            [] => ["lib.rs".to_owned(), "main.rs".to_owned()],
            _ => [format!("{path}.rs"), format!("{path}/mod.rs")],
        };
        files.iter().find_map(|file| self.files.get_key_value(file)).map(|(file, _)| file)
    }

    fn is_test(&self, file: &str) -> bool {
        let module = module_of(file);
        let mut tests = self.files.values().flat_map(|parsed| &parsed.test_modules);
        tests.any(|test| module.starts_with(test))
    }

    /// The file that defines what this path names in `module`. `None` if it is another crate's.
    fn resolve(&self, module: &[String], path: &[String], depth: usize) -> Option<String> {
        let (first, mut rest) = path.split_first()?;
        let mut at = module.to_vec();
        match first.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => drop(at.pop()?),
            _ => rest = path,
        }
        while let Some((_, after)) = rest.split_first().filter(|(segment, _)| *segment == "super") {
            at.pop()?;
            rest = after;
        }
        let is_relative = rest.len() == path.len();
        let mut is_first = true;
        while let Some((name, after)) = rest.split_first() {
            let child: Vec<_> = at.iter().chain([name]).cloned().collect();
            if self.own_file_of(&child).is_some() {
                (at, rest) = (child, after);
            } else if name == "*" {
                break;
            } else if depth < 16
                && let Some(bound) = self.binding(&at, name)
            {
                let path: Vec<_> = bound.iter().chain(after).cloned().collect();
                return self.resolve(&at, &path, depth + 1);
            } else if is_relative && is_first {
                // A name of this module, of another crate, or of the prelude.
                return None;
            } else {
                break;
            }
            is_first = false;
        }
        self.file_of(&at).cloned()
    }

    /// The path that a `use` declaration in this module gives the name.
    fn binding(&self, module: &[String], name: &str) -> Option<&[String]> {
        let parsed = &self.files[self.file_of(module)?];
        let is_it = |path: &&Reference| {
            let is_itself = path.segments.len() == 1 && path.segments[0] == name;
            path.module == module && path.name.as_deref() == Some(name) && !is_itself
        };
        parsed.paths.iter().find(is_it).map(|path| &*path.segments)
    }
}

/// `breaker/keyed/mod.rs` is the file of `breaker::keyed`.
fn module_of(file: &str) -> Vec<String> {
    let module = file.trim_end_matches(".rs").trim_end_matches("mod").trim_end_matches('/');
    let is_root = matches!(module, "lib" | "main");
    let segments = module.split('/').filter(|segment| !segment.is_empty() && !is_root);
    segments.map(str::to_owned).collect()
}

struct Parser {
    tokens: Vec<String>,
    at: usize,
    parsed: Parsed,
}

impl Parser {
    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |token| token)
    }

    fn next(&mut self) -> String {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned().unwrap_or_default()
    }

    /// Skips what is in brackets. The next token is the opening one.
    fn skip_group(&mut self) {
        let mut depth = 0;
        while self.at < self.tokens.len() {
            match self.next().as_str() {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Reads until the module ends. `}` ends an inline module.
    fn items(&mut self, module: &[String]) {
        let mut is_public = false;
        let mut depth = 0;
        while self.at < self.tokens.len() {
            match self.peek(0) {
                "#" => {
                    if self.attribute() {
                        self.skip_test_item(module);
                    }
                    continue;
                }
                "pub" => {
                    self.next();
                    if self.peek(0) == "(" {
                        self.skip_group();
                    }
                    is_public = true;
                    continue;
                }
                "use" => {
                    self.next();
                    self.tree(module, &mut Vec::new(), is_public);
                }
                "mod" if self.peek(2) == "{" => {
                    self.next();
                    let inner: Vec<_> = module.iter().cloned().chain([self.next()]).collect();
                    self.next();
                    self.items(&inner);
                }
                "crate" | "self" | "super" if self.peek(1) == "::" => self.path(module),
                "{" => {
                    depth += 1;
                    self.next();
                }
                "}" if depth == 0 => {
                    self.next();
                    return;
                }
                "}" => {
                    depth -= 1;
                    self.next();
                }
                _ => drop(self.next()),
            }
            is_public = false;
        }
    }

    /// Skips an attribute, and returns whether it keeps an item for tests.
    fn attribute(&mut self) -> bool {
        self.next();
        if self.peek(0) == "!" {
            self.next();
        }
        let start = self.at;
        self.skip_group();
        let tokens = &self.tokens[start..self.at];
        let is_cfg = tokens.get(1).is_some_and(|token| token == "cfg");
        let is_test = |at: usize| tokens[at] == "test" && !(at >= 2 && tokens[at - 2] == "not");
        is_cfg && (0..tokens.len()).any(is_test)
    }

    fn skip_test_item(&mut self, module: &[String]) {
        while self.at < self.tokens.len() {
            match self.peek(0) {
                "mod" if self.peek(2) == ";" => {
                    let name = self.peek(1).to_owned();
                    let test = module.iter().cloned().chain([name]).collect();
                    self.parsed.test_modules.push(test);
                    self.at += 3;
                    return;
                }
                ";" => {
                    self.next();
                    return;
                }
                "(" | "[" => self.skip_group(),
                "{" => return self.skip_group(),
                _ => drop(self.next()),
            }
        }
    }

    /// Reads one tree of a `use` declaration.
    fn tree(&mut self, module: &[String], prefix: &mut Vec<String>, is_reexport: bool) {
        let length = prefix.len();
        loop {
            match self.next().as_str() {
                "{" => {
                    while !matches!(self.peek(0), "}" | "") {
                        self.tree(module, prefix, is_reexport);
                        if self.peek(0) == "," {
                            self.next();
                        }
                    }
                    self.next();
                    break;
                }
                "::" => continue,
                segment => prefix.push(segment.to_owned()),
            }
            if self.peek(0) == "::" {
                continue;
            }
            let mut segments = prefix.clone();
            if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
                segments.pop();
            }
            let mut name = segments.last().cloned();
            if self.peek(0) == "as" {
                self.next();
                name = Some(self.next());
            }
            let module = module.to_vec();
            self.parsed.paths.push(Reference { module, segments, name, is_reexport });
            break;
        }
        prefix.truncate(length);
    }

    /// Reads a path outside of `use` declarations.
    fn path(&mut self, module: &[String]) {
        let mut segments = vec![self.next()];
        while self.peek(0) == "::" && is_name(self.peek(1)) {
            self.next();
            segments.push(self.next());
        }
        let module = module.to_vec();
        let path = Reference { module, segments, name: None, is_reexport: false };
        self.parsed.paths.push(path);
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// The names, `::` and signs of a source text, without comments and literals.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = string(rest).or_else(|| character(rest)) {
            length
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else if is_name(rest) {
            let is_end = |c: char| !c.is_alphanumeric() && c != '_';
            let length = rest.find(is_end).unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of a string literal at the beginning of this text.
fn string(text: &str) -> Option<usize> {
    let prefix = text.len() - text.trim_start_matches(['b', 'c', 'r']).len();
    let behind = &text[prefix..];
    let signs = behind.len() - behind.trim_start_matches('#').len();
    let inside = behind[signs..].strip_prefix('"').filter(|_| prefix <= 2)?;
    let start = prefix + signs + 1;
    if text[..prefix].contains('r') {
        let end = format!("\"{}", "#".repeat(signs));
        return Some(inside.find(&end).map_or(text.len(), |at| start + at + end.len()));
    }
    if signs > 0 {
        return None;
    }
    let mut is_escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            '"' if !is_escaped => return Some(start + at + 1),
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    Some(text.len())
}

/// The length of a character literal at the beginning of this text. A lifetime is none.
fn character(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    if let Some(escape) = inside.strip_prefix('\\') {
        let end = escape.char_indices().skip(1).find(|(_, c)| *c == '\'')?.0;
        return Some(2 + end + 1);
    }
    let first = inside.chars().next()?;
    inside[first.len_utf8()..].starts_with('\'').then(|| 2 + first.len_utf8())
}

mod on_small_examples {
    use super::{Layout, faults};

    const LAYOUT: Layout = Layout {
        source: "",
        unbound: &["lib.rs", "private.rs"],
        folders: &["error", "breaker", "call"],
    };

    fn faults_of<const N: usize>(files: [(&str, &str); N]) -> Vec<String> {
        let files = files.map(|(file, text)| (file.to_owned(), text.to_owned()));
        faults(&files.into(), &LAYOUT)
    }

    #[test]
    fn arrows_to_folders_above_are_right() {
        let faults = faults_of([
            ("lib.rs", "mod error; mod breaker; mod kind; pub use crate::error::Rejection;"),
            ("kind.rs", ""),
            ("error/mod.rs", "mod rejection; pub use self::rejection::Rejection;"),
            ("error/rejection.rs", "use crate::kind;"),
            ("breaker/mod.rs", "mod state; mod permit; pub(crate) use self::{permit::Permit};"),
            ("breaker/state.rs", "use std::fmt; use crate::{error::Rejection};"),
            ("breaker/permit.rs", "use super::state::{self, State}; use crate::Rejection;"),
        ]);
        assert!(faults.is_empty(), "{faults:?}");
    }

    #[test]
    fn an_arrow_to_a_folder_below_is_a_fault() {
        let faults = faults_of([
            ("lib.rs", "mod error; mod call; pub use call::Policy;"),
            ("error/mod.rs", "use crate::Policy;"),
            ("call/mod.rs", "mod policy; pub use self::policy::Policy;"),
            ("call/policy.rs", ""),
        ]);
        assert_eq!(
            faults,
            ["error/mod.rs -> call/policy.rs: `crate::Policy` leads to a folder below"]
        );
    }

    #[test]
    fn a_path_in_code_is_an_arrow_too() {
        let faults = faults_of([
            ("lib.rs", "mod error; mod call;"),
            (
                "error/mod.rs",
                "fn f(x: &'static str) -> char { crate::call::run::<u8>(\"}\"); '\"' }",
            ),
            ("call/mod.rs", ""),
        ]);
        assert_eq!(
            faults,
            ["error/mod.rs -> call/mod.rs: `crate::call::run` leads to a folder below"]
        );
    }

    #[test]
    fn a_cycle_between_files_is_a_fault() {
        let faults = faults_of([
            ("lib.rs", "mod breaker; pub use breaker::{Deep as Shallow};"),
            ("breaker/mod.rs", "mod one; mod two; mod three; pub use self::three::{Deep};"),
            ("breaker/one.rs", "use super::{two::{Two, Other as Another}};"),
            ("breaker/two.rs", "mod inner { use super::super::three::Three; }"),
            ("breaker/three.rs", "use crate::{breaker::{one}};"),
        ]);
        assert_eq!(
            faults,
            ["a cycle: breaker/one.rs -> breaker/two.rs -> breaker/three.rs -> breaker/one.rs"]
        );
    }

    #[test]
    fn a_re_export_leads_to_the_file_that_defines_the_name() {
        let faults = faults_of([
            ("lib.rs", "mod breaker; pub use breaker::Deep as Shallow;"),
            ("breaker/mod.rs", "mod one; mod two; pub use self::two::*; pub use self::one::Deep;"),
            ("breaker/one.rs", "use self::Deep as _; use super::two::Two;"),
            ("breaker/two.rs", "use crate::Shallow;"),
        ]);
        assert_eq!(faults, ["a cycle: breaker/one.rs -> breaker/two.rs -> breaker/one.rs"]);
    }

    #[test]
    fn a_module_that_uses_its_own_child_and_is_used_by_it_is_a_cycle() {
        let faults = faults_of([
            ("breaker/mod.rs", "mod one; use self::one::One;"),
            ("breaker/one.rs", "use super::Breaker;"),
        ]);
        assert_eq!(faults, ["a cycle: breaker/mod.rs -> breaker/one.rs -> breaker/mod.rs"]);
    }

    #[test]
    fn tests_and_comments_have_no_arrows() {
        let faults = faults_of([
            ("lib.rs", "mod error; mod call;"),
            (
                "error/mod.rs",
                "//! crate::call::Policy
                /* use crate::call; */
                #[cfg(all(test, loom))] mod loom_tests;
                #[cfg(test)] mod tests { use crate::call::Policy; }
                const TEXT: &str = r#\"\" crate::call::Policy \"#;
                #[cfg(test)] use crate::call::Policy;",
            ),
            ("error/loom_tests.rs", "use crate::call::Policy;"),
            ("call/mod.rs", ""),
        ]);
        assert!(faults.is_empty(), "{faults:?}");
        let faults = faults_of([
            ("error/mod.rs", "#[cfg(not(test))] mod real { use crate::call::Policy; }"),
            ("call/mod.rs", ""),
        ]);
        assert_eq!(faults.len(), 1, "{faults:?}");
    }

    #[test]
    fn a_folder_without_a_place_in_the_order_is_a_fault() {
        let faults = faults_of([("fleet/mod.rs", "")]);
        assert_eq!(faults, ["fleet/mod.rs: its folder is not in the order of folders"]);
    }
}
