//! Who holds which role. A role of an account is held by each of its users.

use std::collections::BTreeMap;

use pierhead_domain::{AccountId, OrganizationId, Role, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, Condition, ConnectionTrait, QueryOrder, QuerySelect};

use super::Identities;
use crate::{StoreError, WriteTx};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "role_grant")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub holder: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub holder_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub role: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{ActiveModel, Column, Entity, Model};

/// Who a role is granted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleHolder {
    /// One user.
    Person(UserId),
    /// All users of an account.
    Account(AccountId),
}

impl RoleHolder {
    fn columns(self) -> (&'static str, i64) {
        match self {
            Self::Person(id) => ("person", id.as_i64()),
            Self::Account(id) => ("account", id.as_i64()),
        }
    }

    fn condition(self) -> Condition {
        let (holder, id) = self.columns();
        Condition::all().add(Column::Holder.eq(holder)).add(Column::HolderId.eq(id))
    }
}

impl<C: ConnectionTrait> Identities<'_, C> {
    /// The roles granted to `holder` itself.
    pub async fn roles_of(&self, holder: RoleHolder) -> Result<Vec<Role>, StoreError> {
        let rows = Entity::find().filter(holder.condition()).order_by_asc(Column::Role).all(self.0).await?;
        rows.iter().map(role).collect()
    }

    /// The roles granted to each of these users itself; users without any are missing.
    pub async fn roles_of_people(
        &self,
        people: &[UserId],
    ) -> Result<BTreeMap<UserId, Vec<Role>>, StoreError> {
        let rows = Entity::find()
            .filter(Column::Holder.eq("person"))
            .filter(Column::HolderId.is_in(people.iter().map(|id| id.as_i64())))
            .order_by_asc(Column::Role)
            .all(self.0)
            .await?;
        let mut roles: BTreeMap<UserId, Vec<Role>> = BTreeMap::new();
        for row in rows {
            roles.entry(UserId::new(row.holder_id)).or_default().push(role(&row)?);
        }
        Ok(roles)
    }

    /// Whether an active user of an active account holds the role of an organization's administrator, so
    /// that somebody can still let others in.
    pub async fn has_administrator(&self, organization: OrganizationId) -> Result<bool, StoreError> {
        let holders = |holder: &'static str| {
            Entity::find()
                .select_only()
                .column(Column::HolderId)
                .filter(Column::Holder.eq(holder))
                .filter(Column::Role.eq(Role::OrgAdmin.key()))
        };
        let people: Vec<i64> = holders("person").into_tuple().all(self.0).await?;
        let accounts: Vec<i64> = holders("account").into_tuple().all(self.0).await?;
        for account in self.accounts_of_active_people(organization, people, accounts).await? {
            if self.account(account).await?.is_some_and(|account| account.active) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl WriteTx {
    /// Grants a role. [`StoreError::Duplicate`] when `holder` has it.
    pub async fn grant(&self, holder: RoleHolder, role: Role) -> Result<(), StoreError> {
        let (kind, id) = holder.columns();
        let row = ActiveModel { holder: Set(kind.into()), holder_id: Set(id), role: Set(role.key().into()) };
        Entity::insert(row).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// Takes a role away; says whether `holder` had it.
    pub async fn revoke(&self, holder: RoleHolder, role: Role) -> Result<bool, StoreError> {
        let gone = Entity::delete_many().filter(holder.condition()).filter(Column::Role.eq(role.key()));
        Ok(gone.exec(&self.0).await?.rows_affected > 0)
    }

    /// Takes all roles away.
    pub async fn revoke_all(&self, holder: RoleHolder) -> Result<(), StoreError> {
        Entity::delete_many().filter(holder.condition()).exec(&self.0).await?;
        Ok(())
    }
}

fn role(row: &Model) -> Result<Role, StoreError> {
    row.role.parse().map_err(|why: pierhead_domain::UnknownRole| StoreError::Inconsistent {
        table: "role_grant",
        column: "role",
        id: format!("{}/{}", row.holder, row.holder_id),
        why: why.to_string(),
    })
}
