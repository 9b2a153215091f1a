//! Converts ids, payloads and vectors between messages and the types of the store.

use std::collections::HashMap;

use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::value::Kind;
use qdrant_client::qdrant::vectors::VectorsOptions;
use qdrant_client::qdrant::with_payload_selector::SelectorOptions as PayloadOptions;
use qdrant_client::qdrant::with_vectors_selector::SelectorOptions as VectorOptions;
use qdrant_client::qdrant::{self, vector, vector_output, vectors_output};
use tonic::Status;

use super::status::unsupported;
use crate::store::{Path, Payload, Point, PointId, Value, Vectors};

pub(super) fn point_id(id: qdrant::PointId) -> Result<PointId, Status> {
    match id.point_id_options {
        Some(PointIdOptions::Num(number)) => Ok(PointId::Number(number)),
        Some(PointIdOptions::Uuid(uuid)) => PointId::parse_uuid(&uuid)
            .ok_or_else(|| Status::invalid_argument(format!("Unable to parse UUID: {uuid}"))),
        None => Err(Status::invalid_argument("No ID options provided")),
    }
}

pub(super) fn id_message(id: PointId) -> qdrant::PointId {
    qdrant::PointId {
        point_id_options: Some(match id {
            PointId::Number(number) => PointIdOptions::Num(number),
            PointId::Uuid(_) => PointIdOptions::Uuid(id.to_string()),
        }),
    }
}

pub(super) fn path(text: &str) -> Result<Path, Status> {
    Path::parse(text)
        .ok_or_else(|| Status::invalid_argument(format!("Invalid json path: '{text}'")))
}

pub(super) fn payload(fields: HashMap<String, qdrant::Value>) -> Result<Payload, Status> {
    fields.into_iter().map(|(key, field)| Ok((key, value(field)?))).collect()
}

fn value(value: qdrant::Value) -> Result<Value, Status> {
    Ok(match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(value)) => Value::Bool(value),
        Some(Kind::IntegerValue(value)) => Value::Integer(value),
        Some(Kind::DoubleValue(value)) if value.is_finite() => Value::Float(value),
        Some(Kind::DoubleValue(_)) => {
            return Err(Status::invalid_argument("cannot convert to json number"));
        }
        Some(Kind::StringValue(value)) => Value::String(value),
        Some(Kind::ListValue(list)) => {
            Value::List(list.values.into_iter().map(self::value).collect::<Result<_, _>>()?)
        }
        Some(Kind::StructValue(object)) => Value::Object(payload(object.fields)?),
    })
}

fn payload_message(payload: Payload) -> HashMap<String, qdrant::Value> {
    payload.into_iter().map(|(key, value)| (key, value_message(value))).collect()
}

fn value_message(value: Value) -> qdrant::Value {
    qdrant::Value {
        kind: Some(match value {
            Value::Null => Kind::NullValue(0),
            Value::Bool(value) => Kind::BoolValue(value),
            Value::Integer(value) => Kind::IntegerValue(value),
            Value::Float(value) => Kind::DoubleValue(value),
            Value::String(value) => Kind::StringValue(value),
            Value::List(values) => Kind::ListValue(qdrant::ListValue {
                values: values.into_iter().map(value_message).collect(),
            }),
            Value::Object(payload) => {
                Kind::StructValue(qdrant::Struct { fields: payload_message(payload) })
            }
        }),
    }
}

pub(super) fn vectors(vectors: qdrant::Vectors) -> Result<Vectors, Status> {
    match vectors.vectors_options {
        Some(VectorsOptions::Vector(vector)) => {
            let vector = dense(vector)?;
            if vector.is_empty() {
                return Err(Status::invalid_argument("dense vector must not be empty"));
            }
            Ok([(String::new(), vector)].into())
        }
        Some(VectorsOptions::Vectors(named)) => {
            named.vectors.into_iter().map(|(name, vector)| Ok((name, dense(vector)?))).collect()
        }
        None => Err(Status::invalid_argument("No Vector Provided")),
    }
}

// Reason: clients before 1.16 send the deprecated fields, and the server still accepts them.
#[allow(deprecated)]
fn dense(vector: qdrant::Vector) -> Result<Vec<f32>, Status> {
    match vector.vector {
        Some(vector::Vector::Dense(dense)) => Ok(dense.data),
        Some(vector::Vector::Sparse(_)) => Err(unsupported("sparse vectors")),
        Some(vector::Vector::MultiDense(_)) => Err(unsupported("multivectors")),
        Some(_) => Err(unsupported("inference")),
        None if vector.indices.is_some() => Err(unsupported("sparse vectors")),
        None if vector.vectors_count.is_some() => Err(unsupported("multivectors")),
        None => Ok(vector.data),
    }
}

/// The parts of a point that a response contains.
pub(super) struct Parts {
    payload: PayloadParts,
    vectors: VectorParts,
}

enum PayloadParts {
    None,
    All,
    Include(Vec<Path>),
    Exclude(Vec<Path>),
}

enum VectorParts {
    None,
    All,
    Include(Vec<String>),
}

impl Parts {
    /// `default_payload` says whether the call returns the payload by default.
    pub(super) fn new(
        payload: Option<qdrant::WithPayloadSelector>,
        default_payload: bool,
        vectors: Option<qdrant::WithVectorsSelector>,
    ) -> Result<Self, Status> {
        let paths = |fields: Vec<String>| -> Result<Vec<Path>, Status> {
            fields.iter().map(|field| path(field)).collect()
        };
        let payload = match payload.map(|selector| selector.selector_options) {
            None if default_payload => PayloadParts::All,
            None | Some(Some(PayloadOptions::Enable(false))) => PayloadParts::None,
            Some(Some(PayloadOptions::Enable(true))) => PayloadParts::All,
            Some(Some(PayloadOptions::Include(include))) => {
                PayloadParts::Include(paths(include.fields)?)
            }
            Some(Some(PayloadOptions::Exclude(exclude))) => {
                PayloadParts::Exclude(paths(exclude.fields)?)
            }
            Some(None) => return Err(Status::invalid_argument("No PayloadSelector")),
        };
        let vectors = match vectors.and_then(|selector| selector.selector_options) {
            None | Some(VectorOptions::Enable(false)) => VectorParts::None,
            Some(VectorOptions::Enable(true)) => VectorParts::All,
            Some(VectorOptions::Include(include)) => VectorParts::Include(include.names),
        };
        Ok(Self { payload, vectors })
    }

    /// Returns the names of the vectors that the request asks for.
    pub(super) fn vector_names(&self) -> &[String] {
        match &self.vectors {
            VectorParts::Include(names) => names,
            VectorParts::None | VectorParts::All => &[],
        }
    }

    /// Converts these parts of a point to messages.
    pub(super) fn of(
        &self,
        point: Point,
    ) -> (HashMap<String, qdrant::Value>, Option<qdrant::VectorsOutput>) {
        let payload = match &self.payload {
            PayloadParts::None => Payload::new(),
            PayloadParts::All => point.payload,
            PayloadParts::Include(paths) => Path::keep(paths, &point.payload),
            PayloadParts::Exclude(paths) => Path::omit(paths, &point.payload),
        };
        let vectors = match &self.vectors {
            VectorParts::None => None,
            VectorParts::All => Some(point.vectors),
            VectorParts::Include(names) => {
                Some(point.vectors.into_iter().filter(|(name, _)| names.contains(name)).collect())
            }
        };
        (payload_message(payload), vectors.map(vectors_message))
    }
}

fn vectors_message(mut vectors: Vectors) -> qdrant::VectorsOutput {
    let options = match vectors.remove("") {
        Some(unnamed) => vectors_output::VectorsOptions::Vector(vector_message(unnamed)),
        None => vectors_output::VectorsOptions::Vectors(qdrant::NamedVectorsOutput {
            vectors: vectors
                .into_iter()
                .map(|(name, vector)| (name, vector_message(vector)))
                .collect(),
        }),
    };
    qdrant::VectorsOutput { vectors_options: Some(options) }
}

fn vector_message(vector: Vec<f32>) -> qdrant::VectorOutput {
    qdrant::VectorOutput {
        vector: Some(vector_output::Vector::Dense(qdrant::DenseVector { data: vector })),
        ..qdrant::VectorOutput::default()
    }
}
