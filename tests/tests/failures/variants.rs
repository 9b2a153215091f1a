//! The errors of the client that hold no status.

use std::collections::HashMap;
use std::io;

use qdrant_client::{Payload, QdrantError};
use resilient_runtime::ErrorKind as Kind;

use crate::support::Seen;

#[test]
fn what_is_wrong_with_a_payload_was_never_sent() {
    let not_an_object = Payload::try_from(serde_json::json!(["Oslo"])).unwrap_err();
    assert!(matches!(not_an_object, QdrantError::JsonToPayload(_)));
    let payload = Payload::try_from(serde_json::json!({ "population": "many" })).unwrap();
    let not_of_numbers = payload.deserialize::<HashMap<String, u64>>().unwrap_err();
    assert!(matches!(not_of_numbers, QdrantError::PayloadDeserialization(_)));
    for error in [not_an_object, not_of_numbers] {
        let expected = Seen::not_executed(Kind::InvalidRequestError, 0);
        assert_eq!(Seen::of(&error, 0), expected, "{error:?}");
    }
}

#[test]
fn what_is_made_of_no_answer_was_never_sent() {
    let missing = QdrantError::NoSnapshotFound("docs".into());
    assert_eq!(Seen::of(&missing, 0), Seen::not_executed(Kind::NotFoundError, 0));
    let conversion = QdrantError::ConversionError("not a dense vector".into());
    assert_eq!(Seen::of(&conversion, 0), Seen::not_executed(Kind::InvalidRequestError, 0));
}

#[test]
fn a_file_that_cannot_be_written_is_this_machines_business() {
    for (kind, expected) in [
        (io::ErrorKind::NotFound, Kind::InvalidRequestError),
        (io::ErrorKind::PermissionDenied, Kind::InvalidRequestError),
        (io::ErrorKind::StorageFull, Kind::InternalError),
    ] {
        let error = QdrantError::Io(kind.into());
        assert_eq!(Seen::of(&error, 0), Seen::not_executed(expected, 0), "{kind:?}");
    }
}
