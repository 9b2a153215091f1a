//! What an editor sends while the user types, with brackets and quotes closed. The attribute always
//! returns the item as it was written, and one error for each mistake.

use proc_macro2::TokenStream;

use crate::attribute::expand as resilient;

const FUNCTION: &str = "async fn search() -> Result<(), Error> { Ok(()) }";

/// Expands what is written, and holds that the item is still there, beside this many errors.
#[track_caller]
fn expand(args: &str, item: &str, errors: usize) -> String {
    let item = parse(item);
    let expanded = packed(&resilient(parse(args), &item));
    let found = expanded.matches("compile_error!").count();
    assert_eq!(found, errors, "`#[resilient({args})] {item}` became:\n{expanded}");
    assert!(
        errors == 0 || expanded.contains(&packed(&item)),
        "`#[resilient({args})] {item}` is lost in:\n{expanded}"
    );
    expanded
}

fn parse(text: &str) -> TokenStream {
    text.parse().expect("it is made of tokens")
}

/// Without spaces, which mean nothing.
fn packed(tokens: &TokenStream) -> String {
    tokens.to_string().split_whitespace().collect()
}

#[test]
fn arguments_that_are_not_complete_are_one_mistake() {
    let incomplete = [
        "r",
        "retry =",
        "retry =, breaker = \"search\"",
        "retry.",
        "retry: \"auto\"",
        "retry \"auto\"",
        "retry = = \"auto\"",
        "retry = rate",
        "retry = rate_limit_error::",
        "retry = |error",
        "retry = if",
        "retry(row)",
        "retry(row =)",
        "retry(row = \"timeout_error\" jitter)",
        "retry(max_)",
        "retry[max_attempts = 3]",
        "retry { max_attempts = 3 }",
        "retry breaker",
        "retry, breaker",
        "retry,,",
        ", retry",
        "breaker = ",
        "breaker()",
        "breaker(name)",
        "breaker(name = \"\")",
        "breaker(name = \"search\", win)",
        "breaker(name = \"search\", window)",
        "breaker(name = \"search\", window =)",
        "breaker(name = \"search\", window = \"\")",
        "breaker(name = \"search\", window = 60s)",
        "breaker(name = \"search\", window = , failure_rate = 0.5)",
        "breaker(name = \"search\", window = 1_000_000, minimum_calls = 20)",
        "breaker(name = \"search\", max_open_duration = \"1\", open_duration_multiplier = 2)",
        "breaker(name = \"search\", max_open_duration = \"1s\", open_duration_multiplier = )",
        "breaker(name = \"search\", max_open_duration = \"1h\", open_duration_multiplier = .5)",
        "breaker(name = \"search\", trip_on)",
        "breaker(name = \"search\", trip_on =)",
        "breaker(name = \"search\", trip_on = [])",
        "breaker(name = \"search\", trip_on = [\"\"])",
        "breaker(name = \"search\", trip_on = [timeout_])",
        "breaker(name = \"search\", trip_on = [\"timeout_error\" \"\"])",
        "breaker(name = \"search\", trip_on = [\"timeout_error\", \"\"])",
        "breaker(name = \"search\", trip_on = \"timeout_error\")",
        "breaker(name = \"search\", trip_on(\"timeout_error\"))",
        "breaker(name = \"search\", trip_on[\"timeout_error\"])",
        "breaker(name = \"search\", ignore = [\"timeout_error\"; 2])",
        "breaker = \"search\" retry",
        "retry, crate =",
        "\"auto\"",
        "= \"auto\"",
        "3",
        "#",
    ];
    for args in incomplete {
        expand(args, FUNCTION, 1);
        expand(args, "impl Store { async fn search(&self) -> Result<(), Error> { self. } }", 1);
    }
}

#[test]
fn each_mistake_in_the_arguments_is_one() {
    expand("retri, breaker = \"\"", FUNCTION, 2);
    expand("retry(row = \"auto\", max_attempts = 0), breaker", FUNCTION, 3);
    expand("retry =", "struct Store;", 2);
}

#[test]
fn a_key_of_a_breaker_is_told_of_once() {
    for (settings, errors) in [
        ("failure_rate = 0.5, slow_call_rate = 0.5, minimum_calls = 20", 1),
        ("slow_call_rate = 0.5", 1),
        ("slow_call_rate = 50", 1),
        ("slow_call_rate = 50, minimum_calls = 20", 2),
        ("slow_call_rate = 50, window = 9", 1),
        ("slow_call_rate = 0.5, window = 0", 2),
        ("slow_call_rate = 0.5, slow_call_duration = 2, window = 9", 1),
        ("failure_threshold = 0, window = 0", 2),
        ("failure_threshold = 5, window = 0", 1),
        ("failure_threshold = 0, window = 9", 1),
        ("failure_threshold = 5, window = 9", 0),
        ("failure_threshold = 10, window = 9", 1),
        ("failure_threshold = 10, window = 9, minimum_calls = 5", 2),
        ("failure_threshold = 5, window = 9, minimum_calls = 5", 1),
        ("failure_threshold = 5, window = 9, minimum_calls = 5, failure_rate = 2", 1),
        ("ignore = [], trip_on = []", 2),
        ("ignore = [], trip_on = [\"unknown\"]", 1),
        ("minimum_calls = 0, window = 9", 1),
        ("minimum_calls = 10, window = 0", 1),
        ("max_open_duration = 5", 1),
        ("open_duration = \"1\", max_open_duration = \"1s\", open_duration_multiplier = 2", 1),
        ("max_open_duration = \"1s\", open_jitter = 2", 2),
        ("max_keys = 0", 1),
        ("failure_rate = RATE", 1),
        ("failure_rate = RATE, window = WINDOW", 0),
        ("failure_rate = 50, window = WINDOW", 1),
        ("failure_threshold = 5_000, window = WINDOW", 0),
        ("failure_threshold = FAILURES, window = 9", 0),
        ("failure_threshold = FAILURES, window = 9, minimum_calls = CALLS", 1),
        ("slow_call_rate = RATE, window = WINDOW, minimum_calls = 5_000", 1),
        ("open_duration = OPEN_FOR, max_open_duration = \"1s\", success_threshold = 0", 1),
        ("max_open_duration = MAX, open_jitter = 2", 1),
    ] {
        expand(&format!("breaker(name = \"search\", {settings})"), FUNCTION, errors);
    }
}

#[test]
fn a_constant_hides_no_mistake_that_is_known_without_it() {
    for (args, errors) in [
        ("retry(max_attempts = N, base_delay = \"2s\", max_delay = \"1s\")", 1),
        ("retry(max_attempts = N, base_delay = MIN, max_delay = \"1s\")", 0),
        ("retry(max_attempts = 1, base_delay = MIN)", 1),
        ("retry(max_attempts = N, base_delay = MIN), budget = B, idempotent = false", 0),
        ("deadline = D, idempotent = false, budget = \"qdrant\"", 2),
        ("retry(base_delay = \"2s\"), deadline = D", 0),
        ("retry(max_attempts = N, base_delay = \"2s\"), deadline = \"1s\"", 1),
        ("attempt_timeout = T, deadline = \"0s\"", 1),
    ] {
        expand(args, FUNCTION, errors);
    }
}

#[test]
fn a_body_that_is_not_complete_is_left_to_the_compiler() {
    for body in ["client.", "client.query(.await)", "let hits =", "match self", "self.", "#[] if"] {
        for args in ["retry", "breaker = \"search\"", "retry, breaker = \"search\""] {
            for receiver in ["self", "&self", "&mut self"] {
                let function = format!("async fn search({receiver}) -> Result<(), Error>");
                let expanded = expand(args, &format!("{function} {{ {body} }}"), 0);
                let kept = expanded.replace("__self", "self");
                assert!(kept.contains(&packed(&parse(body))), "`{body}` is lost in:\n{expanded}");
            }
        }
    }
}

#[test]
fn a_function_that_is_not_complete_is_one_mistake() {
    let incomplete = [
        "",
        "async",
        "pub",
        "pub(crate) async fn",
        "fn",
        "async fn search",
        "async fn search()",
        "async fn search(query)  -> Result<(), Error> { Ok(()) }",
        "async fn search(query: ) -> Result<(), Error> { Ok(()) }",
        "async fn search(query: &) -> Result<(), Error> { Ok(()) }",
        "async fn search(, query: u32) -> Result<(), Error> { Ok(()) }",
        "async fn search<T(query: T) -> Result<(), Error> { Ok(()) }",
        "async fn search() -> { Ok(()) }",
        "async fn search() { Ok(()) }",
        "async fn search() -> Result<(), Error>",
        "async fn search() -> Result<(), Error>;",
        "async fn search() -> Result<(), Error> where { Ok(()) } more",
        "fn search() -> Result<(), Error> { Ok(()) }",
        "#[doc] ",
    ];
    for function in incomplete {
        expand("retry", function, 1);
        expand("breaker = \"search\"", function, 1);
    }
}

#[test]
fn an_impl_block_that_is_not_complete_is_one_mistake() {
    let complete = "async fn search(&self) -> Result<(), Error> { Ok(()) }";
    for rest in
        ["async fn", "pub", "fn count()", "async fn count(&self, limit) {}", "#[]", "type", "x"]
    {
        expand("retry", &format!("impl Store {{ {complete} {rest} }}"), 1);
    }
    for block in
        ["impl", "impl Store", "impl Store {}", "impl<T> Store<T", "unsafe impl", "impl Store;"]
    {
        expand("retry", block, 1);
    }
}

#[test]
fn any_other_item_is_one_mistake() {
    let items = [
        "struct Store;",
        "enum Error { Down }",
        "union Both { one: u32, two: f32 }",
        "trait Search { async fn search(&self) -> Result<(), Error>; }",
        "mod search { }",
        "mod search;",
        "const LIMIT: u32 = 10;",
        "static LIMIT: u32 = 10;",
        "type Hits = Vec<u32>;",
        "use crate::search;",
        "macro_rules! search { () => {} }",
        "let search = async || Ok(());",
        "search().await;",
    ];
    for item in items {
        expand("retry", item, 1);
    }
}
