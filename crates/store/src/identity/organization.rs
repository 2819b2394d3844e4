//! Organizations, and the one row that says the installation has its first.

use pierhead_domain::{EpochMillis, OrganizationId};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, ConnectionTrait, QuerySelect};

use super::Identities;
use crate::{StoreError, WriteTx};

mod installation {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "installation")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub organization: i64,
        pub created_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "organization")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub name: String,
        pub external_id: Option<String>,
        pub secret_hash: String,
        pub secret_sealed: Vec<u8>,
        pub active: bool,
        pub created_ms: i64,
        pub updated_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{ActiveModel, Column, Entity, Model};

/// An organization to add.
#[derive(Debug, Clone)]
pub struct NewOrganization {
    /// Name for people.
    pub name: String,
    /// Look-up hash of its secret; unique.
    pub secret_hash: String,
    /// When.
    pub created: EpochMillis,
}

/// An organization as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOrganization {
    /// Its id, on the wire too.
    pub id: OrganizationId,
    /// Name for people.
    pub name: String,
    /// The customer's own id for it.
    pub external_id: Option<String>,
    /// Look-up hash of its secret.
    pub secret_hash: String,
    /// The sealed secret.
    pub secret_sealed: Vec<u8>,
    /// Nobody of an inactive organization gets in.
    pub active: bool,
    /// When it was made.
    pub created: EpochMillis,
    /// When it was last changed.
    pub updated: EpochMillis,
}

impl<C: ConnectionTrait> Identities<'_, C> {
    /// The organization of this id.
    pub async fn organization(&self, id: OrganizationId) -> Result<Option<StoredOrganization>, StoreError> {
        Ok(Entity::find_by_id(id.as_i64()).one(self.0).await?.map(StoredOrganization::from))
    }

    /// The organization that the first start made, if there was one.
    pub async fn first_organization(&self) -> Result<Option<OrganizationId>, StoreError> {
        let row = installation::Entity::find_by_id(1).one(self.0).await?;
        Ok(row.map(|row| OrganizationId::new(row.organization)))
    }
}

impl WriteTx {
    /// Adds an organization and gives its id: one more than the greatest, so that the first is always 1 (a
    /// database's own sequence also counts transactions that failed). [`StoreError::Duplicate`] when another
    /// was added at the same moment. Its secret is sealed once its id is known: see
    /// [`WriteTx::seal_organization`].
    pub async fn add_organization(&self, new: &NewOrganization) -> Result<OrganizationId, StoreError> {
        let greatest: Option<i64> = Entity::find()
            .select_only()
            .column_as(Column::Id.max(), "greatest")
            .into_tuple()
            .one(&self.0)
            .await?
            .flatten();
        let id = greatest.unwrap_or(0) + 1;
        let row = ActiveModel {
            id: Set(id),
            name: Set(new.name.clone()),
            external_id: Set(None),
            secret_hash: Set(new.secret_hash.clone()),
            secret_sealed: Set(Vec::new()),
            active: Set(true),
            created_ms: Set(new.created.as_i64()),
            updated_ms: Set(new.created.as_i64()),
        };
        Entity::insert(row).exec_without_returning(&self.0).await?;
        Ok(OrganizationId::new(id))
    }

    /// Writes the sealed secret of an organization.
    pub async fn seal_organization(&self, id: OrganizationId, sealed: Vec<u8>) -> Result<(), StoreError> {
        let row = ActiveModel { id: Set(id.as_i64()), secret_sealed: Set(sealed), ..Default::default() };
        Entity::update(row).exec(&self.0).await?;
        Ok(())
    }

    /// Says that `organization` is the installation's first. [`StoreError::Duplicate`] when there is one.
    pub async fn claim_installation(
        &self,
        organization: OrganizationId,
        now: EpochMillis,
    ) -> Result<(), StoreError> {
        let row = installation::ActiveModel {
            id: Set(1),
            organization: Set(organization.as_i64()),
            created_ms: Set(now.as_i64()),
        };
        installation::Entity::insert(row).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// Begins a change of an organization's people: its row is held until the commit, so that two such
    /// changes never overlap and what one of them checked still holds when it commits.
    pub async fn begin_identity_change(&self, id: OrganizationId) -> Result<(), StoreError> {
        Entity::find_by_id(id.as_i64()).lock_exclusive().one(&self.0).await?;
        Ok(())
    }

    /// Changes what people may change of an organization.
    pub async fn save_organization(&self, changed: &StoredOrganization) -> Result<(), StoreError> {
        let row = ActiveModel {
            id: Set(changed.id.as_i64()),
            name: Set(changed.name.clone()),
            external_id: Set(changed.external_id.clone()),
            active: Set(changed.active),
            updated_ms: Set(changed.updated.as_i64()),
            ..Default::default()
        };
        Entity::update(row).exec(&self.0).await?;
        Ok(())
    }
}

impl From<Model> for StoredOrganization {
    fn from(row: Model) -> Self {
        Self {
            id: OrganizationId::new(row.id),
            name: row.name,
            external_id: row.external_id,
            secret_hash: row.secret_hash,
            secret_sealed: row.secret_sealed,
            active: row.active,
            created: EpochMillis::new(row.created_ms),
            updated: EpochMillis::new(row.updated_ms),
        }
    }
}
