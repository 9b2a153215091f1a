//! Errors with the codes and messages of the real server.

use tonic::{Code, Status};

use crate::store::StoreError;

/// Converts an error of the store.
pub(super) fn to_status(error: &StoreError) -> Status {
    match error {
        StoreError::CollectionNotFound(_) | StoreError::PointNotFound(_) => not_found(error),
        StoreError::CollectionExists(_) => {
            Status::new(Code::AlreadyExists, format!("Wrong input: {error}"))
        }
        StoreError::UnknownVector(_) | StoreError::WrongDimension { .. } => wrong_input(error),
        StoreError::Internal(_) => Status::internal(format!("Service internal error: {error}")),
    }
}

pub(super) fn wrong_input(description: impl std::fmt::Display) -> Status {
    Status::invalid_argument(format!("Wrong input: {description}"))
}

/// Returns the error for an invalid request, or for one that strict mode rejects.
pub(super) fn bad_request(description: impl std::fmt::Display) -> Status {
    Status::invalid_argument(format!("Bad request: {description}"))
}

pub(super) fn not_found(description: impl std::fmt::Display) -> Status {
    Status::not_found(format!("Not found: {description}"))
}

/// Returns the error for an invalid field of a request.
pub(super) fn invalid_field(field: &str, why: &str) -> Status {
    Status::invalid_argument(format!("Validation error in body: [{field}: {why}]"))
}

/// Returns the error for a feature of the real server that this server lacks.
pub(super) fn unsupported(what: &str) -> Status {
    Status::unimplemented(format!("resilient-testkit does not support {what}"))
}

/// Rejects an option, since ignoring it would change the result.
pub(super) fn refuse_option(set: bool, name: &str) -> Result<(), Status> {
    if set { Err(unsupported(name)) } else { Ok(()) }
}
