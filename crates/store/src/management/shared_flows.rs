//! Shared flows and their revisions.

use pierhead_domain::OrganizationId;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ActiveValue::Set, ConnectionTrait, QueryOrder, QuerySelect};

use super::{Designs, Stamp};
use crate::{StoreError, WriteTx};

mod flow {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "shared_flow")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        /// 0 is none.
        pub live_revision: i64,
        pub created_ms: i64,
        pub created_by: String,
        pub changed_ms: i64,
        pub changed_by: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod revision {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "shared_flow_revision")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub shared_flow: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub revision: i64,
        pub design: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A shared flow as it lies in the database; its designs are its revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSharedFlow {
    /// Unique in the organization.
    pub name: String,
    /// The deployed revision.
    pub live_revision: Option<i64>,
    /// Who and when.
    pub stamp: Stamp,
}

/// A deployed shared flow.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LiveSharedFlow {
    /// Its name.
    pub name: String,
    /// From 1.
    pub revision: i64,
    /// The design: JSON.
    pub design: String,
}

impl From<flow::Model> for StoredSharedFlow {
    fn from(row: flow::Model) -> Self {
        Self {
            name: row.name,
            live_revision: (row.live_revision > 0).then_some(row.live_revision),
            stamp: Stamp {
                created_ms: row.created_ms,
                created_by: row.created_by,
                changed_ms: row.changed_ms,
                changed_by: row.changed_by,
            },
        }
    }
}

fn row(organization: OrganizationId, stored: &StoredSharedFlow) -> flow::ActiveModel {
    flow::ActiveModel {
        organization: Set(organization.as_i64()),
        name: Set(stored.name.clone()),
        live_revision: Set(stored.live_revision.unwrap_or(0)),
        created_ms: Set(stored.stamp.created_ms),
        created_by: Set(stored.stamp.created_by.clone()),
        changed_ms: Set(stored.stamp.changed_ms),
        changed_by: Set(stored.stamp.changed_by.clone()),
    }
}

impl<C: ConnectionTrait> Designs<'_, C> {
    /// All shared flows by name.
    pub async fn shared_flows(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<StoredSharedFlow>, StoreError> {
        let rows = flow::Entity::find()
            .filter(flow::Column::Organization.eq(organization.as_i64()))
            .order_by_asc(flow::Column::Name)
            .all(self.0)
            .await?;
        Ok(rows.into_iter().map(StoredSharedFlow::from).collect())
    }

    /// One shared flow.
    pub async fn shared_flow(
        &self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Option<StoredSharedFlow>, StoreError> {
        let key = (organization.as_i64(), name.to_owned());
        Ok(flow::Entity::find_by_id(key).one(self.0).await?.map(StoredSharedFlow::from))
    }

    /// The design of a revision: JSON.
    pub async fn shared_flow_revision(
        &self,
        organization: OrganizationId,
        name: &str,
        number: i64,
    ) -> Result<Option<String>, StoreError> {
        let key = (organization.as_i64(), name.to_owned(), number);
        Ok(revision::Entity::find_by_id(key).one(self.0).await?.map(|row| row.design))
    }

    /// Every deployed shared flow, by name.
    pub async fn live_shared_flows(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<LiveSharedFlow>, StoreError> {
        let is_same = |of_flow: flow::Column, of_revision: revision::Column| {
            Expr::col((flow::Entity, of_flow)).equals((revision::Entity, of_revision))
        };
        let of_flow = Query::select()
            .expr(Expr::val(1))
            .from(flow::Entity)
            .and_where(is_same(flow::Column::Organization, revision::Column::Organization))
            .and_where(is_same(flow::Column::Name, revision::Column::SharedFlow))
            .and_where(is_same(flow::Column::LiveRevision, revision::Column::Revision))
            .to_owned();
        let rows = revision::Entity::find()
            .filter(revision::Column::Organization.eq(organization.as_i64()))
            .filter(Expr::exists(of_flow))
            .order_by_asc(revision::Column::SharedFlow)
            .all(self.0)
            .await?;
        let live = |row: revision::Model| LiveSharedFlow {
            name: row.shared_flow,
            revision: row.revision,
            design: row.design,
        };
        Ok(rows.into_iter().map(live).collect())
    }

    /// Numbers of the revisions of a shared flow, from the oldest.
    pub async fn shared_flow_revisions(
        &self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Vec<i64>, StoreError> {
        let rows = revision::Entity::find()
            .select_only()
            .column(revision::Column::Revision)
            .filter(revision::Column::Organization.eq(organization.as_i64()))
            .filter(revision::Column::SharedFlow.eq(name))
            .order_by_asc(revision::Column::Revision)
            .into_tuple()
            .all(self.0)
            .await?;
        Ok(rows)
    }
}

impl WriteTx {
    /// Adds a shared flow; its name must be free.
    pub async fn add_shared_flow(
        &self,
        organization: OrganizationId,
        stored: &StoredSharedFlow,
    ) -> Result<(), StoreError> {
        flow::Entity::insert(row(organization, stored)).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// Replaces the shared flow of the same name.
    pub async fn save_shared_flow(
        &self,
        organization: OrganizationId,
        stored: &StoredSharedFlow,
    ) -> Result<(), StoreError> {
        flow::Entity::update_many()
            .set(row(organization, stored))
            .filter(flow::Column::Organization.eq(organization.as_i64()))
            .filter(flow::Column::Name.eq(&stored.name))
            .exec(&self.0)
            .await?;
        Ok(())
    }

    /// Keeps a design as a revision; its number must be free.
    pub async fn add_shared_flow_revision(
        &self,
        organization: OrganizationId,
        name: &str,
        number: i64,
        design: String,
    ) -> Result<(), StoreError> {
        let row = revision::ActiveModel {
            organization: Set(organization.as_i64()),
            shared_flow: Set(name.to_owned()),
            revision: Set(number),
            design: Set(design),
        };
        revision::Entity::insert(row).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// Removes a revision; says whether it was there.
    pub async fn remove_shared_flow_revision(
        &self,
        organization: OrganizationId,
        name: &str,
        number: i64,
    ) -> Result<bool, StoreError> {
        let key = (organization.as_i64(), name.to_owned(), number);
        Ok(revision::Entity::delete_by_id(key).exec(&self.0).await?.rows_affected > 0)
    }

    /// Removes a shared flow with its revisions; says whether it was there.
    pub async fn remove_shared_flow(
        &self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<bool, StoreError> {
        revision::Entity::delete_many()
            .filter(revision::Column::Organization.eq(organization.as_i64()))
            .filter(revision::Column::SharedFlow.eq(name))
            .exec(&self.0)
            .await?;
        let key = (organization.as_i64(), name.to_owned());
        Ok(flow::Entity::delete_by_id(key).exec(&self.0).await?.rows_affected > 0)
    }
}

#[cfg(test)]
mod tests {
    use pierhead_domain::OrganizationId;

    use super::{LiveSharedFlow, StoredSharedFlow};
    use crate::management::Stamp;
    use crate::{StoreError, on_both_databases};

    const ACME: OrganizationId = OrganizationId::new(1);
    const OTHER: OrganizationId = OrganizationId::new(2);

    fn flow(name: &str) -> StoredSharedFlow {
        StoredSharedFlow { name: name.into(), live_revision: None, stamp: Stamp::new(5, "me") }
    }

    on_both_databases! {
        async fn a_shared_flow_goes_with_its_revisions_and_leaves_others_alone(store: Store) {
            let tx = store.write().await.unwrap();
            tx.add_shared_flow(ACME, &flow("a")).await.unwrap();
            tx.add_shared_flow(OTHER, &flow("a")).await.unwrap();
            for number in [2, 1] {
                tx.add_shared_flow_revision(ACME, "a", number, format!("design {number}")).await.unwrap();
            }
            tx.add_shared_flow_revision(OTHER, "a", 1, "theirs".into()).await.unwrap();
            tx.save_shared_flow(ACME, &StoredSharedFlow { live_revision: Some(2), ..flow("a") }).await.unwrap();
            tx.commit().await.unwrap();

            let designs = store.designs();
            assert_eq!(designs.shared_flow(ACME, "a").await.unwrap().unwrap().live_revision, Some(2));
            assert_eq!(designs.shared_flow_revisions(ACME, "a").await.unwrap(), [1, 2]);
            assert_eq!(designs.shared_flow_revision(ACME, "a", 2).await.unwrap().unwrap(), "design 2");
            let live = LiveSharedFlow { name: "a".into(), revision: 2, design: "design 2".into() };
            assert_eq!(designs.live_shared_flows(ACME).await.unwrap(), [live]);
            assert!(designs.live_shared_flows(OTHER).await.unwrap().is_empty(), "kept and not deployed");

            let tx = store.write().await.unwrap();
            assert!(tx.remove_shared_flow_revision(ACME, "a", 1).await.unwrap());
            assert!(tx.remove_shared_flow(ACME, "a").await.unwrap());
            assert!(!tx.remove_shared_flow(ACME, "a").await.unwrap());
            tx.commit().await.unwrap();
            assert!(designs.shared_flows(ACME).await.unwrap().is_empty());
            assert!(designs.shared_flow_revisions(ACME, "a").await.unwrap().is_empty());
            assert_eq!(designs.shared_flow_revision(OTHER, "a", 1).await.unwrap().unwrap(), "theirs");
        }

        async fn a_name_is_taken_once(store: Store) {
            let tx = store.write().await.unwrap();
            tx.add_shared_flow(ACME, &flow("a")).await.unwrap();
            let taken = tx.add_shared_flow(ACME, &flow("a")).await;
            assert!(matches!(taken, Err(StoreError::Duplicate(_))), "{taken:?}");
        }
    }
}
