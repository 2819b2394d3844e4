//! Key value maps and their entries, a row each: two writers of one map lose nothing.

use pierhead_domain::OrganizationId;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, QueryOrder, QuerySelect};

use super::{Designs, Stamp};
use crate::{StoreError, WriteTx};

mod map {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "kvm_map")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub scope: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub scope_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub encrypted: bool,
        pub created_ms: i64,
        pub created_by: String,
        pub changed_ms: i64,
        pub changed_by: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod entry {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "kvm_entry")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub scope: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub scope_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub map: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub sealed: Vec<u8>,
        pub changed_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Identity of a map: where it lives, and its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct MapKey {
    /// `ENV`, `APIPROXY`, `ORG` or `POLICY`.
    pub scope: String,
    /// Name of the proxy; empty for `ENV` and `ORG`.
    pub scope_id: String,
    /// Name of the map.
    pub name: String,
}

/// A map as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredMap {
    /// Its identity.
    pub key: MapKey,
    /// Whether reads show a mask.
    pub encrypted: bool,
    /// Who and when.
    pub stamp: Stamp,
}

/// An entry as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredEntry {
    /// Key of the entry.
    pub name: String,
    /// The sealed value.
    #[serde(with = "crate::sealed_text")]
    pub sealed: Vec<u8>,
    /// When it was last written, epoch milliseconds.
    pub changed_ms: i64,
}

impl From<map::Model> for StoredMap {
    fn from(row: map::Model) -> Self {
        Self {
            key: MapKey { scope: row.scope, scope_id: row.scope_id, name: row.name },
            encrypted: row.encrypted,
            stamp: Stamp {
                created_ms: row.created_ms,
                created_by: row.created_by,
                changed_ms: row.changed_ms,
                changed_by: row.changed_by,
            },
        }
    }
}

fn map_id(organization: OrganizationId, key: &MapKey) -> (i64, String, String, String) {
    (organization.as_i64(), key.scope.clone(), key.scope_id.clone(), key.name.clone())
}

fn entry_id(organization: OrganizationId, key: &MapKey, name: &str) -> (i64, String, String, String, String) {
    (organization.as_i64(), key.scope.clone(), key.scope_id.clone(), key.name.clone(), name.to_owned())
}

fn entries_of(organization: OrganizationId, key: &MapKey) -> sea_orm::Condition {
    sea_orm::Condition::all()
        .add(entry::Column::Organization.eq(organization.as_i64()))
        .add(entry::Column::Scope.eq(&key.scope))
        .add(entry::Column::ScopeId.eq(&key.scope_id))
        .add(entry::Column::Map.eq(&key.name))
}

fn identity_of(organization: OrganizationId, key: &MapKey) -> sea_orm::Condition {
    sea_orm::Condition::all()
        .add(map::Column::Organization.eq(organization.as_i64()))
        .add(map::Column::Scope.eq(&key.scope))
        .add(map::Column::ScopeId.eq(&key.scope_id))
        .add(map::Column::Name.eq(&key.name))
}

fn map_row(organization: OrganizationId, stored: &StoredMap) -> map::ActiveModel {
    map::ActiveModel {
        organization: Set(organization.as_i64()),
        scope: Set(stored.key.scope.clone()),
        scope_id: Set(stored.key.scope_id.clone()),
        name: Set(stored.key.name.clone()),
        encrypted: Set(stored.encrypted),
        created_ms: Set(stored.stamp.created_ms),
        created_by: Set(stored.stamp.created_by.clone()),
        changed_ms: Set(stored.stamp.changed_ms),
        changed_by: Set(stored.stamp.changed_by.clone()),
    }
}

fn entry_row(organization: OrganizationId, key: &MapKey, stored: &StoredEntry) -> entry::ActiveModel {
    entry::ActiveModel {
        organization: Set(organization.as_i64()),
        scope: Set(key.scope.clone()),
        scope_id: Set(key.scope_id.clone()),
        map: Set(key.name.clone()),
        name: Set(stored.name.clone()),
        sealed: Set(stored.sealed.clone()),
        changed_ms: Set(stored.changed_ms),
    }
}

impl<C: ConnectionTrait> Designs<'_, C> {
    /// All maps, by scope, scope id and name.
    pub async fn maps(&self, organization: OrganizationId) -> Result<Vec<StoredMap>, StoreError> {
        let rows = map::Entity::find()
            .filter(map::Column::Organization.eq(organization.as_i64()))
            .order_by_asc(map::Column::Scope)
            .order_by_asc(map::Column::ScopeId)
            .order_by_asc(map::Column::Name)
            .all(self.0)
            .await?;
        Ok(rows.into_iter().map(StoredMap::from).collect())
    }

    /// One map.
    pub async fn map(
        &self,
        organization: OrganizationId,
        key: &MapKey,
    ) -> Result<Option<StoredMap>, StoreError> {
        let row = map::Entity::find_by_id(map_id(organization, key)).one(self.0).await?;
        Ok(row.map(StoredMap::from))
    }

    /// The entries of a map, by name.
    pub async fn entries(
        &self,
        organization: OrganizationId,
        key: &MapKey,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let rows = entry::Entity::find()
            .filter(entries_of(organization, key))
            .order_by_asc(entry::Column::Name)
            .all(self.0)
            .await?;
        let stored = |row: entry::Model| StoredEntry {
            name: row.name,
            sealed: row.sealed,
            changed_ms: row.changed_ms,
        };
        Ok(rows.into_iter().map(stored).collect())
    }

    /// The entries of all maps, by map and name.
    pub async fn all_entries(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<(MapKey, StoredEntry)>, StoreError> {
        use entry::Column;
        let rows = entry::Entity::find()
            .filter(Column::Organization.eq(organization.as_i64()))
            .order_by_asc(Column::Scope)
            .order_by_asc(Column::ScopeId)
            .order_by_asc(Column::Map)
            .order_by_asc(Column::Name)
            .all(self.0)
            .await?;
        let stored = |row: entry::Model| {
            let key = MapKey { scope: row.scope, scope_id: row.scope_id, name: row.map };
            (key, StoredEntry { name: row.name, sealed: row.sealed, changed_ms: row.changed_ms })
        };
        Ok(rows.into_iter().map(stored).collect())
    }

    /// One entry.
    pub async fn entry(
        &self,
        organization: OrganizationId,
        key: &MapKey,
        name: &str,
    ) -> Result<Option<StoredEntry>, StoreError> {
        let row = entry::Entity::find_by_id(entry_id(organization, key, name)).one(self.0).await?;
        Ok(row.map(|row| StoredEntry { name: row.name, sealed: row.sealed, changed_ms: row.changed_ms }))
    }
}

impl WriteTx {
    /// Adds a map; its identity must be free.
    pub async fn add_map(&self, organization: OrganizationId, stored: &StoredMap) -> Result<(), StoreError> {
        map::Entity::insert(map_row(organization, stored)).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// Adds a map unless there is one with this identity.
    pub async fn ensure_map(
        &self,
        organization: OrganizationId,
        stored: &StoredMap,
    ) -> Result<(), StoreError> {
        let keep = OnConflict::columns([
            map::Column::Organization,
            map::Column::Scope,
            map::Column::ScopeId,
            map::Column::Name,
        ])
        .do_nothing()
        .to_owned();
        map::Entity::insert(map_row(organization, stored))
            .on_conflict(keep)
            .exec_without_returning(&self.0)
            .await?;
        Ok(())
    }

    /// A map that cannot be removed before this transaction ends.
    pub async fn hold_map(
        &self,
        organization: OrganizationId,
        key: &MapKey,
    ) -> Result<Option<StoredMap>, StoreError> {
        let row = map::Entity::find_by_id(map_id(organization, key)).lock_shared().one(&self.0).await?;
        Ok(row.map(StoredMap::from))
    }

    /// A map whose entries the designer changes: nobody else changes it before this transaction ends, and
    /// it bears the stamp's time and name of change.
    ///
    /// It is locked for writing from the start: two that hold it shared and then want to stamp it would wait
    /// for each other.
    pub async fn change_map(
        &self,
        organization: OrganizationId,
        key: &MapKey,
        stamp: &Stamp,
    ) -> Result<Option<StoredMap>, StoreError> {
        let changed = map::ActiveModel {
            changed_ms: Set(stamp.changed_ms),
            changed_by: Set(stamp.changed_by.clone()),
            ..Default::default()
        };
        map::Entity::update_many().set(changed).filter(identity_of(organization, key)).exec(&self.0).await?;
        self.designs().map(organization, key).await
    }

    /// Removes a map and its entries; says whether it was there.
    pub async fn remove_map(&self, organization: OrganizationId, key: &MapKey) -> Result<bool, StoreError> {
        // The map first: that waits for writers that hold it, whose entries then go with the rest.
        let removed = map::Entity::delete_by_id(map_id(organization, key)).exec(&self.0).await?;
        entry::Entity::delete_many().filter(entries_of(organization, key)).exec(&self.0).await?;
        Ok(removed.rows_affected > 0)
    }

    /// Removes every map of a proxy; answers their identities.
    pub async fn remove_maps_of_proxy(
        &self,
        organization: OrganizationId,
        proxy: &str,
    ) -> Result<Vec<MapKey>, StoreError> {
        let maps = self.designs().maps(organization).await?;
        let of_proxy = |key: &MapKey| {
            (key.scope == "APIPROXY" && key.scope_id == proxy)
                || (key.scope == "POLICY" && key.scope_id.split(':').next() == Some(proxy))
        };
        let keys: Vec<MapKey> = maps.into_iter().map(|map| map.key).filter(of_proxy).collect();
        for key in &keys {
            self.remove_map(organization, key).await?;
        }
        Ok(keys)
    }

    /// Adds an entry; its name must be free.
    pub async fn add_entry(
        &self,
        organization: OrganizationId,
        key: &MapKey,
        stored: &StoredEntry,
    ) -> Result<(), StoreError> {
        entry::Entity::insert(entry_row(organization, key, stored)).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// Puts an entry; with `replace` false an existing one stays.
    pub async fn put_entry(
        &self,
        organization: OrganizationId,
        key: &MapKey,
        stored: &StoredEntry,
        replace: bool,
    ) -> Result<(), StoreError> {
        let mut on_conflict = OnConflict::columns([
            entry::Column::Organization,
            entry::Column::Scope,
            entry::Column::ScopeId,
            entry::Column::Map,
            entry::Column::Name,
        ]);
        if replace {
            on_conflict.update_columns([entry::Column::Sealed, entry::Column::ChangedMs]);
        } else {
            on_conflict.do_nothing();
        }
        entry::Entity::insert(entry_row(organization, key, stored))
            .on_conflict(on_conflict)
            .exec_without_returning(&self.0)
            .await?;
        Ok(())
    }

    /// Removes an entry; says whether it was there.
    pub async fn remove_entry(
        &self,
        organization: OrganizationId,
        key: &MapKey,
        name: &str,
    ) -> Result<bool, StoreError> {
        let removed = entry::Entity::delete_by_id(entry_id(organization, key, name)).exec(&self.0).await?;
        Ok(removed.rows_affected > 0)
    }
}

#[cfg(test)]
mod tests {
    use pierhead_domain::OrganizationId;

    use super::{MapKey, StoredEntry, StoredMap};
    use crate::management::Stamp;
    use crate::{StoreError, on_both_databases};

    const ACME: OrganizationId = OrganizationId::new(1);

    fn key(name: &str) -> MapKey {
        MapKey { scope: "APIPROXY".into(), scope_id: "p".into(), name: name.into() }
    }

    fn map(name: &str) -> StoredMap {
        StoredMap { key: key(name), encrypted: true, stamp: Stamp::new(1, "me") }
    }

    fn entry(name: &str, value: u8) -> StoredEntry {
        StoredEntry { name: name.into(), sealed: vec![value], changed_ms: 1 }
    }

    on_both_databases! {
        async fn putting_an_entry_twice_keeps_the_second_unless_told_otherwise(store: Store) {
            let tx = store.write().await.unwrap();
            tx.add_map(ACME, &map("m")).await.unwrap();
            tx.put_entry(ACME, &key("m"), &entry("k", 1), true).await.unwrap();
            tx.put_entry(ACME, &key("m"), &entry("k", 2), true).await.unwrap();
            tx.put_entry(ACME, &key("m"), &entry("k", 3), false).await.unwrap();
            assert_eq!(tx.designs().entries(ACME, &key("m")).await.unwrap(), [entry("k", 2)]);
            let twice = tx.add_entry(ACME, &key("m"), &entry("k", 4)).await;
            assert!(matches!(twice, Err(StoreError::Duplicate(_))));
        }

        async fn removing_a_map_removes_its_entries_only(store: Store) {
            let tx = store.write().await.unwrap();
            for name in ["m", "n"] {
                tx.ensure_map(ACME, &map(name)).await.unwrap();
                tx.ensure_map(ACME, &map(name)).await.unwrap();
                tx.add_entry(ACME, &key(name), &entry("k", 1)).await.unwrap();
            }
            assert!(tx.remove_map(ACME, &key("m")).await.unwrap());
            assert!(!tx.remove_map(ACME, &key("m")).await.unwrap());
            assert_eq!(tx.designs().all_entries(ACME).await.unwrap(), [(key("n"), entry("k", 1))]);
            assert_eq!(tx.designs().entries(ACME, &key("m")).await.unwrap(), []);
            assert_eq!(tx.designs().entries(ACME, &key("n")).await.unwrap().len(), 1);
            assert_eq!(tx.remove_maps_of_proxy(ACME, "p").await.unwrap(), [key("n")]);
            assert_eq!(tx.hold_map(ACME, &key("n")).await.unwrap(), None);
        }

        async fn concurrent_entry_writes_lose_nothing(store: Store) {
            let tx = store.write().await.unwrap();
            tx.add_map(ACME, &map("m")).await.unwrap();
            tx.commit().await.unwrap();
            let writers: Vec<_> = (0..20u8).map(|number| {
                let store = store.clone();
                tokio::spawn(async move {
                    let tx = store.write().await.unwrap();
                    tx.hold_map(ACME, &key("m")).await.unwrap().unwrap();
                    tx.add_entry(ACME, &key("m"), &entry(&format!("k{number}"), number)).await.unwrap();
                    tx.commit().await.unwrap();
                })
            }).collect();
            for writer in writers {
                writer.await.unwrap();
            }
            assert_eq!(store.designs().entries(ACME, &key("m")).await.unwrap().len(), 20);
        }
    }
}
