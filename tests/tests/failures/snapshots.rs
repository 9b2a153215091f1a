//! Downloads of snapshots, which the client makes over HTTP.

use std::path::PathBuf;

use qdrant_client::QdrantError;
use qdrant_client::qdrant::SnapshotDownloadBuilder;
use resilient_runtime::ErrorKind;
use resilient_testkit::{EmbeddedQdrant, RawPeer};

use crate::support::{DOCS, Seen, client_of};

/// A file of this test's own.
fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("resilient-{name}-{}", std::process::id()))
}

/// Downloads from this URL, and leaves what was downloaded.
async fn download(url: &str, name: &str) -> (Result<(), QdrantError>, Option<String>) {
    let path = file(name);
    let download =
        SnapshotDownloadBuilder::new(&path, DOCS).snapshot_name("today").rest_api_uri(url).build();
    let result = client_of(url).download_snapshot(download).await;
    let written = std::fs::read_to_string(&path).ok();
    // There is none where nothing was answered.
    let _ = std::fs::remove_file(&path);
    (result, written)
}

async fn seen(url: &str, name: &str) -> Seen {
    let error = download(url, name).await.0.unwrap_err();
    assert!(matches!(error, QdrantError::Reqwest(_)), "{error:?}");
    Seen::of(&error, 0)
}

#[tokio::test]
async fn a_download_that_is_refused() {
    let server = EmbeddedQdrant::start().await.unwrap();
    server.connections().refuse();
    let expected = Seen::not_executed(ErrorKind::ConnectionError, 0);
    assert_eq!(seen(&server.url(), "refused").await, expected);
}

#[tokio::test]
async fn a_download_from_what_is_no_url() {
    let expected = Seen::not_executed(ErrorKind::InvalidRequestError, 0);
    assert_eq!(seen("127.0.0.1", "no url").await, expected);
}

#[tokio::test]
async fn a_download_that_ends_too_early() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf";
    let peer = RawPeer::saying(half).await.unwrap();
    let expected = Seen::executed_perhaps(ErrorKind::NetworkError, 0);
    assert_eq!(seen(&peer.url(), "early").await, expected);
}

#[tokio::test]
async fn a_download_that_is_answered_by_an_error_is_none_for_the_client() {
    let down = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\ndown";
    let peer = RawPeer::saying(down).await.unwrap();
    let (result, written) = download(&peer.url(), "answered").await;
    result.unwrap();
    assert_eq!(written.as_deref(), Some("down"));
}
