//! A service that goes on answering while Qdrant is down: as long as the breaker is open, it
//! gives the answer that it had last.
//!
//! `cargo run --example graceful_degradation`

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use qdrant_client::qdrant::{PointId, QueryPointsBuilder, ScoredPoint};
use qdrant_client::{Qdrant, QdrantError};
use resilient_examples::{COLLECTION, SENT_PER_FAILURE};
use resilient_runtime::{CircuitOpenError, resilient};
use resilient_testkit::{Fault, Method};

/// Recommends what is near to a point.
struct Recommender {
    client: Qdrant,
    last: HashMap<u64, Vec<ScoredPoint>>,
}

#[derive(Debug, PartialEq)]
enum Answer {
    Fresh(Vec<ScoredPoint>),
    /// From the last time; worth asking again after this time.
    Stale(Vec<ScoredPoint>, Option<Duration>),
}

impl Recommender {
    #[resilient(breaker(
        name = "recommend",
        failure_threshold = 3,
        success_threshold = 1,
        open_duration = "1s"
    ))]
    async fn ask(&self, id: u64) -> Result<Vec<ScoredPoint>, QdrantError> {
        let query = QueryPointsBuilder::new(COLLECTION).query(PointId::from(id)).limit(2);
        Ok(self.client.query(query).await?.result)
    }

    async fn near_to(&mut self, id: u64) -> Result<Answer, QdrantError> {
        let error = match self.ask(id).await {
            Ok(points) => {
                self.last.insert(id, points.clone());
                return Ok(Answer::Fresh(points));
            }
            Err(error) => error,
        };
        match (CircuitOpenError::find(&error), self.last.get(&id)) {
            (Some(open), Some(points)) => Ok(Answer::Stale(points.clone(), open.retry_after)),
            _ => Err(error),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (server, client) = resilient_examples::start().await?;
    let mut recommender = Recommender { client, last: HashMap::new() };

    let Answer::Fresh(fresh) = recommender.near_to(1).await? else {
        panic!("the breaker is closed");
    };
    println!("fresh: {} points near to 1", fresh.len());
    assert_eq!(fresh.len(), 2);

    // The first calls of an outage find out that it is one.
    server.reset_counts();
    let outage = server.script(Fault::unavailable().on(Method::QUERY));
    for _ in 0..3 {
        recommender.near_to(1).await.unwrap_err();
    }
    println!("the server is down");

    let Answer::Stale(stale, Some(wait)) = recommender.near_to(1).await? else {
        panic!("the breaker is open");
    };
    println!("stale: {} points near to 1, as they were; ask again in {wait:?}", stale.len());
    assert_eq!(stale, fresh);
    assert_eq!(server.requests(Method::QUERY), 3 * SENT_PER_FAILURE, "the fourth was not sent");

    // There is nothing to fall back on for a point that nobody has asked for.
    let error = recommender.near_to(2).await.unwrap_err();
    println!("nothing near to 2: {}", CircuitOpenError::find(&error).expect("a rejection"));

    outage.remove();
    tokio::time::sleep(wait).await;
    assert_eq!(recommender.near_to(1).await?, Answer::Fresh(fresh));
    println!("fresh again");
    Ok(())
}
