//! Aliases of `Result`, and errors of every origin.

use std::error::Error;
use std::io;

use qdrant_client::QdrantError;
use resilient_runtime::{Classify, Rejection};

use super::*;

type OurResult<T> = Result<T, Failure>;
type QdrantResult<T> = Result<T, QdrantError>;

#[resilient(retry)]
async fn alias(service: &Flaky) -> OurResult<u32> {
    service.ask()
}

#[resilient(retry, breaker = "results")]
async fn qdrant(service: &Flaky) -> QdrantResult<u32> {
    service.ask().map_err(|_| QdrantError::Io(io::ErrorKind::StorageFull.into()))
}

#[resilient(retry)]
async fn input_output(service: &Flaky) -> io::Result<u32> {
    service.ask().map_err(|_| io::ErrorKind::ConnectionReset.into())
}

#[resilient(retry, breaker = "results")]
async fn boxed(service: &Flaky) -> Result<u32, Box<dyn Error + Send + Sync>> {
    Ok(service.ask().map_err(|_| io::Error::from(io::ErrorKind::ConnectionReset))?)
}

#[resilient(retry)]
async fn not_send(service: &Flaky) -> Result<Rc<u32>, Failure> {
    service.ask().map(Rc::new)
}

#[tokio::test(start_paused = true)]
async fn every_result_serves() {
    assert_eq!(alias(&Flaky::default()).await, Ok(3));
    assert_eq!(qdrant(&Flaky::default()).await.unwrap(), 3);
    assert_eq!(input_output(&Flaky::default()).await.unwrap(), 3);
    assert_eq!(boxed(&Flaky::default()).await.unwrap(), 3);
    assert_eq!(*assert_send(not_send(&Flaky::default())).await.unwrap(), 3);
}

#[resilient(retry, breaker = "results")]
async fn generic<E>(service: &Flaky) -> Result<u32, E>
where
    E: Classify + From<Rejection> + From<Failure>,
{
    Ok(service.ask()?)
}

#[tokio::test(start_paused = true)]
async fn a_generic_error_serves() {
    assert_eq!(generic::<Failure>(&Flaky::default()).await, Ok(3));
}

fn down(service: &Flaky) -> Result<u32, QdrantError> {
    service.ask().map_err(|_| QdrantError::Io(io::ErrorKind::StorageFull.into()))
}

mod opaque {
    //! `impl Trait` somewhere in what is returned.

    use super::*;

    type Boxed<T> = Box<T>;

    #[resilient(retry, breaker = "results")]
    async fn in_an_object(
        service: &Flaky,
    ) -> Result<Box<dyn Iterator<Item = impl Display> + Send>, Failure> {
        service.ask().map(|attempt| Box::new(0..attempt) as _)
    }

    #[resilient(retry, breaker = "results")]
    async fn in_a_slice<'a>(
        service: &Flaky,
        list: &'a [u32],
    ) -> Result<&'a [impl Display + use<'a>], Failure> {
        service.ask().map(|_attempt| list)
    }

    #[resilient(breaker = "results")]
    async fn deep_inside(
        list: Vec<u32>,
    ) -> Result<(Option<Boxed<dyn Iterator<Item = (u32, [impl Display; 1])>>>, u32), Failure> {
        Ok((Some(Box::new(list.into_iter().map(|one| (one, [one])))), 1))
    }

    #[tokio::test(start_paused = true)]
    async fn it_serves_wherever_it_is() {
        let service = Flaky::default();
        let numbers = assert_send(in_an_object(&service)).await.unwrap();
        assert_eq!(numbers.map(|number| number.to_string()).collect::<String>(), "012");
        let list = [1, 2];
        let slice = assert_send(in_a_slice(&Flaky::default(), &list)).await.unwrap();
        assert_eq!(slice.iter().map(ToString::to_string).collect::<String>(), "12");
        let (numbers, one) = deep_inside(vec![3, 4]).await.unwrap();
        let numbers = numbers.unwrap().map(|(number, [same])| format!("{number}{same}"));
        assert_eq!((numbers.collect::<String>().as_str(), one), ("3344", 1));
    }
}

mod any {
    //! Errors that hold any other, classified by what is inside.

    use resilient_runtime::{CircuitOpenError, ErrorKind};

    use super::*;

    #[resilient(retry, breaker = "anyhow")]
    async fn by_anyhow(service: &Flaky) -> anyhow::Result<u32> {
        use anyhow::Context;
        down(service).context("the search failed").context("no answer")
    }

    #[resilient(retry, breaker = "eyre")]
    async fn by_eyre(service: &Flaky) -> eyre::Result<u32> {
        use eyre::WrapErr;
        down(service).wrap_err("the search failed").wrap_err("no answer")
    }

    #[tokio::test(start_paused = true)]
    async fn they_are_retried_by_their_chain() {
        assert_eq!(assert_send(by_anyhow(&Flaky::default())).await.unwrap(), 3);
        assert_eq!(assert_send(by_eyre(&Flaky::default())).await.unwrap(), 3);
    }

    #[resilient(breaker(name = "anyhow that opens", failure_threshold = 1))]
    async fn opens_by_anyhow(service: &Flaky) -> anyhow::Result<u32> {
        Ok(down(service)?)
    }

    #[resilient(breaker(name = "eyre that opens", failure_threshold = 1))]
    async fn opens_by_eyre(service: &Flaky) -> eyre::Result<u32> {
        Ok(down(service)?)
    }

    #[tokio::test(start_paused = true)]
    async fn they_carry_a_rejection() {
        let service = Flaky::default();
        assert!(opens_by_anyhow(&service).await.unwrap_err().kind().is_transient());
        let rejected = opens_by_anyhow(&service).await.unwrap_err();
        assert_eq!(rejected.kind(), ErrorKind::CircuitOpen);
        assert!(rejected.retry_after().is_some());
        assert!(!rejected.maybe_executed());
        let open = CircuitOpenError::find(&*rejected).unwrap();
        assert_eq!(open.breaker, "anyhow that opens");

        assert!(opens_by_eyre(&service).await.unwrap_err().kind().is_transient());
        let rejected = opens_by_eyre(&service).await.unwrap_err();
        assert_eq!(rejected.kind(), ErrorKind::CircuitOpen);
        assert!(CircuitOpenError::find(&*rejected).is_some());
    }

    #[test]
    fn one_without_a_known_error_is_unknown() {
        assert_eq!(anyhow::anyhow!("no idea").kind(), ErrorKind::Unknown);
        assert_eq!(eyre::eyre!("no idea").kind(), ErrorKind::Unknown);
        assert!(anyhow::anyhow!("no idea").maybe_executed());
    }
}
