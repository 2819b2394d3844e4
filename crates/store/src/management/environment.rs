//! Named settings of an environment, each a JSON document: target servers, flow hooks, key stores,
//! references.

use pierhead_domain::OrganizationId;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, QueryOrder};

use super::{Designs, Stamp};
use crate::{StoreError, WriteTx};

mod item {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "environment_item")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub kind: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub document: String,
        pub created_ms: i64,
        pub created_by: String,
        pub changed_ms: i64,
        pub changed_by: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// A server that load balancers refer to.
    TargetServer,
    /// A shared flow around every proxy.
    FlowHook,
    /// Certificates with or without their private keys, which are sealed.
    KeyStore,
    /// Another name for a key store.
    Reference,
    /// What debug sessions do not show.
    MaskConfig,
    /// A cache that policies name.
    Cache,
}

impl ItemKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::TargetServer => "targetserver",
            Self::FlowHook => "flowhook",
            Self::KeyStore => "keystore",
            Self::Reference => "reference",
            Self::MaskConfig => "maskconfig",
            Self::Cache => "cache",
        }
    }
}

/// A setting as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredItem {
    /// Unique in its kind.
    pub name: String,
    /// JSON.
    pub document: String,
    /// Who and when.
    pub stamp: Stamp,
}

impl From<item::Model> for StoredItem {
    fn from(row: item::Model) -> Self {
        Self {
            name: row.name,
            document: row.document,
            stamp: Stamp {
                created_ms: row.created_ms,
                created_by: row.created_by,
                changed_ms: row.changed_ms,
                changed_by: row.changed_by,
            },
        }
    }
}

impl<C: ConnectionTrait> Designs<'_, C> {
    /// All settings of a kind by name.
    pub async fn items(
        &self,
        organization: OrganizationId,
        kind: ItemKind,
    ) -> Result<Vec<StoredItem>, StoreError> {
        let rows = item::Entity::find()
            .filter(item::Column::Organization.eq(organization.as_i64()))
            .filter(item::Column::Kind.eq(kind.as_str()))
            .order_by_asc(item::Column::Name)
            .all(self.0)
            .await?;
        Ok(rows.into_iter().map(StoredItem::from).collect())
    }

    /// One setting.
    pub async fn item(
        &self,
        organization: OrganizationId,
        kind: ItemKind,
        name: &str,
    ) -> Result<Option<StoredItem>, StoreError> {
        let key = (organization.as_i64(), kind.as_str().to_owned(), name.to_owned());
        Ok(item::Entity::find_by_id(key).one(self.0).await?.map(StoredItem::from))
    }
}

impl WriteTx {
    /// Adds a setting or replaces the one of the same name.
    pub async fn put_item(
        &self,
        organization: OrganizationId,
        kind: ItemKind,
        stored: &StoredItem,
    ) -> Result<(), StoreError> {
        let row = item::ActiveModel {
            organization: Set(organization.as_i64()),
            kind: Set(kind.as_str().to_owned()),
            name: Set(stored.name.clone()),
            document: Set(stored.document.clone()),
            created_ms: Set(stored.stamp.created_ms),
            created_by: Set(stored.stamp.created_by.clone()),
            changed_ms: Set(stored.stamp.changed_ms),
            changed_by: Set(stored.stamp.changed_by.clone()),
        };
        let replace =
            OnConflict::columns([item::Column::Organization, item::Column::Kind, item::Column::Name])
                .update_columns([
                    item::Column::Document,
                    item::Column::CreatedMs,
                    item::Column::CreatedBy,
                    item::Column::ChangedMs,
                    item::Column::ChangedBy,
                ])
                .to_owned();
        item::Entity::insert(row).on_conflict(replace).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// Removes a setting; says whether it was there.
    pub async fn remove_item(
        &self,
        organization: OrganizationId,
        kind: ItemKind,
        name: &str,
    ) -> Result<bool, StoreError> {
        let key = (organization.as_i64(), kind.as_str().to_owned(), name.to_owned());
        Ok(item::Entity::delete_by_id(key).exec(&self.0).await?.rows_affected > 0)
    }
}

#[cfg(test)]
mod tests {
    use pierhead_domain::OrganizationId;

    use super::{ItemKind, StoredItem};
    use crate::management::Stamp;
    use crate::on_both_databases;

    const ACME: OrganizationId = OrganizationId::new(1);

    fn item(document: &str) -> StoredItem {
        StoredItem { name: "x".into(), document: document.into(), stamp: Stamp::new(5, "me") }
    }

    on_both_databases! {
        async fn settings_of_one_kind_do_not_touch_those_of_another(store: Store) {
            let tx = store.write().await.unwrap();
            tx.put_item(ACME, ItemKind::TargetServer, &item("server")).await.unwrap();
            tx.put_item(ACME, ItemKind::FlowHook, &item("hook")).await.unwrap();
            tx.put_item(ACME, ItemKind::TargetServer, &item("another server")).await.unwrap();
            tx.commit().await.unwrap();

            let designs = store.designs();
            let server = designs.item(ACME, ItemKind::TargetServer, "x").await.unwrap().unwrap();
            assert_eq!(server.document, "another server");
            assert_eq!(designs.items(ACME, ItemKind::FlowHook).await.unwrap(), [item("hook")]);

            let tx = store.write().await.unwrap();
            assert!(tx.remove_item(ACME, ItemKind::FlowHook, "x").await.unwrap());
            assert!(!tx.remove_item(ACME, ItemKind::FlowHook, "x").await.unwrap());
            tx.commit().await.unwrap();
            assert!(designs.item(ACME, ItemKind::TargetServer, "x").await.unwrap().is_some());
        }
    }
}
