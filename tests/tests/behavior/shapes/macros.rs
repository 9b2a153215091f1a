//! Functions that macros make.

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

macro_rules! method {
    ($name:ident($self:ident $(: $of:ty)?) $body:expr) => {
        #[resilient(retry, breaker = "macros")]
        async fn $name($self $(: $of)?) -> Result<u32, Failure> {
            $body
        }
    };
    (&mut $name:ident($self:ident) $body:expr) => {
        #[resilient(retry, breaker = "macros")]
        async fn $name(&mut $self) -> Result<u32, Failure> {
            $body
        }
    };
}

#[derive(Clone, Default)]
struct Store(Arc<Flaky>);

fn asked(store: &mut Store) -> Result<u32, Failure> {
    store.0.ask()
}

impl Store {
    method!(value(self) self.0.ask());
    method!(counted(self: Arc<Self>) self.0.ask());
    method!(&mut exclusive(self) asked(self));
}

#[tokio::test(start_paused = true)]
async fn methods_made_by_macros_serve() {
    let store = Store::default;
    assert_eq!(store().value().await, Ok(3));
    assert_eq!(Arc::new(store()).counted().await, Ok(3));
    assert_eq!(store().exclusive().await, Ok(3));
}
