//! API keys of apps.

use pierhead_domain::OrganizationId;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, QueryOrder};

use super::Designs;
use crate::{StoreError, WriteTx};

mod key {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "api_key")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub hash: String,
        pub app: String,
        pub sealed: Vec<u8>,
        pub status: String,
        pub products: String,
        pub issued_ms: i64,
        pub expires_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A key of an app as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredKey {
    /// Look-up hash of the key.
    pub hash: String,
    /// Id of the app.
    pub app: String,
    /// Key and secret, sealed together.
    #[serde(with = "crate::sealed_text")]
    pub sealed: Vec<u8>,
    /// `approved`, `pending` or `revoked`.
    pub status: String,
    /// What the key gives access to.
    pub products: Vec<StoredKeyProduct>,
    /// When it was made, epoch milliseconds.
    pub issued_ms: i64,
    /// When it stops working, epoch milliseconds.
    pub expires_ms: Option<i64>,
}

/// A product of a key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredKeyProduct {
    /// Name of the product.
    pub product: String,
    /// `approved`, `pending` or `revoked`.
    pub status: String,
}

impl TryFrom<key::Model> for StoredKey {
    type Error = StoreError;

    fn try_from(row: key::Model) -> Result<Self, StoreError> {
        let products = serde_json::from_str(&row.products).map_err(|error| StoreError::Inconsistent {
            table: "api_key",
            column: "products",
            id: row.hash.clone(),
            why: error.to_string(),
        })?;
        Ok(Self {
            hash: row.hash,
            app: row.app,
            sealed: row.sealed,
            status: row.status,
            products,
            issued_ms: row.issued_ms,
            expires_ms: (row.expires_ms > 0).then_some(row.expires_ms),
        })
    }
}

impl<C: ConnectionTrait> Designs<'_, C> {
    /// All keys, oldest first.
    pub async fn keys(&self, organization: OrganizationId) -> Result<Vec<StoredKey>, StoreError> {
        let rows = key::Entity::find()
            .filter(key::Column::Organization.eq(organization.as_i64()))
            .order_by_asc(key::Column::IssuedMs)
            .order_by_asc(key::Column::Hash)
            .all(self.0)
            .await?;
        rows.into_iter().map(StoredKey::try_from).collect()
    }

    /// The keys of an app, oldest first.
    pub async fn keys_of(
        &self,
        organization: OrganizationId,
        app: &str,
    ) -> Result<Vec<StoredKey>, StoreError> {
        let rows = key::Entity::find()
            .filter(key::Column::Organization.eq(organization.as_i64()))
            .filter(key::Column::App.eq(app))
            .order_by_asc(key::Column::IssuedMs)
            .order_by_asc(key::Column::Hash)
            .all(self.0)
            .await?;
        rows.into_iter().map(StoredKey::try_from).collect()
    }
}

impl WriteTx {
    /// Adds a key; no other key may have its hash.
    pub async fn add_key(&self, organization: OrganizationId, stored: &StoredKey) -> Result<(), StoreError> {
        key::Entity::insert(key_row(organization, stored)).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// Replaces the key of the same hash.
    pub async fn save_key(&self, organization: OrganizationId, stored: &StoredKey) -> Result<(), StoreError> {
        let replace = OnConflict::columns([key::Column::Organization, key::Column::Hash])
            .update_columns([
                key::Column::App,
                key::Column::Sealed,
                key::Column::Status,
                key::Column::Products,
                key::Column::IssuedMs,
                key::Column::ExpiresMs,
            ])
            .to_owned();
        key::Entity::insert(key_row(organization, stored))
            .on_conflict(replace)
            .exec_without_returning(&self.0)
            .await?;
        Ok(())
    }

    /// Removes a key; says whether it was there.
    pub async fn remove_key(&self, organization: OrganizationId, hash: &str) -> Result<bool, StoreError> {
        let id = (organization.as_i64(), hash.to_owned());
        Ok(key::Entity::delete_by_id(id).exec(&self.0).await?.rows_affected > 0)
    }

    /// Removes the keys of an app.
    pub(super) async fn remove_keys_of(
        &self,
        organization: OrganizationId,
        app: &str,
    ) -> Result<(), StoreError> {
        key::Entity::delete_many()
            .filter(key::Column::Organization.eq(organization.as_i64()))
            .filter(key::Column::App.eq(app))
            .exec(&self.0)
            .await?;
        Ok(())
    }
}

fn key_row(organization: OrganizationId, stored: &StoredKey) -> key::ActiveModel {
    key::ActiveModel {
        organization: Set(organization.as_i64()),
        hash: Set(stored.hash.clone()),
        app: Set(stored.app.clone()),
        sealed: Set(stored.sealed.clone()),
        status: Set(stored.status.clone()),
        products: Set(serde_json::to_string(&stored.products).unwrap_or_default()),
        issued_ms: Set(stored.issued_ms),
        expires_ms: Set(stored.expires_ms.unwrap_or(0)),
    }
}
