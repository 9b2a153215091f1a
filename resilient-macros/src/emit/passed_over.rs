//! What the catalog says of the methods that an `impl` block leaves without a policy.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::{Attribute, Path};

use super::site_tokens::{name, place};
use crate::hygiene::{Runtime, mixed};

/// A method without a policy.
pub struct PassedOver {
    pub method: Ident,
    /// The variant of the runtime's `Why`.
    pub why: &'static str,
    /// The conditions under which the method exists.
    pub conditions: Vec<Attribute>,
}

// One static for a block, beside it: there is no place for a static between methods.
//
// // Input:  impl Store { fn scroll(&self) -> impl Stream<Item = Page> { … } … }
// // Output:
// const _: () = {
//     // in the link-time list:
//     static __PASSED_OVER: &[p::PassedOver] = &[
//         p::PassedOver::new("app::Store::scroll", file!(), line!(), p::Why::NotAsync),
//     ];
// };
pub fn list(
    runtime: Option<&Path>,
    methods: &[PassedOver],
    conditions: &[&Attribute],
    within: Option<&str>,
) -> Option<TokenStream> {
    if methods.is_empty() {
        return None;
    }
    let p = Runtime(runtime).private(mixed());
    let entries = methods.iter().map(|PassedOver { method, why, conditions }| {
        let (name, place) = (name(method, within), place(method.span()));
        let why = Ident::new(why, Span::mixed_site());
        quote_spanned! {mixed()=>
            #(#conditions)*
            #p::PassedOver::new(
                ::core::concat!(::core::module_path!(), "::", #name),
                #place,
                #p::Why::#why,
            )
        }
    });
    Some(quote_spanned! {mixed()=>
        #(#conditions)*
        const _: () = {
            #[#p::linkme::distributed_slice(#p::PASSED_OVER)]
            #[linkme(crate = #p::linkme)]
            static __PASSED_OVER: &[#p::PassedOver] = &[#(#entries),*];
        };
    })
}
