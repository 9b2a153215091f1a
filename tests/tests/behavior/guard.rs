//! `guard!`: a policy around one call, in the code that people have.

use std::cell::Cell;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use resilient_runtime::{AnnotatedFunction, BreakerState, breaker, catalog, guard, resilient};
use resilient_tests::{DOWN, Failure};

/// Fails until it has been asked so often.
struct Service {
    succeeds_at: u32,
    asked: AtomicU32,
}

impl Service {
    const fn succeeding_at(attempt: u32) -> Self {
        Self { succeeds_at: attempt, asked: AtomicU32::new(0) }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    async fn ask(&self, question: String) -> Result<String, Failure> {
        tokio::task::yield_now().await;
        let attempt = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        if attempt < self.succeeds_at { Err(DOWN) } else { Ok(question) }
    }

    async fn ask_exclusively(&mut self, question: &mut String) -> Result<usize, Failure> {
        question.push('?');
        self.ask(question.clone()).await.map(|answer| answer.len())
    }
}

/// Whose question cannot be cloned, and whose error is text.
struct Question(String);

async fn search(service: &Service, question: Question, ids: &Cell<u32>) -> Result<String, String> {
    // Made once, whatever the call does.
    ids.set(ids.get() + 1);
    let answer = guard!(retry = "auto"; service.ask(question.0.clone()))
        .await
        .map_err(|error| format!("search: {error:?}"))?;
    Ok(format!("{answer} {}", ids.get()))
}

#[tokio::test(start_paused = true)]
async fn a_call_is_retried_and_what_is_around_it_is_not() {
    let (service, ids) = (Service::succeeding_at(3), Cell::new(0));
    let answer = search(&service, Question("why".to_owned()), &ids).await;
    assert_eq!(answer.as_deref(), Ok("why 1"));
    assert_eq!((service.asked(), ids.get()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_borrows_mutably_for_each_attempt() {
    let mut service = Service::succeeding_at(2);
    let mut question = String::from("why");
    let length = guard!(retry = "timeout_error"; service.ask_exclusively(&mut question)).await;
    assert_eq!(length, Ok("why??".len()));
    assert_eq!(question, "why??");
}

#[tokio::test(start_paused = true)]
async fn a_call_without_retries_may_move_its_arguments() {
    let service = Service::succeeding_at(1);
    let question = String::from("once");
    let answer = guard!(breaker = "guard moves"; service.ask(question)).await;
    assert_eq!(answer.as_deref(), Ok("once"));
}

fn answer(
    service: &Service,
    question: String,
) -> impl Future<Output = Result<String, Failure>> + Send {
    guard!(retry = "auto", breaker = "guard returned"; move service.ask(question.clone()))
}

#[tokio::test(start_paused = true)]
async fn a_function_can_return_the_future() {
    static SERVICE: Service = Service::succeeding_at(2);
    let future = answer(&SERVICE, "spawned".to_owned());
    assert_eq!(SERVICE.asked(), 0, "nothing runs before the first poll");
    assert_eq!(tokio::spawn(future).await.unwrap().as_deref(), Ok("spawned"));
}

trait Ask {
    fn ask(&self) -> impl Future<Output = Result<String, Failure>>;
}

impl Ask for Service {
    async fn ask(&self) -> Result<String, Failure> {
        guard!(retry = "auto"; self.ask("through a trait".to_owned())).await
    }
}

#[tokio::test(start_paused = true)]
async fn it_works_in_generic_functions_loops_and_closures() {
    async fn generic<A: Ask + ?Sized>(asked: &A) -> Result<String, Failure> {
        guard!(retry = "auto", breaker = "guard generic"; asked.ask()).await
    }
    assert_eq!(generic(&Service::succeeding_at(2)).await.as_deref(), Ok("through a trait"));

    let service = Service::succeeding_at(2);
    for number in 0..3 {
        let answer = guard!(retry = "auto"; service.ask(number.to_string())).await;
        assert_eq!(answer, Ok(number.to_string()));
    }

    let service = &Service::succeeding_at(2);
    let asks =
        async |question: &str| guard!(retry = "auto"; service.ask(question.to_owned())).await;
    assert_eq!(asks("in a closure").await.as_deref(), Ok("in a closure"));
}

#[tokio::test(start_paused = true)]
async fn the_breakers_of_a_template_are_those_of_variables() {
    struct Tenant {
        name: &'static str,
    }
    let (service, tenant, r#type) = (Service::succeeding_at(100), Tenant { name: "a" }, "b");
    for _ in 0..5 {
        let _ = guard!(breaker = "guard/{tenant.name}/{type}"; service.ask(String::new())).await;
    }
    assert_eq!(breaker("guard/a/b").unwrap().state(), BreakerState::Open);
    assert!(breaker("guard/a/c").is_none());
}

#[tokio::test(start_paused = true)]
async fn an_attempt_can_be_known_and_time_limited() {
    let service = Service::succeeding_at(3);
    let numbers = Cell::new(0);
    let answer = guard!(
        retry(max_attempts = 4),
        attempt_timeout = "1s",
        deadline = "1m",
        attempt = ctx;
        async {
            numbers.set(numbers.get() * 10 + ctx.number());
            if ctx.number() == 1 {
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
            service.ask(String::new()).await
        }
    )
    .await;
    assert_eq!(answer.as_deref(), Ok(""));
    assert_eq!(numbers.get(), 1_234);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_call_counts() {
    let panics = || -> std::future::Ready<Result<(), Failure>> { panic!("in the call") };
    for _ in 0..5 {
        let call = tokio::spawn(async move { guard!(breaker = "guard panics"; panics()).await });
        assert!(call.await.unwrap_err().is_panic());
    }
    assert_eq!(breaker("guard panics").unwrap().state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_guarded_call_inside_an_annotated_one_is_part_of_it() {
    let service = Service::succeeding_at(100);
    let inner = || guard!(retry = "auto", breaker = "guard nested"; service.ask(String::new()));
    let answer = guard!(retry = "rate_limit_error", breaker = "guard nested"; inner()).await;
    assert_eq!(answer, Err(DOWN));
    assert_eq!(service.asked(), 5, "only the outer call retries");
    assert_eq!(breaker("guard nested").unwrap().stats().failure_count, 1);
}

macro_rules! guarded {
    ($keys:literal, $service:expr, $question:expr) => {
        guard!(retry = $keys; $service.ask($question.clone()))
    };
}

#[tokio::test(start_paused = true)]
async fn a_macro_can_write_a_guarded_call() {
    let (service, question) = (Service::succeeding_at(2), "by a macro".to_owned());
    assert_eq!(guarded!("auto", service, question).await, Ok("by a macro".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn calls_run_side_by_side() {
    let (one, other) = (Service::succeeding_at(2), Service::succeeding_at(2));
    let calls = (
        guard!(retry = "auto", breaker = "guard joined"; one.ask("one".to_owned())),
        guard!(retry = "auto", breaker = "guard joined"; other.ask("other".to_owned())),
    );
    let (one, other) = tokio::join!(calls.0, calls.1);
    assert_eq!((one.as_deref(), other.as_deref()), (Ok("one"), Ok("other")));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_counts_as_nothing() {
    let hangs = guard!(breaker = "guard dropped"; std::future::pending::<Result<(), Failure>>());
    assert!(tokio::time::timeout(Duration::from_secs(1), hangs).await.is_err());
    let stats = breaker("guard dropped").unwrap().stats();
    assert_eq!((stats.totals.failures, stats.totals.ignored), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_future_of_one_thread_serves() {
    let service = std::rc::Rc::new(Service::succeeding_at(2));
    let answer = guard!(retry = "auto"; std::rc::Rc::clone(&service).ask_rc("here")).await;
    assert_eq!(answer, Ok("here".to_owned()));
}

impl Service {
    async fn ask_rc(self: std::rc::Rc<Self>, question: &str) -> Result<String, Failure> {
        self.ask(question.to_owned()).await
    }

    /// `self` is moved as a whole, so the attribute gives it another name in each attempt.
    #[resilient(retry = "auto")]
    async fn renamed(&mut self, tenant: &'static str) -> Result<String, Failure> {
        let this = self;
        guard!(breaker = "guard renamed/{tenant}"; this.ask(tenant.to_owned())).await
    }
}

#[tokio::test(start_paused = true)]
async fn an_annotated_method_that_moves_self_can_guard_a_call() {
    assert_eq!(Service::succeeding_at(2).renamed("a").await, Ok("a".to_owned()));
    assert!(breaker("guard renamed/a").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_question_mark_ends_the_attempt() {
    let service = Service::succeeding_at(2);
    let length = guard!(retry = "auto"; async {
        let answer = service.ask("why".to_owned()).await?;
        Ok::<_, Failure>(answer.len())
    });
    assert_eq!(length.await, Ok(3));
}

#[derive(Clone)]
struct Into3;

impl IntoFuture for Into3 {
    type Output = Result<u32, Failure>;
    type IntoFuture = std::future::Ready<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        std::future::ready(Ok(3))
    }
}

#[tokio::test(start_paused = true)]
async fn a_builder_that_can_be_awaited_serves() {
    let builder = Into3;
    assert_eq!(guard!(retry = "auto"; builder.clone()).await, Ok(3));
}

/// A request and the service, in one value.
struct Session {
    service: Service,
    question: String,
}

impl Session {
    async fn asks(&mut self) -> Result<usize, Failure> {
        let before = &self.question;
        // A temporary, a mutable field and a field that is already borrowed.
        let call = guard!(
            retry = "auto",
            breaker = "guard session";
            self.service.ask_exclusively(&mut String::from("why"))
        );
        call.await.map(|length| length + before.len())
    }

    async fn build(&self) -> Result<String, Failure> {
        self.service.ask(self.question.clone()).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_may_borrow_temporaries_and_fields() {
    let (service, question) = (Service::succeeding_at(2), "1234".to_owned());
    assert_eq!(Session { service, question }.asks().await, Ok(8));
}

#[tokio::test(start_paused = true)]
async fn a_question_mark_outside_of_a_block_ends_the_attempt_too() {
    let (service, question) = (Service::succeeding_at(2), "1234".to_owned());
    let session = Session { service, question };
    let answer: Result<String, Failure> = guard!(
        retry = "auto",
        breaker = "guard question mark";
        session.service.ask(session.build().await?)
    )
    .await;
    assert_eq!(answer, Ok("1234".to_owned()));
    let stats = breaker("guard question mark").unwrap().stats();
    assert_eq!((stats.totals.successes, stats.totals.ignored), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn guarded_calls_nest_and_race() {
    let service = Service::succeeding_at(2);
    let deep = guard!(
        breaker = "guard outer";
        guard!(retry = "auto", breaker = "guard inner"; service.ask("deep".to_owned()))
    );
    tokio::select! {
        answer = deep => assert_eq!(answer, Ok("deep".to_owned())),
        () = tokio::time::sleep(Duration::from_secs(60)) => panic!("the call takes a second"),
    }
}

struct Store;

impl Store {
    fn question() -> impl Future<Output = Result<(), Failure>> {
        guard!(breaker = "guard listed"; std::future::ready(Ok(())))
    }
}

impl Ask for Store {
    async fn ask(&self) -> Result<String, Failure> {
        guard!(breaker = "guard listed"; std::future::ready(Ok(String::new()))).await
    }
}

#[tokio::test]
async fn the_catalog_lists_each_call_under_the_function_around_it() {
    assert_eq!((Store::question().await, Store.ask().await), (Ok(()), Ok(String::new())));
    let catalog = catalog();
    let calls = || catalog.functions().iter().filter(|function| function.is_call());
    let listed: Vec<_> = calls()
        .filter(|call| call.breaker() == Some("guard listed"))
        .map(AnnotatedFunction::name)
        .collect();
    assert_eq!(
        listed,
        [
            "behavior::guard::Store::question",
            "<behavior::guard::Store as behavior::guard::Ask>::ask"
        ]
    );
    let search = calls().find(|call| call.name() == "behavior::guard::search").unwrap();
    assert!(search.file().ends_with("behavior/guard.rs") && search.line() > 0);
    assert!(search.to_string().contains("behavior::guard::search (a call): retry \"auto\""));
}

/// A builder that panics when it becomes a future.
struct PanicsIntoFuture;

impl IntoFuture for PanicsIntoFuture {
    type Output = Result<u32, Failure>;
    type IntoFuture = std::future::Ready<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        panic!("as it becomes a future")
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_into_future_counts_as_a_failure() {
    let untimed = async { guard!(breaker = "guard builder"; PanicsIntoFuture).await };
    assert!(tokio::spawn(untimed).await.unwrap_err().is_panic());
    let timed =
        async { guard!(breaker = "guard builder", deadline = "1m"; PanicsIntoFuture).await };
    assert!(tokio::spawn(timed).await.unwrap_err().is_panic());
    let totals = breaker("guard builder").unwrap().stats().totals;
    assert_eq!((totals.failures, totals.ignored), (2, 0));
}

/// A generic type, of which each method guards a call.
struct Generic<T>(T);

impl<T> Generic<T> {
    async fn inherent() -> Result<(), Failure> {
        guard!(retry; std::future::ready(Ok(()))).await
    }
}

trait Repo {
    async fn of_trait<A>() -> Result<(), Failure>;

    async fn provided() -> Result<(), Failure> {
        guard!(retry; std::future::ready(Ok(()))).await
    }
}

impl<T> Repo for Generic<T> {
    async fn of_trait<A>() -> Result<(), Failure> {
        guard!(retry; std::future::ready(Ok(()))).await
    }
}

#[tokio::test]
async fn a_call_has_the_name_that_the_compiler_gives_the_function_around_it() {
    Generic::<u32>::inherent().await.unwrap();
    Generic::<u32>::of_trait::<u8>().await.unwrap();
    Generic::<u32>::provided().await.unwrap();
    let named = |ending: &str| {
        let catalog = catalog();
        let mut names = catalog.functions().iter().map(AnnotatedFunction::name);
        names.find(|name| name.ends_with(ending)).unwrap().replace(module_path!(), "app")
    };
    assert_eq!(named("::inherent"), "app::Generic<_>::inherent");
    assert_eq!(named("::of_trait"), "<app::Generic<_> as app::Repo>::of_trait");
    assert_eq!(named("::provided"), "app::Repo::provided");
}
