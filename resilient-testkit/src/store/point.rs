//! Points: their ids, their payload, their vectors.

use std::collections::BTreeMap;
use std::fmt;

/// The id of a point: a number or a UUID.
///
/// Numbers sort before UUIDs, as in Qdrant's scroll.
///
/// ```
/// use resilient_testkit::store::PointId;
///
/// let id = PointId::parse_uuid("936da01f-9abd-4d9d-80c7-02af85c822a8").unwrap();
/// assert_eq!(id.to_string(), "936da01f-9abd-4d9d-80c7-02af85c822a8");
/// assert!(PointId::Number(7) < id);
/// assert_eq!(PointId::parse_uuid("seven"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PointId {
    /// A number.
    Number(u64),
    /// A UUID, as the number that its hexadecimal digits spell.
    Uuid(u128),
}

impl PointId {
    /// Parses a UUID: 32 hexadecimal digits, with or without hyphens, braces or `urn:uuid:`.
    #[must_use]
    pub fn parse_uuid(text: &str) -> Option<Self> {
        const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
        let text = text
            .strip_prefix("urn:uuid:")
            .or_else(|| text.strip_prefix('{')?.strip_suffix('}'))
            .unwrap_or(text);
        let digits: String = if text.contains('-') {
            let groups: Vec<&str> = text.split('-').collect();
            if !groups.iter().map(|group| group.len()).eq(GROUPS) {
                return None;
            }
            groups.concat()
        } else {
            text.to_owned()
        };
        // `from_str_radix` alone would accept a sign and fewer digits.
        if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        u128::from_str_radix(&digits, 16).ok().map(Self::Uuid)
    }
}

impl fmt::Display for PointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Uuid(uuid) => {
                let digits = format!("{uuid:032x}");
                write!(
                    f,
                    "{}-{}-{}-{}-{}",
                    &digits[..8],
                    &digits[8..12],
                    &digits[12..16],
                    &digits[16..20],
                    &digits[20..]
                )
            }
        }
    }
}

/// A JSON value in a payload. Integers and floats are distinct.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// A finite float.
    Float(f64),
    /// A string.
    String(String),
    /// An array.
    List(Vec<Value>),
    /// An object.
    Object(Payload),
}

/// The data of a point besides its vectors.
pub type Payload = BTreeMap<String, Value>;

/// Vectors by name. The unnamed vector has the empty name.
pub type Vectors = BTreeMap<String, Vec<f32>>;

/// A stored point.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Its id.
    pub id: PointId,
    /// Its payload.
    pub payload: Payload,
    /// Its vectors: some or all of those that the collection declares.
    pub vectors: Vectors,
}

/// A point in the result of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredPoint {
    /// The point.
    pub point: Point,
    /// How near it is, by the vector's [`Distance`](super::Distance).
    pub score: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_read_in_each_of_its_forms() {
        let expected = Some(PointId::Uuid(0x936d_a01f_9abd_4d9d_80c7_02af_85c8_22a8));
        for text in [
            "936da01f-9abd-4d9d-80c7-02af85c822a8",
            "936DA01F9ABD4D9D80C702AF85C822A8",
            "{936da01f-9abd-4d9d-80c7-02af85c822a8}",
            "urn:uuid:936da01f-9abd-4d9d-80c7-02af85c822a8",
        ] {
            assert_eq!(PointId::parse_uuid(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_uuid_is_refused() {
        for text in [
            "",
            "7",
            "936da01f-9abd-4d9d-80c7-02af85c822a",
            "936da01f9-abd-4d9d-80c7-02af85c822a8",
            "+36da01f9abd4d9d80c702af85c822a8",
            "936da01f-9abd-4d9d-80c7-02af85c822ag",
        ] {
            assert_eq!(PointId::parse_uuid(text), None, "{text}");
        }
    }
}
