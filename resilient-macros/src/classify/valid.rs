//! What the attributes of a type mean, and every rule about them.
//!
//! After a mistake, a placeholder replaces the value, so that the rest is read too. It is never
//! used: `errors` holds the mistake.

use quote::ToTokens;
use resilient_config::KindSet;
use syn::ext::IdentExt;
use syn::{Expr, Ident, Lit, Member, Path, Type, parse_quote_spanned};

use crate::classify::ast::{Data, Field, Input, Variant, Written};
use crate::diagnose::errors::Errors;
use crate::diagnose::suggest::{all_of, did_you_mean, unknown_key};
use crate::hygiene::mixed;
use crate::parse::args::{Arg, Value};
use crate::parse::kinds;
use crate::parse::values::{self, expression, flag, literal, string, ungrouped};

/// A type with valid attributes.
pub struct Valid<'a> {
    /// The path of the runtime crate.
    pub runtime: Path,
    pub cases: Vec<Case<'a>>,
}

/// A variant of an enum, or a struct.
pub struct Case<'a> {
    /// The name of the variant.
    pub variant: Option<&'a Ident>,
    pub answers: Answers<'a>,
}

impl Case<'_> {
    fn is_unknown(&self) -> bool {
        matches!(&self.answers, Answers::Own(own) if own.kind == UNKNOWN)
    }
}

/// How such a value answers.
pub enum Answers<'a> {
    /// With the answers of the error in this field.
    Inner(&'a Field),
    /// With its own answers.
    Own(Own<'a>),
}

/// The answers of a value without an inner error.
pub struct Own<'a> {
    /// The variant of `ErrorKind`.
    pub kind: Ident,
    /// The field that holds the wait.
    pub retry_after: Option<&'a Field>,
    pub maybe_executed: bool,
}

const KIND: &str = "kind";
const TRANSPARENT: &str = "transparent";
const RETRY_AFTER: &str = "retry_after";
const MAYBE_EXECUTED: &str = "maybe_executed";
const CRATE: &str = "crate";

const VARIANT_KEYS: &[&str] = &[KIND, TRANSPARENT, RETRY_AFTER, MAYBE_EXECUTED];
const STRUCT_KEYS: &[&str] = &[KIND, TRANSPARENT, RETRY_AFTER, MAYBE_EXECUTED, CRATE];
const ENUM_KEYS: &[&str] = &[KIND, CRATE];

/// The variant of `ErrorKind` for an error that does not say its kind.
const UNKNOWN: &str = "Unknown";

/// The field name by which thiserror recognizes the inner error.
const SOURCE: &str = "source";

/// Reads the attributes. Every mistake goes to `errors`.
pub fn read<'a>(input: &'a Input, errors: &mut Errors) -> Valid<'a> {
    let known = if let Data::Enum(_) = &input.data { ENUM_KEYS } else { STRUCT_KEYS };
    let keys = Keys::read(&input.attributes, known, errors);
    let runtime = keys.get(CRATE).and_then(|arg| values::runtime(arg, errors));
    let cases = match &input.data {
        Data::Struct(fields) => {
            let holder = Holder { name: &input.ident, fields, default: None, is_variant: false };
            vec![Case { variant: None, answers: holder.answers(keys, errors) }]
        }
        Data::Enum(variants) => {
            let default = keys.default_kind(errors);
            let case = |variant: &'a Variant| {
                let keys = Keys::read(&variant.attributes, VARIANT_KEYS, errors);
                let (name, fields) = (&variant.ident, &variant.fields[..]);
                let holder = Holder { name, fields, default: default.clone(), is_variant: true };
                Case { variant: Some(name), answers: holder.answers(keys, errors) }
            };
            let cases: Vec<_> = variants.iter().map(case).collect();
            // After another mistake, `Unknown` may be a placeholder.
            if errors.count() == 0 && !cases.is_empty() && cases.iter().all(Case::is_unknown) {
                tells_nothing(&input.ident, errors);
            }
            cases
        }
        Data::Union(union) => {
            let message = "`Classify` is derived for enums and structs: implement it manually";
            errors.at(union, message);
            Vec::new()
        }
    };
    Valid {
        runtime: runtime.unwrap_or_else(|| parse_quote_spanned!(mixed()=> ::resilient_runtime)),
        cases,
    }
}

/// Rejects an enum whose every variant is unknown.
fn tells_nothing(name: &Ident, errors: &mut Errors) {
    errors.at(
        name,
        format_args!(
            "every variant of `{name}` is `unknown`: no policy retries such an error, and no breaker \
             counts it\ngive each variant whose kind can be told that kind, as in `#[classify(kind = \
             \"timeout_error\")]`, or `#[classify(transparent)]` to ask the error inside; if no kind \
             can be told, use no policy for this error"
        ),
    );
}

/// The keys in the attributes of one item.
struct Keys<'a> {
    given: Vec<(&'static str, &'a Arg)>,
    /// Whether one of them is wrong. It may stand for a key that is missing.
    faulty: bool,
}

impl<'a> Keys<'a> {
    fn read(attributes: &'a [Written], known: &[&'static str], errors: &mut Errors) -> Self {
        let mut keys = Self { given: Vec::new(), faulty: false };
        for attribute in attributes {
            match &attribute.args {
                Ok(args) => args.0.iter().for_each(|arg| keys.add(arg, known, errors)),
                Err(error) => {
                    errors.push(error.clone());
                    keys.faulty = true;
                }
            }
        }
        keys
    }

    fn add(&mut self, arg: &'a Arg, known: &[&'static str], errors: &mut Errors) {
        let name = arg.key.to_string();
        let Some(key) = known.iter().find(|known| **known == name) else {
            let message = misplaced(&name).unwrap_or_else(|| unknown_key(&name, known));
            errors.at(&arg.key, message);
            self.faulty = true;
            return;
        };
        if self.get(key).is_some() {
            errors.at(&arg.key, format_args!("`{name}` is given twice: keep one"));
            return;
        }
        self.given.push((key, arg));
    }

    fn get(&self, key: &str) -> Option<&'a Arg> {
        self.given.iter().find(|(given, _)| *given == key).map(|(_, arg)| *arg)
    }

    /// Returns the first key that is about the error.
    fn first(&self) -> Option<&(&'static str, &'a Arg)> {
        self.given.iter().find(|(key, _)| *key != CRATE)
    }

    /// Returns the kind of the variants that name none. After a mistake, they need none.
    fn default_kind(&self, errors: &mut Errors) -> Option<Ident> {
        match self.get(KIND) {
            Some(arg) => Some(kind(arg, errors)),
            None => self.faulty.then(stand_in),
        }
    }
}

/// Returns the message for a key that exists elsewhere.
fn misplaced(name: &str) -> Option<String> {
    if name == CRATE {
        return Some(
            "`crate` goes on the type: write `#[classify(crate = …)]` above the enum".into(),
        );
    }
    VARIANT_KEYS.contains(&name).then(|| {
        format!(
            "`{name}` goes on a variant: the enum itself takes `kind`, for all variants without one, \
             and `crate`"
        )
    })
}

/// A variant or a struct, with its fields.
struct Holder<'a> {
    name: &'a Ident,
    fields: &'a [Field],
    /// The kind that the enum gives to variants without one.
    default: Option<Ident>,
    is_variant: bool,
}

impl<'a> Holder<'a> {
    fn answers(&self, mut keys: Keys<'_>, errors: &mut Errors) -> Answers<'a> {
        for attribute in self.fields.iter().flat_map(|field| &field.attributes) {
            errors.at(
                &attribute.path,
                "`#[classify]` goes on a variant or a type, not on a field: name the field of a wait \
                 there, as in `retry_after = wait`, and mark the inner error with `#[source]`",
            );
            keys.faulty = true;
        }
        if let Some(transparent) = keys.get(TRANSPARENT) {
            return self.transparent(transparent, &keys, errors);
        }
        if let [only] = self.fields
            && keys.first().is_none()
            && is_rejection(only)
        {
            return Answers::Inner(only);
        }
        Answers::Own(Own {
            kind: self.kind(&keys, errors),
            retry_after: keys.get(RETRY_AFTER).and_then(|arg| self.wait(arg, errors)),
            maybe_executed: keys
                .get(MAYBE_EXECUTED)
                .is_none_or(|arg| flag(arg, errors).unwrap_or(true)),
        })
    }

    fn transparent(&self, arg: &Arg, keys: &Keys<'_>, errors: &mut Errors) -> Answers<'a> {
        if !matches!(arg.value, Value::None) {
            errors.at(&arg.key, "`transparent` takes no value: write `#[classify(transparent)]`");
        }
        for (key, other) in &keys.given {
            if [KIND, RETRY_AFTER, MAYBE_EXECUTED].contains(key) {
                errors.at(
                    &other.key,
                    format_args!(
                        "`transparent` asks the error inside for `{key}` too: keep one of the two"
                    ),
                );
            }
        }
        if let Some(inner) = self.inner() {
            return Answers::Inner(inner);
        }
        let name = self.name;
        errors.at(
            &arg.key,
            match self.fields.len() {
                0 => format!(
                    "`transparent` asks the error inside, and `{name}` holds none: write \
                     `kind = \"…\"` instead"
                ),
                fields => format!(
                    "`transparent` asks the error inside, and `{name}` has {fields} fields: mark \
                     the one that is the error with `#[source]`, or name it `source`"
                ),
            },
        );
        Answers::Own(Own { kind: stand_in(), retry_after: None, maybe_executed: true })
    }

    /// Returns the field that `transparent` asks: the only one, or the one that thiserror uses as the
    /// source.
    fn inner(&self) -> Option<&'a Field> {
        let one = |is: &dyn Fn(&Field) -> bool| {
            let mut found = self.fields.iter().filter(|field| is(field));
            found.next().filter(|_| found.next().is_none())
        };
        one(&|_| true)
            .or_else(|| one(&|field| field.from || field.source))
            .or_else(|| one(&Field::is_source))
    }

    fn kind(&self, keys: &Keys<'_>, errors: &mut Errors) -> Ident {
        if let Some(arg) = keys.get(KIND) {
            return kind(arg, errors);
        }
        if let Some(default) = &self.default {
            return default.clone();
        }
        if !keys.faulty {
            self.missing(keys, errors);
        }
        stand_in()
    }

    fn missing(&self, keys: &Keys<'_>, errors: &mut Errors) {
        if let Some((key, arg)) = keys.first() {
            errors.at(
                &arg.key,
                format_args!("`{key}` needs a kind beside it: write `kind = \"…\", {key} = …`"),
            );
            return;
        }
        let name = self.name;
        let advice = if self.fields.iter().any(Field::is_source) {
            "`#[classify(transparent)]` above it, to ask the error inside, or \
             `#[classify(kind = \"…\")]`"
        } else {
            "`#[classify(kind = \"…\")]` above it"
        };
        let default = if self.is_variant {
            "\n`#[classify(kind = \"unknown\")]` above the enum applies to all variants without a kind"
        } else {
            ""
        };
        errors.at(
            name,
            format_args!(
                "`{name}` does not say which kind of error it is: write {advice}{default}"
            ),
        );
    }

    /// Returns the field that `retry_after` names.
    fn wait(&self, arg: &Arg, errors: &mut Errors) -> Option<&'a Field> {
        let value = expression(arg, errors)?;
        let Some(wanted) = field_name(value) else {
            errors.at(
                value,
                "`retry_after` is the field that holds the wait: write `retry_after = wait`, or \
                 `retry_after = 0` if the fields have no names",
            );
            return None;
        };
        let field = self.fields.iter().find(|field| name_of(&field.member) == wanted);
        if field.is_none() {
            let name = self.name;
            let names: Vec<_> = self.fields.iter().map(|field| name_of(&field.member)).collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let hint = match did_you_mean(&wanted, &names) {
                none if none.is_empty() && !names.is_empty() => {
                    format!("; the fields are {}", all_of(&names))
                }
                hint => hint,
            };
            errors.at(value, format_args!("`{name}` has no field `{wanted}`{hint}"));
        }
        field
    }
}

impl Field {
    /// Whether thiserror uses it as the inner error.
    fn is_source(&self) -> bool {
        self.from || self.source || name_of(&self.member) == SOURCE
    }
}

/// Whether the field holds a rejection by a policy, which needs no attribute.
fn is_rejection(field: &Field) -> bool {
    fn is_named(ty: &Type) -> bool {
        match ty {
            Type::Path(of) => of.path.segments.last().is_some_and(|last| last.ident == "Rejection"),
            // `macro_rules!` puts this group around `$error:ty`.
            Type::Group(group) => is_named(&group.elem),
            _ => false,
        }
    }
    field.from && is_named(&field.ty)
}

/// A placeholder for a kind that is missing or wrong.
fn stand_in() -> Ident {
    Ident::new(UNKNOWN, mixed())
}

/// The variant of `ErrorKind` that `kind = "…"` names.
fn kind(arg: &Arg, errors: &mut Errors) -> Ident {
    let kind = expression(arg, errors)
        .and_then(|value| string(arg, value, &KindSet::ALL.names(), errors))
        .and_then(|name| kinds::read(&name, errors))
        .map(|kind| kind.variant());
    kind.unwrap_or_else(stand_in)
}

/// Returns the name of the field in `wait` or `0`.
fn field_name(value: &Expr) -> Option<String> {
    match ungrouped(value) {
        Expr::Path(path) => path.path.get_ident().map(|name| name.unraw().to_string()),
        other => match literal(other) {
            Some(Lit::Int(index)) if index.suffix().is_empty() => Some(index.to_string()),
            _ => None,
        },
    }
}

fn name_of(member: &Member) -> String {
    match member {
        Member::Named(name) => name.unraw().to_string(),
        Member::Unnamed(index) => index.to_token_stream().to_string(),
    }
}
