//! Files of an environment or of the organization that policies name (`jsc://…`, `xsd://…`, `properties://…`).

use pierhead_domain::OrganizationId;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, QueryOrder};

use super::{Designs, Stamp};
use crate::{StoreError, WriteTx};

mod file {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "resource_file")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub scope: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub kind: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub content: Vec<u8>,
        pub created_ms: i64,
        pub created_by: String,
        pub changed_ms: i64,
        pub changed_by: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Identity of a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct ResourceKey {
    /// `ENV` or `ORG`.
    pub scope: String,
    /// `jsc`, `xsl`, `properties`, …
    pub kind: String,
    /// Name, unique for scope and kind.
    pub name: String,
}

/// A file as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredResource {
    /// Its identity.
    pub key: ResourceKey,
    /// Its bytes.
    #[serde(with = "crate::sealed_text")]
    pub content: Vec<u8>,
    /// Who and when.
    pub stamp: Stamp,
}

impl From<file::Model> for StoredResource {
    fn from(row: file::Model) -> Self {
        Self {
            key: ResourceKey { scope: row.scope, kind: row.kind, name: row.name },
            content: row.content,
            stamp: Stamp {
                created_ms: row.created_ms,
                created_by: row.created_by,
                changed_ms: row.changed_ms,
                changed_by: row.changed_by,
            },
        }
    }
}

fn id(organization: OrganizationId, key: &ResourceKey) -> (i64, String, String, String) {
    (organization.as_i64(), key.scope.clone(), key.kind.clone(), key.name.clone())
}

impl<C: ConnectionTrait> Designs<'_, C> {
    /// All files: those of the environment first, by kind and name.
    pub async fn resources(&self, organization: OrganizationId) -> Result<Vec<StoredResource>, StoreError> {
        let rows = file::Entity::find()
            .filter(file::Column::Organization.eq(organization.as_i64()))
            .order_by_asc(file::Column::Scope)
            .order_by_asc(file::Column::Kind)
            .order_by_asc(file::Column::Name)
            .all(self.0)
            .await?;
        Ok(rows.into_iter().map(StoredResource::from).collect())
    }

    /// One file.
    pub async fn resource(
        &self,
        organization: OrganizationId,
        key: &ResourceKey,
    ) -> Result<Option<StoredResource>, StoreError> {
        Ok(file::Entity::find_by_id(id(organization, key)).one(self.0).await?.map(StoredResource::from))
    }
}

impl WriteTx {
    /// Adds a file or replaces the one of the same identity.
    pub async fn put_resource(
        &self,
        organization: OrganizationId,
        stored: &StoredResource,
    ) -> Result<(), StoreError> {
        use file::Column;
        let row = file::ActiveModel {
            organization: Set(organization.as_i64()),
            scope: Set(stored.key.scope.clone()),
            kind: Set(stored.key.kind.clone()),
            name: Set(stored.key.name.clone()),
            content: Set(stored.content.clone()),
            created_ms: Set(stored.stamp.created_ms),
            created_by: Set(stored.stamp.created_by.clone()),
            changed_ms: Set(stored.stamp.changed_ms),
            changed_by: Set(stored.stamp.changed_by.clone()),
        };
        let replace = OnConflict::columns([Column::Organization, Column::Scope, Column::Kind, Column::Name])
            .update_columns([Column::Content, Column::ChangedMs, Column::ChangedBy])
            .to_owned();
        file::Entity::insert(row).on_conflict(replace).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// Removes a file; says whether it was there.
    pub async fn remove_resource(
        &self,
        organization: OrganizationId,
        key: &ResourceKey,
    ) -> Result<bool, StoreError> {
        let removed = file::Entity::delete_by_id(id(organization, key)).exec(&self.0).await?;
        Ok(removed.rows_affected > 0)
    }
}

#[cfg(test)]
mod tests {
    use pierhead_domain::OrganizationId;

    use super::{ResourceKey, StoredResource};
    use crate::management::Stamp;
    use crate::on_both_databases;

    const ACME: OrganizationId = OrganizationId::new(1);

    fn file(scope: &str, content: &[u8]) -> StoredResource {
        let key = ResourceKey { scope: scope.into(), kind: "jsc".into(), name: "a.js".into() };
        StoredResource { key, content: content.into(), stamp: Stamp::new(1, "me") }
    }

    on_both_databases! {
        async fn files_of_the_environment_come_before_those_of_the_organization(store: Store) {
            let tx = store.write().await.unwrap();
            tx.put_resource(ACME, &file("ORG", b"organization")).await.unwrap();
            tx.put_resource(ACME, &file("ENV", b"first")).await.unwrap();
            tx.put_resource(ACME, &file("ENV", b"\0second\xff")).await.unwrap();
            tx.put_resource(OrganizationId::new(2), &file("ENV", b"theirs")).await.unwrap();
            tx.commit().await.unwrap();

            let all = store.designs().resources(ACME).await.unwrap();
            assert_eq!(all, [file("ENV", b"\0second\xff"), file("ORG", b"organization")]);

            let tx = store.write().await.unwrap();
            assert!(tx.remove_resource(ACME, &all[0].key).await.unwrap());
            assert!(!tx.remove_resource(ACME, &all[0].key).await.unwrap());
            assert_eq!(tx.designs().resource(ACME, &all[0].key).await.unwrap(), None);
            assert!(tx.designs().resource(ACME, &all[1].key).await.unwrap().is_some());
        }
    }
}
