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
use crate::parse::values::{literal, path, runtime_in};
use resilient_config::spelling::misspelt;

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
    keyword: Ident,
    name: LitStr,
    args: Args,
    braces: Span,
}

const KEYWORDS: &[&str] = &["breaker", "retry", "budget"];

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
    let has_sign = input.parse::<Option<Token![=]>>()?.is_some();
    let value: Option<Expr> = input.parse().ok();
    let found = value.as_ref().and_then(path);
    match found.clone().filter(|_| has_sign) {
        Some(path) if input.parse::<Option<Token![;]>>()?.is_some() => Ok(path),
        _ => {
            let path = match (found, value) {
                (Some(path), _) => path.to_token_stream().to_string().replace(' ', ""),
                (None, Some(value)) => runtime_in(&value),
                (None, None) => "::resilient_runtime".to_owned(),
            };
            let message = format_args!(
                "the path of the runtime has no quotes, and ends with a semicolon: write \
                 `crate = {path};`"
            );
            Err(Error::new(place, message))
        }
    }
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
                           `budget \"…\" { … }`: there is no comma between declarations";
            Error::new(error.span(), message)
        })?;
        let name: LitStr = input.parse().map_err(|error: Error| {
            let message = format_args!(
                "a declaration has a name, as a literal: write `{} \"…\" {{ … }}`",
                meant(&keyword)
            );
            Error::new(error.span(), message)
        })?;
        if !input.peek(token::Brace) {
            let message = format_args!(
                "a declaration ends with its settings in braces, which may be empty: write \
                 `{} {} {{ … }}`",
                meant(&keyword),
                name.token()
            );
            return Err(Error::new(name.span(), message));
        }
        let content;
        let braces = braced!(content in input).span.join();
        let args = Args::parse_declared(&content)?;
        Ok(Self { documentation, conditions, others: attributes, keyword, name, args, braces })
    }
}

/// Returns the keyword that a misspelling means, if that is clear.
fn meant(keyword: &Ident) -> String {
    let written = keyword.to_string();
    misspelt(&written, KEYWORDS).map(str::to_owned).unwrap_or(written)
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
//     static __DECLARATION: p::Declaration<p::BreakerSettings> = p::Declaration::new(
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
    let mut seen: Vec<(String, String)> = Vec::new();
    let mut expanded = TokenStream::new();
    for declaration in &declarations {
        let before = errors.count();
        let name = (declaration.keyword.to_string(), declaration.name.value());
        // Conditions may leave only one of several declarations.
        if declaration.conditions.is_empty() && seen.contains(&name) {
            let (keyword, name) = &name;
            let message = format_args!("{keyword} `{name}` is declared twice: keep one");
            errors.at(&declaration.name, message);
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
        let (slice, of, name, settings) = if self.keyword == "breaker" {
            let (named, given) = config::declared_breaker(name, &self.args, self.braces, errors)?;
            let settings = site_tokens::breaker_settings(runtime, &named, &given);
            ("BREAKERS", "BreakerSettings", named.literal()?.clone(), settings)
        } else if self.keyword == "retry" {
            let (row, numbers) = config::declared_row(name, &self.args, self.braces, errors)?;
            let settings = site_tokens::declared_row(runtime, &row, &numbers);
            ("ROWS", "RetryPolicy", name.clone(), settings)
        } else if self.keyword == "budget" {
            let numbers = config::declared_budget(name, &self.args, self.braces, errors)?;
            let settings = site_tokens::budget_settings(runtime, &numbers);
            ("BUDGETS", "BudgetConfig", name.clone(), settings)
        } else {
            let hint = did_you_mean(&self.keyword.to_string(), KEYWORDS);
            errors.at(
                &self.keyword,
                format_args!(
                    "`policies!` declares `breaker \"…\" {{ … }}`, `retry \"…\" {{ … }}` and \
                     `budget \"…\" {{ … }}`, not `{}`{hint}",
                    self.keyword
                ),
            );
            return None;
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
                static __DECLARATION: #p::Declaration<#p::#of> =
                    #p::Declaration::new(#name, #settings, #documentation, #place);
            };
        })
    }

    /// The doc comment as one string, without the space that begins each line.
    fn documentation(&self) -> TokenStream {
        let lines = self.documentation.iter().enumerate().map(|(number, line)| {
            let newline = (number > 0).then_some("\n").into_iter();
            let line = match literal(line) {
                Some(Lit::Str(text)) => {
                    let text = text.value();
                    text.strip_prefix(' ').unwrap_or(&text).into_token_stream()
                }
                // As `#[doc = include_str!("…")]` has it.
                _ => line.into_token_stream(),
            };
            quote_spanned!(mixed()=> #(#newline,)* #line)
        });
        quote_spanned!(mixed()=> ::core::concat!(#(#lines),*))
    }
}
