//! The interface of the code that the macros generate. It is not public: it changes with the
//! macros, and both are released together.
//!
//! Bounds are on free functions that generated code calls with the user's type. If a bound is not
//! met, the compiler underlines that type. The functions that begin a call take the type as a
//! `PhantomData`, since a type argument that is no `Result` would be reported twice.
//!
//! A bound that a type parameter may lack takes an opaque type, `Unnamed`. The compiler suggests a
//! bound only if source can write it, and these are private.

use std::any::type_name;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::time::Duration;

pub use linkme;
pub use resilient_config::breaker::KEYS as BREAKER_KEYS;
pub use resilient_config::budget::KEYS as BUDGET_KEYS;
pub use resilient_config::retry::KEYS as ROW_KEYS;

pub use crate::breaker::key_part;
pub use crate::call::{NothingSent, RetryDelay, Scope};
pub use crate::catalog::{
    BREAKERS, BUDGETS, BreakerSettings, BreakerSource, BreakerSpec, CallSite, Declaration,
    KeyedSite, Number, NumberIn, PASSED_OVER, PassedOver, ROWS, ResolveBreaker, ResolveBreakerName,
    RetrySpec, SITES, Time, TimeIn, WholeNumber, WholeNumberIn, Why, WindowIn, WindowLength,
    WrongType, attempt_timeout_before_deadline, base_delay_before_deadline,
    max_delay_over_base_delay, number_in, several_attempts, several_attempts_with_delays,
    slow_call_before_limits, time_in, whole_number_in, window_in,
};
pub use crate::error::{ERRORS, NoError, OwnError, Registered};
pub use crate::retry::{RetryChanges, RowRef};
pub use crate::{
    Backoff, BreakerConfig, BreakerConfigBuilder, BudgetConfig, BudgetConfigBuilder, Classify,
    ConfigError, ErrorKind, RetryPolicy,
};

use crate::breaker::CallState;
use crate::call::{
    Bounded, CurrentAttempt, FailedAttempt, Rejecting, Rules, Run, Timed, Tracked, bounded,
};
use crate::{CircuitBreaker, Rejection};

/// The return type of a function: a `PhantomData` with an opaque type that source cannot write.
#[derive(Debug)]
pub struct Returns<R, Unnamed>(PhantomData<fn() -> (R, Unnamed)>);

/// Says what a function returns.
#[inline]
#[must_use]
pub const fn returns<R>() -> Returns<R, impl Sized> {
    Returns::<R, ()>(PhantomData)
}

/// The return type of a function that can be retried.
#[diagnostic::on_unimplemented(
    message = "`#[resilient]` needs a function that returns a `Result`, not `{Self}`",
    label = "a policy tells success from failure by a `Result`",
    note = "return `Result<{Self}, E>`, where `E` implements `resilient_runtime::Classify`"
)]
pub trait PolicyReturn<Unnamed> {
    /// The [`Call`] of the function.
    type Call;

    /// Begins a call.
    fn begin(rules: &'static Rules) -> Self::Call;
}

impl<T, E: Classify, Unnamed> PolicyReturn<Unnamed> for Result<T, E> {
    type Call = Call<'static, T, E>;

    #[inline]
    fn begin(rules: &'static Rules) -> Self::Call {
        Call::new(Run::untracked(rules), FailedAttempt::of, ())
    }
}

/// The return type of a function that its policy can reject.
#[diagnostic::on_unimplemented(
    message = "`#[resilient]` needs a function that returns a `Result`, not `{Self}`",
    label = "a policy tells success from failure by a `Result`",
    note = "return `Result<{Self}, E>`, where `E` implements `resilient_runtime::Classify` and `From<resilient_runtime::Rejection>`"
)]
pub trait Rejectable<Unnamed>: PolicyReturn<Unnamed> {
    /// The [`GuardedCall`] of the function.
    type Guarded<'b>;

    /// Begins a call.
    fn begin_guarded<'b>(
        rules: &'static Rules,
        breaker: Option<&'b CircuitBreaker>,
    ) -> Self::Guarded<'b>;
}

impl<T, E: Classify + CarriesRejection<Unnamed>, Unnamed> Rejectable<Unnamed> for Result<T, E> {
    type Guarded<'b> = GuardedCall<'b, T, E>;

    #[inline]
    fn begin_guarded<'b>(
        rules: &'static Rules,
        breaker: Option<&'b CircuitBreaker>,
    ) -> Self::Guarded<'b> {
        Call::new(Run::new(rules, breaker), FailedAttempt::of, E::carry)
    }
}

/// `From<Rejection>` under a name that the compiler can explain.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot carry a rejection by the policy",
    label = "a circuit breaker, an attempt timeout or a deadline can end a call, and this error cannot say so",
    note = "give `{Self}` a variant for it: `#[error(transparent)] Rejected(#[from] resilient_runtime::Rejection)`, or implement `From<resilient_runtime::Rejection>` for it; a type parameter needs this as a bound",
    note = "an error of another crate goes into an enum of your own, or into a `Box<dyn Error + Send + Sync>`; or name a function that makes one: `reject = from_rejection`"
)]
pub trait CarriesRejection<Unnamed> {
    /// Converts a rejection to an error.
    fn carry(rejection: Rejection) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Rejection>, Unnamed> CarriesRejection<Unnamed> for E {
    #[inline]
    fn carry(rejection: Rejection) -> Self {
        rejection.into()
    }
}

/// Returns the function that converts a rejection to the error of a function.
#[inline]
#[must_use]
pub fn carry<T, E: CarriesRejection<Unnamed>, Unnamed>(
    _: Returns<Result<T, E>, Unnamed>,
) -> fn(Rejection) -> E {
    E::carry
}

/// Begins a call that nothing can reject.
#[inline]
pub fn begin<R: PolicyReturn<Unnamed>, Unnamed>(
    _: Returns<R, Unnamed>,
    site: &'static CallSite,
) -> R::Call {
    R::begin(&site.resolved().rules)
}

/// Begins a call that its policy can reject.
#[inline]
pub fn begin_guarded<R: Rejectable<Unnamed>, Unnamed>(
    _: Returns<R, Unnamed>,
    site: &'static CallSite,
) -> R::Guarded<'static> {
    let resolved = site.resolved();
    R::begin_guarded(&resolved.rules, resolved.breaker)
}

/// Begins a call through a breaker that its arguments select.
#[inline]
pub fn begin_keyed<'b, R: Rejectable<Unnamed>, Unnamed>(
    _: Returns<R, Unnamed>,
    site: &'static CallSite,
    breaker: &'b CircuitBreaker,
) -> R::Guarded<'b> {
    R::begin_guarded(&site.resolved().rules, Some(breaker))
}

/// Classifies an error for a call.
#[inline]
pub fn classify<E: Classify>(error: &E) -> FailedAttempt {
    FailedAttempt::of(error)
}

/// Returns the breaker of a site whose arguments do not select one.
#[inline]
pub fn breaker_of(site: &'static CallSite) -> Option<&'static CircuitBreaker> {
    site.resolved().breaker
}

/// [`begin`], with a function that classifies an error.
#[inline]
pub fn begin_by<T, E, Unnamed>(
    _: Returns<Result<T, E>, Unnamed>,
    site: &'static CallSite,
    classify: fn(&E) -> FailedAttempt,
) -> Call<'static, T, E> {
    Call::new(Run::untracked(&site.resolved().rules), classify, ())
}

/// [`begin_guarded`], with functions that classify an error and convert a rejection to one.
#[inline]
pub fn begin_guarded_by<'b, T, E, Unnamed>(
    _: Returns<Result<T, E>, Unnamed>,
    site: &'static CallSite,
    breaker: Option<&'b CircuitBreaker>,
    classify: fn(&E) -> FailedAttempt,
    reject: fn(Rejection) -> E,
) -> GuardedCall<'b, T, E> {
    Call::new(Run::new(&site.resolved().rules, breaker), classify, reject)
}

/// A call of an annotated function that returns `Result<T, E>`.
///
/// It stores the part of `Classify` that it needs as a function, and in `R` the function that
/// converts a rejection, or `()` if nothing can reject the call. So no method has a bound, and the
/// compiler reports a missing bound once, where the call begins.
#[derive(Debug)]
pub struct Call<'b, T, E, R = ()> {
    rejecting: Rejecting<'b, R>,
    classify: fn(&E) -> FailedAttempt,
    returns: PhantomData<fn() -> T>,
}

/// A call that its policy can reject.
pub type GuardedCall<'b, T, E> = Call<'b, T, E, fn(Rejection) -> E>;

impl<'b, T, E> GuardedCall<'b, T, E> {
    /// Acquires the permit, or ends the call with a rejection.
    #[inline]
    pub fn admit(&mut self) -> ControlFlow<Result<T, E>> {
        match self.rejecting.run.admit() {
            Ok(()) => ControlFlow::Continue(()),
            Err(rejection) => ControlFlow::Break(Err((self.rejecting.reject)(rejection))),
        }
    }

    /// Tracks an attempt without a time limit, until the request of the call has no time left.
    #[inline]
    pub fn attempt<F>(&mut self, body: F) -> Bounded<'_, 'b, F, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        bounded(&mut self.rejecting, body)
    }

    /// [`attempt`](Self::attempt) of a guarded call.
    #[inline]
    pub fn attempt_call<F>(&mut self, call: F) -> Bounded<'_, 'b, F::IntoFuture, E>
    where
        F: IntoFuture<Output = Result<T, E>>,
    {
        let future = call.into_future();
        // Only now: until then, the thread knows whether the user's code panics.
        self.rejecting.run.set_call_state(CallState::Running);
        self.attempt(future)
    }

    /// Tracks the attempt, like [`attempt`](Self::attempt), until `current` has no time left.
    #[inline]
    pub fn timed<F>(&mut self, current: CurrentAttempt, body: F) -> Tracked<'_, Timed<'_, F, E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let limit = self.rejecting.run.limit(&current, self.rejecting.reject);
        self.rejecting.run.timed(body, limit)
    }

    /// [`timed`](Self::timed) of a guarded call.
    #[inline]
    pub fn timed_call<F>(
        &mut self,
        current: CurrentAttempt,
        call: F,
    ) -> Tracked<'_, Timed<'_, F::IntoFuture, E>>
    where
        F: IntoFuture<Output = Result<T, E>>,
    {
        let future = call.into_future();
        self.rejecting.run.set_call_state(CallState::Running);
        self.timed(current, future)
    }
}

impl<'b, T, E, R> Call<'b, T, E, R> {
    #[inline]
    fn new(run: Run<'b>, classify: fn(&E) -> FailedAttempt, reject: R) -> Self {
        Self { rejecting: Rejecting { run, reject }, classify, returns: PhantomData }
    }

    /// Starts the time until the deadline.
    pub fn start_clock(&mut self) {
        self.rejecting.run.start_clock();
    }

    /// Returns whether no attempt can follow the current one.
    #[inline]
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.rejecting.run.is_last()
    }

    /// Returns the attempt that begins now, for the body and for [`timed`](Self::timed).
    #[inline]
    #[must_use]
    pub fn current(&self) -> CurrentAttempt {
        self.rejecting.run.current()
    }

    /// Runs user code before an attempt, flagging a panic.
    #[inline]
    pub fn watching<W>(&mut self, work: impl FnOnce() -> W) -> W {
        self.rejecting.run.flagging_panic(|_| work())
    }

    /// Says that a guarded call is evaluated next. Until its attempt begins, no poll is tracked, and
    /// the thread knows whether it panics.
    #[inline]
    pub fn evaluate(&mut self) {
        self.rejecting.run.set_call_state(CallState::Untracked);
    }

    /// Ends an attempt. The call ends too, or continues after a delay.
    #[inline]
    pub fn settle(&mut self, result: Result<T, E>) -> ControlFlow<Result<T, E>, RetryDelay<'b, E>> {
        self.rejecting.run.settle(result, self.classify)
    }

    /// [`settle`](Self::settle), for a body that knows its attempt.
    #[inline]
    pub fn settle_known(
        &mut self,
        result: Result<T, E>,
        nothing_sent: &NothingSent,
    ) -> ControlFlow<Result<T, E>, RetryDelay<'b, E>> {
        self.rejecting.run.settle_known(result, nothing_sent, self.classify)
    }

    /// Waits, and then begins the next attempt or ends the call with the error of the last one.
    pub fn resume(
        &mut self,
        delay: RetryDelay<'b, E>,
    ) -> impl Future<Output = ControlFlow<Result<T, E>>> + use<'_, 'b, T, E, R> {
        self.rejecting.run.resume(delay)
    }

    /// Ends the only attempt of a call that is never retried.
    #[inline]
    #[must_use = "it is what the function returns"]
    pub fn finish(&mut self, result: Result<T, E>) -> Result<T, E> {
        self.rejecting.run.finish(result, self.classify)
    }

    /// [`finish`](Self::finish), for a body that knows its attempt.
    #[inline]
    #[must_use = "it is what the function returns"]
    pub fn finish_known(
        &mut self,
        result: Result<T, E>,
        nothing_sent: &NothingSent,
    ) -> Result<T, E> {
        self.rejecting.run.finish_known(result, nothing_sent, self.classify)
    }
}

/// Returns the path of the function around `_here`, a function in the site of a call: everything in
/// the name of its type up to the async block of the call.
#[must_use]
pub fn function_around<F>(_here: F) -> &'static str {
    let path = type_name::<F>();
    path.split_once("::{{closure}}").map_or(path, |(function, _)| function)
}

/// A by-value argument, kept for later attempts. It does not implement `Debug`, since the argument
/// may be a key.
pub struct Slot<T, Unnamed>(Option<T>, PhantomData<fn() -> Unnamed>);

/// Keeps `value`.
#[inline]
pub const fn slot<T>(value: T) -> Slot<T, impl Sized> {
    Slot::<T, ()>(Some(value), PhantomData)
}

/// `Clone` under a name that the compiler can explain.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is taken by value, and each attempt needs one of its own",
    label = "not `Clone`, so it serves one attempt only",
    note = "take it by reference, make it `Clone` or put it into an `Arc`; or guard only the call that needs a policy: `guard!(retry = \"auto\"; …)`; or do not retry, by `max_attempts = 1`",
    note = "a type parameter needs the bound `Clone`; an alias of a `&mut` has to be written as `&mut …`"
)]
pub trait Repeatable<Unnamed> {
    /// Returns a clone.
    #[must_use]
    fn repeat(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone, Unnamed> Repeatable<Unnamed> for T {
    #[inline]
    fn repeat(&self) -> Self {
        self.clone()
    }
}

/// Returns the argument for one attempt: the value itself for the last attempt, otherwise a clone.
///
/// # Panics
///
/// If it is called again after the last attempt. Generated code never does that.
#[inline]
pub fn take_or_clone<T: Repeatable<Unnamed>, Unnamed>(
    slot: &mut Slot<T, Unnamed>,
    last: bool,
) -> T {
    let value = if last { slot.0.take() } else { slot.0.as_ref().map(T::repeat) };
    value.expect("no attempt follows the last")
}

/// Takes an argument whose type may be an alias of a `&mut`. The slot of a `&mut` has an inherent
/// method of the same name, which the compiler prefers. So generated code cannot name the type of the
/// method, and the name is one that no other trait has.
pub trait Take<T, Unnamed> {
    /// See [`take_or_clone`].
    fn take_or_reborrow(&mut self, last: bool) -> T
    where
        T: Repeatable<Unnamed>;
}

impl<T, Unnamed> Take<T, Unnamed> for Slot<T, Unnamed> {
    #[inline]
    fn take_or_reborrow(&mut self, last: bool) -> T
    where
        T: Repeatable<Unnamed>,
    {
        take_or_clone(self, last)
    }
}

impl<T: ?Sized, Unnamed> Slot<&mut T, Unnamed> {
    /// Reborrows the reference, for the last attempt too.
    ///
    /// # Panics
    ///
    /// Never: the reference stays in its slot.
    #[inline]
    pub fn take_or_reborrow(&mut self, _last: bool) -> &mut T {
        self.0.as_mut().expect("a reference stays in its slot")
    }
}

impl<T: ?Sized, Unnamed> Slot<Pin<&mut T>, Unnamed> {
    /// Reborrows the reference, for the last attempt too.
    ///
    /// # Panics
    ///
    /// Never: the reference stays in its slot.
    #[inline]
    pub fn take_or_reborrow(&mut self, _last: bool) -> Pin<&mut T> {
        self.0.as_mut().expect("a reference stays in its slot").as_mut()
    }
}

/// Returns a row of the default table with the numbers of a declaration.
#[must_use]
pub const fn declared_row(row: RowRef, changes: RetryChanges) -> RetryPolicy {
    changes.apply(match row {
        RowRef::Default | RowRef::Named(_) => RetryPolicy::DEFAULT,
        RowRef::Kind(kind) => RetryPolicy::for_kind(kind),
    })
}

/// Checks the name of a row or budget that a constant holds. It is called only in constants, so a
/// panic is an error of the compiler.
///
/// # Panics
///
/// If the name is empty, begins or ends with a space, or contains a control character or a brace.
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

/// Checks the name of a row to which the attribute gives other numbers: see [`name_in`].
///
/// # Panics
///
/// If the name is `auto`, which is not one row, or [`name_in`] panics.
#[must_use]
pub const fn row_in(constant: &'static str) -> &'static str {
    assert!(
        !matches!(constant.as_bytes(), b"auto"),
        "`auto` is not one row but the row of each error's own kind, and takes no other numbers: \
         write `retry = …` with the constant alone, or name the row to start from"
    );
    name_in(constant)
}

/// Builds a configuration. It is called only in constants, so a panic is an error of the compiler.
///
/// # Panics
///
/// If the builder rejects a setting.
#[must_use]
pub const fn budget_config(builder: BudgetConfigBuilder) -> BudgetConfig {
    match builder.build() {
        Ok(config) => config,
        Err(error) => reject(error),
    }
}

/// Builds a configuration: see [`budget_config`].
///
/// # Panics
///
/// If the builder rejects a setting.
#[must_use]
pub const fn breaker_config(builder: BreakerConfigBuilder) -> BreakerConfig {
    match builder.build() {
        Ok(config) => config,
        Err(error) => reject(error),
    }
}

const fn reject(error: ConfigError) -> ! {
    panic!("{}", error.message())
}

/// `Classify` for the error inside another, under a name that the compiler can explain.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which kind of error it is, so `transparent` cannot ask it",
    label = "no `Classify` for this error",
    note = "write `#[classify(kind = \"…\")]` instead of `transparent`, or derive `Classify` for `{Self}` too if it is yours"
)]
pub trait Inner {
    /// Returns the error without its type.
    fn erased(&self) -> &dyn Classify;
}

#[diagnostic::do_not_recommend]
impl<E: Classify> Inner for E {
    #[inline]
    fn erased(&self) -> &dyn Classify {
        self
    }
}

/// Returns the error inside another, without its type, so that the compiler reports a missing bound
/// once.
#[inline]
pub fn inner<E: Inner>(error: &E) -> &dyn Classify {
    error.erased()
}

/// The type of a field that holds a hint when to retry.
#[diagnostic::on_unimplemented(
    message = "`retry_after` names a field of type `Duration` or `Option<Duration>`, not `{Self}`",
    label = "not a time to wait",
    note = "hold the wait as a `std::time::Duration`, such as `Duration::from_secs(seconds)`"
)]
pub trait IntoHint: Copy {
    /// Returns the hint, if there is one.
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

/// Returns the hint in a field.
#[inline]
pub fn hint<T: IntoHint>(field: &T) -> Option<Duration> {
    field.into_hint()
}
