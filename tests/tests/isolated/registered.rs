//! Policies without the attribute. They are objects, but their breakers are found by name.

use std::sync::{Arc, LazyLock};

use resilient_runtime::test::isolated;
use resilient_runtime::{BreakerState, CircuitBreaker, Policy, breaker, breakers};
use tokio::sync::Barrier;

use super::{WRITES, state};

fn registered(name: &'static str) -> Policy {
    let breaker = Arc::new(CircuitBreaker::default().with_name(name));
    Policy::builder(name).breaker(breaker).build().unwrap().register()
}

/// How many breakers of this name there are, and how many of them are open.
fn count(name: &str) -> (usize, usize) {
    let named: Vec<_> = breakers().into_iter().filter(|it| *it.name() == *name).collect();
    let open = named.iter().filter(|it| it.state() == BreakerState::Open);
    (named.len(), open.count())
}

#[tokio::test]
async fn each_test_finds_the_breaker_that_it_has_registered() {
    let together = Barrier::new(2);
    let test = |opens: bool| {
        let together = &together;
        isolated(async move {
            let _policy = registered("outbox");
            together.wait().await;
            if opens {
                breaker("outbox").unwrap().force_open();
            }
            together.wait().await;
            assert_eq!(state("outbox") == BreakerState::Open, opens);
            assert_eq!(count("outbox"), (1, usize::from(opens)));
            together.wait().await;
        })
    };
    tokio::join!(test(true), test(false));
    assert!(breaker("outbox").is_none());
}

#[tokio::test]
async fn what_the_program_or_another_test_has_registered_is_found_too() {
    static SHARED: LazyLock<Policy> = LazyLock::new(|| registered("shared outbox"));
    isolated(async { assert_eq!(SHARED.name(), "shared outbox") }).await;
    isolated(async { breaker("shared outbox").unwrap().force_open() }).await;
    assert_eq!(count("shared outbox"), (1, 1));
}

#[tokio::test]
async fn a_static_behind_a_policy_is_not_listed_beside_that_of_the_test() {
    let _policy = Policy::builder("writes by hand").breaker(&WRITES).build().unwrap().register();
    isolated(async {
        breaker("writes").unwrap().force_open();
        assert_eq!(count("writes"), (1, 1));
    })
    .await;
    assert_eq!(count("writes"), (1, 0));
}
