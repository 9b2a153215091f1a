//! The attribute on an `impl` block.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use resilient_runtime::{breaker, resilient};
use resilient_tests::events::Events;
use resilient_tests::{DOWN, Failure};

#[derive(Default)]
struct Store(AtomicU32);

type StoreResult<T> = Result<T, Failure>;

#[resilient(retry = "rate_limit_error", breaker = "impl block")]
impl Store {
    const ATTEMPTS: u32 = 5;

    fn ask(&self) -> Result<u32, Failure> {
        let attempt = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        if attempt < Self::ATTEMPTS { Err(DOWN) } else { Ok(attempt) }
    }

    /// A documented method.
    async fn by_the_block(&self) -> StoreResult<u32> {
        self.ask()
    }

    #[resilient(retry(max_attempts = 2, base_delay = "1ms"))]
    async fn by_a_key_of_its_own(&self) -> Result<u32, Failure> {
        self.ask()
    }

    #[resilient(skip)]
    async fn left_out(&self) -> Result<u32, Failure> {
        tokio::task::yield_now().await;
        self.ask()
    }

    async fn no_result(&self) -> u32 {
        tokio::task::yield_now().await;
        self.0.load(Ordering::Relaxed)
    }
}

type Answer = Result<u32, Failure>;

macro_rules! asks {
    ($store:ident, $name:ident, $returns:ty) => {
        #[resilient(retry = "rate_limit_error")]
        impl $store {
            async fn $name(&self) -> $returns {
                self.ask()
            }
        }
    };
}

asks!(Store, by_a_macro, Result<u32, Failure>);

#[resilient(retry = "rate_limit_error", breaker = "impl block by alias")]
impl Store {
    #![allow(clippy::same_name_method)]

    #[resilient(retry(max_attempts = 2, base_delay = "1ms"))]
    async fn by_alias(&self) -> Answer {
        self.ask()
    }

    #[resilient(skip)]
    fn not_async(&self) -> Answer {
        self.ask()
    }
}

#[tokio::test(start_paused = true)]
async fn a_method_with_the_attribute_is_meant_whatever_its_type_is_called() {
    let store = Store::default();
    assert_eq!(store.by_alias().await, Err(DOWN));
    assert_eq!(store.0.load(Ordering::Relaxed), 2);
    let breaker = breaker("impl block by alias").unwrap();
    assert_eq!(breaker.stats().totals.failures, 1, "the breaker is that of the block");
    assert_eq!(store.not_async(), Err(DOWN));
}

#[tokio::test(start_paused = true)]
async fn a_type_that_a_macro_passes_on_is_seen() {
    assert_eq!(Store::default().by_a_macro().await, Ok(5));
}

#[async_trait]
trait Ask {
    async fn ask_boxed(self: Arc<Self>) -> Result<u32, Failure>;
}

#[async_trait]
#[resilient(retry = "rate_limit_error")]
impl Ask for Store {
    async fn ask_boxed(self: Arc<Self>) -> Result<u32, Failure> {
        self.ask()
    }
}

mod above_async_trait {
    use super::*;

    pub(super) struct Wrapper(pub(super) Arc<Store>);

    #[resilient(retry = "rate_limit_error")]
    #[async_trait]
    impl Ask for Wrapper {
        async fn ask_boxed(self: Arc<Self>) -> Result<u32, Failure> {
            self.0.ask()
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_applies_to_async_methods_that_return_a_result() {
    assert_eq!(Store::default().by_the_block().await, Ok(5));
    assert_eq!(Arc::new(Store::default()).ask_boxed().await, Ok(5));
    let wrapper = above_async_trait::Wrapper(Arc::default());
    assert_eq!(Arc::new(wrapper).ask_boxed().await, Ok(5));
    assert_eq!(Store::default().no_result().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_methods_own_key_wins_and_the_others_stay() {
    let store = Store::default();
    let failures = || breaker("impl block").unwrap().stats().totals.failures;
    let before = failures();
    assert_eq!(store.by_a_key_of_its_own().await, Err(DOWN));
    assert_eq!(store.0.load(Ordering::Relaxed), 2);
    assert_eq!(failures(), before + 1, "the breaker is that of the block");
}

#[tokio::test(start_paused = true)]
async fn a_method_can_be_left_out() {
    let store = Store::default();
    assert_eq!(store.left_out().await, Err(DOWN));
    assert_eq!(store.0.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn events_call_a_method_by_its_type_too() {
    let events = Events::catch();
    Store::default().by_the_block().await.unwrap();
    let function = concat!(module_path!(), "::Store::by_the_block");
    assert_eq!(events.named("retrying")[0].field("function"), function);
}

/// What the block says may need what a method says.
#[resilient(budget = "impl block", attempt = ctx)]
impl Store {
    #[resilient(retry = "rate_limit_error")]
    async fn with_a_budget(&self) -> Result<u32, Failure> {
        Ok(self.ask()? + ctx.number())
    }

    #[resilient(retry = "timeout_error")]
    async fn without_a_look_at_its_attempt(&self) -> Result<u32, Failure> {
        self.ask()
    }
}

#[tokio::test(start_paused = true)]
async fn the_keys_of_the_block_go_together_with_those_of_each_method() {
    assert_eq!(Store::default().with_a_budget().await, Ok(5 + 5));
    assert_eq!(Store::default().without_a_look_at_its_attempt().await, Err(DOWN));
}
