//! Observers harm nobody: not if they are slow, panic, or call the library.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;

use resilient_runtime::test::isolated;
use resilient_runtime::{
    BreakerConfig, BreakerState, BreakerStatus, CircuitBreaker, Event, EventKind, EventSet,
    Observer, breaker, observe, only,
};
use resilient_tests::DOWN;

use super::{Heard, search};

#[tokio::test]
async fn a_panic_of_an_observer_harms_neither_the_call_nor_the_others() {
    isolated(async {
        let _panics = observe(|_: &Event<'_>| panic!("in the observer"));
        let (heard, _observation) = Heard::of(EventKind::Transition);
        for _ in 0..3 {
            assert_eq!(search(Err(DOWN)).await, Err(DOWN));
        }
        assert_eq!(breaker("search").unwrap().state(), BreakerState::Open);
        assert!(search(Ok(7)).await.unwrap_err().is_rejection());
        assert_eq!(heard.take().len(), 1);
        breaker("search").unwrap().reset();
        assert_eq!(search(Ok(7)).await, Ok(7));
        assert_eq!(heard.take().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_observer_may_move_the_breaker_that_it_hears_of() {
    isolated(async {
        let _resets = observe(only(EventKind::Transition, |event: &Event<'_>| {
            if let Event::Transition { to: BreakerStatus::Open, .. } = event {
                breaker("search").unwrap().reset();
            }
        }));
        let (heard, _observation) = Heard::of(EventKind::Transition);
        for _ in 0..3 {
            assert_eq!(search(Err(DOWN)).await, Err(DOWN));
        }
        assert_eq!(breaker("search").unwrap().state(), BreakerState::Closed);
        let heard = heard.take();
        assert!(heard[0].contains("closed -> open") && heard[1].contains("open -> closed"));
        assert_eq!(heard.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_observer_does_not_hear_what_it_causes_and_others_do() {
    isolated(async {
        static CALLS: AtomicU32 = AtomicU32::new(0);
        breaker("search").unwrap().force_open();
        // Without an end, if it heard of its own rejection.
        let _acquires = observe(only(EventKind::Rejected, |_: &Event<'_>| {
            CALLS.fetch_add(1, Ordering::Relaxed);
            assert!(breaker("search").unwrap().acquire().is_err());
        }));
        let (heard, _observation) = Heard::of(EventKind::Rejected);
        assert!(search(Ok(7)).await.unwrap_err().is_rejection());
        assert_eq!(CALLS.load(Ordering::Relaxed), 1);
        assert_eq!(heard.take().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_observer_receives_what_it_wants_as_long_as_it_observes() {
    struct Wanting(Arc<AtomicU64>);

    impl Observer for Wanting {
        fn on_event(&self, event: &Event<'_>) {
            assert_eq!(event.kind(), EventKind::Rejected);
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn wants(&self) -> EventSet {
            EventSet::from(EventKind::Rejected)
        }
    }

    isolated(async {
        let received = Arc::new(AtomicU64::new(0));
        let observation = observe(Wanting(Arc::clone(&received)));
        breaker("search").unwrap().force_open();
        for _ in 0..3 {
            assert!(search(Ok(7)).await.is_err());
        }
        drop(observation);
        assert!(search(Ok(7)).await.is_err());
        assert_eq!(received.load(Ordering::Relaxed), 3);
        assert_eq!(Arc::strong_count(&received), 1, "the observer is dropped");
    })
    .await;
}

#[tokio::test]
async fn an_observer_may_observe_and_end_observations() {
    isolated(async {
        let inner = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&inner);
        let _observation = observe(only(EventKind::Transition, move |_: &Event<'_>| {
            let (heard, observation) = Heard::of(EventKind::Transition);
            *slot.lock().unwrap() = Some((heard, observation));
        }));
        let search = breaker("search").unwrap();
        search.force_open();
        let (first, _first) = inner.lock().unwrap().take().unwrap();
        assert!(first.take().is_empty(), "from the next event on");
        search.reset();
        assert!(inner.lock().unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn tests_that_are_isolated_hear_of_themselves_alone() {
    let (of_all, _observation) = Heard::of(EventKind::Transition);
    isolated(async {
        let (heard, _observation) = Heard::of(EventKind::Transition);
        isolated(async { breaker("search").unwrap().force_open() }).await;
        assert!(heard.take().is_empty());
        breaker("search").unwrap().disable();
        assert_eq!(heard.take().len(), 1);
    })
    .await;
    assert!(of_all.take().len() >= 2, "outside of tests, an observer hears of everything");
}

#[test]
fn changes_of_many_threads_arrive_in_order() {
    static BREAKER: CircuitBreaker = CircuitBreaker::named("in order", BreakerConfig::DEFAULT);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hearing = Arc::clone(&heard);
    let _observation = observe(move |event: &Event<'_>| {
        if let Event::Transition { breaker: "in order", from, to, .. } = event {
            hearing.lock().unwrap().push((*from, *to));
        }
    });
    thread::scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || {
                for round in 0..2_000 {
                    match (round * 7 + seed) % 4 {
                        0 => BREAKER.force_open(),
                        1 => BREAKER.reset(),
                        2 => BREAKER.disable(),
                        _ => BREAKER.force_closed(),
                    }
                }
            });
        }
    });
    let heard = heard.lock().unwrap();
    assert!(heard.windows(2).all(|pair| pair[0].1 == pair[1].0));
    assert_eq!(heard.last().unwrap().1, BREAKER.status());
    assert!(heard.len() > 2_000);
}

#[test]
fn a_slow_observer_keeps_no_other_thread_waiting() {
    static BREAKER: CircuitBreaker = CircuitBreaker::named("slow", BreakerConfig::DEFAULT);
    let (reached, released) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (sender, received) = mpsc::channel();
    let barriers = (Arc::clone(&reached), Arc::clone(&released));
    let _observation = observe(move |event: &Event<'_>| {
        let Event::Transition { breaker: "slow", to, .. } = event else { return };
        if *to == BreakerStatus::ForcedOpen {
            barriers.0.wait();
            barriers.1.wait();
        }
        sender.send(*to).unwrap();
    });
    let slow = thread::spawn(|| BREAKER.force_open());
    reached.wait();
    // The other thread is still inside the observer.
    BREAKER.reset();
    BREAKER.disable();
    assert!(received.try_recv().is_err(), "they are delivered in order");
    released.wait();
    slow.join().unwrap();
    let order: Vec<_> = received.try_iter().collect();
    let expected = [BreakerStatus::ForcedOpen, BreakerStatus::Closed, BreakerStatus::Disabled];
    assert_eq!(order, expected);
}
