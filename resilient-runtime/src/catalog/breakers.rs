//! The breakers of the program, as source names them.

use std::collections::BTreeSet;

use super::declaration::Declaration;
use super::reference::ResolvedBreaker;
use super::sections::{BREAKERS, SITES};
use super::settings::BreakerSettings;
use super::site::BreakerSource;
use super::source_order::{sites, sorted};
use crate::CircuitBreaker;
use crate::breaker::Template;

/// The key of one breaker, or of all breakers of one template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BreakerKey {
    pub(crate) name: &'static str,
    /// Whether the name has placeholders, and stands for many.
    pub(crate) is_template: bool,
}

/// A breaker or template that can have the name of a breaker of a template, and has it first.
pub(crate) struct Namesake {
    pub(crate) key: BreakerKey,
    /// Such a name, with `…` for any text.
    pub(crate) name: String,
}

/// The settings that one place in source gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Configured {
    pub(crate) settings: BreakerSettings,
    /// The breaker itself, if it is a static.
    pub(crate) fixed: Option<&'static CircuitBreaker>,
}

impl Configured {
    /// Whether two places are consistent: the same settings, and not two breakers.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        let is_one = match (self.fixed, other.fixed) {
            (Some(one), Some(other)) => std::ptr::eq(one, other),
            _ => true,
        };
        is_one && self.settings == other.settings
    }
}

impl BreakerSource {
    pub(crate) fn key(self) -> BreakerKey {
        BreakerKey { name: self.name(), is_template: matches!(self, Self::Keyed(_)) }
    }

    /// The static breaker that stands there.
    pub(crate) fn fixed(self) -> Option<&'static CircuitBreaker> {
        match self {
            Self::Path(resolve) => match resolve() {
                ResolvedBreaker::Breaker(breaker) => Some(breaker),
                ResolvedBreaker::Name(_) => None,
            },
            Self::Name(_) | Self::Keyed(_) => None,
        }
    }

    /// The constant that stands there, if what it holds looks like a template: only a literal can
    /// be one.
    pub(super) fn misplaced_template(self) -> Option<&'static str> {
        match self {
            Self::Path(resolve) => match resolve() {
                ResolvedBreaker::Name(name) if name.contains('{') => Some(name),
                _ => None,
            },
            Self::Name(_) | Self::Keyed(_) => None,
        }
    }
}

impl Declaration<BreakerSettings> {
    pub(super) fn key(&self) -> BreakerKey {
        BreakerKey { name: self.name(), is_template: self.settings().max_keys().is_some() }
    }
}

impl BreakerKey {
    /// Every one in the program, declared or used; some more than once.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let used = SITES.iter().filter_map(|site| Some(site.breaker?.breaker.key()));
        used.chain(BREAKERS.iter().map(Declaration::key))
    }

    /// Those of one breaker each.
    pub(crate) fn singles() -> impl Iterator<Item = Self> {
        Self::all().filter(|key| !key.is_template)
    }

    /// Those of many, each once, whatever its placeholders are called. If two of them can make one
    /// name, the breaker of this name is the first one's.
    pub(crate) fn templates() -> Vec<Self> {
        let mut templates: Vec<_> = Self::all().filter(|key| key.is_template).collect();
        templates.sort_by_cached_key(|key| (pattern(key.name), key.name));
        // The first of those that are the same is the canonical one.
        templates.dedup_by(|later, first| first.is_same(*later));
        templates
    }

    /// What has a name that this template can make, and has it first: all breakers whose names
    /// stand in source, and then the templates before this one.
    pub(crate) fn namesakes(self) -> Vec<Namesake> {
        if !self.is_template {
            return Vec::new();
        }
        let template = Template::parse(self.name);
        let singles: BTreeSet<_> = Self::singles().filter(|key| template.makes(key.name)).collect();
        let singles = singles.into_iter().map(|key| Namesake { key, name: key.name.to_owned() });
        let before = Self::templates().into_iter().take_while(|key| !key.is_same(self));
        let templates = before.filter_map(|key| {
            let name = Template::parse(key.name).meets(&template)?;
            Some(Namesake { key, name })
        });
        singles.chain(templates).collect()
    }

    /// Where source first mentions it.
    pub(super) fn place(self) -> String {
        let is_it = |key: Self| key.is_same(self);
        let used = sites().into_iter().find_map(|site| {
            site.breaker.filter(|spec| is_it(spec.breaker.key())).map(|_| site.location())
        });
        let declared = || sorted(&BREAKERS).into_iter().find(|declared| is_it(declared.key()));
        used.or_else(|| Some(declared()?.place.to_string())).unwrap_or_default()
    }

    /// Whether both stand for the same breakers. Two templates that differ only in what their
    /// placeholders are called do.
    pub(super) fn is_same(self, other: Self) -> bool {
        self.is_template == other.is_template
            && (self.name == other.name
                || self.is_template && pattern(self.name) == pattern(other.name))
    }

    /// The one that stands for all that are the same.
    pub(crate) fn canonical(self) -> Self {
        if !self.is_template {
            return self;
        }
        Self::all().filter(|key| key.is_same(self)).min().unwrap_or(self)
    }

    /// What configures it, each with its place, and the first of them holds: static breakers,
    /// which nothing else can change, then declarations, then functions.
    pub(crate) fn configured(self) -> Vec<(String, Configured)> {
        let sites: Vec<_> = sites()
            .into_iter()
            .filter_map(|site| Some((site.location(), site.breaker?)))
            .filter(|(_, spec)| spec.breaker.key().is_same(self))
            .collect();
        let mut fixed: Vec<(String, Configured)> = Vec::new();
        for (location, spec) in &sites {
            if let Some(breaker) = spec.breaker.fixed()
                && fixed
                    .iter()
                    .all(|(_, known)| known.fixed.is_none_or(|it| !std::ptr::eq(it, breaker)))
            {
                let settings = BreakerSettings::new(*breaker.config());
                fixed.push((location.clone(), Configured { settings, fixed: Some(breaker) }));
            }
        }
        let plain = |settings| Configured { settings, fixed: None };
        let declared = sorted(&BREAKERS)
            .into_iter()
            .filter(|declaration| declaration.key().is_same(self))
            .map(|declaration| (declaration.place.to_string(), plain(*declaration.settings())));
        let given = sites
            .iter()
            .filter_map(|(location, spec)| Some((location.clone(), plain(spec.settings?))));
        let mut configured = fixed;
        configured.extend(declared.chain(given));
        configured
    }
}

/// Whether the placeholders of two templates that are the same are called differently, as far as
/// they are called at all: `{self}` and `{self.0}` may be anything. What leads to a field does not
/// count, nor does an underscore before the name.
pub(super) fn is_called_differently(one: &str, other: &str) -> bool {
    let names = placeholders(one).zip(placeholders(other));
    names.into_iter().any(|(one, other)| {
        let is_name =
            |name: &str| name != "self" && !name.starts_with(|c: char| c.is_ascii_digit());
        is_name(one) && is_name(other) && one != other
    })
}

fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    // Without the doubled braces, each opening brace is that of a placeholder.
    let inside = template.split("{{").flat_map(|text| text.split('{').skip(1));
    inside.filter_map(|text| text.split_once('}')).map(|(path, _)| {
        let name = path.rsplit('.').next().unwrap_or(path);
        name.strip_prefix("r#").unwrap_or(name).trim_start_matches('_')
    })
}

/// A template without the names of its placeholders. The macro lets no other braces into it than
/// theirs, and doubled ones.
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
        let key = |name| BreakerKey { name, is_template: true };
        assert!(key("search/{collection}").is_same(key("search/{name.of.it}")));
        assert!(key("{{a}} {b}").is_same(key("{{a}} {c}")));
        assert!(!key("search/{collection}").is_same(key("search/{a}{b}")));
        assert!(!key("{{a}} {b}").is_same(key("{{c}} {b}")));
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
            assert_eq!(is_called_differently(one, other), differs, "{one} {other}");
            assert_eq!(is_called_differently(other, one), differs, "{other} {one}");
        }
    }

    #[test]
    fn a_name_is_no_template() {
        let name = BreakerKey { name: "search/{a}", is_template: false };
        assert!(!name.is_same(BreakerKey { is_template: true, ..name }));
        assert!(!name.is_same(BreakerKey { name: "search/{b}", ..name }));
    }
}
