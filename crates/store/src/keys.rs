//! Wrapped data keys. What is inside is the vault's business.

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder};

use crate::{Store, StoreError, WriteTx};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "data_key")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        /// 0 for the installation's own key.
        pub organization: i64,
        pub ring_key: String,
        pub wrapped: Vec<u8>,
        pub created_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A data key as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredKey {
    /// Unique text; ids sort by age.
    pub id: String,
    /// Whose it is; 0 is the installation's own.
    pub organization: i64,
    /// Id of the wrapping key in the key ring.
    pub ring_key: String,
    /// The wrapped bytes.
    #[serde(with = "crate::sealed_text")]
    pub wrapped: Vec<u8>,
    /// When it was made, epoch milliseconds.
    pub created_ms: i64,
}

impl Store {
    /// All data keys, oldest first.
    pub async fn data_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let rows = entity::Entity::find()
            .order_by_asc(entity::Column::CreatedMs)
            .order_by_asc(entity::Column::Id)
            .all(self.reader())
            .await?;
        let stored = |row: entity::Model| StoredKey {
            id: row.id,
            organization: row.organization,
            ring_key: row.ring_key,
            wrapped: row.wrapped,
            created_ms: row.created_ms,
        };
        Ok(rows.into_iter().map(stored).collect())
    }
}

impl WriteTx {
    /// Adds a data key.
    pub async fn add_data_key(&self, key: &StoredKey) -> Result<(), StoreError> {
        let row = entity::ActiveModel {
            id: Set(key.id.clone()),
            organization: Set(key.organization),
            ring_key: Set(key.ring_key.clone()),
            wrapped: Set(key.wrapped.clone()),
            created_ms: Set(key.created_ms),
        };
        entity::Entity::insert(row).exec_without_returning(&self.0).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::StoredKey;
    use crate::{StoreError, on_both_databases};

    fn key(id: &str, created_ms: i64) -> StoredKey {
        StoredKey {
            id: id.into(),
            organization: 1,
            ring_key: "r".into(),
            wrapped: vec![0, 255, 7],
            created_ms,
        }
    }

    on_both_databases! {
        async fn data_keys_come_back_oldest_first(store: Store) {
            let tx = store.write().await.unwrap();
            tx.add_data_key(&key("b", 2)).await.unwrap();
            tx.add_data_key(&key("a", 1)).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(store.data_keys().await.unwrap(), [key("a", 1), key("b", 2)]);
        }

        async fn an_uncommitted_write_leaves_nothing(store: Store) {
            let tx = store.write().await.unwrap();
            tx.add_data_key(&key("a", 1)).await.unwrap();
            drop(tx);
            assert_eq!(store.data_keys().await.unwrap(), []);
        }

        async fn the_same_key_twice_is_a_duplicate(store: Store) {
            let tx = store.write().await.unwrap();
            tx.add_data_key(&key("a", 1)).await.unwrap();
            let again = tx.add_data_key(&key("a", 1)).await;
            assert!(matches!(again, Err(StoreError::Duplicate(_))), "{again:?}");
        }

        async fn migrating_twice_changes_nothing(store: Store) {
            store.migrate().await.unwrap();
            assert_eq!(store.pending_migrations().await.unwrap(), Vec::<String>::new());
        }
    }
}
