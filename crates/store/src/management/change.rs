//! One counter per organization that every change of a design raises, and a log in which nodes tell each other what
//! they changed.

use pierhead_domain::OrganizationId;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ActiveValue::Set, ConnectionTrait, QueryOrder, QuerySelect};

use super::Designs;
use crate::{StoreError, WriteTx};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "design_change")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization: i64,
        pub generation: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod log {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "design_change_log")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub organization: i64,
        pub node: String,
        pub part: String,
        pub at_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A note of what some node changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesignChange {
    /// Grows; a note that was begun earlier may appear later.
    pub id: i64,
    /// Whose designs.
    pub organization: OrganizationId,
    /// Who changed it.
    pub node: String,
    /// What was changed, in the words of who wrote it.
    pub part: String,
}

impl WriteTx {
    /// Tells the other nodes what this transaction changes.
    pub async fn note_design_changes(
        &self,
        organization: OrganizationId,
        node: &str,
        parts: impl IntoIterator<Item = String>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let note = |part| log::ActiveModel {
            organization: Set(organization.as_i64()),
            node: Set(node.to_owned()),
            part: Set(part),
            at_ms: Set(now_ms),
            ..Default::default()
        };
        let notes: Vec<_> = parts.into_iter().map(note).collect();
        // A statement has so many parameters and no more.
        for some in notes.chunks(1000) {
            log::Entity::insert_many(some.to_vec()).exec_without_returning(&self.0).await?;
        }
        Ok(())
    }

    /// Forgets notes from before a moment (epoch milliseconds).
    pub async fn remove_old_design_changes(&self, before_ms: i64) -> Result<(), StoreError> {
        log::Entity::delete_many().filter(log::Column::AtMs.lt(before_ms)).exec(&self.0).await?;
        Ok(())
    }
}

impl WriteTx {
    /// Says that this transaction changes designs. Raising the counter locks its row until the commit, so
    /// that two design changes of one organization never overlap, on PostgreSQL as on SQLite: what one of
    /// them checked (a free base path, an unused provider) still holds when it commits.
    pub async fn begin_design_change(&self, organization: OrganizationId) -> Result<(), StoreError> {
        let row = entity::ActiveModel { organization: Set(organization.as_i64()), generation: Set(1) };
        let raise = OnConflict::column(entity::Column::Organization)
            .value(entity::Column::Generation, Expr::col((entity::Entity, entity::Column::Generation)).add(1))
            .to_owned();
        entity::Entity::insert(row).on_conflict(raise).exec_without_returning(&self.0).await?;
        Ok(())
    }
}

impl<C: ConnectionTrait> Designs<'_, C> {
    /// How many changes the designs of an organization have seen.
    pub async fn generation(&self, organization: OrganizationId) -> Result<i64, StoreError> {
        let row = entity::Entity::find_by_id(organization.as_i64()).one(self.0).await?;
        Ok(row.map_or(0, |row| row.generation))
    }

    /// Notes of changes after one, in their order: at most `limit`. The newest ones when `after` is `None`.
    pub async fn design_changes(
        &self,
        after: Option<i64>,
        limit: u64,
    ) -> Result<Vec<DesignChange>, StoreError> {
        let notes = log::Entity::find().limit(limit);
        let rows = match after {
            Some(after) => {
                notes.filter(log::Column::Id.gt(after)).order_by_asc(log::Column::Id).all(self.0).await?
            }
            None => {
                let mut rows = notes.order_by_desc(log::Column::Id).all(self.0).await?;
                rows.reverse();
                rows
            }
        };
        let change = |row: log::Model| DesignChange {
            id: row.id,
            organization: OrganizationId::new(row.organization),
            node: row.node,
            part: row.part,
        };
        Ok(rows.into_iter().map(change).collect())
    }
}

#[cfg(test)]
mod tests {
    use pierhead_domain::OrganizationId;

    use crate::on_both_databases;

    const ACME: OrganizationId = OrganizationId::new(1);

    on_both_databases! {
        async fn notes_of_changes_are_read_in_their_order_and_forgotten_by_age(store: Store) {
            let tx = store.write().await.unwrap();
            let parts = (0..2500).map(|number| format!("p{number}"));
            tx.note_design_changes(ACME, "a", parts, 5).await.unwrap();
            tx.note_design_changes(OrganizationId::new(2), "b", ["q".to_owned()], 9).await.unwrap();
            tx.note_design_changes(ACME, "a", [], 9).await.unwrap();
            tx.commit().await.unwrap();

            let designs = store.designs();
            let newest = designs.design_changes(None, 2).await.unwrap();
            let told: Vec<_> = newest.iter().map(|note| (note.node.as_str(), note.part.as_str())).collect();
            assert_eq!(told, [("a", "p2499"), ("b", "q")]);
            assert_eq!(newest[1].organization, OrganizationId::new(2));
            assert_eq!(designs.design_changes(Some(newest[0].id), 9).await.unwrap(), newest[1..]);
            let first = designs.design_changes(Some(0), 3).await.unwrap();
            assert_eq!(first.iter().map(|note| &*note.part).collect::<Vec<_>>(), ["p0", "p1", "p2"]);

            let tx = store.write().await.unwrap();
            tx.remove_old_design_changes(9).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(designs.design_changes(Some(0), 9).await.unwrap(), newest[1..]);
        }
    }
}
