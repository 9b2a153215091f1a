//! Arguments as they are written, each with its place.

use std::fmt::Display;

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Ident, Token, parenthesized, token};

/// See [`Args::is_skip`].
pub const SKIP: &str = "skip";

/// `key = value, key(key = value, …), …`
#[derive(Clone, Default)]
pub struct Args(pub Vec<Arg>);

/// One argument.
#[derive(Clone)]
pub struct Arg {
    pub key: Ident,
    pub value: Value,
    sign: Sign,
}

/// What stands behind a key.
#[derive(Clone)]
pub enum Value {
    /// `key`
    None,
    /// `key = expression`
    Expr(Expr),
    /// `key(key = value, …)`, and where its parentheses are.
    List(Args, Span),
    /// `key(expression, …)`, where these are no arguments.
    Values(Punctuated<Expr, Token![,]>),
}

/// What stands between a key and its value.
#[derive(Clone, Copy)]
enum Sign {
    /// In an attribute: `key = value`.
    Equals,
    /// In a declaration: `key: value`.
    Colon,
}

impl Args {
    /// `key: value, …`, as in the braces of a declaration.
    pub fn parse_declared(input: ParseStream<'_>) -> syn::Result<Self> {
        let args = Punctuated::<Arg, Token![,]>::parse_terminated_with(input, |input| {
            let key = input.call(Ident::parse_any)?;
            let value = if input.parse::<Option<Token![:]>>()?.is_some() {
                Value::Expr(input.parse()?)
            } else if input.is_empty() || input.peek(Token![,]) {
                Value::None
            } else if input.peek(token::Paren) {
                Value::in_parentheses(input)?
            } else {
                return Err(input.error(format_args!("here a key is written `{key}: …`")));
            };
            Ok(Arg { key, value, sign: Sign::Colon })
        })?;
        Ok(Self(args.into_iter().collect()))
    }

    /// `skip`: leaves a method out of the attribute on its `impl` block.
    pub fn is_skip(&self) -> bool {
        matches!(&self.0[..], [Arg { key, value: Value::None, .. }] if key == SKIP)
    }

    /// These arguments, and those of `others` whose keys are not among them.
    pub fn or(mut self, others: &Self) -> Self {
        for other in &others.0 {
            if self.0.iter().all(|own| own.key != other.key) {
                self.0.push(other.clone());
            }
        }
        self
    }
}

impl Arg {
    /// The argument with another value, as advice writes it.
    pub fn with(&self, value: impl Display) -> String {
        self.beside(&self.key, value)
    }

    /// Another argument beside this one, as advice writes it.
    pub fn beside(&self, key: impl Display, value: impl Display) -> String {
        match self.sign {
            Sign::Equals => format!("{key} = {value}"),
            Sign::Colon => format!("{key}: {value}"),
        }
    }

    /// What is said of a key that has no value and needs one.
    pub fn takes_a_value(&self) -> String {
        format!("`{}` takes a value: write `{}`", self.key, self.with("…"))
    }
}

impl Value {
    /// `(…)`: arguments, or else values.
    fn in_parentheses(input: ParseStream<'_>) -> syn::Result<Self> {
        let content;
        let parens = parenthesized!(content in input);
        let ahead = content.fork();
        let error = match ahead.parse() {
            Ok(args) => {
                content.advance_to(&ahead);
                return Ok(Self::List(args, parens.span.join()));
            }
            Err(error) => error,
        };
        let is_argument = |value: &Expr| matches!(value, Expr::Assign(_));
        match Punctuated::parse_terminated(&content) {
            Ok(values) if !values.iter().any(is_argument) => Ok(Self::Values(values)),
            _ => Err(error),
        }
    }
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let args = Punctuated::<Arg, Token![,]>::parse_terminated(input)?;
        Ok(Self(args.into_iter().collect()))
    }
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input
            .call(Ident::parse_any)
            .map_err(|error| Error::new(error.span(), "expected a key, as in `key = value`"))?;
        let value = if input.parse::<Option<Token![=]>>()?.is_some() {
            if input.is_empty() || input.peek(Token![,]) {
                let arg = Self { key, value: Value::None, sign: Sign::Equals };
                return Err(Error::new(arg.key.span(), arg.takes_a_value()));
            }
            Value::Expr(input.parse()?)
        } else if input.peek(token::Paren) {
            Value::in_parentheses(input)?
        } else {
            Value::None
        };
        if !input.is_empty() && !input.peek(Token![,]) {
            let expected = match value {
                Value::None => format!("expected `=` behind `{key}`, or a comma"),
                _ => "expected a comma before the next key".into(),
            };
            return Err(input.error(expected));
        }
        Ok(Self { key, value, sign: Sign::Equals })
    }
}
