//! Async functions in traits.

use resilient_runtime::{Classify, Rejection};

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

trait Fetch: Clone + Send + Sync {
    type Item: Clone + Send;
    type Error: Classify + From<Rejection> + From<Failure> + Send;

    const MORE: u32;

    #[resilient(retry, breaker = "traits")]
    async fn fetch(
        self,
        service: &Flaky,
        item: Self::Item,
    ) -> Result<(u32, Self::Item), Self::Error> {
        Ok((service.ask()? + Self::MORE, item))
    }

    #[resilient(retry, breaker = "traits")]
    async fn of_none(service: &Flaky) -> Result<Option<Self>, Self::Error>
    where
        Self: Default,
    {
        Ok((service.ask()? == 3).then(Self::default))
    }

    #[resilient(retry, breaker = "traits")]
    async fn exclusive(&mut self, service: &Flaky) -> Result<&'static str, Self::Error> {
        let this = self;
        *this = this.clone();
        service.ask()?;
        Ok("exclusive")
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Fetcher;

impl Fetch for Fetcher {
    type Item = char;
    type Error = Failure;

    const MORE: u32 = 4;
}

#[tokio::test(start_paused = true)]
async fn default_methods_by_associated_types_serve() {
    let service = Flaky::default;
    assert_eq!(Fetcher.fetch(&service(), 'x').await, Ok((7, 'x')));
    assert_eq!(Fetcher::of_none(&service()).await, Ok(Some(Fetcher)));
    assert_eq!(Fetcher.exclusive(&service()).await, Ok("exclusive"));
}
