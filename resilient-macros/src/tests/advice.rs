//! What a message says to write is accepted when it is written.

use proc_macro2::TokenStream;

use crate::attribute::expand as resilient;
use crate::{classify, policies};

const FUNCTION: &str = "async fn search(&self, limit: u32) -> Result<(), Error> { Ok(()) }";

/// The errors in an expansion.
fn errors(expanded: &TokenStream) -> Vec<String> {
    let text = expanded.to_string();
    let messages = text.split("compile_error !").skip(1);
    messages
        .map(|rest| {
            let literal = rest.trim_start().trim_start_matches(['{', '(']).trim_start();
            let end = literal[1..].match_indices('"').find(|(place, _)| {
                let before = &literal[1..=*place];
                before.chars().rev().take_while(|c| *c == '\\').count() % 2 == 0
            });
            let literal = &literal[..end.expect("a message is a literal").0 + 2];
            syn::parse_str::<syn::LitStr>(literal).expect("a message is a string").value()
        })
        .collect()
}

/// What a message says to write: what stands in backticks after `write` or `as in`.
fn advice(message: &str) -> Vec<String> {
    let pieces = message.split("write `").flat_map(|piece| piece.split("as in `")).skip(1);
    pieces.map(|piece| piece.split('`').next().unwrap().to_owned()).collect()
}

/// Holds that `mistake` is one error, and that what it advises is none.
#[track_caller]
fn follow(mistake: &str, expand: impl Fn(&str) -> TokenStream) {
    let told = errors(&expand(mistake));
    let [message] = &told[..] else { panic!("`{mistake}` has these errors: {told:#?}") };
    let advice = advice(message);
    assert!(!advice.is_empty(), "`{mistake}`: {message}");
    for advice in advice {
        let told = errors(&expand(&advice));
        assert!(told.is_empty(), "`{mistake}`: {message}\n`{advice}`: {told:#?}");
    }
}

fn on_function(args: &str) -> TokenStream {
    resilient(args.parse().unwrap(), &FUNCTION.parse().unwrap())
}

#[test]
fn advice_on_a_key_can_be_followed() {
    for mistake in [
        "retry = 5",
        "retry = true",
        "retry = ErrorKind::RateLimitError",
        "retry = auto",
        "retry = [\"timeout_error\", \"rate_limit_error\"]",
        "breaker",
        "breaker = search",
        "breaker = 5",
        "breaker = <Store as Named>::NAME",
        "attempt_timeout = 5",
        "attempt_timeout = 5s",
        "deadline = Duration::from_millis(500)",
        "deadline = deadline",
        "deadline = limits::search",
    ] {
        follow(mistake, on_function);
    }
    follow("retry =", |args| on_function(&args.replace('…', "\"auto\"")));
    follow("breaker(\"search\")", |args| {
        on_function(&args.replace('…', "\"search\"").replace("key = value", "name = \"search\""))
    });
    follow("\"retry\" = \"auto\"", |args| {
        on_function(&args.replace("key = value", "retry = \"auto\""))
    });
}

#[test]
fn advice_on_a_key_beside_others_can_be_followed() {
    for (mistake, template) in [
        ("idempotent = \"true\"", "retry, {}"),
        ("idempotent = 0", "retry, {}"),
        ("budget = qdrant", "retry, {}"),
        ("budget(name = \"qdrant\")", "retry, {}"),
        ("budget = 5", "retry, {}"),
        ("attempt = \"ctx\"", "retry, {}"),
        ("attempt = 5", "retry, {}"),
        ("crate = \"resilience\"", "retry, {}"),
        ("max_attempts = \"5\"", "retry({})"),
        ("max_attempts = 5.0", "retry({})"),
        ("base_delay = Duration::from_millis(250)", "retry({})"),
        ("jitter = \"0.2\"", "retry({})"),
        ("backoff = Backoff::Linear", "retry({})"),
        ("row = ErrorKind::TimeoutError", "retry({}, jitter = 0.2)"),
        ("scope = Scope::Attempt", "retry, breaker(name = \"search\", {})"),
        ("window = 60s", "breaker(name = \"search\", {})"),
        ("trip_on = ErrorKind::Unknown", "breaker(name = \"search\", {})"),
        ("ignore = \"timeout_error\"", "breaker(name = \"search\", {})"),
    ] {
        follow(mistake, |args| on_function(&template.replace("{}", args)));
    }
}

#[test]
fn advice_in_a_declaration_can_be_followed() {
    for (mistake, template) in [
        ("open_duration: Duration::from_secs(5)", "breaker \"search\" { {} }"),
        ("window: 1.5", "breaker \"search\" { {} }"),
        ("backoff: Backoff::Linear", "retry \"import\" { {} }"),
        ("success_refund: \"1\"", "budget \"qdrant\" { {} }"),
        ("crate = \"resilience\";", "{} budget \"qdrant\" { }"),
        ("crate: resilience", "{} budget \"qdrant\" { }"),
        ("crate = 5", "{} budget \"qdrant\" { }"),
    ] {
        follow(mistake, |written| {
            policies::expand(template.replace("{}", written).parse().unwrap())
        });
    }
}

#[test]
fn advice_on_a_kind_can_be_followed() {
    let derived = |attribute: &str| {
        classify::derive(format!("{attribute} struct Failed {{ wait: Duration }}").parse().unwrap())
    };
    for mistake in ["#[classify]", "#[classify = \"timeout_error\"]"] {
        follow(mistake, |attribute| derived(&attribute.replace('…', "timeout_error")));
    }
    for (mistake, template) in [
        ("kind = ErrorKind::TimeoutError", "{}"),
        ("kind = 5", "{}"),
        ("maybe_executed = \"true\"", "kind = \"unknown\", {}"),
        ("retry_after = \"wait\"", "kind = \"unknown\", {}"),
        ("crate = \"resilience\"", "kind = \"unknown\", {}"),
    ] {
        follow(mistake, |written| {
            derived(&format!("#[classify({})]", template.replace("{}", written)))
        });
    }
}
