//! What the code that `#[resilient]` writes calls. Not a public interface: it changes with the
//! macro, and both are released together.
//!
//! Bounds stand on free functions that the generated code calls with the user's type, so that the
//! compiler underlines that type when it misses one. Those that begin a call get the type by a
//! value: named in the call itself, one that is no `Result` would be reported twice.

use std::ops::ControlFlow;
use std::pin::Pin;
use std::time::Duration;

pub use std::marker::PhantomData;

pub use linkme;

pub use crate::breaker::key_part;
pub use crate::call::{RetryDelay, Scope};
pub use crate::catalog::{
    BREAKERS, BUDGETS, BreakerSettings, BreakerSource, BreakerSpec, CallSite, Declaration,
    KeyedSite, ROWS, ResolveBreaker, ResolveBreakerName, RetrySpec, SITES,
};
pub use crate::retry::{RetryChanges, RowRef};
pub use crate::{
    Backoff, BreakerConfig, BreakerConfigBuilder, BudgetConfig, BudgetConfigBuilder, Classify,
    ErrorKind, RetryPolicy,
};

use crate::call::{FailedAttempt, Run, Timed, Tracked, track};
use crate::{Attempt, CircuitBreaker, ConfigError, Policy, Rejection};

/// The return type of a function that can be retried.
#[diagnostic::on_unimplemented(
    message = "`#[resilient]` needs a function that returns a `Result`, not `{Self}`",
    label = "a policy tells success from failure by a `Result`",
    note = "return `Result<{Self}, E>`, where `E` implements `resilient_runtime::Classify`"
)]
pub trait PolicyReturn {
    /// A [`Call`] of the function.
    type Call<'b>;

    /// Begins it.
    fn begin<'b>(policy: &'static Policy, breaker: Option<&'b CircuitBreaker>) -> Self::Call<'b>;
}

impl<T, E: Classify> PolicyReturn for Result<T, E> {
    type Call<'b> = Call<'b, T, E>;

    #[inline]
    fn begin<'b>(policy: &'static Policy, breaker: Option<&'b CircuitBreaker>) -> Self::Call<'b> {
        Call { run: Run::new(policy, breaker), classify: FailedAttempt::of, returns: PhantomData }
    }
}

/// The return type of a function that its policy can reject.
#[diagnostic::on_unimplemented(
    message = "`#[resilient]` needs a function that returns a `Result`, not `{Self}`",
    label = "a policy tells success from failure by a `Result`",
    note = "return `Result<{Self}, E>`, where `E` implements `resilient_runtime::Classify` and `From<resilient_runtime::Rejection>`"
)]
pub trait Rejectable: PolicyReturn {
    /// What makes an error of a rejection. It is no part of the call, which keeps all that it has
    /// while it waits.
    type Reject;

    /// This function.
    fn reject() -> Self::Reject;
}

impl<T, E: Classify + CarriesRejection> Rejectable for Result<T, E> {
    type Reject = fn(Rejection) -> E;

    #[inline]
    fn reject() -> Self::Reject {
        E::carry
    }
}

/// `From<Rejection>` under a name that the compiler can explain.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot carry a rejection by the policy",
    label = "a circuit breaker, an attempt timeout or a deadline can end a call, and this error cannot say so",
    note = "give `{Self}` a variant for it: `#[error(transparent)] Rejected(#[from] resilient_runtime::Rejection)`, or implement `From<resilient_runtime::Rejection>` for it; a type parameter needs this as a bound",
    note = "an error of another crate goes into an enum of your own, or into a `Box<dyn Error + Send + Sync>`"
)]
pub trait CarriesRejection {
    /// The error of a call that was rejected.
    fn carry(rejection: Rejection) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Rejection>> CarriesRejection for E {
    #[inline]
    fn carry(rejection: Rejection) -> Self {
        rejection.into()
    }
}

/// Begins a call that nothing can reject.
#[inline]
pub fn begin<R: PolicyReturn>(_: PhantomData<R>, site: &'static CallSite) -> R::Call<'static> {
    R::begin(&site.resolved().policy, None)
}

/// Begins a call that its policy can reject.
#[inline]
pub fn begin_guarded<R: Rejectable>(
    _: PhantomData<R>,
    site: &'static CallSite,
) -> (R::Call<'static>, R::Reject) {
    let resolved = site.resolved();
    (R::begin(&resolved.policy, resolved.breaker), R::reject())
}

/// Begins a call behind a breaker that its arguments have chosen.
#[inline]
pub fn begin_keyed<'b, R: Rejectable>(
    _: PhantomData<R>,
    site: &'static CallSite,
    breaker: &'b CircuitBreaker,
) -> (R::Call<'b>, R::Reject) {
    (R::begin(&site.resolved().policy, Some(breaker)), R::reject())
}

/// A call of an annotated function that returns `Result<T, E>`.
///
/// It stores the part of `Classify` that it needs as a function, and receives the function that
/// makes an error of a rejection. So no method has a bound, and a missing bound is reported once,
/// where the call begins.
#[derive(Debug)]
pub struct Call<'b, T, E> {
    run: Run<'b>,
    classify: fn(&E) -> FailedAttempt,
    returns: PhantomData<fn() -> T>,
}

impl<'b, T, E> Call<'b, T, E> {
    /// [`attempt`](Self::attempt) until `current` has no time left.
    #[inline]
    pub fn timed<F>(
        &mut self,
        current: Attempt,
        reject: fn(Rejection) -> E,
        body: F,
    ) -> Tracked<'_, Timed<'_, F, E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let limit = self.run.limit(&current, reject);
        self.run.timed(body, limit)
    }

    /// Starts the time until the deadline.
    pub fn start_clock(&mut self) {
        self.run.start_clock();
    }

    /// Acquires the permit, or ends the call with a rejection.
    #[inline]
    pub fn admit(&mut self, reject: fn(Rejection) -> E) -> ControlFlow<Result<T, E>> {
        match self.run.admit() {
            Ok(()) => ControlFlow::Continue(()),
            Err(rejection) => ControlFlow::Break(Err(reject(rejection))),
        }
    }

    /// Whether no attempt can follow the one that has begun.
    #[inline]
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.run.is_last()
    }

    /// The attempt that begins now: for the body, and for [`timed`](Self::timed).
    #[inline]
    #[must_use]
    pub fn current(&self) -> Attempt {
        self.run.current()
    }

    /// Runs user code before an attempt, flagging a panic.
    #[inline]
    pub fn watching<R>(&mut self, work: impl FnOnce() -> R) -> R {
        self.run.flagging_panic(|_| work())
    }

    /// Tracks the attempt itself.
    #[inline]
    pub fn attempt<F>(&mut self, body: F) -> Tracked<'_, F>
    where
        F: Future<Output = Result<T, E>>,
    {
        track(self.run.frame(), self.run.call_state(), body)
    }

    /// Ends an attempt: the call ends too, or continues after a delay.
    #[inline]
    pub fn settle(&mut self, result: Result<T, E>) -> ControlFlow<Result<T, E>, RetryDelay<'b, E>> {
        self.run.settle(result, self.classify)
    }

    /// Waits, and begins the next attempt; or ends the call with the error of the last one.
    pub fn resume(
        &mut self,
        delay: RetryDelay<'b, E>,
    ) -> impl Future<Output = ControlFlow<Result<T, E>>> + use<'_, 'b, T, E> {
        self.run.resume(delay)
    }

    /// Ends the only attempt of a call that is never retried.
    #[inline]
    #[must_use = "it is what the function returns"]
    pub fn finish(&mut self, result: Result<T, E>) -> Result<T, E> {
        self.run.finish(result, self.classify)
    }
}

/// A by-value argument, kept for the attempts that may follow. It has no `Debug`: the argument may
/// be a key.
pub struct Slot<T>(Option<T>);

impl<T> Slot<T> {
    /// Keeps `value`.
    #[inline]
    pub const fn new(value: T) -> Self {
        Self(Some(value))
    }
}

/// `Clone` under a name that the compiler can explain.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is taken by value, and each attempt needs one of its own",
    label = "not `Clone`, so it serves one attempt only",
    note = "take it by reference, make it `Clone` or put it into an `Arc`; or do not retry, by `max_attempts = 1`",
    note = "a type parameter needs the bound `Clone`; an alias of a `&mut` has to be written as `&mut …`"
)]
pub trait Repeatable {
    /// One more.
    #[must_use]
    fn repeat(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Repeatable for T {
    #[inline]
    fn repeat(&self) -> Self {
        self.clone()
    }
}

/// The argument for one attempt: a clone while another attempt may follow, and on the last one
/// the value itself.
///
/// # Panics
///
/// If it is called again after the last attempt, which generated code never does.
#[inline]
pub fn take_or_clone<T: Repeatable>(slot: &mut Slot<T>, last: bool) -> T {
    let value = if last { slot.0.take() } else { slot.0.as_ref().map(T::repeat) };
    value.expect("no attempt follows the last")
}

/// A value that an attempt gets out of a slot whose type may be an alias of a `&mut`: the slot of one
/// has a method of the same name, which the compiler prefers.
pub trait Take<T> {
    /// See [`take_or_clone`].
    fn take(&mut self, last: bool) -> T
    where
        T: Repeatable;
}

impl<T> Take<T> for Slot<T> {
    #[inline]
    fn take(&mut self, last: bool) -> T
    where
        T: Repeatable,
    {
        take_or_clone(self, last)
    }
}

impl<T: ?Sized> Slot<&mut T> {
    /// Lends what the reference is to, to the last attempt too.
    ///
    /// # Panics
    ///
    /// Never: the reference stays.
    #[inline]
    pub fn take(&mut self, _last: bool) -> &mut T {
        self.0.as_mut().expect("a reference stays in its slot")
    }
}

impl<T: ?Sized> Slot<Pin<&mut T>> {
    /// Lends what the reference is to, to the last attempt too.
    ///
    /// # Panics
    ///
    /// Never: the reference stays.
    #[inline]
    pub fn take(&mut self, _last: bool) -> Pin<&mut T> {
        self.0.as_mut().expect("a reference stays in its slot").as_mut()
    }
}

/// A row of the default table, with numbers that a declaration gives.
#[must_use]
pub const fn declared_row(row: RowRef, changes: RetryChanges) -> RetryPolicy {
    changes.on(match row {
        RowRef::Default | RowRef::Named(_) => RetryPolicy::DEFAULT,
        RowRef::Kind(kind) => RetryPolicy::for_kind(kind),
    })
}

/// The name that a constant holds of a row or a budget. It is called in constants only, so that a
/// name that reads like another one stops the build.
///
/// # Panics
///
/// If the name is empty, has a space at an end or a control character, or has placeholders.
#[must_use]
pub const fn name_in(constant: &'static str) -> &'static str {
    let name = constant.as_bytes();
    assert!(!name.is_empty(), "the constant holds an empty name");
    assert!(
        name[0] != b' ' && name[name.len() - 1] != b' ',
        "the name in the constant begins or ends with a space, which does not show: remove it"
    );
    let mut place = 0;
    while place < name.len() {
        assert!(
            !name[place].is_ascii_control(),
            "the name in the constant has a control character, which does not show: remove it"
        );
        assert!(
            !matches!(name[place], b'{' | b'}'),
            "the name in the constant has placeholders, and the name of a row or a budget is the \
             same for every call: write it without braces"
        );
        place += 1;
    }
    constant
}

/// The name that a constant holds of a row that numbers change. It is called in constants only, so
/// that `auto`, which is no row, stops the build.
///
/// # Panics
///
/// If it is `auto`, or [`name_in`] refuses it.
#[must_use]
pub const fn row_in(constant: &'static str) -> &'static str {
    assert!(
        !matches!(constant.as_bytes(), b"auto"),
        "`auto` is not one row but the row of each error's own kind, and takes no other numbers: \
         write `retry = …` with the constant alone, or name the row to start from"
    );
    name_in(constant)
}

/// A configuration from the literals of a declaration. It is called in constants only, so that
/// numbers which do not go together stop the build.
///
/// # Panics
///
/// Where the builder refuses a number.
#[must_use]
pub const fn budget_config(builder: BudgetConfigBuilder) -> BudgetConfig {
    match builder.build() {
        Ok(config) => config,
        Err(error) => refuse(error),
    }
}

/// A configuration from the literals of an attribute: see [`budget_config`].
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

/// `Classify` for the error inside another, under a name that the compiler can explain.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which kind of error it is, so `transparent` cannot ask it",
    label = "no `Classify` for this error",
    note = "write `#[classify(kind = \"…\")]` instead of `transparent`, or derive `Classify` for `{Self}` too if it is yours"
)]
pub trait Inner {
    /// The error, as what can be asked.
    fn ask(&self) -> &dyn Classify;
}

#[diagnostic::do_not_recommend]
impl<E: Classify> Inner for E {
    #[inline]
    fn ask(&self) -> &dyn Classify {
        self
    }
}

/// The error inside another. It comes without its type, so that a missing bound is reported once.
#[inline]
pub fn inner<E: Inner>(error: &E) -> &dyn Classify {
    error.ask()
}

/// What can be a hint when to retry.
#[diagnostic::on_unimplemented(
    message = "`retry_after` names a field of type `Duration` or `Option<Duration>`, not `{Self}`",
    label = "not a time to wait",
    note = "hold the wait as a `std::time::Duration`, such as `Duration::from_secs(seconds)`"
)]
pub trait IntoHint: Copy {
    /// The hint, where there is one.
    fn into_hint(self) -> Option<Duration>;
}

impl IntoHint for Duration {
    #[inline]
    fn into_hint(self) -> Option<Duration> {
        Some(self)
    }
}

impl IntoHint for Option<Duration> {
    #[inline]
    fn into_hint(self) -> Option<Duration> {
        self
    }
}

/// The hint in a field.
#[inline]
pub fn hint<T: IntoHint>(field: &T) -> Option<Duration> {
    field.into_hint()
}
