//! One counter per organization that every change of a design raises.

use pierhead_domain::OrganizationId;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ActiveValue::Set, ConnectionTrait};

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
}
