//! A search on the embedded server, over gRPC on the loopback interface: annotated and plain.

use std::time::Instant;

use qdrant_client::qdrant::{
    CreateCollectionBuilder, Distance, PointStruct, QueryPointsBuilder, QueryResponse,
    UpsertPointsBuilder, VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use resilient_bench::measure::in_turns;
use resilient_bench::table;
use resilient_runtime::resilient;
use resilient_testkit::EmbeddedQdrant;

const DOCS: &str = "docs";
const TURNS: usize = 4_001;

async fn search(client: &Qdrant, vector: &[f32]) -> Result<QueryResponse, QdrantError> {
    client.query(QueryPointsBuilder::new(DOCS).query(vector.to_vec()).limit(10)).await
}

#[resilient(retry = "rate_limit_error", breaker = "search")]
async fn annotated(client: &Qdrant, vector: &[f32]) -> Result<QueryResponse, QdrantError> {
    client.query(QueryPointsBuilder::new(DOCS).query(vector.to_vec()).limit(10)).await
}

#[resilient(retry = "rate_limit_error", breaker = "search", attempt_timeout = "2s")]
async fn timed(client: &Qdrant, vector: &[f32]) -> Result<QueryResponse, QdrantError> {
    client.query(QueryPointsBuilder::new(DOCS).query(vector.to_vec()).limit(10)).await
}

async fn fill(client: &Qdrant) -> Result<(), QdrantError> {
    let vectors = VectorParamsBuilder::new(4, Distance::Dot);
    client.create_collection(CreateCollectionBuilder::new(DOCS).vectors_config(vectors)).await?;
    let point = |id: u16| PointStruct::new(u64::from(id), vec![f32::from(id); 4], Payload::new());
    let points: Vec<_> = (0..100).map(point).collect();
    client.upsert_points(UpsertPointsBuilder::new(DOCS, points).wait(true)).await?;
    Ok(())
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let server = runtime.block_on(EmbeddedQdrant::start()).expect("a free port");
    let client = server.client();
    runtime.block_on(fill(&client)).expect("the server is there");

    let names = [
        "plain function",
        "plain function, again",
        "`retry` and `breaker`",
        "`retry`, `breaker`, `attempt_timeout`",
    ];
    let vector = [0.1, 0.2, 0.3, 0.4];
    let samples = in_turns(TURNS, &[0, 1, 2, 3], |which| {
        let start = Instant::now();
        let found = runtime.block_on(async {
            match which {
                2 => annotated(&client, &vector).await,
                3 => timed(&client, &vector).await,
                _ => search(&client, &vector).await,
            }
        });
        let took = start.elapsed();
        assert_eq!(found.expect("the server is there").result.len(), 10);
        took.as_secs_f64() * 1e9
    });
    let plain = samples[0].median();
    let rows = names.iter().zip(&samples).map(|(name, samples)| {
        let median = samples.median();
        [(*name).to_owned(), format!("{:.1} µs", median / 1e3), format!("{:.3}", median / plain)]
    });
    table::print("A search on the embedded server", ["", "median", "times plain"], rows);
}
