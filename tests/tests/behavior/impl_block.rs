//! The attribute on an `impl` block.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use resilient_runtime::{breaker, catalog, resilient};
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

/// Of a trait with an argument, a type may have several implementations.
trait Find<T> {
    async fn find(&self) -> StoreResult<u32>;

    fn is_cached(&self) -> bool;
}

struct Docs;

struct Images<T>(T);

#[resilient(retry = "rate_limit_error")]
impl Find<Docs> for Store {
    async fn find(&self) -> StoreResult<u32> {
        self.ask()
    }

    fn is_cached(&self) -> bool {
        false
    }
}

#[resilient(retry = "rate_limit_error")]
impl Find<Images<&'static [u8]>> for Store {
    async fn find(&self) -> StoreResult<u32> {
        self.ask()
    }

    #[resilient(skip)]
    fn is_cached(&self) -> bool {
        true
    }
}

#[resilient(retry = "rate_limit_error")]
impl<T> Find<T> for &(Store, u8) {
    async fn find(&self) -> StoreResult<u32> {
        self.0.ask()
    }

    fn is_cached(&self) -> bool {
        self.1 > 0
    }
}

#[tokio::test(start_paused = true)]
async fn methods_of_several_implementations_of_a_trait_have_different_names() {
    let events = Events::catch();
    let store = (Store::default(), 1);
    Find::<Docs>::find(&store.0).await.unwrap();
    let called = Store::default();
    Find::<Images<&'static [u8]>>::find(&called).await.unwrap();
    store.0.0.store(0, Ordering::Relaxed);
    Find::<Docs>::find(&&store).await.unwrap();
    let mut functions: Vec<_> =
        events.named("retrying").iter().map(|it| it.field("function").to_owned()).collect();
    functions.dedup();
    let named = |name| format!("{}::{name}::find", module_path!());
    let expected = [
        "<Store as Find<Docs>>",
        "<Store as Find<Images<&'static[u8]>>>",
        "<&(Store, u8) as Find<T>>",
    ];
    assert_eq!(functions, expected.map(named));
    assert!(Find::<Images<&'static [u8]>>::is_cached(&called));
    assert!(Find::<Docs>::is_cached(&&store) && !Find::<Docs>::is_cached(&called));
    let _ = Images(0).0;
}

#[test]
fn the_catalog_lists_the_methods_that_a_block_passes_over_and_why() {
    let catalog = catalog();
    let reason = |name: &str| {
        let name = format!("{}::{name}", module_path!());
        let method = catalog.passed_over().iter().find(|method| method.name() == name)?;
        assert!(method.file().ends_with("impl_block.rs"));
        let place = format!("{}:{} {name}: ", method.file(), method.line());
        assert_eq!(method.to_string(), place + method.reason());
        Some(method.reason())
    };
    assert_eq!(reason("Store::ask"), Some("not an async function"));
    let no_result = "the name of its return type does not end in `Result`";
    assert_eq!(reason("Store::no_result"), Some(no_result));
    assert_eq!(reason("Store::left_out"), Some("left out by `#[resilient(skip)]`"));
    assert_eq!(reason("<Store as Find<Docs>>::is_cached"), Some("not an async function"));
    assert_eq!(reason("Store::by_the_block"), None, "it has a policy");
    assert_eq!(reason("Store::by_alias"), None, "it has a policy");
    assert_eq!(reason("<Store as Ask>::ask_boxed"), None, "it has a policy");
    assert_eq!(reason("Store::under_a_condition"), None, "it does not exist");
}

#[resilient(retry = "rate_limit_error")]
impl Store {
    async fn exists(&self) -> Result<u32, Failure> {
        self.ask()
    }

    #[cfg(any())]
    fn under_a_condition(&self) {}
}

#[tokio::test(start_paused = true)]
async fn a_method_under_a_condition_is_listed_only_if_it_exists() {
    assert_eq!(Store::default().exists().await, Ok(5));
}
