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
