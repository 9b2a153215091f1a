//! The attribute on a function of each shape, as crates of both editions write them: no lint may
//! complain of what it writes. Each runs: a service fails twice, and the third attempt answers.
//!
//! Every method is public, so that nothing is unused, and says the same of its errors.
#![allow(clippy::missing_errors_doc)]

use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use resilient_runtime::{Classify, Rejection, guard, resilient};

/// An error of this crate.
#[derive(Debug, thiserror::Error, Classify)]
pub enum Failure {
    /// A policy ended the call.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The server is down.
    #[error("the server is down")]
    #[classify(kind = "service_unavailable")]
    Down,
    /// The server is busy.
    #[error("the server is busy")]
    #[classify(kind = "rate_limit_error", retry_after = wait)]
    Busy {
        /// For how long.
        wait: Duration,
    },
}

macro_rules! for_everything {
    ($($method:ident)*) => {
        /// A user's trait for every type. Its methods have the names of ours and take `self` by value,
        /// so the compiler prefers them to ours that borrow it.
        #[allow(clippy::wrong_self_convention)]
        pub trait Everything: Sized {
            $(
                /// What ours must not become.
                #[must_use]
                fn $method(self) -> Self {
                    self
                }
            )*
        }
    };
}

for_everything! {
    admit attempt attempt_call current evaluate finish finish_known is_last known_to_body resume settle
    settle_known start_clock timed timed_call watching get resolve
}

impl<T> Everything for T {}

/// As many crates call it.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Fails twice, and then says how often it was asked.
#[derive(Debug, Default)]
pub struct Service(AtomicU32);

impl Service {
    fn ask(&self) -> Result<u32> {
        match self.0.fetch_add(1, Ordering::Relaxed) + 1 {
            1 => Err(Failure::Down),
            2 => Err(Failure::Busy { wait: Duration::from_secs(1) }),
            attempt => Ok(attempt),
        }
    }
}

/// What the methods are of.
#[derive(Clone, Debug, Default)]
pub struct Store {
    service: Arc<Service>,
    asked: u32,
}

/// A name that generated code once had for a static.
const __SITE: &str = "user constant";

/// What holds constants. Only the attribute uses them.
struct Numbers;

impl Numbers {
    const ATTEMPTS: u32 = 4;
    const JITTER: f64 = 0.5;
    const WINDOW: u32 = 10;
    const BASE_DELAY: Duration = Duration::from_millis(1);
    const DEADLINE: Duration = Duration::from_secs(60);
}

impl Store {
    /// `&self`
    #[resilient(retry = "auto", breaker = "user")]
    pub async fn shared(&self) -> Result<u32> {
        self.service.ask()
    }

    /// A call.
    pub async fn guarded_call(&self) -> Result<u32> {
        guard!(retry = "auto", breaker = "user"; async { self.service.ask() }).await
    }

    /// Numbers and durations in constants.
    #[resilient(
        retry(max_attempts = Numbers::ATTEMPTS, base_delay = Numbers::BASE_DELAY, max_delay = "1m", jitter = Numbers::JITTER),
        breaker(name = "user constants", window = Numbers::WINDOW, failure_threshold = 9, open_duration = Numbers::BASE_DELAY),
        attempt_timeout = "59s",
        deadline = Numbers::DEADLINE,
        idempotent = true,
    )]
    pub async fn by_constants(&self) -> Result<u32> {
        self.service.ask()
    }

    /// A call with numbers and durations in constants.
    pub async fn guarded_by_constants(&self) -> Result<u32> {
        guard!(
            retry(max_attempts = Numbers::ATTEMPTS),
            deadline = Numbers::DEADLINE;
            async { self.service.ask() }
        )
        .await
    }

    /// An attempt that only some methods use.
    #[resilient(retry = "auto", breaker = "user", attempt = _ctx)]
    pub async fn knows_its_attempt(&self) -> Result<u32> {
        self.service.ask()
    }

    /// A call with an attempt that it does not use.
    pub async fn guarded_and_knows_its_attempt(&self) -> Result<u32> {
        guard!(retry = "auto", attempt_timeout = "1m", attempt = _ctx; async { self.service.ask() })
            .await
    }

    /// A breaker in a constant whose name is like those of generated statics.
    #[resilient(retry = "auto", breaker = __SITE)]
    pub async fn by_a_constant_like_ours(&self) -> Result<u32> {
        self.service.ask()
    }

    /// A call whose future is returned.
    pub fn guarded_call_returned(&self) -> impl Future<Output = Result<u32>> + Send + '_ {
        let service = Arc::clone(&self.service);
        guard!(retry = "auto", attempt_timeout = "1m"; move async { service.ask() })
    }

    /// `&mut self`
    #[resilient(retry = "auto", breaker = "user")]
    pub async fn exclusive(&mut self, log: &mut Vec<u32>) -> Result<u32> {
        self.asked += 1;
        log.push(self.asked);
        self.service.ask()
    }

    /// `&mut self`, moved.
    #[resilient(retry = "auto", breaker = "user")]
    pub async fn exclusive_and_moved(&mut self) -> Result<u32> {
        let this = self;
        this.asked += 1;
        this.service.ask()
    }

    /// `self`
    #[resilient(retry = "auto", breaker = "user")]
    pub async fn moved(self) -> Result<Self> {
        let _attempt = self.service.ask()?;
        tracing::debug!(?self, self.asked, "asked {self:?}");
        Ok(self)
    }

    /// `mut self`
    #[resilient(retry = "auto", breaker = "user")]
    pub async fn moved_and_changed(mut self) -> Result<u32> {
        self.asked += 1;
        self.service.ask().map(|_attempt| self.asked)
    }

    /// `self: Arc<Self>`
    #[resilient(retry = "auto", breaker = "user")]
    pub async fn counted(self: Arc<Self>) -> Result<u32> {
        self.service.ask()
    }

    /// `self: &Arc<Self>`
    #[resilient(retry = "auto", breaker = "user")]
    pub async fn counted_and_lent(self: &Arc<Self>) -> Result<u32> {
        Arc::clone(self).counted().await
    }

    /// `self: Pin<&mut Self>`
    #[resilient(retry = "auto", breaker = "user")]
    pub async fn pinned(self: Pin<&mut Self>) -> Result<u32> {
        self.get_mut().service.ask()
    }

    /// With a breaker alone.
    #[resilient(breaker = "user")]
    pub async fn guarded(self) -> Result<u32> {
        Ok(self.asked)
    }

    /// In one expression, on one line.
    #[rustfmt::skip]
    #[resilient(retry = "auto", breaker = "user")]
    pub async fn on_one_line(&self) -> Result<u32> { self.service.ask() }

    /// A value on one line.
    #[rustfmt::skip]
    #[resilient(breaker = "user")]
    pub async fn a_value(&self) -> Result<u32> { Ok(self.asked) }
}

/// What is copied, and needs no drop.
#[derive(Clone, Copy, Debug)]
pub struct Limit(u32);

impl Limit {
    /// `self`
    #[resilient(retry = "auto", breaker = "user")]
    pub async fn copied(self, service: &Service) -> Result<u32> {
        service.ask().map(|attempt| attempt + self.0)
    }

    /// `self`, unused.
    #[resilient(retry = "auto", breaker = "user")]
    pub async fn unused(self, service: &Service) -> Result<u32> {
        service.ask()
    }
}

/// What is moved, and needs no drop.
#[derive(Clone, Debug)]
pub struct Buffer([u32; 4]);

impl Buffer {
    /// `self`
    #[resilient(retry = "auto", breaker = "user")]
    pub async fn moved(self, service: &Service) -> Result<u32> {
        service.ask().map(|attempt| attempt + self.0[0])
    }
}

/// Every parameter that people write.
#[allow(clippy::too_many_arguments)]
#[resilient(retry = "auto", breaker = "user")]
pub async fn parameters(
    service: &Service,
    mut text: String,
    (first, second): (u32, u32),
    [left, .., right]: &[u32; 3],
    _: Vec<u8>,
    _unused: Vec<u8>,
    _sink: &mut Vec<u8>,
    _pinned: Pin<&mut Vec<u8>>,
    mut view: &str,
    mut list: &mut Vec<u32>,
    r#type: u32,
    #[cfg(test)] _only: u32,
    #[cfg(not(test))] _other: u32,
) -> Result<String> {
    text.push('!');
    view = view.trim();
    list = &mut *list;
    list.push(1);
    let attempt = service.ask()?;
    Ok(format!("{text} {view} {first} {second} {left} {right} {} {type} {attempt}", list.len()))
}

resilient_runtime::policies! {
    /// Guards what is declared.
    breaker "user declared" { failure_threshold: 10, open_duration: "60s" }
    /// For those who have time.
    retry "patient" { max_attempts: 20, base_delay: "1s", max_delay: "2m" }
    /// Shared.
    budget "user" { capacity: 500, retry_cost: 5, timeout_cost: 10, success_refund: 1 }
}

/// The name of a breaker.
pub const DECLARED: &str = "user declared";

/// Every key.
#[resilient(
    retry = "patient",
    breaker(name = DECLARED, scope = "attempt"),
    attempt_timeout = "2s",
    deadline = "1m",
    idempotent = true,
    budget = "user",
    attempt = current
)]
pub async fn keys(service: &Service, _unused: String) -> Result<u32> {
    service.ask().map(|attempt| attempt + current.number())
}

/// A breaker for each value.
#[resilient(retry = "auto", breaker = "user/{collection}/{tenant}/{mode}")]
pub async fn keyed(
    service: &Service,
    collection: String,
    tenant: &str,
    mode: &mut u32,
) -> Result<String> {
    *mode += service.ask()?;
    Ok(format!("{collection}{mode}"))
}

#[resilient(retry = "auto", breaker = "user/{self.asked}", attempt_timeout = "2s")]
impl Store {
    /// `self` is part of the name.
    pub async fn keyed(self) -> Result<Self> {
        self.service.ask().map(|_attempt| self)
    }

    /// `self` is part of the name, and is moved.
    pub async fn keyed_and_moved(&mut self) -> Result<u32> {
        let this = self;
        this.service.ask()
    }
}

/// Names of our own.
#[allow(clippy::too_many_arguments)]
#[resilient(retry = "auto", breaker = "user")]
pub async fn names(
    __call: u32,
    __slot1: u32,
    __last: u32,
    __result: u32,
    __pause: u32,
    __self: &Service,
    __arg0: u32,
    __lent7: &mut u32,
    __claimed: u32,
) -> Result<u32> {
    *__lent7 += __claimed;
    Ok(__call + __slot1 + __last + __result + __pause + __arg0 + __self.ask()?)
}

/// Generics and lifetimes.
#[resilient(retry = "auto", breaker = "user")]
pub async fn generics<'a, T, const N: usize>(
    service: &Service,
    named: &'a str,
    value: T,
    array: [u8; N],
) -> Result<(&'a str, T, usize)>
where
    T: Clone + Debug,
{
    let _attempt = service.ask()?;
    Ok((named, value, array.len()))
}

/// `impl Trait` on both sides.
#[resilient(retry = "auto", breaker = "user")]
pub async fn opaque(
    service: &Service,
    shown: impl Display + Clone,
) -> Result<impl Iterator<Item = String>> {
    let attempt = service.ask()?;
    Ok((0..attempt).map(move |number| format!("{shown}{number}")))
}

/// A value that is not `Send`.
#[resilient(retry = "auto", breaker = "user")]
pub async fn not_send(service: &Service) -> Result<Rc<u32>> {
    service.ask().map(Rc::new)
}

/// Early returns, labels, closures and blocks.
#[resilient(retry = "auto", breaker = "user")]
pub async fn body(service: &Service, early: bool) -> Result<Box<dyn Display>> {
    let attempt = service.ask()?;
    if early {
        return Ok(Box::new("early"));
    }
    let mut rounds = 0;
    'outer: loop {
        for _ in 0..2 {
            rounds += 1;
            if rounds == attempt {
                break 'outer;
            }
        }
    }
    let sum = async { [1, 2].iter().map(|one| one * rounds).sum::<u32>() }.await;
    Ok(Box::new(sum))
}

/// Recursion.
#[resilient(retry = "auto", breaker = "user recursion")]
pub async fn recursion(service: &Service, depth: u32) -> Result<u32> {
    if depth == 0 {
        return service.ask();
    }
    Ok(1 + Box::pin(recursion(service, depth - 1)).await?)
}

/// Awaits nothing, which is expected.
#[expect(clippy::unused_async, clippy::similar_names, reason = "a crate may expect what it likes")]
#[resilient(retry = "auto", breaker = "user")]
pub async fn awaits_nothing(
    service: &Service,
    #[expect(clippy::similar_names)] servicf: String,
    #[expect(clippy::similar_names)] servich: u32,
) -> Result<u32> {
    Ok(service.ask()? + servich + u32::try_from(servicf.len()).unwrap_or(0))
}

#[expect(clippy::unused_async)]
#[resilient(retry = "auto", breaker = "user")]
impl Service {
    /// Awaits nothing either.
    pub async fn awaits_nothing(&self) -> Result<u32> {
        self.ask()
    }
}

/// A name that is a keyword.
#[resilient(retry = "auto", breaker = "user")]
pub async fn r#move(service: &Service) -> Result<u32> {
    service.ask()
}

/// In a span.
#[resilient(retry = "auto", breaker = "user")]
#[tracing::instrument(skip_all)]
pub async fn instrumented(service: &Service, text: String) -> Result<String> {
    Ok(format!("{text}{}", service.ask()?))
}

/// A trait with async functions.
#[allow(async_fn_in_trait)]
pub trait Ask {
    /// What is asked.
    fn service(&self) -> &Service;

    /// Implemented by others.
    async fn ask(&self, more: String) -> Result<String>;

    /// A default method.
    #[resilient(retry = "auto", breaker = "user")]
    async fn by_default(&self) -> Result<u32> {
        self.service().ask()
    }
}

impl Ask for Service {
    fn service(&self) -> &Service {
        self
    }

    #[resilient(retry = "auto", breaker = "user")]
    async fn ask(&self, more: String) -> Result<String> {
        Ok(format!("{}{more}", Self::ask(self)?))
    }
}

/// A trait of boxed futures.
#[async_trait]
pub trait AskBoxed {
    /// `&self`
    async fn shared_boxed(&self, more: String) -> Result<String>;

    /// `&mut self`
    async fn exclusive_boxed(&mut self) -> Result<u32>;

    /// `self`
    async fn moved_boxed(self) -> Result<u32>;

    /// No `self`.
    async fn none_boxed<T: Clone + Send + Sync>(service: &Service, value: T) -> Result<T>;
}

#[async_trait]
#[resilient(retry = "auto", breaker = "user boxed")]
impl AskBoxed for Store {
    async fn shared_boxed(&self, more: String) -> Result<String> {
        Ok(format!("{}{more}", self.service.ask()?))
    }

    async fn exclusive_boxed(&mut self) -> Result<u32> {
        self.asked += 1;
        self.service.ask().map(|_attempt| self.asked)
    }

    async fn moved_boxed(mut self) -> Result<u32> {
        self.asked += 1;
        self.service.ask().map(|_attempt| self.asked)
    }

    async fn none_boxed<T: Clone + Send + Sync>(service: &Service, value: T) -> Result<T> {
        let _attempt = service.ask()?;
        Ok(value)
    }
}

macro_rules! asks {
    ($name:ident, $argument:ident: $type:ty) => {
        /// Made by a macro.
        #[resilient(retry = "auto", breaker = "user")]
        pub async fn $name(service: &Service, $argument: $type) -> Result<$type> {
            let _attempt = service.ask()?;
            Ok($argument)
        }
    };
}

asks!(by_a_macro, argument: String);

/// An error that others have, too.
#[derive(Debug, Classify)]
pub enum Nested<E> {
    /// As the error inside.
    #[classify(transparent)]
    Inner(E),
    /// Not said.
    #[deprecated = "say more"]
    #[classify(kind = "unknown")]
    Unknown,
}

impl<E> Display for Nested<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nested")
    }
}

/// In which order a body drops what it has.
#[cfg(test)]
pub(crate) mod drop_order {
    use std::sync::Mutex;

    use super::{Result, resilient};

    type Log = Mutex<Vec<&'static str>>;

    struct Noted<'l>(&'static str, &'l Log);

    impl Noted<'_> {
        fn length(&self) -> usize {
            self.0.len()
        }
    }

    impl Drop for Noted<'_> {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    macro_rules! order {
        ($name:ident, $(#[$policy:meta])?) => {
            pub(crate) async fn $name() -> Vec<&'static str> {
                $(#[$policy])?
                async fn call(log: &Log) -> Result<usize> {
                    let _local = Noted("local", log);
                    Ok(Noted("temporary", log).length())
                }
                let log = Log::default();
                assert_eq!(call(&log).await.unwrap(), "temporary".len());
                log.into_inner().unwrap()
            }
        };
    }

    order!(plain,);
    order!(retried, #[resilient(retry = "auto")]);
    order!(guarded, #[resilient(breaker = "drop order")]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_send<T: Send>(value: T) -> T {
        value
    }

    #[tokio::test(start_paused = true)]
    async fn every_receiver_serves() {
        let store = Store::default;
        assert_eq!(assert_send(store().shared()).await.unwrap(), 3);
        let mut log = Vec::new();
        assert_eq!(assert_send(store().exclusive(&mut log)).await.unwrap(), 3);
        assert_eq!(log, [1, 2, 3]);
        assert_eq!(assert_send(store().guarded_call()).await.unwrap(), 3);
        assert_eq!(assert_send(store().by_constants()).await.unwrap(), 3);
        assert_eq!(assert_send(store().knows_its_attempt()).await.unwrap(), 3);
        assert_eq!(assert_send(store().guarded_and_knows_its_attempt()).await.unwrap(), 3);
        assert_eq!(assert_send(store().by_a_constant_like_ours()).await.unwrap(), 3);
        assert_eq!(assert_send(store().guarded_by_constants()).await.unwrap(), 3);
        assert_eq!(assert_send(store().guarded_call_returned()).await.unwrap(), 3);
        assert_eq!(assert_send(store().exclusive_and_moved()).await.unwrap(), 3);
        assert_eq!(assert_send(store().moved()).await.unwrap().asked, 0);
        assert_eq!(assert_send(store().moved_and_changed()).await.unwrap(), 1);
        assert_eq!(assert_send(Arc::new(store()).counted()).await.unwrap(), 3);
        assert_eq!(assert_send(Arc::new(store()).counted_and_lent()).await.unwrap(), 3);
        assert_eq!(assert_send(Pin::new(&mut store()).pinned()).await.unwrap(), 3);
        assert_eq!(assert_send(store().guarded()).await.unwrap(), 0);
        assert_eq!(assert_send(store().on_one_line()).await.unwrap(), 3);
        assert_eq!(assert_send(store().a_value()).await.unwrap(), 0);
        let service = Service::default;
        assert_eq!(assert_send(Limit(4).copied(&service())).await.unwrap(), 7);
        assert_eq!(assert_send(Limit(4).unused(&service())).await.unwrap(), 3);
        assert_eq!(assert_send(Buffer([4; 4]).moved(&service())).await.unwrap(), 7);
        assert_eq!(store().shared_boxed("!".into()).await.unwrap(), "3!");
        assert_eq!(store().exclusive_boxed().await.unwrap(), 3);
        assert_eq!(store().moved_boxed().await.unwrap(), 1);
        assert_eq!(Store::none_boxed(&Service::default(), 'x').await.unwrap(), 'x');
    }

    #[tokio::test(start_paused = true)]
    async fn every_parameter_serves() {
        let service = Service::default;
        let (mut list, mut sink, mut pinned, mut lent) = (vec![], vec![], vec![], 0);
        let asked = service();
        let call = parameters(
            &asked,
            "text".into(),
            (1, 2),
            &[3, 4, 5],
            vec![],
            vec![],
            &mut sink,
            Pin::new(&mut pinned),
            " view ",
            &mut list,
            6,
            7,
        );
        assert_eq!(assert_send(call).await.unwrap(), "text! view 1 2 3 5 3 6 3");
        assert_eq!(assert_send(keys(&service(), String::new())).await.unwrap(), 6);
        let keyed = service();
        let call = super::keyed(&keyed, "docs".into(), "tenant", &mut list[0]);
        assert_eq!(assert_send(call).await.unwrap(), "docs4");
        assert_eq!(assert_send(Store::default().keyed()).await.unwrap().asked, 0);
        assert_eq!(assert_send(Store::default().keyed_and_moved()).await.unwrap(), 3);
        assert_eq!(names(1, 2, 3, 4, 5, &service(), 6, &mut lent, 7).await.unwrap(), 24);
        assert_eq!(lent, 21);
        let call = generics(&asked, "named", 'x', [0; 4]);
        assert_eq!(assert_send(call).await.unwrap(), ("named", 'x', 4));
        let numbers: Vec<_> = opaque(&service(), 'n').await.unwrap().collect();
        assert_eq!(numbers, ["n0", "n1", "n2"]);
        assert_eq!(by_a_macro(&service(), "m".into()).await.unwrap(), "m");
    }

    #[tokio::test(start_paused = true)]
    async fn every_body_serves() {
        let service = Service::default;
        assert_eq!(*assert_send(not_send(&service())).await.unwrap(), 3);
        assert_eq!(body(&service(), true).await.unwrap().to_string(), "early");
        assert_eq!(body(&service(), false).await.unwrap().to_string(), "9");
        assert_eq!(recursion(&service(), 5).await.unwrap(), 8);
        assert_eq!(awaits_nothing(&service(), "x".repeat(2), 1).await.unwrap(), 6);
        assert_eq!(service().awaits_nothing().await.unwrap(), 3);
        assert_eq!(r#move(&service()).await.unwrap(), 3);
        assert_eq!(instrumented(&service(), "a".into()).await.unwrap(), "a3");
        assert_eq!(Ask::ask(&service(), "!".into()).await.unwrap(), "3!");
        assert_eq!(service().by_default().await.unwrap(), 3);
    }
}
