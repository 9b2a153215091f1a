//! Indexes of payload fields: how they are declared, and which conditions they support.

use std::collections::BTreeMap;

use qdrant_client::qdrant::payload_index_params::IndexParams;
use qdrant_client::qdrant::{
    CreateFieldIndexCollection, FieldType, PayloadIndexParams, PayloadSchemaInfo,
    PayloadSchemaType, TextIndexParams, TokenizerType,
};
use tonic::Status;

use super::convert::path;
use super::status::{bad_request, invalid_field, refuse_option, unsupported};
use crate::store::{
    Condition, FieldCheck, Filter, Match, Path, PointId, Range, TokenSplit, Tokenizer,
};

/// The indexes of a collection, by the path of their field.
pub(super) type Indexes = BTreeMap<String, FieldIndex>;

/// The index of a field.
#[derive(Clone, Debug)]
pub(super) struct FieldIndex {
    path: Path,
    schema: PayloadSchemaType,
    params: Option<PayloadIndexParams>,
    /// Set for a text index.
    tokenizer: Option<Tokenizer>,
}

/// What an index can be used for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    IntegerMatch,
    IntegerRange,
    Keyword,
    Float,
    Text,
    Bool,
    Uuid,
    Datetime,
    Geo,
}

impl Use {
    const ALL: [Self; 9] = [
        Self::IntegerMatch,
        Self::IntegerRange,
        Self::Keyword,
        Self::Float,
        Self::Text,
        Self::Bool,
        Self::Uuid,
        Self::Datetime,
        Self::Geo,
    ];

    /// The name of the index type for this use.
    fn schema(self) -> &'static str {
        match self {
            Self::IntegerMatch | Self::IntegerRange => "integer",
            Self::Keyword => "keyword",
            Self::Float => "float",
            Self::Text => "text",
            Self::Bool => "bool",
            Self::Uuid => "uuid",
            Self::Datetime => "datetime",
            Self::Geo => "geo",
        }
    }
}

impl FieldIndex {
    pub(super) fn from_message(request: &CreateFieldIndexCollection) -> Result<Self, Status> {
        let path = path(&request.field_name)?;
        let field_type = request
            .field_type
            .map(FieldType::try_from)
            .ok_or_else(|| Status::invalid_argument("cannot convert field_type"))?;
        let Ok(field_type) = field_type else {
            return Err(bad_request(
                "Can't auto-detect field type, please specify `field_schema` in the request",
            ));
        };
        let params = request.field_index_params.clone().filter(|it| it.index_params.is_some());
        let index_params = params.as_ref().and_then(|params| params.index_params.as_ref());
        let fits = match index_params {
            None => true,
            Some(IndexParams::KeywordIndexParams(_)) => field_type == FieldType::Keyword,
            Some(IndexParams::IntegerIndexParams(_)) => field_type == FieldType::Integer,
            Some(IndexParams::FloatIndexParams(_)) => field_type == FieldType::Float,
            Some(IndexParams::GeoIndexParams(_)) => field_type == FieldType::Geo,
            Some(IndexParams::TextIndexParams(_)) => field_type == FieldType::Text,
            Some(IndexParams::BoolIndexParams(_)) => field_type == FieldType::Bool,
            Some(IndexParams::DatetimeIndexParams(_)) => field_type == FieldType::Datetime,
            Some(IndexParams::UuidIndexParams(_)) => field_type == FieldType::Uuid,
        };
        if !fits {
            return Err(Status::invalid_argument(format!(
                "field_type ({field_type:?}) and field_index_params do not match"
            )));
        }
        let tokenizer = match index_params {
            Some(IndexParams::TextIndexParams(params)) => Some(tokenizer(params)?),
            _ if field_type == FieldType::Text => Some(Tokenizer::default()),
            _ => None,
        };
        if let Some(IndexParams::IntegerIndexParams(params)) = index_params
            && (params.lookup, params.range) == (Some(false), Some(false))
        {
            let why = "the 'lookup' and 'range' capabilities can't be both disabled";
            return Err(invalid_field("field_index_params.index_params.lookup", why));
        }
        let schema = match field_type {
            FieldType::Keyword => PayloadSchemaType::Keyword,
            FieldType::Integer => PayloadSchemaType::Integer,
            FieldType::Float => PayloadSchemaType::Float,
            FieldType::Geo => PayloadSchemaType::Geo,
            FieldType::Text => PayloadSchemaType::Text,
            FieldType::Bool => PayloadSchemaType::Bool,
            FieldType::Datetime => PayloadSchemaType::Datetime,
            FieldType::Uuid => PayloadSchemaType::Uuid,
        };
        Ok(Self { path, schema, params, tokenizer })
    }

    /// Returns the key of the index in [`Indexes`].
    pub(super) fn name(&self) -> String {
        self.path.to_string()
    }

    pub(super) fn info(&self, points: usize) -> PayloadSchemaInfo {
        PayloadSchemaInfo {
            data_type: self.schema.into(),
            params: self.params.clone(),
            points: Some(points as u64),
        }
    }

    /// Returns a filter for the points in the index.
    pub(super) fn indexed_points(&self) -> Filter {
        Filter { must_not: vec![Condition::IsEmpty(self.path.clone())], ..Filter::default() }
    }

    fn serves(&self, wanted: Use) -> bool {
        match self.schema {
            PayloadSchemaType::UnknownType => false,
            PayloadSchemaType::Keyword => wanted == Use::Keyword,
            PayloadSchemaType::Integer => {
                let params = self.params.as_ref().and_then(|params| params.index_params.as_ref());
                let (lookup, range) = match params {
                    Some(IndexParams::IntegerIndexParams(params)) => (params.lookup, params.range),
                    _ => (None, None),
                };
                (wanted == Use::IntegerMatch && lookup.unwrap_or(true))
                    || (wanted == Use::IntegerRange && range.unwrap_or(true))
            }
            PayloadSchemaType::Float => wanted == Use::Float,
            PayloadSchemaType::Geo => wanted == Use::Geo,
            PayloadSchemaType::Text => wanted == Use::Text,
            PayloadSchemaType::Bool => wanted == Use::Bool,
            PayloadSchemaType::Datetime => wanted == Use::Datetime,
            PayloadSchemaType::Uuid => wanted == Use::Uuid,
        }
    }
}

fn tokenizer(params: &TextIndexParams) -> Result<Tokenizer, Status> {
    refuse_option(params.stemmer.is_some(), "stemmers")?;
    refuse_option(params.ascii_folding == Some(true), "ascii_folding")?;
    let stopwords = params.stopwords.clone().unwrap_or_default();
    refuse_option(!stopwords.languages.is_empty(), "stopwords of a language")?;
    let split = match params.tokenizer() {
        TokenizerType::Word => TokenSplit::Word,
        TokenizerType::Whitespace => TokenSplit::Whitespace,
        TokenizerType::Prefix => TokenSplit::Prefix,
        TokenizerType::Multilingual => return Err(unsupported("the multilingual tokenizer")),
        TokenizerType::Code => return Err(unsupported("the code tokenizer")),
        TokenizerType::Unknown => {
            return Err(Status::invalid_argument("unknown tokenizer type"));
        }
    };
    let lowercase = params.lowercase.unwrap_or(true);
    let length = |length: Option<u64>| length.map(|it| usize::try_from(it).unwrap_or(usize::MAX));
    Ok(Tokenizer {
        split,
        lowercase,
        min_len: length(params.min_token_len),
        max_len: length(params.max_token_len),
        stopwords: stopwords
            .custom
            .into_iter()
            .map(|word| if lowercase { word.to_lowercase() } else { word })
            .collect(),
    })
}

/// Makes text matches use the text index of their field, if it has one.
pub(super) fn use_text_indexes(filter: &mut Filter, indexes: &Indexes) {
    use_in_filter(filter, None, indexes);
}

fn use_in_filter(filter: &mut Filter, prefix: Option<&Path>, indexes: &Indexes) {
    let min_should = filter.min_should.iter_mut().flat_map(|(conditions, _)| conditions);
    let conditions = filter.must.iter_mut().chain(&mut filter.should).chain(&mut filter.must_not);
    for condition in conditions.chain(min_should) {
        match condition {
            Condition::Field { key, check: FieldCheck::AnyOf { matches: Some(matches), .. } } => {
                if let Match::Text(text) = matches
                    && let Some(index) = indexes.get(&full(prefix, key).to_string())
                    && let Some(tokenizer) = &index.tokenizer
                {
                    *matches = Match::Tokens(tokenizer.query(text));
                }
            }
            Condition::Nested { key, filter } => {
                use_in_filter(filter, Some(&full(prefix, &key.elements())), indexes);
            }
            Condition::Filter(filter) => use_in_filter(filter, prefix, indexes),
            _ => {}
        }
    }
}

/// Returns a field that needs an index but has none, with the types of index that would support it.
pub(super) fn first_unindexed(filter: &Filter, indexes: &Indexes) -> Option<(Path, Vec<String>)> {
    unindexed_in_filter(filter, None, indexes)
}

fn unindexed_in_filter(
    filter: &Filter,
    prefix: Option<&Path>,
    indexes: &Indexes,
) -> Option<(Path, Vec<String>)> {
    filter.all_conditions().find_map(|condition| match condition {
        Condition::Nested { key, filter } => {
            unindexed_in_filter(filter, Some(&full(prefix, &key.elements())), indexes)
        }
        Condition::Filter(filter) => unindexed_in_filter(filter, prefix, indexes),
        condition => {
            let (key, uses) = uses(condition)?;
            let key = full(prefix, key);
            if uses.is_empty() || is_served(&key, &uses, indexes) {
                return None;
            }
            let mut schemas: Vec<_> = uses.iter().map(|it| it.schema().to_owned()).collect();
            schemas.sort_unstable();
            schemas.dedup();
            Some((key, schemas))
        }
    })
}

/// Returns whether an index supports a condition on a field.
pub(super) fn serves(indexes: &Indexes, prefix: Option<&Path>, condition: &Condition) -> bool {
    uses(condition).is_some_and(|(key, uses)| is_served(&full(prefix, key), &uses, indexes))
}

fn is_served(key: &Path, uses: &[Use], indexes: &Indexes) -> bool {
    let index = indexes.get(&key.to_string());
    index.is_some_and(|index| uses.iter().any(|it| index.serves(*it)))
}

/// Returns the path of a field, starting at the payload.
pub(super) fn full(prefix: Option<&Path>, key: &Path) -> Path {
    prefix.map_or_else(|| key.clone(), |prefix| prefix.join(key))
}

/// Returns the field of a condition, and the uses of which an index must support at least one.
fn uses(condition: &Condition) -> Option<(&Path, Vec<Use>)> {
    match condition {
        Condition::Field { key, check } => {
            let uses = match check {
                FieldCheck::AnyOf { matches, range } => {
                    let mut uses = matches.as_ref().map_or_else(Vec::new, match_uses);
                    if let Some(Range { .. }) = range {
                        uses.extend([Use::Float, Use::IntegerRange]);
                    }
                    uses
                }
                FieldCheck::Count(_) | FieldCheck::Empty(_) | FieldCheck::Null(_) => {
                    Use::ALL.to_vec()
                }
            };
            Some((key, uses))
        }
        Condition::IsEmpty(key) | Condition::IsNull(key) => Some((key, Use::ALL.to_vec())),
        _ => None,
    }
}

fn match_uses(matches: &Match) -> Vec<Use> {
    match matches {
        // A list without values needs no index.
        Match::Keywords(keywords) | Match::ExceptKeywords(keywords) if keywords.is_empty() => {
            Vec::new()
        }
        Match::Integers(integers) | Match::ExceptIntegers(integers) if integers.is_empty() => {
            Vec::new()
        }
        Match::Keywords(keywords) | Match::ExceptKeywords(keywords) => {
            let all_uuids = keywords.iter().all(|it| PointId::parse_uuid(it).is_some());
            if all_uuids { vec![Use::Uuid, Use::Keyword] } else { vec![Use::Keyword] }
        }
        Match::Integers(_) | Match::ExceptIntegers(_) => vec![Use::IntegerMatch],
        Match::Bool(_) => vec![Use::Bool],
        Match::Text(_) | Match::Tokens(_) => vec![Use::Text],
    }
}
