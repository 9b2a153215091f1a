//! A name with placeholders: `"search/{collection}"`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{FnArg, Ident, Index, Member, Pat, Signature};

use crate::hygiene::mixed;

/// A parsed name.
pub struct Template {
    /// Everything outside the placeholders.
    text: String,
    values: Vec<Value>,
}

/// A placeholder, `{collection}` or `{self.tenant}`: a parameter, and the path of fields after it.
pub struct Value {
    pub parameter: String,
    pub fields: Vec<Member>,
}

/// Parses a name. As in a format string, `{{` and `}}` stand for braces.
pub fn parse(text: &str) -> Result<Template, String> {
    let mut template = Template { text: String::new(), values: Vec::new() };
    let mut rest = text;
    while let Some(place) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(place);
        template.text.push_str(before);
        if from.starts_with("{{") || from.starts_with("}}") {
            template.text.push_str(&from[..1]);
            rest = &from[2..];
            continue;
        }
        let inside = from.strip_prefix('{').and_then(|from| from.split_once('}'));
        let Some((path, after)) = inside else {
            return Err(format!(
                "`{text}` has an unmatched brace: write `{{{{` and `}}}}` for braces \
                 that are part of the name"
            ));
        };
        template.values.push(value(path)?);
        rest = after;
    }
    template.text.push_str(rest);
    Ok(template)
}

fn value(path: &str) -> Result<Value, String> {
    let mut words = path.split('.');
    let parameter = words.next().filter(|word| *word == "self" || name(word).is_some());
    let fields = words.map(|word| index(word).or_else(|| name(word).map(Member::Named)));
    let value = parameter.zip(fields.collect()).map(|(parameter, fields)| Value {
        parameter: parameter.strip_prefix("r#").unwrap_or(parameter).to_owned(),
        fields,
    });
    value.ok_or_else(|| {
        format!(
            "`{{{path}}}` names no parameter: write the name of one, as in `{{collection}}`, or a \
             field, as in `{{self.collection}}`"
        )
    })
}

/// A name that a parameter or a field can have. A keyword becomes a raw name.
fn name(word: &str) -> Option<Ident> {
    syn::parse_str(word).ok().or_else(|| {
        let word = word.strip_prefix("r#").unwrap_or(word);
        syn::parse_str(&format!("r#{word}")).ok()
    })
}

/// The index of a field without a name.
fn index(word: &str) -> Option<Member> {
    let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let index = word.parse().ok().filter(|_| is_number)?;
    Some(Member::Unnamed(Index { index, span: mixed() }))
}

impl Template {
    /// Returns the name, if it has no placeholder.
    pub fn plain(&self) -> Option<&str> {
        self.values.is_empty().then_some(&self.text)
    }

    /// Returns its placeholders.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.values.iter()
    }

    /// The parameters in it, except `self`.
    pub fn parameters<'s>(&'s self, signature: &'s Signature) -> impl Iterator<Item = &'s Ident> {
        let used = |name: &&Ident| self.values().any(|value| name.unraw() == value.parameter);
        names(signature).filter(used)
    }
}

/// Returns the parameter of this name, with its span.
pub fn parameter(wanted: &str, signature: &Signature) -> Option<TokenStream> {
    if wanted == "self" {
        return signature.receiver().map(|receiver| receiver.self_token.to_token_stream());
    }
    names(signature).find(|name| name.unraw() == wanted).map(ToTokens::to_token_stream)
}

/// The parameters that have a name of their own.
pub fn names(signature: &Signature) -> impl Iterator<Item = &Ident> {
    signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(parameter) => match &*parameter.pat {
            Pat::Ident(name) if name.subpat.is_none() && name.by_ref.is_none() => Some(&name.ident),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    impl Value {
        fn written(&self) -> String {
            let fields = self.fields.iter().map(|field| format!(".{}", field.to_token_stream()));
            self.parameter.clone() + &fields.collect::<String>()
        }
    }

    #[test]
    fn placeholders_are_told_from_braces() {
        for (text, values) in [
            ("search", ""),
            ("search/{collection}", "collection"),
            ("{self.tenant.0}/{{x}}", "self.tenant.0"),
            ("{a}{b}", "a b"),
            ("{r#type.match}", "type.r#match"),
        ] {
            let template = parse(text).unwrap();
            let names: Vec<_> = template.values().map(Value::written).collect();
            assert_eq!(names.join(" "), values);
            assert_eq!(template.plain().is_some(), values.is_empty());
        }
        assert_eq!(parse("a{{b}}").unwrap().plain(), Some("a{b}"));
    }

    #[test]
    fn a_mistake_is_named() {
        for (text, message) in [
            ("search/{collection", "`search/{collection` has an unmatched brace"),
            ("search}", "`search}` has an unmatched brace"),
            ("search/{}", "`{}` names no parameter"),
            ("search/{0}", "`{0}` names no parameter"),
            ("search/{limit:?}", "`{limit:?}` names no parameter"),
            ("search/{self.}", "`{self.}` names no parameter"),
            ("search/{self.self}", "`{self.self}` names no parameter"),
            ("search/{self._}", "`{self._}` names no parameter"),
            ("search/{self.+1}", "`{self.+1}` names no parameter"),
            ("search/{crate}", "`{crate}` names no parameter"),
        ] {
            let error = parse(text).err().unwrap();
            assert!(error.starts_with(message), "{text}: {error}");
        }
    }

    #[test]
    fn a_placeholder_is_a_parameter_with_a_name() {
        let signature = syn::parse2(quote! {
            fn search(&self, collection: &str, mut r#type: u32, (first, _): (u32, u32))
        });
        let signature: Signature = signature.unwrap();
        for (wanted, found) in
            [("self", true), ("collection", true), ("type", true), ("first", false)]
        {
            assert_eq!(parameter(wanted, &signature).is_some(), found, "{wanted}");
        }
    }
}
