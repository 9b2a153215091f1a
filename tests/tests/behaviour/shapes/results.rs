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
