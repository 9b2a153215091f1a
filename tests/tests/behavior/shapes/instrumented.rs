//! Where `#[tracing::instrument]` stands decides what a span is of.

use resilient_tests::events::Spans;
use tracing::instrument;

use super::*;

#[instrument(skip_all)]
#[resilient(retry)]
async fn above(service: &Flaky) -> Result<u32, Failure> {
    service.ask()
}

#[resilient(retry)]
#[instrument(skip_all)]
async fn below(service: &Flaky) -> Result<u32, Failure> {
    service.ask()
}

#[tokio::test(start_paused = true)]
async fn spans_are_of_calls_or_of_attempts() {
    let spans = Spans::count();
    above(&Flaky::default()).await.unwrap();
    let above = spans.made();
    below(&Flaky::default()).await.unwrap();
    assert_eq!((above, spans.made() - above), (3, 1));
}
