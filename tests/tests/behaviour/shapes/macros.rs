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
