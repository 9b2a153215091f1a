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

/// What a message says to write: all that stands in its backticks behind the last `write`.
fn advice(message: &str) -> Vec<String> {
    let Some((_, advice)) = message.rsplit_once("write `") else { panic!("{message}") };
    let mut pieces = advice.split('`');
    let mut found = vec![pieces.next().unwrap().to_owned()];
    while let (Some("" | " or "), Some(other)) = (pieces.next(), pieces.next()) {
        found.push(other.to_owned());
    }
    found
}

/// Holds that `mistake` is one error, and that what it advises is none.
#[track_caller]
fn follow(mistake: &str, expand: impl Fn(&str) -> TokenStream) {
    let told = errors(&expand(mistake));
    let [message] = &told[..] else { panic!("`{mistake}` has these errors: {told:#?}") };
    for advice in advice(message) {
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
        "retry(3)",
        "retry(0)",
        "retry = 5",
        "retry = true",
        "retry(true)",
        "retry(\"auto\")",
        "retry(\"rate_limit_error\")",
        "retry = ErrorKind::RateLimitError",
        "retry = RateLimitError",
        "retry(ErrorKind::RateLimitError)",
        "retry = auto",
        "retry = \"exponential\"",
        "retry = \"Linear\"",
        "retry = \"exponential_backoff\"",
        "retry = \"fixed\"",
        "retry = \"all\"",
        "retry = \"transient\"",
        "retry = \"timeout_error, rate_limit_error\"",
        "retry = \"3\"",
        "retry = \"none\"",
        "retry(\"timeout_error\", \"rate_limit_error\")",
        "retry = [\"timeout_error\", \"rate_limit_error\"]",
        "rate_limit_error",
        "auto",
        "\"rate_limit_error\"",
        "\"search\"",
        "breaker",
        "breaker(\"search\")",
        "breaker = search",
        "breaker = 5",
        "breaker(5)",
        "breaker(SEARCH)",
        "attempt_timeout(5)",
        "attempt_timeout = 5",
        "attempt_timeout(\"5s\")",
        "attempt_timeout = 5s",
        "attempt_timeout = \"0s\"",
        "deadline(Duration::from_secs(5))",
        "deadline = Duration::from_millis(500)",
        "deadline = DEADLINE",
    ] {
        follow(mistake, on_function);
    }
    follow("\"retry\" = \"auto\"", |args| on_function(&args.replace('…', "\"auto\"")));
    follow("\"retry\": \"auto\"", |args| on_function(&args.replace('…', "\"auto\"")));
    follow("retry: \"auto\"", |args| on_function(&args.replace('…', "\"auto\"")));
}

#[test]
fn advice_on_a_key_beside_others_can_be_followed() {
    for (mistake, template) in [
        ("\" nightly\"", "retry = {}"),
        ("\"search \"", "breaker = {}"),
        ("\"sea\\u{7}rch\"", "breaker = {}"),
        ("\"qdrant\\t\"", "retry, budget = {}"),
        ("{collection}", "breaker = \"search/{}\""),
        ("idempotent(false)", "retry, {}"),
        ("idempotent = \"true\"", "retry, {}"),
        ("idempotent = 0", "retry, {}"),
        ("budget(\"qdrant\")", "retry, {}"),
        ("budget = qdrant", "retry, {}"),
        ("budget(name = \"qdrant\")", "retry, {}"),
        ("budget = 5", "retry, {}"),
        ("attempt(ctx)", "retry, {}"),
        ("attempt = \"ctx\"", "retry, {}"),
        ("attempt = 5", "retry, {}"),
        ("crate = \"resilience\"", "retry, {}"),
        ("crate(\"::resilience::inner\")", "retry, {}"),
        ("max_attempts(5)", "retry({})"),
        ("max_attempts = \"5\"", "retry({})"),
        ("max_attempts = 5.0", "retry({})"),
        ("base_delay(250)", "retry({})"),
        ("base_delay = Duration::from_millis(250)", "retry({})"),
        ("max_delay = \"0s\"", "retry({})"),
        ("jitter = \"0.2\"", "retry({})"),
        ("jitter(50)", "retry({})"),
        ("backoff = Backoff::Linear", "retry({})"),
        ("backoff = linear", "retry({})"),
        ("backoff = \"Linear\"", "retry({})"),
        ("backoff(linear)", "retry({})"),
        ("row = ErrorKind::TimeoutError", "retry({}, jitter = 0.2)"),
        ("row = \"linear\"", "retry({}, jitter = 0.2)"),
        ("row = \"none\"", "retry({})"),
        ("row = \"3\"", "retry({}, jitter = 0.2)"),
        ("row = \"fixed\"", "retry({}, jitter = 0.2)"),
        ("scope = Scope::Attempt", "retry, breaker(name = \"search\", {})"),
        ("scope(attempt)", "retry, breaker(name = \"search\", {})"),
        ("name(SEARCH)", "breaker({}, failure_threshold = 3)"),
        ("failure_threshold(3)", "breaker(name = \"search\", {})"),
        ("window(60)", "breaker(name = \"search\", {})"),
        ("window(\"60s\")", "breaker(name = \"search\", {})"),
        ("trip_on(timeout_error)", "breaker(name = \"search\", {})"),
        ("trip_on = ErrorKind::Unknown", "breaker(name = \"search\", {})"),
        ("ignore([\"timeout_error\"])", "breaker(name = \"search\", {})"),
    ] {
        follow(mistake, |args| on_function(&template.replace("{}", args)));
    }
}

#[test]
fn advice_in_a_declaration_can_be_followed() {
    for (mistake, template) in [
        ("failure_threshold(3)", "breaker \"search\" { {} }"),
        ("open_duration(5)", "breaker \"search\" { {} }"),
        ("open_duration: Duration::from_secs(5)", "breaker \"search\" { {} }"),
        ("max_delay: \"0s\"", "retry \"import\" { {} }"),
        ("backoff: Backoff::Linear", "retry \"import\" { {} }"),
        ("row: ErrorKind::TimeoutError", "retry \"import\" { {} }"),
        ("capacity: \"500\"", "budget \"qdrant\" { {} }"),
        ("capacity(500)", "budget \"qdrant\" { {} }"),
        ("crate = \"resilience\";", "{} budget \"qdrant\" { }"),
        ("crate = \"::resilience\"", "{} budget \"qdrant\" { }"),
        ("crate: resilience", "{} budget \"qdrant\" { }"),
        ("crate = 5", "{} budget \"qdrant\" { }"),
        ("\"search \"", "breaker {} { }"),
        ("\" import\"", "retry {} { }"),
        ("\"qdrant\\n\"", "budget {} { }"),
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
    for mistake in [
        "#[classify]",
        "#[classify(\"timeout_error\")]",
        "#[classify(\"TimeoutError\")]",
        "#[classify = \"timeout_error\"]",
    ] {
        let told = errors(&derived(mistake));
        let [message] = &told[..] else { panic!("`{mistake}` has these errors: {told:#?}") };
        let advice = advice(message)[0].replace('…', "timeout_error");
        assert_eq!(errors(&derived(&advice)), [""; 0], "{mistake}: {message}");
    }
    for (mistake, template) in [
        ("timeout_error", "{}"),
        ("kind = ErrorKind::TimeoutError", "{}"),
        ("kind = timeout_error", "{}"),
        ("kind(\"timeout_error\")", "{}"),
        ("kind(TimeoutError)", "{}"),
        ("kind = 5", "{}"),
        ("maybe_executed = \"true\"", "kind = \"unknown\", {}"),
        ("maybe_executed(false)", "kind = \"unknown\", {}"),
        ("retry_after(wait)", "kind = \"unknown\", {}"),
        ("retry_after = \"wait\"", "kind = \"unknown\", {}"),
        ("crate = \"resilience\"", "kind = \"unknown\", {}"),
    ] {
        follow(mistake, |written| {
            derived(&format!("#[classify({})]", template.replace("{}", written)))
        });
    }
}
