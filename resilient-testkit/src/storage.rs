//! The data that servers serve.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use crate::service::state::CollectionState;
use crate::store::{MemoryStore, Store};

/// The data that a server serves: a [`Store`], and the settings and indexes of its collections.
///
/// Clones share the same data. Servers started with clones of one storage serve the same data, like
/// the nodes of a cluster. The data outlives the servers.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use resilient_testkit::store::MemoryStore;
/// use resilient_testkit::{EmbeddedQdrant, Storage};
///
/// let storage = Storage::new(MemoryStore::default());
/// let one = EmbeddedQdrant::builder().storage(storage.clone()).start().await?;
/// let two = EmbeddedQdrant::builder().storage(storage).start().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Storage(Arc<Stored>);

struct Stored {
    store: Box<dyn Store>,
    states: Mutex<HashMap<String, CollectionState>>,
}

impl Storage {
    /// Creates a storage over a store. [`Default`] creates one over an empty [`MemoryStore`].
    pub fn new(store: impl Store) -> Self {
        Self(Arc::new(Stored { store: Box::new(store), states: Mutex::default() }))
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.0.store
    }

    /// The settings and indexes of each collection.
    pub(crate) fn states(&self) -> &Mutex<HashMap<String, CollectionState>> {
        &self.0.states
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self::new(MemoryStore::default())
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storage").finish_non_exhaustive()
    }
}
