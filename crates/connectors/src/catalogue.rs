//! All connectors of this installation, by key and by element id.

use std::sync::Arc;

use crate::definition::Connector;

/// The connectors of this installation, sorted by key.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    connectors: Vec<Arc<Connector>>,
}

impl Catalogue {
    /// The connector of this key, or of this element id in decimal digits (`{keyOrId}`).
    pub fn get(&self, key_or_id: &str) -> Option<&Arc<Connector>> {
        let id: Option<u32> = key_or_id.parse().ok();
        self.connectors.iter().find(|connector| connector.key == key_or_id || Some(connector.id) == id)
    }

    /// All connectors, sorted by key.
    pub fn all(&self) -> &[Arc<Connector>] {
        &self.connectors
    }
}
