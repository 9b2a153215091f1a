//! Methods of `#[async_trait]`.

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
    async fn moved(self) -> Result<u32, Failure>;
    async fn boxed(mut self: Box<Self>) -> Result<u32, Failure>;
    async fn pinned(self: Pin<&mut Self>) -> Result<u32, Failure>;
    async fn counted_and_lent(self: &Arc<Self>) -> Result<u32, Failure>;
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

    #[resilient(retry, breaker = "async_trait")]
    async fn moved(mut self) -> Result<u32, Failure> {
        self.asked += 1;
        self.service.ask()?;
        Ok(self.asked)
    }

    #[resilient(retry, breaker = "async_trait")]
    async fn boxed(mut self: Box<Self>) -> Result<u32, Failure> {
        self.asked += 1;
        self.service.ask()?;
        Ok(self.asked)
    }

    #[resilient(retry, breaker = "async_trait")]
    async fn pinned(self: Pin<&mut Self>) -> Result<u32, Failure> {
        let this = self.get_mut();
        this.asked += 1;
        this.service.ask()?;
        Ok(this.asked)
    }

    #[resilient(retry, breaker = "async_trait")]
    async fn counted_and_lent(self: &Arc<Self>) -> Result<u32, Failure> {
        self.service.ask()
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
    assert_eq!(assert_send(store().moved()).await, Ok(1), "only the last counts");
    assert_eq!(assert_send(Box::new(store()).boxed()).await, Ok(1), "only the last counts");
    assert_eq!(assert_send(Pin::new(&mut store()).pinned()).await, Ok(3), "each attempt counts");
    assert_eq!(assert_send(Arc::new(store()).counted_and_lent()).await, Ok(3));
    assert_eq!(assert_send(Store::none(&Flaky::default(), 'x')).await, Ok('x'));
    assert_eq!(store().by_default().await, Ok(7));
}

/// A trait whose futures need not be `Send`.
#[async_trait(?Send)]
trait AskLocally {
    async fn ask(&self, cell: Rc<Cell<u32>>) -> Result<u32, Failure>;
}

#[async_trait(?Send)]
#[resilient(retry, breaker = "async_trait")]
impl AskLocally for Flaky {
    async fn ask(&self, cell: Rc<Cell<u32>>) -> Result<u32, Failure> {
        cell.set(cell.get() + 1);
        Flaky::ask(self)
    }
}

#[tokio::test(start_paused = true)]
async fn methods_that_are_not_send_serve() {
    let cell = Rc::default();
    assert_eq!(AskLocally::ask(&Flaky::default(), Rc::clone(&cell)).await, Ok(3));
    assert_eq!(cell.get(), 3);
}

/// What others write by hand.
mod boxed_by_hand {
    use super::*;

    impl Store {
        #[resilient(retry, breaker = "boxed by hand")]
        fn shared_by_hand(
            &self,
            text: String,
        ) -> Pin<Box<dyn Future<Output = Result<String, Failure>> + Send + '_>> {
            Box::pin(async move { Ok(format!("{text}{}", self.service.ask()?)) })
        }

        #[resilient(retry, breaker = "boxed by hand")]
        fn exclusive_by_hand(
            &mut self,
        ) -> Pin<Box<dyn Future<Output = Result<u32, Failure>> + Send + '_>> {
            Box::pin(async move {
                self.asked += 1;
                let this = self;
                this.service.ask()?;
                Ok(this.asked)
            })
        }

        #[resilient(retry, breaker = "boxed by hand")]
        fn moved_by_hand(
            self,
        ) -> Pin<Box<dyn Future<Output = Result<Self, Failure>> + Send + 'static>> {
            Box::pin(async move {
                self.service.ask()?;
                Ok(self)
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn methods_that_box_their_future_serve() {
        let store = Store::default;
        assert_eq!(store().shared_by_hand("b".into()).await.unwrap(), "b3");
        assert_eq!(store().exclusive_by_hand().await, Ok(3));
        assert_eq!(store().moved_by_hand().await.unwrap().asked, 0);
    }
}
