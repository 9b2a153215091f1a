//! One breaker for each value of the arguments.

use std::collections::BTreeSet;
use std::fmt;

use resilient_runtime::test::{isolated, spawn};
use resilient_runtime::{BreakerState, breaker, breakers, policies, resilient};
use resilient_tests::{DOWN, Failure};

#[resilient(retry, breaker(name = "keyed/{collection}/{limit}", failure_threshold = 1))]
async fn search(collection: String, limit: u32, down: bool) -> Result<String, Failure> {
    if down { Err(DOWN) } else { Ok(collection) }
}

#[tokio::test(start_paused = true)]
async fn each_value_of_the_arguments_has_a_breaker_of_its_own() {
    assert!(breaker("keyed/docs/10").is_none(), "none is there before its first call");
    assert_eq!(search("docs".into(), 10, true).await, Err(DOWN));
    assert!(search("docs".into(), 10, false).await.unwrap_err().is_rejection());
    assert_eq!(search("docs".into(), 20, false).await.unwrap(), "docs");
    assert_eq!(search("pages".into(), 10, false).await.unwrap(), "pages");
    let docs = breaker("keyed/docs/10").unwrap();
    assert_eq!((docs.state(), docs.stats().totals.rejected), (BreakerState::Open, 1));
    let names: BTreeSet<_> = breakers().iter().map(|it| it.name().to_string()).collect();
    assert!(names.contains("keyed/docs/20") && names.contains("keyed/pages/10"), "{names:?}");
}

struct Tenant {
    names: (String, u32),
}

impl Tenant {
    #[resilient(breaker = "tenant {{{self.names.0}}}")]
    async fn ask(&self) -> Result<(), Failure> {
        Ok(())
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.names.1)
    }
}

#[resilient(breaker = "all of {self}")]
impl Tenant {
    async fn ask_all(self: Box<Self>) -> Result<(), Failure> {
        Ok(())
    }
}

#[resilient(retry, breaker(name = "{r#type}", scope = "attempt"))]
async fn raw(r#type: &str) -> Result<usize, Failure> {
    Ok(r#type.len())
}

#[tokio::test(start_paused = true)]
async fn fields_self_and_raw_names_can_be_named() {
    let tenant = Tenant { names: ("one".into(), 7) };
    tenant.ask().await.unwrap();
    Box::new(tenant).ask_all().await.unwrap();
    raw("raw type").await.unwrap();
    for name in ["tenant {one}", "all of 7", "raw type"] {
        assert_eq!(breaker(name).unwrap().stats().totals.successes, 1, "{name}");
    }
}

policies! {
    /// A few at once.
    breaker "few/{key}" { max_keys: 3, failure_threshold: 1 }
}

#[resilient(breaker = "few/{key}")]
async fn few(key: u32, result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[tokio::test(start_paused = true)]
async fn they_are_bounded_and_an_idle_closed_one_is_evicted_first() {
    // A test beside this one that lists all breakers would hold these, and none is evicted while it does.
    isolated(async {
        few(0, Err(DOWN)).await.unwrap_err();
        for key in 1..100 {
            few(key, Ok(())).await.unwrap();
        }
        assert!(few(0, Ok(())).await.unwrap_err().is_rejection(), "the open one has stayed");
        let there: Vec<_> =
            (0..100).filter(|key| breaker(&format!("few/{key}")).is_some()).collect();
        assert_eq!(there, [0, 98, 99]);
    })
    .await;
}

#[resilient(breaker(name = "by hand/{key}", max_keys = 3, failure_threshold = 1))]
async fn by_hand(key: u32, result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[tokio::test(start_paused = true)]
async fn what_an_operator_has_set_is_not_evicted() {
    // A test beside this one that lists all breakers would hold these, and none is evicted while it does.
    isolated(async {
        for key in 0..3 {
            by_hand(key, Ok(())).await.unwrap();
        }
        let named = |key: u32| breaker(&format!("by hand/{key}"));
        named(0).unwrap().disable();
        named(1).unwrap().force_closed();
        named(2).unwrap().force_open();
        for key in 3..200 {
            by_hand(key, Ok(())).await.unwrap();
        }
        by_hand(0, Err(DOWN)).await.unwrap_err();
        by_hand(1, Err(DOWN)).await.unwrap_err();
        assert_eq!(named(0).unwrap().stats().totals.failures, 1);
        assert_eq!(by_hand(0, Ok(())).await, Ok(()), "it is disabled");
        assert_eq!(by_hand(1, Ok(())).await, Ok(()), "it is held closed");
        assert!(by_hand(2, Ok(())).await.unwrap_err().is_rejection(), "it is held open");
        let there = (0..200).filter(|key| named(*key).is_some());
        assert_eq!(there.collect::<Vec<_>>(), [0, 1, 2, 199]);

        (0..3).for_each(|key| named(key).unwrap().reset());
        for key in 200..210 {
            by_hand(key, Ok(())).await.unwrap();
        }
        assert_eq!((0..210).filter(|key| named(*key).is_some()).count(), 3);
    })
    .await;
}

#[resilient(breaker(name = "held/{key}", max_keys = 1, failure_threshold = 2))]
async fn held(key: u32, result: Result<(), Failure>) -> Result<(), Failure> {
    tokio::task::yield_now().await;
    result
}

#[tokio::test(start_paused = true)]
async fn a_breaker_is_not_evicted_while_a_call_goes_through_it() {
    // A test beside this one that lists all breakers would hold these, and none is evicted while it does.
    isolated(async {
        held(0, Err(DOWN)).await.unwrap_err();
        let slow = spawn(held(0, Err(DOWN)));
        tokio::task::yield_now().await;
        let others = async {
            for key in 1..50 {
                held(key, Ok(())).await.unwrap();
            }
        };
        let (slow, ()) = tokio::join!(slow, others);
        slow.unwrap().unwrap_err();
        let others: Vec<_> =
            (1..50).filter(|key| breaker(&format!("held/{key}")).is_some()).collect();
        assert_eq!(others, [49]);
    })
    .await;
}

#[resilient(breaker(name = "apart/{one}/{other}", failure_threshold = 1))]
async fn apart(one: &str, other: &str, result: Result<(), Failure>) -> Result<(), Failure> {
    let _ = (one, other);
    result
}

#[resilient(breaker(name = "joined/{one}{other}", failure_threshold = 1))]
async fn joined(one: &str, other: &str, result: Result<(), Failure>) -> Result<(), Failure> {
    let _ = (one, other);
    result
}

#[resilient(breaker(name = "dash/{one}-{other}", failure_threshold = 1))]
async fn dash(one: &str, other: &str, result: Result<(), Failure>) -> Result<(), Failure> {
    let _ = (one, other);
    result
}

#[tokio::test(start_paused = true)]
async fn values_that_would_run_together_have_breakers_of_their_own() {
    apart("1/2", "3", Err(DOWN)).await.unwrap_err();
    apart("1", "2/3", Ok(())).await.unwrap();
    joined("1", "23", Err(DOWN)).await.unwrap_err();
    joined("12", "3", Ok(())).await.unwrap();
    dash("a-b", "c", Err(DOWN)).await.unwrap_err();
    dash("a", "b-c", Ok(())).await.unwrap();
    for (open, closed) in [
        ("apart/1%2F2/3", "apart/1/2%2F3"),
        ("joined/1,23", "joined/12,3"),
        ("dash/a%2Db-c", "dash/a-b-c"),
    ] {
        assert_eq!(breaker(open).unwrap().state(), BreakerState::Open, "{open}");
        assert_eq!(breaker(closed).unwrap().state(), BreakerState::Closed, "{closed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_can_be_spawned() {
    let call = tokio::spawn(search("spawned".into(), 1, false));
    assert_eq!(call.await.unwrap().unwrap(), "spawned");
}

mod async_trait {
    use ::async_trait::async_trait;

    use super::*;

    #[async_trait]
    trait Ask {
        async fn ask_boxed(
            &mut self,
            collection: &str,
            by_value: String,
        ) -> Result<String, Failure>;
    }

    #[async_trait]
    impl Ask for Tenant {
        #[resilient(retry, breaker = "boxed/{self.names.1}/{collection}/{by_value}")]
        async fn ask_boxed(
            &mut self,
            collection: &str,
            by_value: String,
        ) -> Result<String, Failure> {
            Ok(format!("{collection}{by_value}"))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn methods_of_async_trait_serve() {
        let mut tenant = Tenant { names: ("one".into(), 7) };
        assert_eq!(tenant.ask_boxed("a", "b".into()).await.unwrap(), "ab");
        assert_eq!(breaker("boxed/7/a/b").unwrap().stats().totals.successes, 1);
    }
}

#[resilient(breaker = "of {name}")]
async fn by_one_parameter(name: &str, result: Result<(), Failure>) -> Result<(), Failure> {
    let _ = name;
    result
}

#[resilient(breaker(name = "of {_other}", failure_threshold = 1))]
async fn by_another(_other: &str, result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[tokio::test(start_paused = true)]
async fn what_a_placeholder_is_called_does_not_matter() {
    by_another("all", Err(DOWN)).await.unwrap_err();
    assert!(by_one_parameter("all", Ok(())).await.unwrap_err().is_rejection());
}
