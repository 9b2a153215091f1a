//! What the examples need before they can begin, and what is not their subject: a server with a
//! few points in it.

use std::error::Error;

use qdrant_client::qdrant::{
    CreateCollectionBuilder, Distance, PointStruct, UpsertPointsBuilder, VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant};
use resilient_testkit::EmbeddedQdrant;

/// The collection that the examples work on: vectors of three dimensions, and points 1, 2 and 3.
pub const COLLECTION: &str = "my-collection";

/// How many requests one failed attempt sends to the points service: `qdrant-client` sends each
/// again by itself, at once, when the answer is `Unavailable` or `Internal`. A fault that is to
/// fail two attempts is scripted `times(2 * SENT_PER_FAILURE)`.
pub const SENT_PER_FAILURE: u64 = 2;

/// Starts an embedded server with [`COLLECTION`] in it, and a client of that server. Requests are
/// counted from here on.
///
/// # Errors
///
/// If the system gives no port.
pub async fn start() -> Result<(EmbeddedQdrant, Qdrant), Box<dyn Error + Send + Sync>> {
    let server = EmbeddedQdrant::start().await?;
    let client = server.client();

    let vectors = VectorParamsBuilder::new(3, Distance::Cosine);
    let collection = CreateCollectionBuilder::new(COLLECTION).vectors_config(vectors);
    client.create_collection(collection).await?;

    let points = vec![
        PointStruct::new(1, vec![0.1, 0.2, 0.3], Payload::new()),
        PointStruct::new(2, vec![0.3, 0.2, 0.1], Payload::new()),
        PointStruct::new(3, vec![0.9, 0.1, 0.1], Payload::new()),
    ];
    client.upsert_points(UpsertPointsBuilder::new(COLLECTION, points).wait(true)).await?;

    server.reset_counts();
    Ok((server, client))
}

/// The key in the variable `QDRANT_API_KEY`, if there is one.
///
/// # Errors
///
/// If it is none that a header can carry. The client's own error would tell the key, and an error
/// of `main` is printed.
pub fn api_key() -> Result<Option<String>, Box<dyn Error + Send + Sync>> {
    std::env::var("QDRANT_API_KEY").ok().map(checked).transpose()
}

fn checked(key: String) -> Result<String, Box<dyn Error + Send + Sync>> {
    if key.chars().all(|character| matches!(character, ' '..='~')) {
        Ok(key)
    } else {
        Err("QDRANT_API_KEY has a character, such as a line break, that is in no key".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_key_is_refused_without_being_told() {
        assert_eq!(checked("d41d8cd98f".into()).unwrap(), "d41d8cd98f");
        let error = checked("d41d8cd98f\n".into()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("d41d8cd98f"), "{error}");
    }
}
