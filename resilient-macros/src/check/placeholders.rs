//! The placeholders in the name of a breaker, against the function's parameters.

use syn::ext::IdentExt;
use syn::{LitStr, Signature};

use crate::diagnose::errors::Errors;
use crate::diagnose::suggest::did_you_mean;
use crate::parse::template::{Template, names, parameter};

/// Rejects a placeholder that does not name a parameter of the function.
pub fn check(template: &Template, name: &LitStr, signature: &Signature, errors: &mut Errors) {
    for value in template.values() {
        let wanted = &value.parameter;
        if parameter(wanted, signature).is_some() {
            continue;
        }
        let function = signature.ident.unraw();
        let known: Vec<_> = names(signature).map(|name| name.unraw().to_string()).collect();
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        let hint = did_you_mean(wanted, &known);
        let field = if signature.receiver().is_some() { wanted.as_str() } else { "collection" };
        errors.at(
            name,
            format_args!(
                "`{{{wanted}}}`: `{function}` has no parameter of this name{hint}\na placeholder is \
                 a whole parameter, as in `{{collection}}`, or a field of one, as in \
                 `{{self.{field}}}`"
            ),
        );
    }
}
