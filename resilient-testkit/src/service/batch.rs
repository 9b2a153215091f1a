//! Several writes in one request.

use std::time::Instant;

use qdrant_client::qdrant;
use qdrant_client::qdrant::points_update_operation::{
    ClearPayload, DeletePayload, DeletePoints, DeleteVectors, Operation, OverwritePayload,
    PointStructList, SetPayload, UpdateVectors,
};
use tonic::Status;

use super::status::invalid_field;
use super::{Engine, validate};

impl Engine {
    /// Runs the writes in order. Each is checked and charged when its turn comes, as if it were a
    /// separate request. If one is refused, the writes before it are kept.
    pub(super) fn update_batch(
        &self,
        request: qdrant::UpdateBatchPoints,
    ) -> Result<qdrant::UpdateBatchResponse, Status> {
        let start = Instant::now();
        validate::collection_name(&request.collection_name)?;
        if request.operations.is_empty() {
            let why = "value [] invalid, must be at least 1 characters";
            return Err(invalid_field("operations", why));
        }
        let common = Common {
            collection_name: request.collection_name,
            wait: request.wait,
            ordering: request.ordering,
            timeout: request.timeout,
        };
        let mut result = Vec::with_capacity(request.operations.len());
        for operation in request.operations {
            let operation = operation
                .operation
                .ok_or_else(|| Status::invalid_argument("Operation is missing"))?;
            result.extend(self.update_one(common.clone(), operation)?.result);
        }
        Ok(qdrant::UpdateBatchResponse { result, time: start.elapsed().as_secs_f64(), usage: None })
    }

    // Reason: clients still send the deprecated operations, and the server still takes them.
    #[allow(deprecated)]
    fn update_one(
        &self,
        Common { collection_name, wait, ordering, timeout }: Common,
        operation: Operation,
    ) -> Result<qdrant::PointsOperationResponse, Status> {
        /// Builds a request with the fields that are common to the batch.
        macro_rules! request {
            ($request:ident { $($field:ident $(: $value:expr)?),* }) => {
                qdrant::$request {
                    collection_name,
                    wait,
                    ordering,
                    timeout,
                    $($field $(: $value)?),*
                }
            };
        }
        match operation {
            Operation::Upsert(PointStructList {
                points,
                shard_key_selector,
                update_filter,
                update_mode,
            }) => self.upsert(request!(UpsertPoints {
                points,
                shard_key_selector,
                update_filter,
                update_mode
            })),
            Operation::DeleteDeprecated(points) => self.delete_points(request!(DeletePoints {
                points: Some(points),
                shard_key_selector: None
            })),
            Operation::DeletePoints(DeletePoints { points, shard_key_selector }) => {
                self.delete_points(request!(DeletePoints { points, shard_key_selector }))
            }
            Operation::SetPayload(SetPayload {
                payload,
                points_selector,
                shard_key_selector,
                key,
            }) => self.set_payload(request!(SetPayloadPoints {
                payload,
                points_selector,
                shard_key_selector,
                key
            })),
            Operation::OverwritePayload(OverwritePayload {
                payload,
                points_selector,
                shard_key_selector,
                key,
            }) => self.overwrite_payload(request!(SetPayloadPoints {
                payload,
                points_selector,
                shard_key_selector,
                key
            })),
            Operation::DeletePayload(DeletePayload {
                keys,
                points_selector,
                shard_key_selector,
            }) => self.delete_payload(request!(DeletePayloadPoints {
                keys,
                points_selector,
                shard_key_selector
            })),
            Operation::ClearPayloadDeprecated(points) => {
                self.clear_payload(request!(ClearPayloadPoints {
                    points: Some(points),
                    shard_key_selector: None
                }))
            }
            Operation::ClearPayload(ClearPayload { points, shard_key_selector }) => {
                self.clear_payload(request!(ClearPayloadPoints { points, shard_key_selector }))
            }
            Operation::UpdateVectors(UpdateVectors {
                points,
                shard_key_selector,
                update_filter,
            }) => self.update_vectors(request!(UpdatePointVectors {
                points,
                shard_key_selector,
                update_filter
            })),
            Operation::DeleteVectors(DeleteVectors {
                points_selector,
                vectors,
                shard_key_selector,
            }) => self.delete_vectors(request!(DeletePointVectors {
                points_selector,
                vectors,
                shard_key_selector
            })),
        }
    }
}

/// The fields that are common to all writes of a batch.
#[derive(Clone)]
struct Common {
    collection_name: String,
    wait: Option<bool>,
    ordering: Option<qdrant::WriteOrdering>,
    timeout: Option<u64>,
}
