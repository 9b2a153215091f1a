//! Type parameters that lack a bound: the compiler suggests no bound that is private.

use resilient_runtime::{Classify, resilient};
use resilient_tests::Failure;

trait Point {}

trait Collection {
    type Point;
}

struct Store<T>(T);

#[resilient(retry = "auto")]
async fn upsert<T: Point>(point: T) -> Result<(), Failure> {
    let _ = point;
    Ok(())
}

#[resilient(retry = "auto")]
async fn upsert_some(point: impl Point) -> Result<(), Failure> {
    let _ = point;
    Ok(())
}

#[resilient(retry = "auto")]
async fn upsert_all<T: Point>(points: Vec<T>) -> Result<(), Failure> {
    let _ = points;
    Ok(())
}

#[resilient(retry = "auto")]
async fn upsert_into<C: Collection>(collection: &C, point: C::Point) -> Result<(), Failure> {
    let _ = (collection, point);
    Ok(())
}

impl<T: Point> Store<T> {
    #[resilient(retry = "auto")]
    async fn upsert(&self, point: T) -> Result<(), Failure> {
        let _ = point;
        Ok(())
    }
}

#[resilient(breaker = "writes")]
async fn flush<E: Classify>() -> Result<(), E> {
    Ok(())
}

#[resilient(breaker = "writes")]
async fn answer<R>(answer: R) -> R {
    answer
}

fn main() {}
