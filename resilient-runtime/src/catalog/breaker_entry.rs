//! A breaker of the program, and where source names it.

use std::ptr;
use std::sync::OnceLock;

use super::declaration::Declaration;
use super::settings::BreakerSettings;
use super::site::{BreakerSpec, CallSite};
use crate::breaker::Template;
use crate::{CircuitBreaker, KeyedBreakers, SharedBreaker};

/// Identifies one breaker, or all breakers of one template. Templates that differ only in the names
/// of their placeholders have one key.
///
/// The order decides which breaker has a name that several of them can make: names come first, then
/// templates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BreakerKey {
    is_template: bool,
    pattern: String,
}

impl BreakerKey {
    pub(super) fn new(name: &str, is_template: bool) -> Self {
        let pattern = if is_template { pattern(name) } else { name.to_owned() };
        Self { is_template, pattern }
    }
}

/// One breaker, or all breakers of one template, with the places in source that name it.
#[derive(Debug)]
pub(crate) struct BreakerEntry {
    /// The name or template. If templates differ in the names of their placeholders, the first by
    /// the alphabet.
    pub(crate) name: &'static str,
    pub(crate) template: Option<Template>,
    /// The functions that name it, in the order of the source.
    pub(super) sites: Vec<(&'static CallSite, BreakerSpec)>,
    /// Its declarations, in the order of the source.
    pub(super) declarations: Vec<&'static Declaration<BreakerSettings>>,
    /// The breaker of an entry without a template, created at its first use.
    pub(super) single: OnceLock<SharedBreaker>,
    /// The breakers of a template, created at their first use.
    pub(super) keyed: OnceLock<Keyed>,
}

/// The breakers of a template.
#[derive(Debug)]
pub(crate) struct Keyed {
    pub(crate) template: Template,
    pub(crate) breakers: KeyedBreakers,
    /// The entries whose breaker has a name before this template, so that no two breakers have one
    /// name. Empty unless [`Problem::SharedName`](super::problem::Problem) is reported.
    pub(super) namesakes: Vec<&'static BreakerEntry>,
}

/// The settings that one place in source gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Configured {
    pub(crate) settings: BreakerSettings,
    /// The breaker itself, if it is a static one.
    pub(super) static_breaker: Option<&'static CircuitBreaker>,
}

impl Configured {
    const fn by(settings: BreakerSettings) -> Self {
        Self { settings, static_breaker: None }
    }

    fn by_static(breaker: &'static CircuitBreaker) -> Self {
        let settings = BreakerSettings::new(*breaker.source_config());
        Self { settings, static_breaker: Some(breaker) }
    }

    /// Whether two places are consistent: the same settings, and not two static breakers.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        let is_one = match (self.static_breaker, other.static_breaker) {
            (Some(one), Some(other)) => ptr::eq(one, other),
            _ => true,
        };
        is_one && self.settings == other.settings
    }
}

impl BreakerEntry {
    pub(super) fn new(name: &'static str, is_template: bool) -> Self {
        Self {
            name,
            template: is_template.then(|| Template::parse(name)),
            sites: Vec::new(),
            declarations: Vec::new(),
            single: OnceLock::new(),
            keyed: OnceLock::new(),
        }
    }

    /// Returns whether this is the name of its breaker, or of one of its template.
    pub(crate) fn makes(&self, name: &str) -> bool {
        self.template.as_ref().map_or(self.name == name, |template| template.makes(name))
    }

    /// Returns a name that a breaker of this entry and one of `template` can both have, with `…`
    /// for any text.
    pub(super) fn shared_name(&self, template: &Template) -> Option<String> {
        match &self.template {
            Some(own) => own.meets(template),
            None => template.makes(self.name).then(|| self.name.to_owned()),
        }
    }

    /// Returns each place that names it, functions first, with the name as it is written there.
    pub(crate) fn places(&self) -> impl Iterator<Item = (&'static str, String)> {
        let sites = self.sites.iter().map(|(site, spec)| (spec.source.name(), site.location()));
        let declared = self.declarations.iter().map(|it| (it.name(), it.place.to_string()));
        sites.chain(declared)
    }

    /// Returns the first place that names it.
    pub(crate) fn place(&self) -> String {
        self.places().next().map(|(_, place)| place).unwrap_or_default()
    }

    /// Returns each configuration with its place. The first applies: static breakers, which nothing
    /// else can change, come before declarations, and those before functions.
    pub(crate) fn configured(&self) -> Vec<(String, Configured)> {
        let mut configured: Vec<(String, Configured)> = Vec::new();
        for (site, spec) in &self.sites {
            if let Some(breaker) = spec.source.static_breaker() {
                let is_it = |known: &'static CircuitBreaker| ptr::eq(known, breaker);
                if !configured.iter().any(|(_, known)| known.static_breaker.is_some_and(is_it)) {
                    configured.push((site.location(), Configured::by_static(breaker)));
                }
            }
        }
        let declared = self.declarations.iter();
        configured
            .extend(declared.map(|it| (it.place.to_string(), Configured::by(*it.settings()))));
        configured.extend(
            self.sites
                .iter()
                .filter_map(|(site, spec)| Some((site.location(), Configured::by(spec.settings?)))),
        );
        configured
    }

    /// Returns the configuration that applies.
    pub(crate) fn effective(&self) -> Configured {
        let first = self.configured().into_iter().next();
        first.map_or(Configured::by(BreakerSettings::DEFAULT), |(_, configured)| configured)
    }
}

/// Returns whether the placeholders of two templates with one key have other names. `{self}` and
/// `{self.0}` have no name. The path to a field does not count, nor does an underscore before the
/// name.
pub(super) fn has_other_placeholders(one: &str, other: &str) -> bool {
    let names = placeholders(one).zip(placeholders(other));
    let is_name = |name: &str| name != "self" && !name.starts_with(|c: char| c.is_ascii_digit());
    names.into_iter().any(|(one, other)| is_name(one) && is_name(other) && one != other)
}

fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    // Without doubled braces, each opening brace begins a placeholder.
    let inside = template.split("{{").flat_map(|text| text.split('{').skip(1));
    inside.filter_map(|text| text.split_once('}')).map(|(path, _)| {
        let name = path.rsplit('.').next().unwrap_or(path);
        name.strip_prefix("r#").unwrap_or(name).trim_start_matches('_')
    })
}

/// Returns the template without the names of its placeholders. The macros have checked it: its only
/// braces are those of placeholders, and doubled ones.
fn pattern(template: &str) -> String {
    let mut pattern = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        pattern.push_str(before);
        pattern.push('{');
        if let Some(escaped) = after.strip_prefix('{') {
            pattern.push('{');
            rest = escaped;
        } else {
            rest = after.split_once('}').map_or("", |(_, after)| after);
            pattern.push('}');
        }
    }
    pattern.push_str(rest);
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_that_differ_in_the_names_of_placeholders_only_are_the_same() {
        let is_same = |one, other| BreakerKey::new(one, true) == BreakerKey::new(other, true);
        assert!(is_same("search/{collection}", "search/{name.of.it}"));
        assert!(is_same("{{a}} {b}", "{{a}} {c}"));
        assert!(!is_same("search/{collection}", "search/{a}{b}"));
        assert!(!is_same("{{a}} {b}", "{{c}} {b}"));
    }

    #[test]
    fn placeholders_are_compared_by_what_they_say() {
        for (one, other, differs) in [
            ("q/{collection}", "q/{collection}", false),
            ("q/{collection}", "q/{self.request.collection}", false),
            ("q/{_type}", "q/{r#type}", false),
            ("q/{self}", "q/{collection}", false),
            ("q/{self.0}", "q/{collection}", false),
            ("q/{collection}", "q/{tenant}", true),
            ("{{x}}{{{a}/{b}", "{{x}}{{{a}/{c}", true),
            ("{{x}}{{{a}/{b}", "{{x}}{{{self.a}/{b}", false),
        ] {
            assert_eq!(has_other_placeholders(one, other), differs, "{one} {other}");
            assert_eq!(has_other_placeholders(other, one), differs, "{other} {one}");
        }
    }

    #[test]
    fn a_name_is_no_template() {
        let name = |name| BreakerKey::new(name, false);
        assert_ne!(name("search/{a}"), BreakerKey::new("search/{a}", true));
        assert_ne!(name("search/{a}"), name("search/{b}"));
    }
}
