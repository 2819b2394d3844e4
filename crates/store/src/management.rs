//! Design time of the gateway: providers, proxies, key value maps, products, developers, apps and keys.
//! Rows can be written as text, for what a node keeps beside the database.
//!
//! Reads are methods of [`Designs`]: of the committed state by [`Store::designs`], of a transaction's own
//! view by [`WriteTx::designs`].

mod api_keys;
mod change;
mod consumers;
mod environment;
mod maps;
mod providers;
mod proxies;
mod resources;
mod shared_flows;
mod together;

use sea_orm::{DatabaseConnection, DatabaseTransaction};

use crate::{Store, WriteTx};

pub use api_keys::{StoredKey, StoredKeyProduct};
pub use change::DesignChange;
pub use consumers::{StoredApp, StoredDeveloper, StoredProduct};
pub use environment::{ItemKind, StoredItem};
pub use maps::{MapKey, StoredEntry, StoredMap};
pub use providers::StoredProvider;
pub use proxies::{BasePath, StoredProxy, StoredRevision};
pub use resources::{ResourceKey, StoredResource};
pub use shared_flows::{LiveSharedFlow, StoredSharedFlow};
pub use together::{StoredConsumers, StoredSurroundings};

/// Who made and who last changed something, and when (epoch milliseconds).
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Stamp {
    /// When it was made.
    pub created_ms: i64,
    /// Who made it.
    pub created_by: String,
    /// When it was last changed.
    pub changed_ms: i64,
    /// Who changed it last.
    pub changed_by: String,
}

impl Stamp {
    /// Made now.
    pub fn new(now_ms: i64, by: &str) -> Self {
        Self { created_ms: now_ms, created_by: by.into(), changed_ms: now_ms, changed_by: by.into() }
    }

    /// Changed now.
    pub fn touch(&mut self, now_ms: i64, by: &str) {
        self.changed_ms = now_ms;
        by.clone_into(&mut self.changed_by);
    }
}

/// Reads of design-time rows through one connection.
#[derive(Debug)]
pub struct Designs<'c, C>(&'c C);

impl Store {
    /// What is committed.
    pub fn designs(&self) -> Designs<'_, DatabaseConnection> {
        Designs(self.reader())
    }
}

impl WriteTx {
    /// What this transaction sees: the committed state and its own writes.
    pub fn designs(&self) -> Designs<'_, DatabaseTransaction> {
        Designs(&self.0)
    }
}
