//! `self`, in every way to take it.

use std::task::{Context, Waker};

use super::*;

#[derive(Clone, Debug, Default)]
struct Store {
    service: Arc<Flaky>,
    asked: u32,
}

impl Store {
    #[resilient(retry, breaker = "receivers")]
    async fn shared(&self) -> Result<u32, Failure> {
        self.service.ask()
    }

    #[resilient(retry, breaker = "receivers")]
    async fn exclusive(&mut self, by: u32) -> Result<u32, Failure> {
        self.asked += by;
        self.service.ask()?;
        Ok(self.asked)
    }

    #[resilient(retry, breaker = "receivers")]
    async fn moved(self) -> Result<Self, Failure> {
        self.service.ask()?;
        Ok(self)
    }

    #[resilient(retry, breaker = "receivers")]
    async fn moved_and_changed(mut self, by: u32) -> Result<u32, Failure> {
        self.asked += by;
        self.service.ask()?;
        let Self { asked, .. } = self;
        Ok(asked)
    }

    #[resilient(retry, breaker = "receivers")]
    async fn counted(self: Arc<Self>) -> Result<u32, Failure> {
        let owned = self;
        owned.service.ask()
    }

    #[resilient(retry, breaker = "receivers")]
    async fn counted_and_lent(self: &Arc<Self>) -> Result<u32, Failure> {
        Arc::clone(self).service.ask()
    }

    #[resilient(retry, breaker = "receivers")]
    async fn pinned(self: Pin<&mut Self>) -> Result<u32, Failure> {
        self.service.ask()
    }

    #[resilient(retry, breaker = "receivers")]
    async fn pinned_and_moved(mut self: Pin<&mut Self>, by: u32) -> Result<u32, Failure> {
        self.as_mut().get_mut().asked += by;
        let this = self.get_mut();
        this.service.ask()?;
        Ok(this.asked)
    }

    #[resilient(retry, breaker = "receivers")]
    async fn pinned_and_shared(self: Pin<&Self>) -> Result<u32, Failure> {
        self.get_ref().service.ask()
    }

    #[resilient(retry, breaker = "receivers")]
    async fn pinned_and_counted(self: Pin<Arc<Self>>) -> Result<Pin<Arc<Self>>, Failure> {
        self.service.ask()?;
        Ok(self)
    }

    #[resilient(retry, breaker = "receivers")]
    async fn boxed(self: Box<Self>) -> Result<Self, Failure> {
        self.service.ask()?;
        Ok(*self)
    }

    #[resilient(retry, breaker = "receivers")]
    async fn none(service: &Flaky) -> Result<u32, Failure> {
        service.ask()
    }
}

#[tokio::test(start_paused = true)]
async fn every_receiver_serves() {
    let store = Store::default;
    assert_eq!(assert_send(store().shared()).await, Ok(3));
    assert_eq!(assert_send(store().exclusive(2)).await, Ok(6), "each attempt counts");
    assert_eq!(assert_send(store().moved()).await.unwrap().asked, 0);
    assert_eq!(assert_send(store().moved_and_changed(2)).await, Ok(2), "only the last counts");
    assert_eq!(assert_send(Arc::new(store()).counted()).await, Ok(3));
    assert_eq!(assert_send(Arc::new(store()).counted_and_lent()).await, Ok(3));
    assert_eq!(assert_send(Pin::new(&mut store()).pinned()).await, Ok(3));
    let mut pinned = store();
    assert_eq!(assert_send(Pin::new(&mut pinned).pinned_and_moved(2)).await, Ok(6));
    assert_eq!(assert_send(Pin::new(&store()).pinned_and_shared()).await, Ok(3));
    assert!(assert_send(Pin::new(Arc::new(store())).pinned_and_counted()).await.is_ok());
    assert_eq!(assert_send(Box::new(store()).boxed()).await.unwrap().asked, 0);
    assert_eq!(assert_send(Store::none(&Flaky::default())).await, Ok(3));
}

mod by_value {
    use super::*;

    impl Store {
        #[resilient(retry, breaker = "receivers")]
        async fn shown(self) -> Result<String, Failure> {
            self.service.ask()?;
            let captured = format!("{self:?}").len();
            Ok(format!("{} {captured}", stringify!(self.asked)))
        }

        /// The plain function would need a `mut`.
        #[resilient(retry, breaker = "receivers")]
        async fn changed_without_mut(self, by: u32) -> Result<u32, Failure> {
            self.asked += by;
            self.service.ask()?;
            Ok(self.asked)
        }

        #[resilient(retry, breaker = "receivers")]
        async fn captured(self) -> Result<u32, Failure> {
            let add = move |more| self.asked + more;
            let service = self.service;
            Ok(add(service.ask()?))
        }

        #[resilient(retry, breaker = "receivers")]
        async fn in_items_of_the_body(self) -> Result<u32, Failure> {
            struct Inner(u32);
            impl Inner {
                fn own(self) -> u32 {
                    self.0
                }
            }
            Ok(Inner(self.service.ask()?).own())
        }

        #[resilient(retry, breaker = "receivers")]
        async fn unused(self) -> Result<u32, Failure> {
            Err(WRONG)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_can_do_with_self_what_it_likes() {
        let store = || Store { asked: 4, ..Store::default() };
        let shown = format!("self.asked {}", format!("{:?}", asked_thrice(store())).len());
        assert_eq!(store().shown().await.unwrap(), shown);
        assert_eq!(store().captured().await, Ok(7));
        assert_eq!(store().in_items_of_the_body().await, Ok(3));
        assert_eq!(store().unused().await, Err(WRONG));
    }

    fn asked_thrice(store: Store) -> Store {
        (0..3).for_each(|_| drop(store.service.ask()));
        store
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_change_self_without_saying_mut() {
        assert_eq!(Store::default().changed_without_mut(2).await, Ok(2), "only the last counts");
    }

    /// Counts how many of it there are.
    struct Living(Arc<()>);

    impl Clone for Living {
        fn clone(&self) -> Self {
            Self(Arc::clone(&self.0))
        }
    }

    impl Living {
        #[resilient(retry)]
        async fn borrowed(self, seen: &Cell<usize>) -> Result<(), Failure> {
            seen.set(Arc::strong_count(&self.0));
            Err(DOWN)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn self_is_dropped_at_the_end_of_its_attempt() {
        let living = Arc::new(());
        let seen = Cell::new(0);
        let mut call = Box::pin(Living(Arc::clone(&living)).borrowed(&seen));
        let mut context = Context::from_waker(Waker::noop());
        assert!(call.as_mut().poll(&mut context).is_pending(), "it waits for its second attempt");
        let (ours, kept, cloned) = (1, 1, 1);
        assert_eq!(seen.get(), ours + kept + cloned);
        assert_eq!(Arc::strong_count(&living), ours + kept);
        assert_eq!(call.await, Err(DOWN));
        assert_eq!(Arc::strong_count(&living), ours);
    }
}

mod shared {
    use super::*;

    struct Nested {
        service: Flaky,
        inner: Option<Box<Self>>,
    }

    impl Nested {
        #[resilient(retry)]
        async fn innermost(mut self: &Self) -> Result<u32, Failure> {
            let mut depth = 0;
            while let Some(inner) = &self.inner {
                self = inner;
                depth += 1;
            }
            Ok(self.service.ask()? * 10 + depth)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_attempt_begins_with_the_self_that_was_given() {
        let nested = |inner| Nested { service: Flaky::default(), inner };
        let nested = nested(Some(Box::new(nested(Some(Box::new(nested(None)))))));
        assert_eq!(assert_send(nested.innermost()).await, Ok(32));
    }
}

mod exclusive {
    use resilient_tests::events::Events;

    use super::*;

    fn generic<T>(anything: T) -> T {
        anything
    }

    struct Wrapper<'s> {
        inner: &'s mut Store,
    }

    impl Store {
        async fn helper(&mut self) -> Result<u32, Failure> {
            tokio::task::yield_now().await;
            self.asked += 1;
            self.service.ask()?;
            Ok(self.asked)
        }

        #[resilient(retry, breaker = "receivers")]
        async fn moved_into_a_name(&mut self) -> Result<u32, Failure> {
            let this = self;
            this.asked += 1;
            this.helper().await
        }

        #[resilient(retry, breaker = "receivers")]
        async fn moved_into_a_block(&mut self, by: u32) -> Result<u32, Failure> {
            async move {
                self.asked += by;
                self.helper().await
            }
            .await
        }

        #[resilient(retry, breaker = "receivers")]
        async fn moved_into_a_closure(&mut self, by: u32) -> Result<u32, Failure> {
            let mut add = move || {
                self.asked += by;
                self.service.ask()
            };
            add()
        }

        #[resilient(retry, breaker = "receivers")]
        async fn moved_into_a_function(&mut self) -> Result<u32, Failure> {
            generic(self).helper().await
        }

        #[resilient(retry, breaker = "receivers")]
        async fn moved_into_a_value(&mut self) -> Result<u32, Failure> {
            let wrapper = Wrapper { inner: self };
            wrapper.inner.helper().await
        }

        #[resilient(retry, breaker = "receivers")]
        #[expect(clippy::needless_arbitrary_self_type)]
        async fn bound_anew<'s>(
            mut self: &'s mut Self,
            other: &'s mut Self,
        ) -> Result<u32, Failure> {
            self.helper().await.ok();
            self = other;
            self.helper().await
        }

        #[resilient(retry, breaker = "receivers")]
        async fn shown_and_borrowed(&mut self) -> Result<String, Failure> {
            self.asked += 1;
            self.service.ask()?;
            let (first, second) = (format!("{self:?}"), format!("{:?}", &self));
            assert_eq!(first, second);
            let asked = stringify!(self.asked);
            Ok([1, 2].map(move |one| format!("{asked} {one}")).join(" "))
        }

        #[resilient(retry, breaker = "receivers")]
        async fn in_strings(&mut self) -> Result<String, Failure> {
            let this = self;
            this.service.ask()?;
            Ok("{self} ".to_owned() + &format!("{{self}} {}", this.asked))
        }

        #[resilient(retry, breaker = "receivers")]
        #[allow(clippy::useless_vec)]
        async fn captured_by_format_strings(&mut self) -> Result<[String; 4], Failure> {
            use std::fmt::Write;
            self.service.ask()?;
            let mut written = String::new();
            write!(written, "{self:?}").unwrap();
            assert!(self.asked == 0, "{self:?}");
            assert_eq!(written, format!("{self:?}"), "{self:?} {}", self.asked);
            tracing::info!(?self, self.asked, limit = self.asked, "asked {self:?}");
            let _span = tracing::info_span!("{self}", self.asked, ?self).entered();
            let plain = vec!["{self}", concat!("{self", ":?}")].join(" ");
            let raw = format!(r"{{self}} {{{self:.0?}}} {0:?}", self.asked);
            let this = self;
            this.asked += 1;
            Ok([written, plain, raw, format!("{this:?}")])
        }

        #[resilient(breaker = "receivers", retry)]
        async fn told_in_an_event(&mut self) -> Result<u32, Failure> {
            tracing::info!(target: "resilient", { self.asked }, "a field of self");
            let this = self;
            Ok(this.asked)
        }

        #[resilient(retry, breaker = "receivers")]
        #[allow(clippy::needless_pub_self)]
        async fn beside_others_of_its_name(&mut self) -> Result<u32, Failure> {
            pub(self) struct Private(u32);
            pub(self) struct Private2;
            macro_rules! asked {
                ($self:expr) => {
                    $self.asked
                };
                (twice $self:ident) => {
                    $self.asked * 2
                };
                () => {
                    self.asked
                };
            }
            let attempt = self.service.ask()?;
            let _ = Private2;
            let sum = Private(asked!(self) + asked!(twice self) + asked!());
            let this = self;
            this.asked += attempt;
            Ok(sum.0 + this.asked)
        }

        #[resilient(retry, breaker = "receivers")]
        async fn named_alike(&mut self) -> Result<u32, Failure> {
            let self_ = Self { asked: 40, ..self.clone() };
            let __self = Self { asked: 400, ..self.clone() };
            let this = self;
            this.service.ask()?;
            Ok(this.asked + self_.asked + __self.asked)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_can_move_self_as_a_whole() {
        let store = Store::default;
        assert_eq!(assert_send(store().moved_into_a_name()).await, Ok(6));
        assert_eq!(assert_send(store().moved_into_a_block(4)).await, Ok(15));
        let mut counted = store();
        assert_eq!(assert_send(counted.moved_into_a_closure(2)).await, Ok(3));
        assert_eq!(counted.asked, 6);
        assert_eq!(assert_send(store().moved_into_a_function()).await, Ok(3));
        assert_eq!(assert_send(store().moved_into_a_value()).await, Ok(3));
        let (mut first, mut other) = (store(), store());
        assert_eq!(assert_send(first.bound_anew(&mut other)).await, Ok(3));
        assert_eq!((first.asked, other.asked), (3, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_only_borrows_self_sees_it_by_its_name() {
        assert_eq!(
            Store::default().shown_and_borrowed().await.unwrap(),
            "self.asked 1 self.asked 2"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_string_that_only_looks_like_a_format_is_left() {
        assert_eq!(Store::default().in_strings().await.unwrap(), "{self} {self} 0");
    }

    #[tokio::test(start_paused = true)]
    async fn a_format_string_captures_self_and_a_plain_string_is_left() {
        let [shown, plain, raw, after] =
            Store::default().captured_by_format_strings().await.unwrap();
        assert_eq!(plain, "{self} {self:?}");
        assert_eq!(raw, format!("{{self}} {{{shown}}} 0"));
        assert!(shown.starts_with("Store {") && after.contains("asked: 1"), "{shown} {after}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_field_of_an_event_keeps_its_name() {
        let events = Events::catch();
        let mut store = Store { asked: 7, ..Store::default() };
        assert_eq!(store.told_in_an_event().await, Ok(7));
        let [event] = &events.named("a field of self")[..] else { panic!("{:?}", events.all()) };
        assert_eq!(event.field("self.asked"), "7");
    }

    #[tokio::test(start_paused = true)]
    async fn a_word_that_is_another_self_is_left() {
        let mut store = Store { asked: 1, ..Store::default() };
        assert_eq!(store.beside_others_of_its_name().await, Ok(4 + 1 + 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_like_the_one_that_self_gets_is_another() {
        let mut store = Store { asked: 4, ..Store::default() };
        assert_eq!(store.named_alike().await, Ok(444));
    }
}
