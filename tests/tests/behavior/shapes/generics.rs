//! Generics, lifetimes and `impl Trait`.

use super::*;

#[resilient(retry)]
async fn of_everything<'a, T, const N: usize>(
    service: &Flaky,
    named: &'a str,
    elided: &str,
    value: T,
    array: [u8; N],
) -> Result<(&'a str, usize, T, usize), Failure>
where
    T: Clone + Debug,
{
    service.ask()?;
    Ok((named, elided.len(), value, array.len()))
}

#[resilient(retry, breaker = "generics")]
async fn opaque(
    service: &Flaky,
    shown: impl Display + Clone + Send,
) -> Result<impl Iterator<Item = String>, Failure> {
    let attempt = service.ask()?;
    Ok((0..attempt).map(move |number| format!("{shown}{number}")))
}

#[tokio::test(start_paused = true)]
async fn generics_and_lifetimes_serve() {
    let call = of_everything(&Flaky::default(), "named", "elided", 'x', [0; 4]).await;
    assert_eq!(call, Ok(("named", 6, 'x', 4)));
    let service = Flaky::default();
    let call = assert_send(opaque(&service, 'n')).await.unwrap();
    assert_eq!(call.collect::<Vec<_>>(), ["n0", "n1", "n2"]);
}

#[resilient(retry, breaker = "generics")]
async fn opaque_and_borrowed<'w>(
    service: &Flaky,
    words: &'w [String],
) -> Result<impl Iterator<Item = &'w str> + Clone, Failure> {
    let attempt = service.ask()?;
    Ok(words.iter().map(String::as_str).take(attempt as usize))
}

#[tokio::test(start_paused = true)]
async fn an_opaque_value_may_borrow_from_what_is_shared() {
    let (service, words) = (Flaky::default(), ["a", "b", "c", "d"].map(String::from));
    let call = assert_send(opaque_and_borrowed(&service, &words)).await.unwrap();
    assert_eq!(call.collect::<String>(), "abc");
}

struct Typed<T, const N: usize>(T);

impl<T: Clone + Into<u32>, const N: usize> Typed<T, N> {
    #[resilient(retry, breaker = "generics")]
    async fn ask<'a, U>(&self, service: &'a Flaky, more: U) -> Result<(u32, &'a Flaky, U), Failure>
    where
        U: Clone + PartialEq<T>,
    {
        let attempt = service.ask()?;
        Ok((attempt + self.0.clone().into() + u32::try_from(N).unwrap(), service, more))
    }
}

#[tokio::test(start_paused = true)]
async fn methods_of_generic_types_serve() {
    let service = Flaky::default();
    let (sum, _, more) = Typed::<u8, 4>(5).ask(&service, 6_u8).await.unwrap();
    assert_eq!((sum, more), (12, 6));
}

/// What is returned is of the lifetime of a `&mut`, and borrowed from something else.
mod beside_an_exclusive_borrow {
    use super::*;

    #[resilient(retry, breaker = "generics")]
    async fn from_what_is_shared<'a>(
        service: &'a Flaky,
        log: &'a mut Vec<u32>,
    ) -> Result<&'a Flaky, Failure> {
        log.push(1);
        service.ask()?;
        Ok(service)
    }

    #[resilient(retry, breaker = "generics")]
    async fn from_what_lives_longer<'a, 'b: 'a>(
        service: &'b Flaky,
        log: &'a mut Vec<u32>,
    ) -> Result<&'a Flaky, Failure> {
        log.push(1);
        service.ask()?;
        Ok(service)
    }

    #[resilient(retry, breaker = "generics")]
    async fn from_behind_it<'a>(list: &'a mut Vec<&'a Flaky>) -> Result<&'a Flaky, Failure> {
        let first = list[0];
        list.push(first);
        first.ask()?;
        Ok(first)
    }

    struct Borrower<'s> {
        service: &'s Flaky,
    }

    impl<'s> Borrower<'s> {
        #[resilient(retry, breaker = "generics")]
        async fn lent_by_self(&self, log: &'s mut Vec<u32>) -> Result<&'s Flaky, Failure> {
            log.push(1);
            self.service.ask()?;
            Ok(self.service)
        }

        #[resilient(retry, breaker = "generics")]
        async fn lent_from_behind_self(&mut self) -> Result<&'s Flaky, Failure> {
            self.service.ask()?;
            Ok(self.service)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_shared_borrow_can_be_returned() {
        let service = Flaky::default;
        let (first, mut log) = (service(), vec![]);
        assert!(assert_send(from_what_is_shared(&first, &mut log)).await.is_ok());
        assert_eq!(log.len(), 3);
        assert!(assert_send(from_what_lives_longer(&service(), &mut log)).await.is_ok());
        let second = service();
        assert!(assert_send(from_behind_it(&mut vec![&second])).await.is_ok());
        assert!(assert_send(Borrower { service: &service() }.lent_by_self(&mut log)).await.is_ok());
        let third = service();
        assert!(assert_send(Borrower { service: &third }.lent_from_behind_self()).await.is_ok());
    }
}
