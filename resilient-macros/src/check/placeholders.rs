//! The placeholders in the name of a breaker, against the function's parameters.

use syn::ext::IdentExt;
use syn::{LitStr, Signature};

use crate::diagnose::errors::Errors;
use crate::diagnose::suggest::{all_of, did_you_mean};
use crate::parse::template::{Template, names, parameter};

/// Rejects a placeholder that does not name a parameter of the function.
pub fn check(template: &Template, name: &LitStr, signature: &Signature, errors: &mut Errors) {
    for value in template.values() {
        let wanted = &value.parameter;
        if parameter(wanted, signature).is_some() {
            continue;
        }
        let function = signature.ident.unraw();
        if wanted == "self" {
            errors.at(
                name,
                format_args!(
                    "`{{self}}`: `{function}` has no `self`: write the name of a parameter, as in \
                     `{{collection}}`"
                ),
            );
            continue;
        }
        let known: Vec<_> = names(signature).map(|name| name.unraw().to_string()).collect();
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        let field = format!("{{self.{wanted}}}");
        let hint = match (did_you_mean(wanted, &known), &known[..]) {
            (none, _) if none.is_empty() && signature.receiver().is_some() => {
                format!(": for a field of `self`, write `{field}`")
            }
            (_, []) => ": it has no parameter that a name can use".into(),
            (none, _) if none.is_empty() => {
                format!("; a name can use {}", all_of(&known))
            }
            (hint, _) => hint,
        };
        errors.at(
            name,
            format_args!(
                "`{{{wanted}}}`: `{function}` has no parameter of this name{hint}\na name can use \
                 only whole parameters, not parts of a pattern"
            ),
        );
    }
}
