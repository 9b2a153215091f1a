//! How an attempt gets `self`.
//!
//! No other binding can be called `self`. A value is put back into `self` before each attempt, and
//! the body stays as written. A `&mut` cannot be put back: what it lends to one attempt would be lent
//! for as long as the `&mut` lives. If the body moves it as a whole, the body gets a reborrow under
//! another name.

use std::iter::Peekable;

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use syn::{Lit, LitStr, Receiver};

use crate::check::passing::Passing;
use crate::hygiene::mixed;

/// The name that replaces `self` in a body that moves a `&mut self` as a whole. It has the place of
/// the `self` that it replaces, but cannot clash with a name of the user's.
pub fn name(span: Span) -> Ident {
    Ident::new("__self", mixed().located_at(span))
}

/// Whether `body` needs another name for this `self`.
pub fn is_renamed(receiver: &Receiver, body: &Group) -> bool {
    match Passing::of_receiver(receiver) {
        Passing::Shared | Passing::Slotted(_) | Passing::Aliased(_) => false,
        Passing::Reborrowed => is_moved_in(body.stream()),
        // Most methods of a `Pin` take it by value.
        Passing::Pinned => true,
    }
}

/// Returns `body` with another name for `self`.
pub fn rename(body: &Group) -> Group {
    let mut renamed = Group::new(body.delimiter(), rename_in(body.stream()));
    renamed.set_span(body.span());
    renamed
}

fn rename_in(tokens: TokenStream) -> TokenStream {
    let mut tokens = Tokens::new(tokens);
    let mut renamed = TokenStream::new();
    let mut called = None;
    while let Some(token) = tokens.next() {
        // The name of a macro is known until its arguments end.
        let called_before = called.take();
        match token {
            TokenTree::Group(group) => {
                renamed.extend([match called_before.and_then(|called| formats(&called)) {
                    Some(format) => rename_in_formats(&group, format),
                    None => rename(&group),
                }]);
            }
            TokenTree::Ident(word) if tokens.is_receiver(&word) => {
                renamed.extend([name(word.span())]);
            }
            other => {
                called = match &other {
                    TokenTree::Ident(word) if tokens.is_next('!') => Some(word.clone()),
                    TokenTree::Punct(punct) if punct.as_char() == '!' => called_before,
                    _ => None,
                };
                let item = tokens.item(&other);
                renamed.extend([other]);
                renamed.extend(item);
            }
        }
    }
    renamed
}

/// Which arguments of a macro are a format string.
#[derive(Clone, Copy)]
enum Format {
    /// The one of this number.
    Argument(usize),
    /// Any that is a string. Others may be fields of an event: `self.limit`, `?self`.
    Event,
    /// None. All may be fields of a span.
    Span,
}

/// Returns how the arguments of a well-known macro are read. In any other macro, strings are left as
/// they are.
fn formats(called: &Ident) -> Option<Format> {
    Some(match called.to_string().as_str() {
        "format" | "format_args" | "print" | "println" | "eprint" | "eprintln" | "panic"
        | "todo" | "unimplemented" | "unreachable" | "anyhow" | "bail" | "eyre" => {
            Format::Argument(0)
        }
        "write" | "writeln" | "assert" | "debug_assert" | "ensure" => Format::Argument(1),
        "assert_eq" | "assert_ne" | "debug_assert_eq" | "debug_assert_ne" => Format::Argument(2),
        // Of the crates `log` and `tracing`.
        "trace" | "debug" | "info" | "warn" | "error" | "event" | "log" => Format::Event,
        "trace_span" | "debug_span" | "info_span" | "warn_span" | "error_span" | "span" => {
            Format::Span
        }
        _ => return None,
    })
}

/// Returns the arguments of a macro with another name for `self`, also in its format string.
fn rename_in_formats(arguments: &Group, format: Format) -> Group {
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(it) if it.as_char() == ',');
    let tokens: Vec<_> = arguments.stream().into_iter().collect();
    let mut renamed = TokenStream::new();
    for (number, argument) in tokens.split_inclusive(is_comma).enumerate() {
        let end = argument.len() - usize::from(argument.last().is_some_and(is_comma));
        let (argument, comma) = argument.split_at(end);
        let is_format = match format {
            Format::Argument(wanted) => number == wanted,
            Format::Event => true,
            Format::Span => false,
        };
        let format_string = match argument {
            [TokenTree::Literal(text)] if is_format => renamed_format(text),
            _ => None,
        };
        let is_event = !matches!(format, Format::Argument(_));
        if let [TokenTree::Group(fields)] = argument
            && is_event
            && fields.delimiter() == Delimiter::Brace
        {
            renamed.extend([rename_in_formats(fields, Format::Span)]);
        } else if let Some(format_string) = format_string {
            renamed.extend([TokenTree::Literal(format_string)]);
        } else if is_event && is_field(argument) {
            // The field keeps its name.
            let name = argument.iter().filter(|token| !is_sigil(token)).cloned();
            renamed.extend(name.chain([Punct::new('=', Spacing::Alone).into()]));
            renamed.extend(rename_in(argument.iter().cloned().collect()));
        } else {
            renamed.extend(rename_in(argument.iter().cloned().collect()));
        }
        renamed.extend(comma.iter().cloned());
    }
    let mut renamed = Group::new(arguments.delimiter(), renamed);
    renamed.set_span(arguments.span());
    renamed
}

/// Whether an argument is a field of tracing that is named after its value: `?self.limit`.
fn is_field(argument: &[TokenTree]) -> bool {
    let path = &argument[usize::from(argument.first().is_some_and(is_sigil))..];
    let [TokenTree::Ident(first), rest @ ..] = path else { return false };
    let is_step = |step: &[TokenTree]| matches!(step, [TokenTree::Punct(dot), TokenTree::Ident(_)] if dot.as_char() == '.');
    first == "self" && rest.chunks(2).all(is_step)
}

/// The `?` or `%` of a field of tracing.
fn is_sigil(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if "?%".contains(punct.as_char()))
}

/// Returns a format string with another name for `self`, if it captures `self`. The span of the
/// string resolves the name.
fn renamed_format(text: &Literal) -> Option<Literal> {
    let Lit::Str(text) = Lit::new(text.clone()) else { return None };
    let value = text.value();
    if !captures_self(&value) {
        return None;
    }
    let span = text.span();
    let name = name(span);
    let mut renamed = String::new();
    let mut rest = value.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        renamed.push_str(before);
        renamed.push('{');
        rest = after;
        if let Some(escaped) = rest.strip_prefix('{') {
            renamed.push('{');
            rest = escaped;
        } else if let Some(after) = rest.strip_prefix("self")
            && after.starts_with(['}', ':'])
        {
            renamed.push_str(&name.to_string());
            rest = after;
        }
    }
    renamed.push_str(rest);
    Some(LitStr::new(&renamed, name.span()).token())
}

/// Whether `self` is moved as a whole: by itself, or into something that is `move`.
fn is_moved_in(tokens: TokenStream) -> bool {
    let mut tokens = Tokens::new(tokens);
    let mut before = None;
    while let Some(token) = tokens.next() {
        let is_moved = match &token {
            TokenTree::Group(group) => is_moved_in(group.stream()),
            TokenTree::Ident(word) if word == "move" => tokens.captured().any(is_used_in),
            TokenTree::Ident(word) => {
                tokens.is_receiver(word) && !tokens.is_next('.') && !is_borrowed_by(before.as_ref())
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        };
        if is_moved {
            return true;
        }
        tokens.item(&token);
        before = Some(token);
    }
    false
}

/// Whether the token before `self` only borrows it: `&`, `*`, `mut`, and the `%` and `?` of tracing's
/// fields.
fn is_borrowed_by(before: Option<&TokenTree>) -> bool {
    match before {
        Some(TokenTree::Punct(punct)) => "&*%?".contains(punct.as_char()),
        Some(TokenTree::Ident(word)) => word == "mut",
        _ => false,
    }
}

/// Whether `self` occurs in it, also in a format string.
fn is_used_in(token: TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.stream().into_iter().any(is_used_in),
        TokenTree::Ident(word) => word == "self",
        TokenTree::Literal(text) => captures_self(&text.to_string()),
        TokenTree::Punct(_) => false,
    }
}

/// Whether a format string has `{self}` in it, and not `{{self}}`.
fn captures_self(text: &str) -> bool {
    let text = text.replace("{{", "");
    text.contains("{self}") || text.contains("{self:")
}

/// The tokens of a body, which can look ahead.
struct Tokens(Peekable<IntoIter>);

impl Tokens {
    fn new(tokens: TokenStream) -> Self {
        Self(tokens.into_iter().peekable())
    }

    fn next(&mut self) -> Option<TokenTree> {
        self.0.next()
    }

    fn is_next(&mut self, punct: char) -> bool {
        matches!(self.0.peek(), Some(TokenTree::Punct(next)) if next.as_char() == punct)
    }

    /// Whether `word` is the receiver, and not the `self` of a path such as `self::function`.
    fn is_receiver(&mut self, word: &Ident) -> bool {
        word == "self" && !self.is_next(':')
    }

    /// Returns the tokens after `first` in which `self` means something else: the rest of an item, or
    /// of `pub(self)` and `$self`.
    fn item(&mut self, first: &TokenTree) -> Vec<TokenTree> {
        let is_other = match (first, self.0.peek()) {
            (TokenTree::Ident(word), Some(TokenTree::Group(group))) => {
                word == "pub" && group.delimiter() == Delimiter::Parenthesis
            }
            (TokenTree::Punct(punct), Some(TokenTree::Ident(_))) => punct.as_char() == '$',
            _ => false,
        };
        if is_other {
            return self.next().into_iter().collect();
        }
        let begins =
            matches!(first, TokenTree::Ident(it) if it == "impl" || it == "trait" || it == "use");
        let mut item = Vec::new();
        while begins && let Some(token) = self.next() {
            let ends = match &token {
                TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                TokenTree::Punct(punct) => punct.as_char() == ';',
                _ => false,
            };
            item.push(token);
            if ends {
                break;
            }
        }
        item
    }

    /// Returns the tokens that a `move` applies to: a block, or a closure up to the end of its
    /// statement.
    fn captured(&self) -> impl Iterator<Item = TokenTree> + use<> {
        let is_block = |token: &TokenTree| matches!(token, TokenTree::Group(_));
        let mut ahead = self.0.clone().peekable();
        let most = if ahead.peek().is_some_and(is_block) { 1 } else { usize::MAX };
        let is_within =
            |token: &TokenTree| !matches!(token, TokenTree::Punct(it) if it.as_char() == ';');
        ahead.take(most).take_while(is_within)
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn only_the_receiver_is_renamed() {
        let body = quote! {
            use self::inner::{self, Thing};
            self::free(self.field, [self], format!("{}", self.name));
            impl Thing { fn own(&self) -> u32 { self.0 } }
            fn helper(x: impl Sized) { drop(x) }
            let closure = |x| self.count + x;
            pub(self) struct One;
            pub(in self::inner) struct Two;
            macro_rules! field {
                ($self:expr) => { $self.field };
                () => { self.field };
            }
            field!(self);
        };
        let expected = quote! {
            use self::inner::{self, Thing};
            self::free(__self.field, [__self], format!("{}", __self.name));
            impl Thing { fn own(&self) -> u32 { self.0 } }
            fn helper(x: impl Sized) { drop(x) }
            let closure = |x| __self.count + x;
            pub(self) struct One;
            pub(in self::inner) struct Two;
            macro_rules! field {
                ($self:expr) => { $self.field };
                () => { __self.field };
            }
            field!(__self);
        };
        assert_eq!(rename_in(body).to_string(), expected.to_string());
    }

    #[test]
    fn only_a_format_string_captures_self() {
        let body = quote! {
            format!("{self} {self:?} {{self}} {selfish} {{{self}}}", "{self}");
            std::println!(r#"{self}"#);
            assert_eq!("{self}", "{self}", "{self}");
            write!(out, "{self}", name = "{self}");
            info!(name = "{self}", "{self}");
            debug!(?self, self.limit, %self.name.first, self.call(), limit = self.limit);
            info_span!("{self}", self.limit, "{self}");
            warn!(target: "app", { self.limit, ?self }, "{self}");
            vec!["{self}"];
            json!({ "{self}": ["{self}", format!("{self}")] });
            matches("{self}");
            let a = "{self}" != "{self}";
        };
        let expected = quote! {
            format!("{__self} {__self:?} {{self}} {selfish} {{{__self}}}", "{self}");
            std::println!("{__self}");
            assert_eq!("{self}", "{self}", "{__self}");
            write!(out, "{__self}", name = "{self}");
            info!(name = "{self}", "{__self}");
            debug!(
                self = ?__self, self.limit = __self.limit, self.name.first = %__self.name.first,
                __self.call(), limit = __self.limit
            );
            info_span!("{self}", self.limit = __self.limit, "{self}");
            warn!(target: "app", { self.limit = __self.limit, self = ?__self }, "{__self}");
            vec!["{self}"];
            json!({ "{self}": ["{self}", format!("{__self}")] });
            matches("{self}");
            let a = "{self}" != "{self}";
        };
        assert_eq!(rename_in(body).to_string(), expected.to_string());
    }

    #[test]
    fn only_a_body_that_moves_self_as_a_whole_is_told() {
        let moving = [
            quote!(let this = self;),
            quote!(other(1, self)),
            quote!(async move { self.n += 1 }),
            quote!(list.map(move |one| one + self.n)),
            quote!(spawn(move || async { self.n })),
            quote!(async move { format!("{self:?}") }),
            quote!(if true {
                Wrapper { inner: self }
            }),
        ];
        for body in moving {
            assert!(is_moved_in(body.clone()), "{body}");
        }
        let borrowing = [
            quote!(self.n += 1; self::free(&self, &mut *self, *self)),
            quote!(info!(?self, %self, "{self}")),
            quote!(async move { format!("{{self}}") }),
            quote!(list.map(move |one| one + 1); self.n),
            quote!(async move { 1 }.await; self.n),
            quote!(impl Thing { fn own(self) -> Self { self } } self.n),
            quote!(
                pub(self) struct One;
            ),
            quote!(
                macro_rules! field {
                    ($self:expr) => {
                        $self
                    };
                }
            ),
        ];
        for body in borrowing {
            assert!(!is_moved_in(body.clone()), "{body}");
        }
    }
}
