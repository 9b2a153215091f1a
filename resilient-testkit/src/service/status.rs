//! Errors in the codes and words of the real server.

use tonic::{Code, Status};

use crate::store::StoreError;

/// What the engine refused.
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

/// An invalid request, or one that strict mode refuses.
pub(super) fn bad_request(description: impl std::fmt::Display) -> Status {
    Status::invalid_argument(format!("Bad request: {description}"))
}

pub(super) fn not_found(description: impl std::fmt::Display) -> Status {
    Status::not_found(format!("Not found: {description}"))
}

/// An invalid field of a request.
pub(super) fn invalid_field(field: &str, why: &str) -> Status {
    Status::invalid_argument(format!("Validation error in body: [{field}: {why}]"))
}

/// The real server can do it, this one cannot.
pub(super) fn unsupported(what: &str) -> Status {
    Status::unimplemented(format!("resilient-testkit does not support {what}"))
}

/// Refuses an option that would change the result if it were passed over.
pub(super) fn refuse_option(set: bool, name: &str) -> Result<(), Status> {
    if set { Err(unsupported(name)) } else { Ok(()) }
}
