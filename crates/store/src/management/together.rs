//! What is always read together.

use pierhead_domain::OrganizationId;
use sea_orm::ConnectionTrait;

use super::{
    Designs, ItemKind, StoredApp, StoredDeveloper, StoredItem, StoredKey, StoredProduct, StoredProvider,
    StoredResource,
};
use crate::StoreError;

/// What designs are compiled against.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct StoredSurroundings {
    /// API providers.
    pub providers: Vec<StoredProvider>,
    /// Target servers.
    pub target_servers: Vec<StoredItem>,
    /// Key stores and trust stores.
    pub key_stores: Vec<StoredItem>,
    /// References to them.
    pub references: Vec<StoredItem>,
    /// Files: those of the environment first.
    pub resources: Vec<StoredResource>,
}

/// API keys with what they lead to.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct StoredConsumers {
    /// API products.
    pub products: Vec<StoredProduct>,
    /// Developers.
    pub developers: Vec<StoredDeveloper>,
    /// Their apps.
    pub apps: Vec<StoredApp>,
    /// The apps' keys.
    pub keys: Vec<StoredKey>,
}

impl<C: ConnectionTrait> Designs<'_, C> {
    /// Everything that designs are compiled against.
    pub async fn surroundings(&self, organization: OrganizationId) -> Result<StoredSurroundings, StoreError> {
        Ok(StoredSurroundings {
            providers: self.providers(organization).await?,
            target_servers: self.items(organization, ItemKind::TargetServer).await?,
            key_stores: self.items(organization, ItemKind::KeyStore).await?,
            references: self.items(organization, ItemKind::Reference).await?,
            resources: self.resources(organization).await?,
        })
    }

    /// All API keys with what they lead to.
    pub async fn consumers(&self, organization: OrganizationId) -> Result<StoredConsumers, StoreError> {
        Ok(StoredConsumers {
            products: self.products(organization).await?,
            developers: self.developers(organization).await?,
            apps: self.apps(organization).await?,
            keys: self.keys(organization).await?,
        })
    }
}
