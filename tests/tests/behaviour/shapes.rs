//! The attribute on every shape of function that people write. Each runs: a service fails twice,
//! so the third attempt answers, with the values as they were given.

use std::cell::Cell;
use std::fmt::{Debug, Display};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use resilient_runtime::resilient;
use resilient_tests::{DOWN, Failure, WRONG};

/// Fails twice, and then says how often it was asked.
#[derive(Debug, Default)]
struct Flaky(AtomicU32);

impl Flaky {
    fn ask(&self) -> Result<u32, Failure> {
        let attempt = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        if attempt < 3 { Err(DOWN) } else { Ok(attempt) }
    }
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

mod receivers {
    use super::*;

    #[derive(Clone, Debug, Default)]
    struct Store {
        service: Arc<Flaky>,
        asked: u32,
    }

    impl Store {
        #[resilient(retry, breaker = "receivers")]
        async fn shared(&self) -> Result<u32, Failure> {
            self.service.ask()
        }

        #[resilient(retry, breaker = "receivers")]
        async fn exclusive(&mut self, by: u32) -> Result<u32, Failure> {
            self.asked += by;
            self.service.ask()?;
            Ok(self.asked)
        }

        #[resilient(retry, breaker = "receivers")]
        async fn moved(self) -> Result<Self, Failure> {
            self.service.ask()?;
            Ok(self)
        }

        #[resilient(retry, breaker = "receivers")]
        async fn moved_and_changed(mut self, by: u32) -> Result<u32, Failure> {
            self.asked += by;
            self.service.ask()?;
            let Self { asked, .. } = self;
            Ok(asked)
        }

        #[resilient(retry, breaker = "receivers")]
        async fn counted(self: Arc<Self>) -> Result<u32, Failure> {
            let owned = self;
            owned.service.ask()
        }

        #[resilient(retry, breaker = "receivers")]
        async fn counted_and_lent(self: &Arc<Self>) -> Result<u32, Failure> {
            Arc::clone(self).service.ask()
        }

        #[resilient(retry, breaker = "receivers")]
        async fn pinned(self: Pin<&mut Self>) -> Result<u32, Failure> {
            self.service.ask()
        }

        #[resilient(retry, breaker = "receivers")]
        async fn none(service: &Flaky) -> Result<u32, Failure> {
            service.ask()
        }
    }

    impl Store {
        #[resilient(retry, breaker = "receivers")]
        async fn shadowed(self) -> Result<u32, Failure> {
            let self_ = Self { asked: 40, ..self.clone() };
            let __self = Self { asked: 400, ..self.clone() };
            self.service.ask()?;
            Ok(self.asked + self_.asked + __self.asked)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_like_the_one_that_self_gets_is_another() {
        let store = Store { asked: 4, ..Store::default() };
        assert_eq!(store.shadowed().await, Ok(444));
    }

    #[tokio::test(start_paused = true)]
    async fn every_receiver_serves() {
        let store = Store::default;
        assert_eq!(assert_send(store().shared()).await, Ok(3));
        assert_eq!(assert_send(store().exclusive(2)).await, Ok(6), "each attempt counts");
        assert_eq!(assert_send(store().moved()).await.unwrap().asked, 0);
        assert_eq!(assert_send(store().moved_and_changed(2)).await, Ok(2), "only the last counts");
        assert_eq!(assert_send(Arc::new(store()).counted()).await, Ok(3));
        assert_eq!(assert_send(Arc::new(store()).counted_and_lent()).await, Ok(3));
        assert_eq!(assert_send(Pin::new(&mut store()).pinned()).await, Ok(3));
        assert_eq!(assert_send(Store::none(&Flaky::default())).await, Ok(3));
    }
}

mod parameters {
    use super::*;

    struct Query {
        text: String,
        limit: u32,
    }

    impl Clone for Query {
        fn clone(&self) -> Self {
            Self { text: self.text.clone(), limit: self.limit }
        }
    }

    #[resilient(retry)]
    async fn destructured(
        service: &Flaky,
        Query { text, mut limit }: Query,
        [first, .., last]: [u32; 3],
        &(left, right): &(u32, u32),
        _: String,
        #[cfg(test)] present: u32,
        #[cfg(not(test))] absent: u32,
    ) -> Result<String, Failure> {
        limit += service.ask()?;
        Ok(format!("{text} {limit} {first} {last} {left} {right} {present}"))
    }

    #[resilient(retry)]
    async fn ignoring(
        service: &Flaky,
        #[expect(unused_variables)] unused: u32,
        _ignored: String,
    ) -> Result<u32, Failure> {
        service.ask()
    }

    #[resilient(retry)]
    async fn rebound(
        service: &Flaky,
        mut view: &str,
        mut sum: &mut u32,
        r#type: String,
    ) -> Result<(String, String), Failure> {
        view = &view[1..];
        sum = &mut *sum;
        *sum += 1;
        service.ask()?;
        Ok((view.to_owned(), r#type))
    }

    #[tokio::test(start_paused = true)]
    async fn every_pattern_serves() {
        let query = Query { text: "q".into(), limit: 10 };
        let call =
            destructured(&Flaky::default(), query, [1, 2, 3], &(4, 5), String::new(), 6).await;
        assert_eq!(call.unwrap(), "q 13 1 3 4 5 6");

        assert_eq!(ignoring(&Flaky::default(), 0, String::new()).await, Ok(3));

        let mut sum = 0;
        let (view, raw) = rebound(&Flaky::default(), "view", &mut sum, "t".into()).await.unwrap();
        assert_eq!((view.as_str(), raw.as_str(), sum), ("iew", "t", 3));
    }
}

mod generics {
    use super::*;

    #[resilient(retry)]
    async fn of_everything<'a, T, const N: usize>(
        service: &Flaky,
        named: &'a str,
        elided: &str,
        value: T,
        array: [u8; N],
    ) -> Result<(&'a str, usize, T, usize), Failure>
    where
        T: Clone + Debug,
    {
        service.ask()?;
        Ok((named, elided.len(), value, array.len()))
    }

    #[resilient(retry, breaker = "generics")]
    async fn opaque(
        service: &Flaky,
        shown: impl Display + Clone + Send,
    ) -> Result<impl Iterator<Item = String>, Failure> {
        let attempt = service.ask()?;
        Ok((0..attempt).map(move |number| format!("{shown}{number}")))
    }

    #[tokio::test(start_paused = true)]
    async fn generics_and_lifetimes_serve() {
        let call = of_everything(&Flaky::default(), "named", "elided", 'x', [0; 4]).await;
        assert_eq!(call, Ok(("named", 6, 'x', 4)));
        let service = Flaky::default();
        let call = assert_send(opaque(&service, 'n')).await.unwrap();
        assert_eq!(call.collect::<Vec<_>>(), ["n0", "n1", "n2"]);
    }
}

mod results {
    use std::error::Error;
    use std::io;

    use qdrant_client::QdrantError;

    use super::*;

    type OurResult<T> = Result<T, Failure>;
    type QdrantResult<T> = Result<T, QdrantError>;

    #[resilient(retry)]
    async fn alias(service: &Flaky) -> OurResult<u32> {
        service.ask()
    }

    #[resilient(retry, breaker = "results")]
    async fn qdrant(service: &Flaky) -> QdrantResult<u32> {
        service.ask().map_err(|_| QdrantError::Io(io::ErrorKind::StorageFull.into()))
    }

    #[resilient(retry)]
    async fn input_output(service: &Flaky) -> io::Result<u32> {
        service.ask().map_err(|_| io::ErrorKind::ConnectionReset.into())
    }

    #[resilient(retry, breaker = "results")]
    async fn boxed(service: &Flaky) -> Result<u32, Box<dyn Error + Send + Sync>> {
        Ok(service.ask().map_err(|_| io::Error::from(io::ErrorKind::ConnectionReset))?)
    }

    #[resilient(retry)]
    async fn not_send(service: &Flaky) -> Result<Rc<u32>, Failure> {
        service.ask().map(Rc::new)
    }

    #[tokio::test(start_paused = true)]
    async fn every_result_serves() {
        assert_eq!(alias(&Flaky::default()).await, Ok(3));
        assert_eq!(qdrant(&Flaky::default()).await.unwrap(), 3);
        assert_eq!(input_output(&Flaky::default()).await.unwrap(), 3);
        assert_eq!(boxed(&Flaky::default()).await.unwrap(), 3);
        assert_eq!(*assert_send(not_send(&Flaky::default())).await.unwrap(), 3);
    }
}

mod bodies {
    use super::*;

    #[resilient(retry)]
    async fn leaves_early(service: &Flaky, early: bool) -> Result<Box<dyn Display>, Failure> {
        service.ask()?;
        if early {
            return Ok(Box::new("early"));
        }
        Ok(Box::new(7))
    }

    #[resilient(retry)]
    async fn has_labels(service: &Flaky) -> Result<u32, Failure> {
        let mut rounds = 0;
        'outer: loop {
            loop {
                rounds += 1;
                if rounds == 4 {
                    break 'outer;
                }
                if rounds % 2 == 0 {
                    continue 'outer;
                }
            }
        }
        let sum = async { rounds + [1, 2].iter().map(|one| one * rounds).sum::<u32>() }.await;
        Ok(sum + service.ask()?)
    }

    #[resilient(retry, breaker = "recursion")]
    async fn recurses(service: &Flaky, depth: u32) -> Result<u32, Failure> {
        if depth == 0 {
            return service.ask();
        }
        Ok(1 + Box::pin(recurses(service, depth - 1)).await?)
    }

    #[resilient(retry)]
    async fn never_succeeds() -> Result<u32, Failure> {
        Err(WRONG)
    }

    #[resilient(retry)]
    async fn diverges(service: &Flaky) -> Result<u32, Failure> {
        let attempt = service.ask()?;
        if attempt < 3 {
            unreachable!("the first attempts fail");
        } else {
            return Ok(attempt);
        }
    }

    #[rustfmt::skip]
    #[resilient(retry)]
    async fn on_one_line(service: &Flaky) -> Result<u32, Failure> { service.ask() }

    /// Draws no warning of code that is not reached.
    #[resilient(retry, breaker = "bodies")]
    async fn _unfinished() -> Result<u32, Failure> {
        unimplemented!("some day")
    }

    #[resilient(breaker = "bodies")]
    async fn _unfinished_too() -> Result<u32, Failure> {
        unimplemented!("some day")
    }

    #[tokio::test(start_paused = true)]
    async fn every_body_serves() {
        let early = leaves_early(&Flaky::default(), true).await.unwrap();
        assert_eq!(early.to_string(), "early");
        let late = leaves_early(&Flaky::default(), false).await.unwrap();
        assert_eq!(late.to_string(), "7");
        assert_eq!(has_labels(&Flaky::default()).await, Ok(4 + 12 + 3));
        assert_eq!(recurses(&Flaky::default(), 5).await, Ok(8));
        assert_eq!(on_one_line(&Flaky::default()).await, Ok(3));
        assert_eq!(never_succeeds().await, Err(WRONG));
        assert_eq!(diverges(&Flaky::default()).await, Ok(3));
    }
}

mod traits {
    use super::*;

    trait Ask {
        fn service(&self) -> &Flaky;

        async fn ask(&self, more: String) -> Result<String, Failure>;

        #[resilient(retry, breaker = "traits")]
        async fn by_default(&self) -> Result<u32, Failure> {
            self.service().ask()
        }
    }

    impl Ask for Flaky {
        fn service(&self) -> &Flaky {
            self
        }

        #[resilient(retry, breaker = "traits")]
        async fn ask(&self, more: String) -> Result<String, Failure> {
            Ok(format!("{}{more}", Flaky::ask(self)?))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn implementations_and_default_methods_serve() {
        assert_eq!(Ask::ask(&Flaky::default(), "!".into()).await.unwrap(), "3!");
        assert_eq!(Flaky::default().by_default().await, Ok(3));
    }
}

mod async_trait {
    use ::async_trait::async_trait;

    use super::*;

    #[derive(Clone, Default)]
    struct Store {
        service: Arc<Flaky>,
        asked: u32,
    }

    #[async_trait]
    trait Ask {
        async fn shared(&self, text: &str, more: String) -> Result<String, Failure>;
        async fn exclusive(&mut self, log: &mut Vec<u32>) -> Result<u32, Failure>;
        async fn counted(self: Arc<Self>, (one, two): (u32, u32)) -> Result<u32, Failure>;
        async fn none<T: Clone + Send + Sync>(service: &Flaky, value: T) -> Result<T, Failure>;

        #[resilient(breaker = "async_trait")]
        async fn by_default(&self) -> Result<u32, Failure> {
            Ok(7)
        }
    }

    #[async_trait]
    impl Ask for Store {
        #[resilient(retry, breaker = "async_trait")]
        async fn shared(&self, text: &str, more: String) -> Result<String, Failure> {
            let attempt = self.service.ask()?;
            Ok(format!("{text}{attempt}{more}"))
        }

        #[resilient(retry, breaker = "async_trait")]
        async fn exclusive(&mut self, log: &mut Vec<u32>) -> Result<u32, Failure> {
            self.asked += 1;
            log.push(self.asked);
            self.service.ask()
        }

        #[resilient(retry, breaker = "async_trait")]
        async fn counted(self: Arc<Self>, (one, two): (u32, u32)) -> Result<u32, Failure> {
            Ok(self.service.ask()? + one + two)
        }

        #[resilient(retry)]
        async fn none<T: Clone + Send + Sync>(service: &Flaky, value: T) -> Result<T, Failure> {
            service.ask()?;
            Ok(value)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn methods_of_async_trait_serve() {
        let store = Store::default;
        assert_eq!(assert_send(store().shared("a", "b".into())).await.unwrap(), "a3b");
        let mut log = Vec::new();
        assert_eq!(assert_send(store().exclusive(&mut log)).await, Ok(3));
        assert_eq!(log, [1, 2, 3]);
        assert_eq!(assert_send(Arc::new(store()).counted((1, 2))).await, Ok(6));
        assert_eq!(assert_send(Store::none(&Flaky::default(), 'x')).await, Ok('x'));
        assert_eq!(store().by_default().await, Ok(7));
    }
}

mod macros {
    use super::*;

    macro_rules! asks {
        ($name:ident, $argument:ident: $type:ty, $($policy:tt)*) => {
            #[resilient($($policy)*)]
            async fn $name(service: &Flaky, $argument: $type) -> Result<$type, Failure> {
                service.ask()?;
                Ok($argument)
            }
        };
        ($name:ident, $service:ident $body:block) => {
            #[resilient(retry)]
            async fn $name($service: &Flaky) -> Result<u32, Failure> $body
        };
    }

    asks!(value, argument: String, retry, breaker = "macros");
    asks!(reference, argument: &'static str, retry);
    asks!(block, service { service.ask() });

    #[tokio::test(start_paused = true)]
    async fn functions_made_by_macros_serve() {
        assert_eq!(value(&Flaky::default(), "v".into()).await.unwrap(), "v");
        assert_eq!(reference(&Flaky::default(), "r").await, Ok("r"));
        assert_eq!(block(&Flaky::default()).await, Ok(3));
    }
}

mod elsewhere {
    //! The runtime under another name, as a crate that re-exports it has it.

    use super::*;

    mod facade {
        pub(super) use resilient_runtime as resilience;
    }

    #[resilient(
        crate = self::facade::resilience,
        retry(row = "timeout_error", max_attempts = 3),
        breaker(name = "elsewhere", failure_threshold = 2)
    )]
    async fn by_another_path(service: &Flaky, text: String) -> Result<String, Failure> {
        Ok(format!("{text}{}", service.ask()?))
    }

    #[tokio::test(start_paused = true)]
    async fn a_runtime_under_another_name_serves() {
        assert_eq!(by_another_path(&Flaky::default(), "a".into()).await.unwrap(), "a3");
    }
}

/// Where `#[tracing::instrument]` stands decides what a span is of.
mod instrumented {
    use resilient_tests::events::Spans;
    use tracing::instrument;

    use super::*;

    #[instrument(skip_all)]
    #[resilient(retry)]
    async fn above(service: &Flaky) -> Result<u32, Failure> {
        service.ask()
    }

    #[resilient(retry)]
    #[instrument(skip_all)]
    async fn below(service: &Flaky) -> Result<u32, Failure> {
        service.ask()
    }

    #[tokio::test(start_paused = true)]
    async fn spans_are_of_calls_or_of_attempts() {
        let spans = Spans::count();
        above(&Flaky::default()).await.unwrap();
        let above = spans.made();
        below(&Flaky::default()).await.unwrap();
        assert_eq!((above, spans.made() - above), (3, 1));
    }
}

mod auto_traits {
    use super::*;

    #[resilient(retry, breaker = "auto traits")]
    async fn of_a_cell(service: &Flaky, cell: Cell<u32>) -> Result<u32, Failure> {
        tokio::task::yield_now().await;
        cell.set(cell.get() + service.ask()?);
        Ok(cell.get())
    }

    #[tokio::test(start_paused = true)]
    async fn an_argument_need_not_be_sync() {
        assert_eq!(assert_send(of_a_cell(&Flaky::default(), Cell::new(4))).await, Ok(7));
    }

    #[resilient(retry, breaker = "auto traits")]
    async fn spawned(service: Arc<Flaky>, text: String) -> Result<String, Failure> {
        tokio::task::yield_now().await;
        Ok(format!("{text}{}", service.ask()?))
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_can_be_spawned() {
        let call = tokio::spawn(spawned(Arc::default(), "a".into()));
        assert_eq!(call.await.unwrap().unwrap(), "a3");
    }
}
