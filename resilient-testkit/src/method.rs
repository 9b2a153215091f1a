//! The names of the calls that the server knows.

use std::fmt;

/// A call of the gRPC interface, such as `Points/Search`.
///
/// Every call of the services `Points`, `Collections` and `Qdrant` has a constant. If a call of
/// `Collections` has the same name as one of `Points`, its constant contains `COLLECTION`.
///
/// ```
/// use resilient_testkit::Method;
///
/// assert_eq!(Method::SEARCH.to_string(), "Points/Search");
/// assert_eq!(Method::GET_COLLECTION.to_string(), "Collections/Get");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Method(&'static str);

macro_rules! methods {
    ($($constant:ident = $name:literal;)*) => {
        impl Method {
            $(
                #[doc = concat!("`", $name, "`")]
                pub const $constant: Self = Self($name);
            )*

            /// Every call, in the order in which the interface defines them.
            pub const ALL: &[Self] = &[$(Self::$constant),*];
        }
    };
}

methods! {
    UPSERT = "Points/Upsert";
    DELETE = "Points/Delete";
    GET = "Points/Get";
    UPDATE_VECTORS = "Points/UpdateVectors";
    DELETE_VECTORS = "Points/DeleteVectors";
    SET_PAYLOAD = "Points/SetPayload";
    OVERWRITE_PAYLOAD = "Points/OverwritePayload";
    DELETE_PAYLOAD = "Points/DeletePayload";
    CLEAR_PAYLOAD = "Points/ClearPayload";
    CREATE_FIELD_INDEX = "Points/CreateFieldIndex";
    DELETE_FIELD_INDEX = "Points/DeleteFieldIndex";
    CREATE_VECTOR_NAME = "Points/CreateVectorName";
    DELETE_VECTOR_NAME = "Points/DeleteVectorName";
    SEARCH = "Points/Search";
    SEARCH_BATCH = "Points/SearchBatch";
    SEARCH_GROUPS = "Points/SearchGroups";
    SCROLL = "Points/Scroll";
    RECOMMEND = "Points/Recommend";
    RECOMMEND_BATCH = "Points/RecommendBatch";
    RECOMMEND_GROUPS = "Points/RecommendGroups";
    DISCOVER = "Points/Discover";
    DISCOVER_BATCH = "Points/DiscoverBatch";
    COUNT = "Points/Count";
    UPDATE_BATCH = "Points/UpdateBatch";
    QUERY = "Points/Query";
    QUERY_BATCH = "Points/QueryBatch";
    QUERY_GROUPS = "Points/QueryGroups";
    FACET = "Points/Facet";
    SEARCH_MATRIX_PAIRS = "Points/SearchMatrixPairs";
    SEARCH_MATRIX_OFFSETS = "Points/SearchMatrixOffsets";
    GET_COLLECTION = "Collections/Get";
    LIST_COLLECTIONS = "Collections/List";
    CREATE_COLLECTION = "Collections/Create";
    UPDATE_COLLECTION = "Collections/Update";
    DELETE_COLLECTION = "Collections/Delete";
    UPDATE_ALIASES = "Collections/UpdateAliases";
    LIST_COLLECTION_ALIASES = "Collections/ListCollectionAliases";
    LIST_ALIASES = "Collections/ListAliases";
    COLLECTION_CLUSTER_INFO = "Collections/CollectionClusterInfo";
    COLLECTION_EXISTS = "Collections/CollectionExists";
    UPDATE_COLLECTION_CLUSTER_SETUP = "Collections/UpdateCollectionClusterSetup";
    CREATE_SHARD_KEY = "Collections/CreateShardKey";
    DELETE_SHARD_KEY = "Collections/DeleteShardKey";
    LIST_SHARD_KEYS = "Collections/ListShardKeys";
    HEALTH_CHECK = "Qdrant/HealthCheck";
}

impl Method {
    /// Returns the call with this HTTP path, such as `/qdrant.Points/Search`.
    pub(crate) fn from_path(path: &str) -> Option<Self> {
        let name = path.strip_prefix("/qdrant.")?;
        Self::ALL.iter().copied().find(|method| method.0 == name)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_method() {
        assert_eq!(Method::from_path("/qdrant.Points/SearchBatch"), Some(Method::SEARCH_BATCH));
        assert_eq!(Method::from_path("/qdrant.Snapshots/Create"), None);
        assert_eq!(Method::from_path("/"), None);
    }
}
