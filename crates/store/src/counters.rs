//! Quota counters that several nodes have together: a row each, held by whoever counts.

use pierhead_domain::OrganizationId;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbBackend, QuerySelect};

use crate::{Store, StoreError, WriteTx};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "quota_counter")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization: i64,
        /// A hash: names hold what callers send.
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        /// Empty when nothing was counted yet.
        pub state: String,
        pub over_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

impl Store {
    /// Whether other nodes may have this database, too. The embedded one has this node only.
    pub fn may_be_shared(&self) -> bool {
        self.reader().get_database_backend() == DbBackend::Postgres
    }
}

impl WriteTx {
    /// What was kept of a counter. Nobody else holds it before this transaction ends. `name` is at most 255
    /// characters.
    ///
    /// The transaction does not wait for the disk when it ends: a counter that a power cut sets back by a few
    /// messages is worth less than the wait on every message.
    pub async fn hold_counter(
        &self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Option<String>, StoreError> {
        if self.0.get_database_backend() == DbBackend::Postgres {
            self.0.execute_unprepared("SET LOCAL synchronous_commit TO OFF").await?;
        }
        let held = || entity::Entity::find_by_id((organization.as_i64(), name.to_owned())).lock_exclusive();
        if let Some(row) = held().one(&self.0).await? {
            return Ok(Some(row.state).filter(|state| !state.is_empty()));
        }
        let row = entity::ActiveModel {
            organization: Set(organization.as_i64()),
            name: Set(name.to_owned()),
            state: Set(String::new()),
            over_ms: Set(0),
        };
        let taken = OnConflict::columns([Column::Organization, Column::Name]).do_nothing().to_owned();
        entity::Entity::insert(row).on_conflict(taken).exec_without_returning(&self.0).await?;
        // Another node may have made it, and counted, meanwhile.
        Ok(held().one(&self.0).await?.map(|row| row.state).filter(|state| !state.is_empty()))
    }

    /// Keeps the state of a counter that this transaction holds. After `over_ms` it may be forgotten.
    pub async fn put_counter(
        &self,
        organization: OrganizationId,
        name: &str,
        state: String,
        over_ms: i64,
    ) -> Result<(), StoreError> {
        entity::Entity::update_many()
            .col_expr(Column::State, state.into())
            .col_expr(Column::OverMs, over_ms.into())
            .filter(Column::Organization.eq(organization.as_i64()))
            .filter(Column::Name.eq(name))
            .exec(&self.0)
            .await?;
        Ok(())
    }

    /// Forgets counters that were over before this moment.
    pub async fn remove_old_counters(
        &self,
        organization: OrganizationId,
        before_ms: i64,
    ) -> Result<(), StoreError> {
        entity::Entity::delete_many()
            .filter(Column::Organization.eq(organization.as_i64()))
            .filter(Column::OverMs.lt(before_ms))
            .exec(&self.0)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use pierhead_domain::OrganizationId;

    use crate::{Store, on_both_databases};

    const ACME: OrganizationId = OrganizationId::new(1);

    async fn add_one(store: Store) {
        let tx = store.write().await.unwrap();
        let kept = tx.hold_counter(ACME, "c").await.unwrap().map_or(0, |text| text.parse::<i64>().unwrap());
        tx.put_counter(ACME, "c", (kept + 1).to_string(), kept + 1).await.unwrap();
        tx.commit().await.unwrap();
    }

    on_both_databases! {
        async fn counting_together_loses_nothing(store: Store) {
            let adding: Vec<_> = (0..40).map(|_| tokio::spawn(add_one(store.clone()))).collect();
            for one in adding {
                one.await.unwrap();
            }
            let tx = store.write().await.unwrap();
            assert_eq!(tx.hold_counter(ACME, "c").await.unwrap().unwrap(), "40");
            assert_eq!(tx.hold_counter(OrganizationId::new(2), "c").await.unwrap(), None);
        }

        async fn old_counters_are_forgotten_and_others_stay(store: Store) {
            add_one(store.clone()).await;
            let tx = store.write().await.unwrap();
            tx.remove_old_counters(ACME, 1).await.unwrap();
            assert_eq!(tx.hold_counter(ACME, "c").await.unwrap().unwrap(), "1");
            tx.remove_old_counters(ACME, 2).await.unwrap();
            assert_eq!(tx.hold_counter(ACME, "c").await.unwrap(), None);
        }
    }
}
