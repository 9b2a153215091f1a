//! `policies!`: breakers, retry rows and budgets, declared once for all functions that name them.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, Expr, Ident, Lit, LitStr, Meta, Path, Token, braced, token};

use crate::config;
use crate::diagnose::errors::Errors;
use crate::diagnose::suggest::did_you_mean;
use crate::emit::site_tokens;
use crate::hygiene::{Runtime, mixed};
use crate::parse::args::Args;
use crate::parse::values::literal;

/// The content of the macro.
struct Policies {
    /// `crate = …;`
    runtime: Option<Path>,
    declarations: Vec<Declaration>,
}

/// `breaker "search" { failure_threshold: 10 }`
struct Declaration {
    documentation: Vec<Expr>,
    /// `#[cfg(…)]`
    conditions: Vec<Attribute>,
    /// Attributes that a declaration cannot have.
    others: Vec<Attribute>,
    kind: Kind,
    name: LitStr,
    args: Args,
    braces: Span,
}

/// What is declared.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Breaker,
    Retry,
    Budget,
}

impl Kind {
    /// Returns the kind of this keyword.
    fn of(keyword: &Ident) -> Option<Self> {
        match keyword.to_string().as_str() {
            "breaker" => Some(Self::Breaker),
            "retry" => Some(Self::Retry),
            "budget" => Some(Self::Budget),
            _ => None,
        }
    }
}

impl Parse for Policies {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let runtime = if input.parse::<Option<Token![crate]>>()?.is_some() {
            Some(runtime(input)?)
        } else {
            None
        };
        let mut declarations = Vec::new();
        while !input.is_empty() {
            declarations.push(input.parse()?);
        }
        Ok(Self { runtime, declarations })
    }
}

/// Parses `= path;`, after `crate`.
fn runtime(input: ParseStream<'_>) -> syn::Result<Path> {
    let place = input.span();
    let parse = || {
        input.parse::<Token![=]>()?;
        let path = input.call(Path::parse_mod_style)?;
        input.parse::<Token![;]>()?;
        Ok(path)
    };
    let message = "expected the path of the runtime: write `crate = ::resilient_runtime;`";
    parse().map_err(|_: Error| Error::new(place, message))
}

impl Parse for Declaration {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let documentation = attributes
            .extract_if(.., |attribute| attribute.path().is_ident("doc"))
            .filter_map(|attribute| match attribute.meta {
                Meta::NameValue(documentation) => Some(documentation.value),
                _ => None,
            })
            .collect();
        let conditions =
            attributes.extract_if(.., |attribute| attribute.path().is_ident("cfg")).collect();
        if let Some(misplaced) = input.parse::<Option<Token![crate]>>()? {
            let message = "`crate = …;` goes before all declarations: move it there";
            return Err(Error::new(misplaced.span, message));
        }
        let keyword: Ident = input.parse().map_err(|error: Error| {
            let message = "expected a declaration, `breaker \"…\" { … }`, `retry \"…\" { … }` or \
                           `budget \"…\" { … }`, without a comma before it";
            Error::new(error.span(), message)
        })?;
        let Some(kind) = Kind::of(&keyword) else {
            let written = keyword.to_string();
            let message = format_args!(
                "`policies!` declares `breaker \"…\" {{ … }}`, `retry \"…\" {{ … }}` and \
                 `budget \"…\" {{ … }}`, not `{written}`{}",
                did_you_mean(&written, &["breaker", "retry", "budget"])
            );
            return Err(Error::new(keyword.span(), message));
        };
        let form =
            || format!("a declaration has a name and braces: write `{keyword} \"…\" {{ … }}`");
        let name: LitStr =
            input.parse().map_err(|error: Error| Error::new(error.span(), form()))?;
        if !input.peek(token::Brace) {
            return Err(Error::new(name.span(), form()));
        }
        let content;
        let braces = braced!(content in input).span.join();
        let args = Args::parse_declared(&content)?;
        Ok(Self { documentation, conditions, others: attributes, kind, name, args, braces })
    }
}

// // Input:
// policies! {
//     /// Guards every read.
//     breaker "search" { failure_threshold: 10 }
// }
// // Output:
// const _: () = {
//     #[p::linkme::distributed_slice(p::BREAKERS)]
//     #[linkme(crate = p::linkme)]
//     static __RESILIENT_DECLARATION: p::Declaration<p::BreakerSettings> = p::Declaration::new(
//         "search", /* settings */, concat!("Guards every read."), file!(), line!(),
//     );
// };

/// Expands the macro. A declaration with a mistake is left out; the others are expanded.
pub fn expand(input: TokenStream) -> TokenStream {
    let Policies { runtime, declarations } = match syn::parse2(input) {
        Ok(policies) => policies,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let mut seen: Vec<(Kind, String)> = Vec::new();
    let mut expanded = TokenStream::new();
    for declaration in &declarations {
        let before = errors.count();
        let name = (declaration.kind, declaration.name.value());
        // Conditions may leave only one of several declarations.
        if declaration.conditions.is_empty() && seen.contains(&name) {
            errors.at(&declaration.name, format_args!("`{}` is declared twice: keep one", name.1));
            continue;
        }
        seen.push(name);
        let code = declaration.expand(&Runtime(runtime.as_ref()), &mut errors);
        // After a mistake, the rest of a declaration may be inconsistent.
        expanded.extend(code.filter(|_| errors.count() == before));
    }
    let errors = errors.finish().err().map(Error::into_compile_error);
    quote!(#expanded #errors)
}

impl Declaration {
    fn expand(&self, runtime: &Runtime<'_>, errors: &mut Errors) -> Option<TokenStream> {
        if let Some(other) = self.others.first() {
            errors.at(other, "a declaration takes doc comments and `#[cfg(…)]`, and nothing else");
        }
        let name = &self.name;
        let (slice, of, name, settings) = match self.kind {
            Kind::Breaker => {
                let (source, given) =
                    config::declared_breaker(name, &self.args, self.braces, errors)?;
                let settings = site_tokens::breaker_settings(runtime, &source, &given);
                ("BREAKERS", "BreakerSettings", source.literal()?.clone(), settings)
            }
            Kind::Retry => {
                let (row, numbers) = config::declared_row(name, &self.args, self.braces, errors)?;
                let settings = site_tokens::declared_row(runtime, &row, &numbers);
                ("ROWS", "RetryPolicy", name.clone(), settings)
            }
            Kind::Budget => {
                let numbers = config::declared_budget(name, &self.args, self.braces, errors)?;
                let settings = site_tokens::budget_settings(runtime, &numbers);
                ("BUDGETS", "BudgetConfig", name.clone(), settings)
            }
        };
        let (slice, of) = (Ident::new(slice, mixed()), Ident::new(of, mixed()));
        let p = runtime.private(mixed());
        let conditions = &self.conditions;
        let documentation = self.documentation();
        let place = site_tokens::place(self.name.span());
        Some(quote_spanned! {mixed()=>
            #(#conditions)*
            const _: () = {
                #[#p::linkme::distributed_slice(#p::#slice)]
                #[linkme(crate = #p::linkme)]
                static __RESILIENT_DECLARATION: #p::Declaration<#p::#of> =
                    #p::Declaration::new(#name, #settings, #documentation, #place);
            };
        })
    }

    /// Writes the doc comment as one string, without the space that begins each line.
    fn documentation(&self) -> TokenStream {
        let lines = self.documentation.iter().enumerate().map(|(number, line)| {
            let newline = (number > 0).then_some("\n").into_iter();
            let line = match literal(line) {
                Some(Lit::Str(text)) => {
                    let text = text.value();
                    text.strip_prefix(' ').unwrap_or(&text).into_token_stream()
                }
                // `#[doc = include_str!("…")]`
                _ => line.into_token_stream(),
            };
            quote_spanned!(mixed()=> #(#newline,)* #line)
        });
        quote_spanned!(mixed()=> ::core::concat!(#(#lines),*))
    }
}
