//! What the code that `#[resilient]` writes calls. Not a public interface: it changes with the
//! macro, and both are released together.
//!
//! Bounds stand on free functions that the generated code calls with the user's type, so that the
//! compiler underlines that type when it misses one.

use std::marker::PhantomData;
use std::ops::ControlFlow;

pub use linkme;

pub use crate::breaker::{BreakerConfig, BreakerConfigBuilder};
pub use crate::catalogue::{BreakerSpec, CallSite, RetrySpec, SITES};
pub use crate::policy::Scope;
pub use crate::retry::{RetryPolicy, RetryPolicyBuilder, RetryTable};
pub use crate::run::Delay;
pub use crate::{Backoff, ErrorKind};

use crate::run::Run;
use crate::watch::{Watch, watch};
use crate::{Classify, ConfigError, Rejection};

/// The return type of a function that can be retried.
#[diagnostic::on_unimplemented(
    message = "`#[resilient]` needs a function that returns a `Result`, not `{Self}`",
    label = "a policy tells success from failure by a `Result`",
    note = "return `Result<{Self}, E>`, where `E` implements `resilient_runtime::Classify`"
)]
pub trait Outcome: Sized {
    /// See [`Run::settle`].
    fn settle(self, run: &mut Run<'static>) -> ControlFlow<Self, Delay>;

    /// See [`Run::finish`].
    #[must_use]
    fn finish(self, run: &mut Run<'static>) -> Self;
}

impl<T, E: Classify> Outcome for Result<T, E> {
    #[inline]
    fn settle(self, run: &mut Run<'static>) -> ControlFlow<Self, Delay> {
        run.settle(self)
    }

    #[inline]
    fn finish(self, run: &mut Run<'static>) -> Self {
        run.finish(&self);
        self
    }
}

/// The return type of a function that can be rejected too.
pub trait Rejectable: Outcome {
    /// The result of a call that was rejected.
    fn rejected(rejection: Rejection) -> Self;
}

impl<T, E: Classify + CarriesRejection> Rejectable for Result<T, E> {
    fn rejected(rejection: Rejection) -> Self {
        Err(E::carry(rejection))
    }
}

/// `From<Rejection>` under a name that the compiler can explain.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot carry a rejection by the circuit breaker",
    label = "the policy of this function can reject a call, and its error cannot say so",
    note = "give `{Self}` a variant for it: `#[error(transparent)] Rejected(#[from] resilient_runtime::Rejection)`, or implement `From<resilient_runtime::Rejection>` for it"
)]
pub trait CarriesRejection {
    /// The error of a call that was rejected.
    fn carry(rejection: Rejection) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Rejection>> CarriesRejection for E {
    fn carry(rejection: Rejection) -> Self {
        rejection.into()
    }
}

/// A call of an annotated function that returns `R`.
#[derive(Debug)]
pub struct Call<R> {
    run: Run<'static>,
    returns: PhantomData<fn() -> R>,
}

/// Begins a call that nothing can reject.
#[inline]
pub fn begin<R: Outcome>(site: &'static CallSite) -> Call<R> {
    Call { run: Run::new(site.policy()), returns: PhantomData }
}

/// Begins a call that its policy can reject.
#[inline]
pub fn begin_guarded<R: Rejectable>(site: &'static CallSite) -> Call<R> {
    begin(site)
}

impl<R: Outcome> Call<R> {
    /// Begins an attempt.
    #[inline]
    pub fn start(&mut self) {
        self.run.start();
    }

    /// Begins an attempt, or ends the call with a rejection.
    #[inline]
    pub fn admit(&mut self) -> ControlFlow<R>
    where
        R: Rejectable,
    {
        match self.run.admit() {
            Ok(()) => ControlFlow::Continue(()),
            Err(rejection) => ControlFlow::Break(R::rejected(rejection)),
        }
    }

    /// Whether no attempt can follow the one that has begun.
    #[inline]
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.run.is_last()
    }

    /// The attempt itself, watched for a panic.
    #[inline]
    pub fn attempt<F: Future<Output = R>>(&mut self, body: F) -> Watch<'_, F> {
        watch(self.run.panicked(), body)
    }

    /// Ends an attempt: the call ends too, or goes on after a delay.
    #[inline]
    pub fn settle(&mut self, result: R) -> ControlFlow<R, Delay> {
        result.settle(&mut self.run)
    }

    /// Ends the only attempt of a call that is never retried.
    #[inline]
    pub fn finish(mut self, result: R) -> R {
        result.finish(&mut self.run)
    }
}

/// A by-value argument, kept for the attempts that may follow.
#[derive(Debug)]
pub struct Slot<T>(Option<T>);

impl<T> Slot<T> {
    /// Keeps `value`.
    #[inline]
    pub const fn new(value: T) -> Self {
        Self(Some(value))
    }
}

/// The argument for one attempt: a clone while another attempt may follow, and on the last one
/// the value itself.
///
/// # Panics
///
/// If it is called again after the last attempt, which generated code never does.
#[inline]
pub fn take_or_clone<T: Clone>(slot: &mut Slot<T>, last: bool) -> T {
    let value = if last { slot.0.take() } else { slot.0.clone() };
    value.expect("no attempt follows the last")
}

/// A policy from the literals of an attribute. It is called in constants only, so that a number
/// out of range stops the build.
///
/// # Panics
///
/// Where the builder refuses a number.
#[must_use]
pub const fn retry_policy(builder: RetryPolicyBuilder) -> RetryPolicy {
    match builder.build() {
        Ok(policy) => policy,
        Err(error) => refuse(error),
    }
}

/// A configuration from the literals of an attribute: see [`retry_policy`].
///
/// # Panics
///
/// Where the builder refuses a number.
#[must_use]
pub const fn breaker_config(builder: BreakerConfigBuilder) -> BreakerConfig {
    match builder.build() {
        Ok(config) => config,
        Err(error) => refuse(error),
    }
}

const fn refuse(error: ConfigError) -> ! {
    panic!("{}", error.message())
}
