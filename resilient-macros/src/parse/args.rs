//! Arguments as written, each with its span.

use std::fmt::Display;

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Ident, Lit, Token, parenthesized, token};

/// See [`Args::is_skip`].
pub const SKIP: &str = "skip";

/// The keys that take others in parentheses, with an example.
const KEYS_IN_PARENTHESES: &[(&str, &str)] =
    &[("retry", "max_attempts = 3"), ("breaker", "name = \"search\"")];

/// `key = value, key(key = value, …), …`
#[derive(Clone, Default)]
pub struct Args(pub Vec<Arg>);

/// One argument.
#[derive(Clone)]
pub struct Arg {
    pub key: Ident,
    pub value: Value,
    /// Whether a method has it from its `impl` block.
    pub inherited: bool,
    sign: Sign,
}

/// What follows a key.
#[derive(Clone)]
pub enum Value {
    /// `key`
    None,
    /// `key = expression`
    Expr(Expr),
    /// `key(key = value, …)`, and the span of its parentheses.
    List(Args, Span),
}

/// The sign between a key and its value.
#[derive(Clone, Copy)]
enum Sign {
    /// In an attribute: `key = value`.
    Equals,
    /// In a declaration: `key: value`.
    Colon,
}

impl Args {
    /// Parses `key: value, …`, as in the braces of a declaration.
    pub fn parse_declared(input: ParseStream<'_>) -> syn::Result<Self> {
        Self::parse_signed(input, Sign::Colon)
    }

    fn parse_signed(input: ParseStream<'_>, sign: Sign) -> syn::Result<Self> {
        let mut args = Vec::new();
        while !input.is_empty() {
            args.push(Arg::parse_signed(input, sign)?);
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(Self(args))
    }

    /// Whether these are `skip`, which leaves a method out of the attribute on its `impl` block.
    pub fn is_skip(&self) -> bool {
        matches!(&self.0[..], [Arg { key, value: Value::None, .. }] if key == SKIP)
    }

    /// Returns these arguments, and those of `others` whose keys are not among them.
    pub fn or(mut self, others: &Self) -> Self {
        for other in &others.0 {
            if self.0.iter().all(|own| own.key != other.key) {
                self.0.push(Arg { inherited: true, ..other.clone() });
            }
        }
        self
    }
}

impl Arg {
    /// Returns the argument with another value, as a message writes it.
    pub fn with(&self, value: impl Display) -> String {
        self.sign.join(&self.key, value)
    }

    /// Returns the message for a key that needs a value and has none.
    pub fn takes_a_value(&self) -> String {
        format!("`{}` takes a value: write `{}`", self.key, self.with("…"))
    }

    /// Returns the message for a literal in the parentheses after a key.
    fn takes_no_literal(&self) -> String {
        match KEYS_IN_PARENTHESES.iter().find(|(key, _)| self.key == key) {
            Some((key, example)) => format!("expected a key, as in `{key}({example})`"),
            None => self.takes_a_value(),
        }
    }

    fn parse_signed(input: ParseStream<'_>, sign: Sign) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any).map_err(|error| {
            let message = format_args!("expected a key, as in `{}`", sign.join("key", "value"));
            Error::new(error.span(), message)
        })?;
        let mut arg = Self { key, value: Value::None, inherited: false, sign };
        let is_at_end = || input.is_empty() || input.peek(Token![,]);
        if sign.parse(input)? {
            if is_at_end() {
                return Err(Error::new(arg.key.span(), arg.takes_a_value()));
            }
            arg.value = Value::Expr(input.parse()?);
        } else if input.peek(token::Paren) {
            let content;
            let parens = parenthesized!(content in input);
            if content.peek(Lit) {
                return Err(content.error(arg.takes_no_literal()));
            }
            arg.value = Value::List(Args::parse_signed(&content, sign)?, parens.span.join());
        } else if !is_at_end() {
            let (sign, key) = (sign.as_str(), &arg.key);
            return Err(input.error(format_args!("expected `{sign}` or a comma after `{key}`")));
        }
        if is_at_end() { Ok(arg) } else { Err(input.error("expected a comma before the next key")) }
    }
}

impl Sign {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Equals => "=",
            Self::Colon => ":",
        }
    }

    /// Parses the sign, if it is next.
    fn parse(self, input: ParseStream<'_>) -> syn::Result<bool> {
        Ok(match self {
            Self::Equals => input.parse::<Option<Token![=]>>()?.is_some(),
            Self::Colon => input.parse::<Option<Token![:]>>()?.is_some(),
        })
    }

    fn join(self, key: impl Display, value: impl Display) -> String {
        match self {
            Self::Equals => format!("{key} = {value}"),
            Self::Colon => format!("{key}: {value}"),
        }
    }
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Self::parse_signed(input, Sign::Equals)
    }
}
