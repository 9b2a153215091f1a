//! What the future of a call is, as the plain function's: `Send`, without more of its arguments.

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

#[derive(Clone)]
struct Counter(Cell<u32>);

impl Counter {
    #[resilient(retry, breaker = "auto traits")]
    async fn count(self, service: &Flaky) -> Result<u32, Failure> {
        tokio::task::yield_now().await;
        self.0.set(self.0.get() + service.ask()?);
        tokio::task::yield_now().await;
        Ok(self.0.get())
    }
}

#[tokio::test(start_paused = true)]
async fn self_by_value_need_not_be_sync() {
    assert_eq!(assert_send(Counter(Cell::new(4)).count(&Flaky::default())).await, Ok(7));
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

#[resilient(retry, breaker = "auto traits")]
async fn local(service: Rc<Flaky>) -> Result<Rc<u32>, Failure> {
    tokio::task::yield_now().await;
    service.ask().map(Rc::new)
}

#[tokio::test(start_paused = true)]
async fn what_is_not_send_serves_on_its_own_thread() {
    assert_eq!(local(Rc::default()).await, Ok(Rc::new(3)));
}
