//! What `#[derive(Classify)]` makes of an error.

use std::fmt::Debug;
use std::io;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use resilient_runtime::{
    BreakerConfig, CircuitBreaker, CircuitOpenError, Classify, ErrorKind, Rejection, resilient,
};
use tokio::time::Instant;

const WAIT: Duration = Duration::from_secs(7);

/// What an error answers.
fn answers(error: &impl Classify) -> (ErrorKind, Option<Duration>, bool) {
    (error.kind(), error.retry_after(), error.maybe_executed())
}

fn refused() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

fn rejection() -> Rejection {
    let breaker = CircuitBreaker::named("classify", BreakerConfig::default());
    breaker.force_open();
    breaker.acquire().unwrap_err().into()
}

macro_rules! of_every_kind {
    ($($variant:ident $name:literal)*) => {
        #[derive(Classify)]
        enum OfEveryKind {
            $(#[classify(kind = $name)] $variant,)*
        }

        #[test]
        fn the_derive_knows_every_kind() {
            let kinds = [$(OfEveryKind::$variant.kind()),*];
            assert_eq!(kinds[..], *ErrorKind::ALL);
            assert_eq!([$($name),*], kinds.map(ErrorKind::as_str));
        }
    };
}

of_every_kind! {
    A "connection_error" B "connection_timeout" C "rate_limit_error" D "service_unavailable"
    E "timeout_error" F "search_timeout" G "internal_error" H "network_error"
    I "invalid_request_error" J "authentication_error" K "not_found_error"
    L "collection_not_found" M "invalid_vector" N "permission_denied" O "circuit_open"
    P "deadline_exceeded" Q "unknown"
}

#[derive(Debug, thiserror::Error, Classify)]
enum AnswerError {
    #[error(transparent)]
    Rejected(#[from] Rejection),
    #[error(transparent)]
    #[classify(transparent)]
    Connection(#[from] io::Error),
    #[error("no answer after {tokens} tokens")]
    #[classify(transparent)]
    Marked {
        tokens: u32,
        #[source]
        cause: io::Error,
    },
    #[error("no answer to {question}")]
    #[classify(transparent)]
    Named { question: &'static str, source: io::Error },
    #[error("the model is busy")]
    #[classify(kind = "rate_limit_error", retry_after = wait, maybe_executed = false)]
    Busy { model: &'static str, wait: Duration },
    #[error("the quota is used up")]
    #[classify(kind = "rate_limit_error", retry_after = r#in)]
    Quota { r#in: Option<Duration> },
    #[error("the model is loading")]
    #[classify(kind = "service_unavailable")]
    #[classify(retry_after = 1)]
    Loading(&'static str, Duration),
    #[error("the question is empty")]
    #[classify(kind = "invalid_request_error", maybe_executed = true)]
    EmptyQuestion,
}

#[test]
fn a_variant_has_its_kind() {
    assert_eq!(answers(&AnswerError::EmptyQuestion), (ErrorKind::InvalidRequestError, None, true));
}

#[test]
fn a_transparent_variant_asks_its_only_field() {
    let error = AnswerError::Connection(refused());
    assert_eq!(answers(&error), (ErrorKind::ConnectionError, None, false));
}

#[test]
fn a_transparent_variant_asks_the_field_that_is_the_source() {
    for error in [
        AnswerError::Marked { tokens: 3, cause: refused() },
        AnswerError::Named { question: "who?", source: refused() },
    ] {
        assert_eq!(answers(&error), (ErrorKind::ConnectionError, None, false), "{error}");
    }
}

#[test]
fn a_hint_is_a_field() {
    for (error, hint) in [
        (AnswerError::Busy { model: "large", wait: WAIT }, Some(WAIT)),
        (AnswerError::Quota { r#in: Some(WAIT) }, Some(WAIT)),
        (AnswerError::Quota { r#in: None }, None),
        (AnswerError::Loading("small", WAIT), Some(WAIT)),
    ] {
        assert_eq!(error.retry_after(), hint, "{error:?}");
    }
}

#[test]
fn an_error_may_have_been_executed_unless_it_says_no() {
    assert!(!AnswerError::Busy { model: "large", wait: WAIT }.maybe_executed());
    assert!(AnswerError::Loading("small", WAIT).maybe_executed());
}

#[test]
fn a_rejection_needs_no_attribute() {
    let rejection = rejection();
    let expected = answers(&rejection);
    assert_eq!(expected.0, ErrorKind::CircuitOpen);
    assert_eq!(answers(&AnswerError::from(rejection)), expected);
}

#[derive(Debug, thiserror::Error, Classify)]
#[classify(kind = "internal_error")]
enum WithDefault {
    #[error(transparent)]
    Rejected(#[from] Rejection),
    #[error("one")]
    One(u32),
    #[error("two")]
    #[classify(maybe_executed = false)]
    Two,
    #[error("three")]
    #[classify(kind = "not_found_error")]
    Three,
    #[error("four")]
    #[classify(transparent)]
    Four(io::Error),
}

#[test]
fn the_kind_of_an_enum_is_that_of_the_variants_that_say_nothing() {
    assert_eq!(answers(&WithDefault::One(1)), (ErrorKind::InternalError, None, true));
    assert_eq!(answers(&WithDefault::Two), (ErrorKind::InternalError, None, false));
    assert_eq!(WithDefault::Three.kind(), ErrorKind::NotFoundError);
    assert_eq!(WithDefault::Four(refused()).kind(), ErrorKind::ConnectionError);
}

#[test]
fn the_kind_of_an_enum_is_not_that_of_a_rejection() {
    assert_eq!(WithDefault::from(rejection()).kind(), ErrorKind::CircuitOpen);
}

#[derive(Classify)]
#[classify(kind = "timeout_error", retry_after = 0, maybe_executed = false)]
struct Slow(Duration);

#[derive(Classify)]
#[classify(transparent)]
struct Wrapped {
    inner: Slow,
}

#[derive(Classify)]
#[classify(kind = "permission_denied")]
struct Denied;

#[test]
fn a_struct_is_classified_like_a_variant() {
    let slow = (ErrorKind::TimeoutError, Some(WAIT), false);
    assert_eq!(answers(&Slow(WAIT)), slow);
    assert_eq!(answers(&Wrapped { inner: Slow(WAIT) }), slow);
    assert_eq!(answers(&Denied), (ErrorKind::PermissionDenied, None, true));
}

#[derive(Classify)]
enum Generic<'a, E, T: ?Sized + 'a, const N: usize = 1>
where
    T: Debug,
{
    #[classify(transparent)]
    Inner(E),
    #[classify(transparent)]
    Boxed { source: Through<E>, _attempts: [u32; N] },
    #[classify(kind = "not_found_error")]
    Missing(&'a T),
}

struct Through<E>(E);

impl<E: Classify> Classify for Through<E> {
    fn kind(&self) -> ErrorKind {
        self.0.kind()
    }
}

#[derive(Classify)]
#[classify(kind = "not_found_error")]
struct Unbounded<T>(PhantomData<T>);

#[test]
fn a_generic_error_needs_classify_of_what_it_asks_and_of_nothing_else() {
    let inner: Generic<'_, Slow, str> = Generic::Inner(Slow(WAIT));
    assert_eq!(answers(&inner), (ErrorKind::TimeoutError, Some(WAIT), false));
    let boxed: Generic<'_, Slow, str, 2> =
        Generic::Boxed { source: Through(Slow(WAIT)), _attempts: [1, 2] };
    assert_eq!(boxed.kind(), ErrorKind::TimeoutError);
    let missing: Generic<'_, Slow, str> = Generic::Missing("docs");
    assert_eq!(missing.kind(), ErrorKind::NotFoundError);
    assert_eq!(Unbounded::<String>(PhantomData).kind(), ErrorKind::NotFoundError);
}

#[derive(Debug, thiserror::Error, Classify)]
enum RecursiveError<E: std::error::Error + 'static> {
    #[error("a part failed")]
    #[classify(transparent)]
    Inner(#[source] Box<RecursiveError<E>>),
    #[error("a part failed")]
    #[classify(transparent)]
    Own(#[source] Box<Self>),
    #[error(transparent)]
    #[classify(transparent)]
    Other(E),
    /// Of another type that has the same name.
    #[error("another failed")]
    #[classify(transparent)]
    Namesake(#[source] namesake::RecursiveError<E>),
}

mod namesake {
    #[derive(Debug, thiserror::Error, resilient_runtime::Classify)]
    #[error(transparent)]
    #[classify(transparent)]
    pub struct RecursiveError<E>(pub E);
}

#[test]
fn a_recursive_error_asks_itself() {
    use RecursiveError::{Inner, Namesake, Other, Own};

    let nested = Inner(Box::new(Own(Box::new(Other(refused())))));
    assert_eq!(answers(&nested), (ErrorKind::ConnectionError, None, false));
    let namesake = Namesake(namesake::RecursiveError(refused()));
    assert_eq!(answers(&namesake), (ErrorKind::ConnectionError, None, false));
}

macro_rules! made_by_a_macro {
    ($name:ident, $rejection:ty, $kind:expr, $wait:ident: $hint:ty, $index:expr) => {
        #[derive(Debug, thiserror::Error, Classify)]
        enum $name {
            #[error(transparent)]
            Rejected(#[from] $rejection),
            #[error("named")]
            #[classify(kind = $kind, retry_after = $wait)]
            Named { $wait: $hint },
            #[error("indexed")]
            #[classify(kind = $kind, retry_after = $index)]
            Indexed($hint),
        }
    };
}

made_by_a_macro!(Made, Rejection, "search_timeout", wait: Option<Duration>, 0);

#[test]
fn an_error_may_be_made_by_a_macro() {
    assert_eq!(Made::from(rejection()).kind(), ErrorKind::CircuitOpen);
    for error in [Made::Named { wait: Some(WAIT) }, Made::Indexed(Some(WAIT))] {
        assert_eq!(answers(&error), (ErrorKind::SearchTimeout, Some(WAIT), true));
    }
}

#[derive(Debug, thiserror::Error, Classify)]
#[classify(crate = resilient_runtime)]
#[error(transparent)]
struct OnlyRejected(#[from] Rejection);

#[test]
fn a_struct_that_is_a_rejection_needs_no_attribute() {
    assert_eq!(OnlyRejected::from(rejection()).kind(), ErrorKind::CircuitOpen);
}

#[derive(Classify)]
enum Never {}

#[test]
fn an_enum_without_variants_is_never_asked() {
    let nothing: Option<Never> = None;
    assert!(nothing.is_none_or(|never| never.kind() == ErrorKind::Unknown));
}

mod facade {
    pub mod reexported {
        pub use resilient_runtime::__private;
    }
}

#[derive(Classify)]
#[classify(crate = facade::reexported, kind = "network_error")]
struct ThroughFacade;

#[test]
fn the_runtime_may_be_elsewhere() {
    assert_eq!(ThroughFacade.kind(), ErrorKind::NetworkError);
}

/// Names that ours could be mistaken for, and an inherent method like that of the trait.
mod names {
    #![allow(dead_code)]

    use std::time::Duration as Wait;

    pub struct Option;
    pub struct Duration;
    pub struct ErrorKind;
    pub trait Classify {}
    pub mod core {}
    pub mod resilient_runtime {}
    pub fn inner() {}
    pub fn hint() {}

    #[derive(::resilient_runtime::Classify)]
    #[classify(kind = "unknown")]
    pub enum Error {
        Option,
        Some(Option),
        #[classify(kind = "rate_limit_error", retry_after = __field)]
        None {
            __field: Wait,
            p: Duration,
        },
        #[classify(transparent)]
        Own(Box<dyn std::error::Error + Send + Sync>),
        r#Type,
    }

    impl Error {
        pub fn kind(&self) -> bool {
            matches!(self, Self::Own(_))
        }
    }
}

#[test]
fn the_names_of_the_user_are_not_ours() {
    let error = names::Error::None { __field: WAIT, p: names::Duration };
    assert_eq!(answers(&error), (ErrorKind::RateLimitError, Some(WAIT), true));
    assert!(!error.kind(), "the inherent method is still the user's");
    let boxed = names::Error::Own(Box::new(refused()));
    assert_eq!(Classify::kind(&boxed), ErrorKind::ConnectionError);
    assert_eq!(Classify::kind(&names::Error::Type), ErrorKind::Unknown);
}

/// What the derive writes draws no lint.
mod lints {
    #![deny(warnings, clippy::all, clippy::pedantic)]
    #![deny(missing_docs, single_use_lifetimes, unused_qualifications)]
    // Nothing here is for use.
    #![allow(dead_code)]

    use std::io;
    use std::time::Duration;

    use resilient_runtime::{Classify, ErrorKind};

    #[deprecated = "it is never met any more"]
    #[derive(Classify)]
    #[classify(kind = "not_found_error")]
    pub struct OldError;

    #[allow(deprecated, unused_qualifications)]
    #[derive(Classify)]
    pub enum Error<'a> {
        #[classify(transparent)]
        Old(OldError),
        #[deprecated = "it is never met any more"]
        #[classify(kind = "rate_limit_error", retry_after = 0)]
        Older(Duration),
        #[classify(kind = "rate_limit_error", maybe_executed = false)]
        Same(&'a str),
        #[classify(kind = "rate_limit_error", maybe_executed = false)]
        SameAgain,
        #[classify(transparent)]
        Io(std::io::Error),
        #[classify(transparent)]
        AlsoIo(io::Error),
    }

    #[derive(Classify)]
    #[classify(kind = "rate_limit_error", maybe_executed = false)]
    pub struct Single;

    #[derive(Classify)]
    #[classify(transparent)]
    pub struct Wrapping(Single);

    #[derive(Classify)]
    pub enum TwoWays {
        #[classify(kind = "internal_error", maybe_executed = false)]
        Sent,
        #[classify(kind = "internal_error")]
        Unsent,
    }

    pub fn kinds() -> [ErrorKind; 3] {
        [Error::SameAgain.kind(), Wrapping(Single).kind(), TwoWays::Sent.kind()]
    }

    pub fn all(text: &str) -> [Error<'_>; 3] {
        [Error::Same(text), Error::Io(super::refused()), Error::AlsoIo(super::refused())]
    }
}

#[test]
fn lints_are_silent() {
    assert_eq!(lints::kinds()[0], ErrorKind::RateLimitError);
    assert_eq!(lints::all("").len(), 3);
}

#[derive(Debug, PartialEq, thiserror::Error, Classify)]
enum ServiceError {
    #[error(transparent)]
    Rejected(#[from] Rejection),
    #[error("come again in {0:?}")]
    #[classify(kind = "rate_limit_error", retry_after = 0)]
    Busy(Duration),
    #[error("no")]
    #[classify(kind = "permission_denied")]
    Refused,
}

#[resilient(
    retry = "auto",
    breaker(name = "a derived error", failure_threshold = 1, scope = "attempt")
)]
async fn guarded(calls: &AtomicU32) -> Result<u32, ServiceError> {
    calls.fetch_add(1, Ordering::Relaxed);
    Err(ServiceError::Busy(WAIT))
}

#[tokio::test(start_paused = true)]
async fn a_breaker_counts_and_rejects_by_a_derived_error() {
    let calls = AtomicU32::new(0);
    assert_eq!(guarded(&calls).await, Err(ServiceError::Busy(WAIT)));
    let error = guarded(&calls).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CircuitOpen);
    assert!(error.retry_after().is_some());
    assert!(!error.maybe_executed());
    assert!(CircuitOpenError::find(&error).is_some());
    assert_eq!(calls.into_inner(), 1);
}

#[resilient(retry = "auto", breaker = "a derived error, retried")]
async fn retried(calls: &AtomicU32) -> Result<u32, ServiceError> {
    match calls.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => Err(ServiceError::Busy(WAIT)),
        2 => Ok(3),
        _ => Err(ServiceError::Refused),
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_goes_by_the_kind_and_hint_of_a_derived_error() {
    let calls = AtomicU32::new(0);
    let start = Instant::now();
    assert_eq!(retried(&calls).await, Ok(3));
    // Two hints, each with jitter above it; tokio's timer rounds up to a millisecond.
    let elapsed = start.elapsed();
    assert!((WAIT * 2..=(WAIT * 2).mul_f64(1.11)).contains(&elapsed), "{elapsed:?}");
    assert_eq!(retried(&calls).await, Err(ServiceError::Refused));
    assert_eq!(calls.into_inner(), 4);
}
