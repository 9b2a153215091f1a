//! What a test spawns.

use std::thread;

use resilient_runtime::BreakerState;
use resilient_runtime::test::{isolated, spawn};
use tokio::task::{spawn_blocking, yield_now};

use super::{open_search, search, state};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_inside_if_it_was_spawned_by_spawn() {
    isolated(async {
        assert_eq!(open_search().await, 3);
        let inside = spawn(async {
            yield_now().await;
            let rejected = search(Ok(7)).await.is_err();
            (state("search"), rejected, spawn(async { state("search") }).await.unwrap())
        });
        assert_eq!(inside.await.unwrap(), (BreakerState::Open, true, BreakerState::Open));
        let opened = spawn(async { super::breaker("upsert").unwrap().force_open() });
        opened.await.unwrap();
        assert_eq!(state("upsert"), BreakerState::Open, "it is the same one");
    })
    .await;
}

#[tokio::test]
async fn other_tasks_and_threads_are_outside() {
    isolated(async {
        assert_eq!(open_search().await, 3);
        let closed = BreakerState::Closed;
        assert_eq!(tokio::spawn(async { state("search") }).await.unwrap(), closed);
        assert_eq!(spawn_blocking(|| state("search")).await.unwrap(), closed);
        assert_eq!(thread::spawn(|| state("search")).join().unwrap(), closed);
    })
    .await;
}

#[tokio::test]
async fn outside_it_spawns_a_plain_task() {
    assert_eq!(spawn(async { state("search") }).await.unwrap(), BreakerState::Closed);
}

#[tokio::test]
async fn a_task_keeps_what_is_isolated_after_the_test() {
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    let (task,) = isolated(async {
        assert_eq!(open_search().await, 3);
        let task = spawn(async {
            receiver.await.unwrap();
            state("search")
        });
        (task,)
    })
    .await;
    sender.send(()).unwrap();
    assert_eq!(task.await.unwrap(), BreakerState::Open);
}
