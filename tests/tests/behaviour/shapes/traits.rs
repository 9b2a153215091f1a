//! Async functions in traits.

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
