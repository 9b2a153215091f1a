//! The macros of [`resilient-runtime`](https://docs.rs/resilient-runtime), which re-exports them.
//! Depend on that crate, not on this one.
//!
//! Each module uses only those before it in this list, and in a module the files are ordered in the
//! same way:
//!
//! - `hygiene`: spans, and the path of the runtime
//! - `diagnose`: how mistakes are gathered and explained
//! - `parse`: what is written, with its spans
//! - `config`: what the arguments mean; every rule about them
//! - `check`: what the function must be for the configuration to apply to it
//! - `emit`: the code; nothing there can fail
//! - `attribute`, `guard`, `policies` and `classify`: one entry point for each macro

mod attribute;
mod check;
mod classify;
mod config;
mod diagnose;
mod emit;
mod guard;
mod hygiene;
mod parse;
mod policies;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Runs every call of an async function through a policy: retries by the kind of error, a named
/// circuit breaker, timeouts and a retry budget.
///
/// # Keys
///
/// Only the keys that are given apply. An attribute without keys is an error.
///
/// | key | type | default | meaning |
/// |---|---|---|---|
/// | `retry` | | | without a value: retries every transient error by the default row |
/// | `retry = "<kind>"` | a transient kind of error | | retries every transient error by the row of this kind in the retry table |
/// | `retry = "auto"` | | | retries a transient error by the row of its own kind |
/// | `retry = "<row>"` | a name that [`policies!`](macro@policies) declares | | retries every transient error by this row |
/// | `retry(…)` | | | retries by one row, with other numbers: |
/// | – `row` | a transient kind of error, or a declared name | the default row | the row to start from |
/// | – `max_attempts` | a whole number, 1 or more | the row's | the most attempts, including the first; 1 is no retry, and allows no key about retries beside it. With a constant, by-value parameters must be `Clone`, whatever it holds |
/// | – `base_delay` | a duration | the row's | the delay before the first retry |
/// | – `max_delay` | a duration above 0, not shorter than a `base_delay` beside it | the row's | the longest delay, including jitter; only the jitter added to a server's hint may exceed it. It shortens a longer base delay of the row, and a longer `base_delay` raises the row's `max_delay` |
/// | – `jitter` | a number from 0 to 1 | 0.1 | the share by which a delay varies either way, and a server's hint upward |
/// | – `backoff` | `"exponential"` or `"linear"` | the row's | how the delay grows |
/// | `breaker = "<name>"` | a string | | fails fast by the breaker of this name, shared by all functions that name it |
/// | `breaker = "<name>/{…}"` | a string with placeholders, each a parameter or a field of one | | fails fast by a breaker for each value of the arguments |
/// | `breaker = SEARCH` | a path in capitals, to a constant name, a `static CircuitBreaker` or a `static LazyLock<CircuitBreaker>` | | fails fast by that breaker |
/// | `breaker(…)` | | | the same, with settings: |
/// | – `name` | a string, with or without placeholders, or a constant | required | the name |
/// | – `failure_threshold` | a whole number from 1 to 65,535, no more than a window of calls holds | 5, or none with `window` | how many consecutive failures open it; with `window`, how many failures in the window, whatever succeeds in between |
/// | – `window` | a whole number from 1 to 1,000, or a duration, `"10ms"` or more | none | with `100`, it opens by the share of failures among the last 100 calls, with `"60s"` among the calls of the last 60 s, instead of by consecutive failures; with `failure_threshold`, by the number of failures among them |
/// | – `failure_rate` | a number from 0 to 1, with `window` | 0.5, or none with `failure_threshold` | the share of failures in the window at which it opens; 0 is reached by one failure |
/// | – `minimum_calls` | a whole number from 1 to 65,535, no more than a window of calls holds, with `window` and a rate | 20, or the size of a smaller window of calls | how many calls must be in the window before a rate counts |
/// | – `slow_call_duration` | a duration, `"1ms"` or more, with `window` | none | a call that takes longer is slow, whether it succeeds or fails; with retries, the attempt whose result counts is measured. A slow probe counts as failed |
/// | – `slow_call_rate` | a number from 0 to 1, with `slow_call_duration` | 1 | the share of slow calls in the window at which it opens; 0 is reached by one slow call |
/// | – `trip_on` | a list of kinds, `["timeout_error", "search_timeout"]` | the transient kinds | which kinds of error count as failures, instead of the transient ones |
/// | – `ignore` | a list of transient kinds, or `"deadline_exceeded"`, without `trip_on` | none | which of these kinds do not count as failures |
/// | – `open_duration` | a duration, `"1ms"` or more | `"30s"` | how long it stays open; longer if the failure that opens it carries a longer hint of the server |
/// | – `open_duration_multiplier` | a number from 1 | 1 | the factor by which it stays open longer each time that its probes fail |
/// | – `max_open_duration` | a duration, not shorter than `open_duration` | `"5m"`, or twice `open_duration` if that is longer | the longest that it stays open, including growth, jitter and hints |
/// | – `open_jitter` | a number from 0 to 1 | 0 | the share by which the time that it stays open varies either way |
/// | – `success_threshold` | a whole number from 1 to 65,535 | 2 | how many successful probes close it |
/// | – `half_open_max_calls` | a whole number from 1 to 65,535 | `success_threshold` | how many probes may be under way at once, including those of an earlier half-open state |
/// | – `probe_timeout` | a duration, `"1ms"` or more | none | how long a probe may take before it counts as failed and releases its slot |
/// | – `max_keys` | a whole number from 1 | 1,000 | for a name with placeholders: the most breakers at once |
/// | – `scope` | `"call"` or `"attempt"` | `"call"` | whether the breaker is outside the retries and counts calls, or inside them and counts attempts |
/// | `attempt_timeout` | a duration above 0 | none | how long each attempt may take; keep the client's own timeout, 5 s by default, below it, since only the client's timeout replaces a dead connection |
/// | `deadline` | a duration above 0 | none | how long the whole call may take, including delays |
/// | `durations` | `true` or `false` | `false` | measures how long calls take, by how they end; a call then reads the clock twice |
/// | `idempotent` | `true` or `false` | `true` | with `false`, a request is retried only if it was certainly not executed; needs `retry` |
/// | `budget` | a string, or a constant | none | retries only while the budget of this name has tokens; needs `retry` |
/// | `attempt` | a name of your own | none | the name of the `Attempt` in the body: its number, how much time is left, and `nothing_sent()` for an attempt that sends no request |
/// | `classify` | the path of a function, `fn(&E) -> ErrorKind` or `-> Classification` | `Classify` of the error | classifies an error that cannot implement `Classify`, such as text |
/// | `reject` | the path of a function, `fn(Rejection) -> E` | `From<Rejection>` of the error | converts a rejection to such an error; needs `breaker`, `attempt_timeout` or `deadline` |
/// | `crate` | a path | `::resilient_runtime` | the path of the runtime, for a crate that re-exports or renames it |
///
/// A duration is a string such as `"500ms"`, `"10s"` or `"1m30s"`. Instead of a number or a duration, a
/// path in capitals names a constant: a `u32` for a whole number, an `f64` for any other number, a
/// `std::time::Duration` for a duration, and a `u32` or a `Duration` for a `window`. It may be in a
/// module or of a type, as in `deadline = limits::SEARCH` or `max_attempts = Limits::ATTEMPTS`, but not
/// of `Self` or of a generic parameter. The compiler checks it as it checks a literal.
///
/// The transient kinds are
/// `connection_error`, `connection_timeout`, `rate_limit_error`, `service_unavailable`,
/// `timeout_error`, `search_timeout`, `internal_error` and `network_error`; the others are
/// `invalid_request_error`, `authentication_error`, `not_found_error`, `collection_not_found`,
/// `invalid_vector`, `permission_denied`, `circuit_open`, `deadline_exceeded` and `unknown`. An error
/// that is not a failure for the breaker is not a success either, and this does not change what is
/// retried. A call ended by its own `deadline` is a `deadline_exceeded`: without `trip_on` and
/// `ignore`, it is a failure only if the function has no `attempt_timeout`.
///
/// Give the settings of a breaker in one function, and only its name in the others; or declare them
/// with [`policies!`](macro@policies), which wins; or use a static breaker, which wins over both. If
/// two functions differ, the first in the order of file and line wins, and an error event reports
/// it. For a row or a budget, a path in capitals is a constant that holds the name. Placeholders work
/// only in the literal name of a breaker, not in a constant. No name begins or ends with a space or
/// has a control character.
///
/// A call inside a call through the same breaker, in the same task, is part of it: it needs no permit,
/// is not counted again, and does not retry errors that the outer call retries.
///
/// # On an `impl` block
///
/// It applies to each async method in the block that has the attribute itself, or whose return type
/// has a name that ends in `Result`. A key of a method's own `#[resilient(…)]` wins over the same key
/// of the block, and `#[resilient(skip)]` leaves a method out. Methods that a macro generates inside
/// the block are not seen. `catalog().passed_over()` lists the methods without a policy. Events name
/// the method with its type, and with the trait that the block implements. A method that pages through
/// results starts again at the first page when it is retried: leave it out.
///
/// # Beside other attributes
///
/// An attribute above this one rewrites the function before this one sees it: with
/// `#[tracing::instrument]` above, each attempt has its own span. An attribute below stays on the
/// function: with `#[tracing::instrument]` below, there is one span for the whole call. A second
/// `#[resilient]` on one function is an error, under any name.
///
/// # What the function must be
///
/// - `async`: a free function, a method, an implementation or a default method of a trait, also
///   under `#[async_trait]`. An attempt runs its body.
/// - It returns a `Result`, or an alias of one, whose error implements `Classify`.
/// - With a breaker, an attempt timeout or a deadline, the error also implements `From<Rejection>`.
///   `QdrantError` implements both.
/// - With `retry`, by-value parameters, including `self`, are cloned for every attempt except the last
///   possible one, so they must be `Clone`. References, including `&mut`, are lent to each attempt,
///   so a value borrowed from a `&mut` cannot be returned. The body may change `self` by value
///   without `mut self`, since `self` is bound again for each attempt. A `&mut self` that the body
///   moves as a whole, as in `let this = self`, has another name there. The macros of
///   the standard library, `tracing`, `log` and `anyhow` still find it as `{self}` in a format
///   string; for another macro, write `{}` and pass `self` after the string.
/// - Its future is `Send` if the plain function's is and the error is `Send`: with `retry`, the error
///   is kept during the delay between two attempts. The value need not be `Send`.
///
/// # Size of the future
///
/// In bytes, for a function that awaits once and returns `Result<usize, E>` with an `E` of 40 bytes,
/// on a 64-bit machine with Rust 1.95. With `retry`, by-value parameters are stored twice, except
/// numbers.
///
/// | the function | plain | `retry` | `breaker` | both |
/// |---|---|---|---|---|
/// | takes `&str` and `u32` | 64 | 192 | 176 | 208 |
/// | takes `[f32; 32]` and `String` | 328 | 600 | 448 | 624 |
/// | takes `self` of 128 bytes | 280 | 504 | 400 | 528 |
/// | takes `&str`, and holds `[u8; 4096]` | 4152 | 4264 | 4272 | 4288 |
///
/// # Example
///
/// ```
/// use qdrant_client::qdrant::{QueryPointsBuilder, QueryResponse};
/// use qdrant_client::{Qdrant, QdrantError};
/// use resilient_runtime::resilient;
///
/// #[resilient(retry = "rate_limit_error", breaker = "search")]
/// async fn search(client: &Qdrant, vector: Vec<f32>) -> Result<QueryResponse, QdrantError> {
///     client.query(QueryPointsBuilder::new("docs").query(vector).limit(10)).await
/// }
/// ```
#[proc_macro_attribute]
pub fn resilient(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(args.into(), &item.into()).into()
}

/// Runs one call through a policy, where its error still has its type. It takes the keys of
/// [`resilient`](macro@resilient), a semicolon and an expression, and is a future of what the
/// expression returns.
///
/// ```
/// use qdrant_client::Qdrant;
/// use qdrant_client::qdrant::{QueryPoints, QueryResponse};
/// use resilient_runtime::guard;
///
/// async fn search(client: &Qdrant, query: QueryPoints) -> Result<QueryResponse, String> {
///     guard!(retry = "auto", breaker = "search"; client.query(query.clone()))
///         .await
///         .map_err(|error| error.to_string())
/// }
/// ```
///
/// Use it in a function that converts its errors, takes parameters that cannot be cloned, makes an
/// id or a paid call before the request, or makes several requests. Otherwise prefer
/// [`resilient`](macro@resilient): the policy is then beside the signature.
///
/// - The expression is a future, or whatever else `.await` takes, of a `Result` whose error implements
///   `Classify`, and `From<Rejection>` if something can reject the call. Each attempt evaluates it
///   anew. A value that it moves needs a `.clone()` if the policy retries.
/// - Nothing runs before the future is polled. It borrows what the expression names. `move` before the
///   expression makes it own that, for a function that returns the future:
///   `guard!(retry = "auto"; move client.query(query.clone()))`.
/// - A `?` in the expression ends the attempt with this error; it does not leave the function. Several
///   steps go into an `async` block:
///   `guard!(retry = "auto"; async { check(client.query(query.clone()).await?) })`.
/// - A placeholder in the name of a breaker is a variable, or a field of one:
///   `breaker = "search/{collection}"`.
/// - The catalog lists the call by its file and line, under the name of the function around it. Events
///   carry that name.
/// - Panics, cancellation, time and cost are those of [`resilient`](macro@resilient).
#[proc_macro]
pub fn guard(input: TokenStream) -> TokenStream {
    guard::expand(input.into()).into()
}

/// Implements `Classify` for an enum or struct of errors.
///
/// It works beside `#[derive(thiserror::Error)]`, or any other way to define an error.
///
/// # Keys of `#[classify(…)]`
///
/// | key | type | default | meaning |
/// |---|---|---|---|
/// | `kind = "<kind>"` | a kind of error | | the kind of this variant or struct; on an enum, the kind of all its variants without one |
/// | `transparent` | | | the inner error answers everything: its kind, its wait, whether it may have been executed, and whether another attempt is allowed |
/// | `retry_after = <field>` | the name or index of a `Duration` or `Option<Duration>` | none | the wait that the server asks for |
/// | `maybe_executed = <bool>` | `true` or `false` | `true` | whether the request may have been executed |
/// | `crate = <path>` | a path, on the type | `::resilient_runtime` | the path of the runtime |
///
/// A variant has `kind` or `transparent`. `retry_after` and `maybe_executed` go with its own `kind`,
/// or with the enum's. `ErrorKind::as_str` returns the names of the kinds. An enum whose every
/// variant is `unknown` is an error of the compiler: no policy retries it, and no breaker counts it.
///
/// `transparent` asks the only field; of several, the one with `#[from]` or `#[source]`, or the
/// one named `source`. If its type depends on a type parameter, the implementation requires that it
/// implements `Classify`, unless it contains the deriving type, as in `Box<Self>`. Type parameters
/// have no other bounds.
///
/// A variant whose only field is `#[from] Rejection` is transparent, and needs no attribute. An
/// enum's `kind` does not change that.
///
/// # Inside other errors
///
/// If the type is an `Error` and not generic, it is also found inside a `Box<dyn Error + Send +
/// Sync>`, an `anyhow::Error` and an `eyre::Report`, and in the chain of sources of any error there.
/// Any other type derives `Classify` all the same.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use qdrant_client::QdrantError;
/// use resilient_runtime::{Classify, ErrorKind};
///
/// #[derive(Classify)]
/// enum AnswerError {
///     #[classify(transparent)]
///     Search(QdrantError),
///     #[classify(kind = "rate_limit_error", retry_after = wait, maybe_executed = false)]
///     ModelBusy { wait: Duration },
///     #[classify(kind = "invalid_request_error", maybe_executed = false)]
///     EmptyQuestion,
/// }
///
/// let busy = AnswerError::ModelBusy { wait: Duration::from_secs(3) };
/// assert_eq!(busy.kind(), ErrorKind::RateLimitError);
/// assert_eq!(busy.retry_after(), Some(Duration::from_secs(3)));
/// assert!(!busy.maybe_executed());
/// assert_eq!(AnswerError::EmptyQuestion.retry_after(), None);
/// ```
#[proc_macro_derive(Classify, attributes(classify))]
pub fn classify(item: TokenStream) -> TokenStream {
    classify::derive(item.into()).into()
}

/// Declares circuit breakers, retry rows and retry budgets once, for all functions that name them.
///
/// It goes where items go, in any crate of the program, and each declaration applies to the whole
/// program. Doc comments are kept: `catalog()` lists them.
///
/// ```standalone_crate
/// use resilient_runtime::{policies, resilient};
/// # use qdrant_client::QdrantError;
///
/// policies! {
///     /// Guards every read of the `docs` collection.
///     breaker "search" { failure_threshold: 10, success_threshold: 3, open_duration: "60s" }
///     /// One for each tenant, which may send too many requests.
///     breaker "tenant/{tenant}" { window: "60s", ignore: ["rate_limit_error"], max_keys: 200 }
///     retry "rate_limit_error" { max_attempts: 8 }
///     retry "nightly_import" { max_attempts: 20, base_delay: "1s", max_delay: "2m" }
/// }
///
/// #[resilient(retry = "nightly_import", breaker = "search")]
/// async fn import() -> Result<(), QdrantError> {
///     Ok(())
/// }
/// ```
///
/// | declaration | means |
/// |---|---|
/// | `breaker "<name>" { … }` | the breaker of this name, with any settings that `breaker(…)` takes in [`resilient`](macro@resilient), from `failure_threshold` to `probe_timeout` |
/// | `breaker "<name>/{…}" { … }` | every breaker of this template; also `max_keys`, the most breakers at once, by default 1,000 |
/// | `retry "<kind>" { … }` | the row of this kind in the retry table of the program, wherever it is used: `max_attempts`, `base_delay`, `max_delay`, `jitter`, `backoff`; and `row`, the kind whose default row it starts from, by default its own |
/// | `retry "default" { … }` | the row of every kind without one of its own, and of `retry` without a value |
/// | `retry "<name>" { … }` | a row that functions use by this name; it starts from the default row, or that of the kind in `row` |
/// | `budget "<name>" { … }` | the retry budget of this name: `capacity`, `retry_cost`, `timeout_cost`, `rate_limit_cost`, `success_refund` |
/// | `crate = <path>;` | before all declarations: the path of the runtime, if it is not `::resilient_runtime` |
///
/// Keys have the same meaning, the same values and the same checks as in
/// [`resilient`](macro@resilient). If two
/// declarations of one name differ, the first in the order of file and line applies. An error event
/// when the name is first used, and `catalog().validate()`, report the difference.
#[proc_macro]
pub fn policies(input: TokenStream) -> TokenStream {
    policies::expand(input.into()).into()
}
