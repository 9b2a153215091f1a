//! Arguments as written, each with its span.

use std::fmt::Display;

use proc_macro2::Span;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Ident, Lit, LitStr, Token, parenthesized, token};

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
    /// `key(expression, …)`, if these are not arguments.
    Values(Punctuated<Expr, Token![,]>),
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
    /// `key: value, …`, as in the braces of a declaration.
    pub fn parse_declared(input: ParseStream<'_>) -> syn::Result<Self> {
        let args = Punctuated::<Arg, Token![,]>::parse_terminated_with(input, |input| {
            let key = parse_key(input, ": …")?;
            let value = if input.parse::<Option<Token![:]>>()?.is_some() {
                Value::Expr(input.parse()?)
            } else if input.is_empty() || input.peek(Token![,]) {
                Value::None
            } else if input.peek(token::Paren) {
                Value::in_parentheses(&key, input)?
            } else {
                return Err(input.error(format_args!("here a key is written `{key}: …`")));
            };
            Ok(Arg { key, value, inherited: false, sign: Sign::Colon })
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
                self.0.push(Arg { inherited: true, ..other.clone() });
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

    /// `key("value")` as `key = "value"`, with the value. For a key that `takes_arguments`, one word in
    /// parentheses is a value only if it cannot be a key.
    pub fn with_equals(&self, takes_arguments: bool) -> Option<(Self, Expr)> {
        let value = match &self.value {
            Value::Values(values) if values.len() == 1 => values.first()?.clone(),
            Value::List(args, _) => match &args.0[..] {
                [Self { key, value: Value::None, .. }]
                    if !takes_arguments || is_value(&key.to_string()) =>
                {
                    syn::parse2(key.to_token_stream()).ok()?
                }
                _ => return None,
            },
            _ => return None,
        };
        Some((Self { value: Value::Expr(value.clone()), ..self.clone() }, value))
    }

    /// The message for a key that needs a value and has none.
    pub fn takes_a_value(&self) -> String {
        format!("`{}` takes a value: write `{}`", self.key, self.with("…"))
    }
}

impl Value {
    /// `(…)`: arguments, or else values.
    fn in_parentheses(key: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        let content;
        let parens = parenthesized!(content in input);
        // `breaker("search", failure_threshold = 3)`
        if content.peek(Lit) && content.peek2(Token![,]) && content.peek3(Ident::peek_any) {
            let value: Lit = content.parse()?;
            let first = match key.to_string().as_str() {
                "breaker" => "name",
                "retry" => "row",
                _ => "key",
            };
            let value_text = value.to_token_stream();
            let message = format_args!(
                "a value beside other keys has a key too: write `{key}({first} = {value_text}, …)`"
            );
            return Err(Error::new(value.span(), message));
        }
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
        if input.peek(token::Brace) {
            return Err(input.error("keys are not enclosed in braces: remove them"));
        }
        let args = Punctuated::<Arg, Token![,]>::parse_terminated(input)?;
        Ok(Self(args.into_iter().collect()))
    }
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = parse_key(input, " = …")?;
        let value = if input.parse::<Option<Token![=]>>()?.is_some() {
            if input.is_empty() || input.peek(Token![,]) {
                let arg = Self { key, value: Value::None, inherited: false, sign: Sign::Equals };
                return Err(Error::new(arg.key.span(), arg.takes_a_value()));
            }
            Value::Expr(input.parse()?)
        } else if input.peek(token::Paren) {
            Value::in_parentheses(&key, input)?
        } else {
            Value::None
        };
        if !input.is_empty() && !input.peek(Token![,]) {
            let expected = match value {
                Value::None if input.peek(token::Brace) => {
                    format!("the keys of `{key}` are enclosed in parentheses: write `{key}(…)`")
                }
                Value::None if input.peek(Token![:]) => {
                    format!("a key of an attribute takes `=`: write `{key} = …`")
                }
                Value::None => format!("expected `=` after `{key}`, or a comma"),
                _ => "expected a comma before the next key".into(),
            };
            return Err(input.error(expected));
        }
        Ok(Self { key, value, inherited: false, sign: Sign::Equals })
    }
}

/// Whether a single word is not a key but a constant, a variant or a flag.
fn is_value(word: &str) -> bool {
    word.contains(char::is_uppercase) || ["true", "false"].contains(&word)
}

/// Parses a key. `rest` is what follows it in advice.
fn parse_key(input: ParseStream<'_>, rest: &str) -> syn::Result<Ident> {
    let is_quoted = input.peek(LitStr)
        && (input.peek2(Token![:]) || (input.peek2(Token![=]) && !input.peek2(Token![==])));
    if is_quoted {
        let key: LitStr = input.parse()?;
        let message = format_args!("a key has no quotes: write `{}{rest}`", key.value());
        return Err(Error::new(key.span(), message));
    }
    let message = format_args!("expected a key, as in `key{}`", rest.replace('…', "value"));
    input.call(Ident::parse_any).map_err(|error| Error::new(error.span(), message))
}
