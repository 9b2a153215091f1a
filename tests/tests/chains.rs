//! Where the cause of a failure is found in a chain of errors, and where it is not: the table of the
//! guide's page on errors of one's own, row by row.

use std::cell::Cell;
use std::error::Error;
use std::fmt::{self, Display};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use qdrant_client::QdrantError;
use resilient_runtime::{
    CircuitBreaker, CircuitOpenError, Classify, ErrorKind, Rejection, resilient,
};
use tonic::{Code, Status};

const WAIT: Duration = Duration::from_secs(7);

type Boxed = Box<dyn Error + Send + Sync>;

/// An error that wraps another one, and of which the library knows nothing.
#[derive(Debug, thiserror::Error)]
#[error("the search failed")]
struct Wraps<E: Error + 'static>(#[source] E);

#[derive(Debug, thiserror::Error)]
#[error("the search failed")]
struct WrapsBox(#[source] Boxed);

#[derive(Debug, thiserror::Error)]
#[error("the search failed")]
struct WrapsAnyhow(#[source] anyhow::Error);

#[derive(Debug, thiserror::Error)]
#[error("the search failed")]
struct WrapsReport(#[source] eyre::Report);

#[derive(Debug, thiserror::Error)]
enum Transparent {
    #[error(transparent)]
    Search(#[from] QdrantError),
}

#[derive(Debug, thiserror::Error)]
#[error("the search failed: {0}")]
struct Tells(QdrantError);

#[derive(Debug, thiserror::Error, Classify)]
enum Derived {
    #[error(transparent)]
    #[classify(transparent)]
    Search(#[from] QdrantError),
    #[error(transparent)]
    #[classify(transparent)]
    Any(#[from] anyhow::Error),
    #[error(transparent)]
    Rejected(#[from] Rejection),
    #[error("the model is busy")]
    #[classify(kind = "service_unavailable", retry_after = wait, maybe_executed = false)]
    Busy { wait: Duration },
    #[error("the search failed")]
    #[classify(kind = "unknown")]
    Unknown(#[source] io::Error),
}

#[derive(Debug, thiserror::Error, Classify)]
#[error("the model is busy")]
#[classify(kind = "service_unavailable")]
struct Generic<T: fmt::Debug>(T);

#[derive(Debug, thiserror::Error)]
#[error("the model is busy")]
struct ByHand;

impl Classify for ByHand {
    fn kind(&self) -> ErrorKind {
        ErrorKind::ServiceUnavailable
    }
}

fn status() -> Status {
    Status::new(Code::Unavailable, "Shard temporarily unavailable")
}

fn failure() -> QdrantError {
    QdrantError::ResponseError { status: status() }
}

fn busy() -> Derived {
    Derived::Busy { wait: WAIT }
}

fn down() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

/// The kinds of an error inside each type-erased one.
fn erased<E: Error + Send + Sync + 'static>(make: impl Fn() -> E) -> Vec<ErrorKind> {
    let local: Box<dyn Error> = Box::new(make());
    let sent: Box<dyn Error + Send> = Box::new(make());
    let shared: Arc<dyn Error + Send + Sync> = Arc::new(make());
    vec![
        local.kind(),
        sent.kind(),
        Boxed::from(make()).kind(),
        shared.kind(),
        anyhow::Error::from(make()).kind(),
        anyhow::Error::from(make()).context("in a test").kind(),
        eyre::Report::from(make()).kind(),
        eyre::Report::from(make()).wrap_err("in a test").kind(),
        Wraps(make()).boxed().kind(),
    ]
}

impl<E: Error + Send + Sync + 'static> Wraps<E> {
    fn boxed(self) -> Boxed {
        Box::new(self)
    }
}

/// The rows: the chain, whether the library finds the error in it, and the kinds that it has.
fn rows() -> Vec<(&'static str, bool, Vec<ErrorKind>)> {
    vec![
        ("`QdrantError`", true, erased(failure)),
        ("`#[source] QdrantError`", true, erased(|| Wraps(failure()))),
        ("`#[source] Box<QdrantError>`", true, erased(|| Wraps(Box::new(failure())))),
        ("`#[source] Arc<QdrantError>`", true, erased(|| Wraps(Arc::new(failure())))),
        ("`#[source] Arc<tonic::Status>`", true, erased(|| Wraps(Arc::new(status())))),
        (
            "`#[source] Box<dyn Error + Send + Sync>`",
            true,
            erased(|| WrapsBox(Box::new(failure()))),
        ),
        (
            "`#[source] Arc<dyn Error + Send + Sync>`",
            true,
            erased(|| Wraps::<Arc<dyn Error + Send + Sync>>(Arc::new(failure()))),
        ),
        ("`#[source] anyhow::Error`", true, erased(|| WrapsAnyhow(failure().into()))),
        ("`#[source] eyre::Report`", true, erased(|| WrapsReport(failure().into()))),
        ("`io::Error::other(qdrant_error)`", true, erased(|| io::Error::other(failure()))),
        (
            "`.context(…)` of `anyhow` or `wrap_err(…)` of `eyre` above it",
            true,
            vec![
                anyhow::Error::from(failure()).context("one").context("two").kind(),
                eyre::Report::from(failure()).wrap_err("one").wrap_err("two").kind(),
            ],
        ),
        ("an error that derives `Classify`", true, erased(busy)),
        ("the same as a `#[source]`", true, erased(|| Wraps(busy()))),
        (
            "the same as a `#[source]` in a `Box` or an `Arc`",
            true,
            [erased(|| Wraps(Box::new(busy()))), erased(|| Wraps(Arc::new(busy())))].concat(),
        ),
        (
            "`#[error(transparent)] Search(#[from] QdrantError)` with `#[classify(transparent)]`",
            true,
            erased(|| Derived::from(failure())),
        ),
        (
            "the same with `anyhow::Error` as the field",
            true,
            erased(|| Derived::from(anyhow::Error::from(failure()).context("in a test"))),
        ),
        (
            "`#[error(transparent)] Search(#[from] QdrantError)` without `Classify`",
            false,
            erased(|| Transparent::from(failure())),
        ),
        (
            "an error that derives `Classify` with `kind = \"unknown\"`, above its cause",
            false,
            erased(|| Derived::Unknown(down())),
        ),
        ("an error that implements `Classify` by hand", false, erased(|| ByHand)),
        ("a generic error that derives `Classify`", false, erased(|| Generic(1))),
        (
            "an error that is given to `.context(…)` or `wrap_err(…)`",
            false,
            vec![
                anyhow::Error::msg("no answer").context(busy()).kind(),
                eyre::Report::msg("no answer").wrap_err(busy()).kind(),
            ],
        ),
        (
            "a pointer in a pointer, such as `#[source] Arc<Box<QdrantError>>`",
            false,
            erased(|| Wraps(Arc::new(Box::new(failure())))),
        ),
        (
            "a field that is not a source, or only the text, as in `anyhow!(\"{error}\")`",
            false,
            [
                erased(|| Tells(failure())),
                vec![anyhow::anyhow!("{}", failure()).kind(), eyre::eyre!("{}", failure()).kind()],
            ]
            .concat(),
        ),
    ]
}

#[test]
fn each_shape_of_chain_is_found_or_not_as_the_guide_says() {
    for (chain, found, kinds) in rows() {
        let expected = if found { ErrorKind::ServiceUnavailable } else { ErrorKind::Unknown };
        assert!(!kinds.is_empty());
        assert!(kinds.iter().all(|kind| *kind == expected), "{chain}: {kinds:?}");
    }
}

#[test]
fn the_table_of_the_guide_is_the_one_of_this_test() {
    let guide = include_str!("../../resilient-runtime/src/guide/errors.md");
    let table = guide.split("| chain | found |\n|---|---|\n").nth(1).expect("there is the table");
    let written: Vec<_> = table.lines().take_while(|line| line.starts_with('|')).collect();
    let expected: Vec<_> = rows()
        .into_iter()
        .map(|(chain, found, _)| format!("| {chain} | {} |", if found { "yes" } else { "no" }))
        .collect();
    assert_eq!(written, expected);
}

#[test]
fn an_error_of_ones_own_answers_everything_from_inside_another() {
    let any = anyhow::Error::from(busy()).context("in a test");
    assert_eq!(any.kind(), ErrorKind::ServiceUnavailable);
    assert_eq!(any.retry_after(), Some(WAIT));
    assert!(!any.maybe_executed());
    assert!(any.may_retry());
}

#[test]
fn an_error_of_ones_own_has_the_same_kind_alone_and_inside_another() {
    for make in [busy, || failure().into(), || Derived::Unknown(down())] {
        assert_eq!(anyhow::Error::from(make()).kind(), make().kind());
    }
}

#[test]
fn a_long_chain_of_errors_that_ask_the_error_inside_takes_no_time() {
    let mut error = Derived::Any(anyhow::Error::msg("no idea"));
    for _ in 0..200 {
        error = Derived::Any(io::Error::other(error).into());
    }
    assert_eq!(error.kind(), ErrorKind::Unknown);
    assert_eq!(anyhow::Error::from(error).kind(), ErrorKind::Unknown);
}

#[resilient(retry = "auto", breaker = "chains, boxed")]
async fn local(calls: &Cell<u32>) -> Result<(), Box<dyn Error>> {
    calls.set(calls.get() + 1);
    Err(Box::new(Wraps(Arc::new(failure()))))
}

/// Neither the error nor the future is `Send`, as in the example of a `main`.
#[tokio::test(start_paused = true)]
async fn a_function_may_return_an_error_that_is_not_send() {
    let calls = Cell::new(0);
    assert!(local(&calls).await.is_err());
    assert_eq!(calls.get(), 3, "the row of `service_unavailable`");
}

#[test]
fn a_rejection_is_found_behind_every_pointer() {
    let breaker = CircuitBreaker::default();
    breaker.force_open();
    let open = breaker.acquire().unwrap_err();
    let rejected = || QdrantError::from(Rejection::from(open.clone()));
    let chains: [Boxed; 6] = [
        Box::new(Wraps(Arc::new(rejected()))),
        Box::new(Wraps(Box::new(rejected()))),
        Box::new(Wraps(Arc::new(Status::from(Rejection::from(open.clone()))))),
        Box::new(Wraps(Arc::new(open.clone()))),
        Box::new(Wraps(Arc::new(Rejection::from(open.clone())))),
        Box::new(Wraps::<Arc<dyn Error + Send + Sync>>(Arc::new(rejected()))),
    ];
    for chain in chains {
        assert_eq!(CircuitOpenError::find(&*chain), Some(&open), "{chain:?}");
        assert_eq!(chain.kind(), ErrorKind::CircuitOpen, "{chain:?}");
    }
}

/// What is no error registers nothing, and compiles.
mod no_errors {
    use super::{Classify, Display};

    #[derive(Classify)]
    #[classify(kind = "internal_error")]
    pub struct Plain;

    #[derive(Classify)]
    #[classify(kind = "internal_error")]
    pub struct Unsized(#[expect(dead_code, reason = "no value of it is made")] str);

    #[derive(Classify)]
    #[classify(kind = "internal_error")]
    pub struct OfSize<const N: usize>(pub [u8; N]);

    #[derive(Debug, Classify)]
    #[classify(kind = "internal_error")]
    pub struct BorrowedError<'a>(pub &'a str);

    impl Display for BorrowedError<'_> {
        fn fmt(&self, formatter: &mut super::fmt::Formatter<'_>) -> super::fmt::Result {
            formatter.write_str(self.0)
        }
    }

    impl std::error::Error for BorrowedError<'_> {}
}

#[test]
fn a_type_that_is_no_error_or_is_generic_derives_too() {
    let text = String::from("no");
    let kinds = [
        no_errors::Plain.kind(),
        no_errors::OfSize([0; 3]).kind(),
        no_errors::BorrowedError(&text).kind(),
    ];
    assert_eq!(kinds, [ErrorKind::InternalError; 3]);
    assert!(size_of::<&no_errors::Unsized>() > 0);
}

#[test]
fn a_type_inside_a_function_is_found() {
    #[derive(Debug, thiserror::Error, Classify)]
    #[error("inside")]
    #[classify(kind = "search_timeout")]
    struct Inside;

    assert_eq!(anyhow::Error::from(Inside).kind(), ErrorKind::SearchTimeout);
}
