//! Existing code: a function that makes an id, pays for an embedding, and turns its errors into text.
//! `guard!` goes around the one request. The rest of the function runs once, whatever the request does.
//!
//! `cargo run --example existing_code`

use std::cell::Cell;
use std::error::Error;

use qdrant_client::qdrant::{CountPointsBuilder, PointStruct, UpsertPointsBuilder};
use qdrant_client::{Payload, Qdrant};
use resilient_examples::COLLECTION;
use resilient_runtime::guard;
use resilient_testkit::tonic::Status;
use resilient_testkit::{Fault, Method};

/// A model that costs money.
#[derive(Default)]
struct Model {
    paid: Cell<u32>,
}

impl Model {
    fn embed(&self, text: &str) -> Vec<f32> {
        self.paid.set(self.paid.get() + 1);
        vec![0.1, 0.2, 1.0 / (1.0 + f32::from(u8::try_from(text.len()).unwrap_or(u8::MAX)))]
    }
}

async fn add(client: &Qdrant, model: &Model, id: u64, text: &str) -> Result<(), String> {
    let point = PointStruct::new(id, model.embed(text), Payload::new());
    let request = UpsertPointsBuilder::new(COLLECTION, vec![point]).wait(true).build();
    guard!(retry = "auto", breaker = "docs"; client.upsert_points(request.clone()))
        .await
        .map_err(|error| format!("adding {id}: {error}"))?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (server, client) = resilient_examples::start().await?;
    let model = Model::default();

    let limited = Fault::status(Status::resource_exhausted("Rate limiting exceeded"));
    server.script(limited.on(Method::UPSERT).times(1));
    add(&client, &model, 10, "a text").await?;

    let count = client.count(CountPointsBuilder::new(COLLECTION).exact(true)).await?;
    let points = count.result.map_or(0, |result| result.count);
    let (requests, paid) = (server.requests(Method::UPSERT), model.paid.get());
    println!("{requests} requests, {paid} embedding paid, {points} points");
    assert_eq!((requests, paid, points), (2, 1, 4));

    for call in resilient_runtime::catalog().functions() {
        println!("{call}");
    }
    Ok(())
}
