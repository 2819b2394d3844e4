//! Accounts: the divisions of an organization.

use pierhead_domain::{AccountId, EpochMillis, OrganizationId};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::NotSet, ActiveValue::Set, Condition, ConnectionTrait, QueryOrder, QuerySelect};

use super::filter::{self, Wanted};
use super::{Identities, RoleHolder};
use crate::{StoreError, WriteTx};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "account")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub organization: i64,
        pub name: String,
        pub external_id: Option<String>,
        pub description: Option<String>,
        pub is_default: bool,
        pub active: bool,
        pub created_ms: i64,
        pub updated_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{ActiveModel, Column, Entity, Model};

/// An account to add.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Whose it is.
    pub organization: OrganizationId,
    /// Name for people.
    pub name: String,
    /// The customer's own id for it.
    pub external_id: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// The one that an organization is made with.
    pub is_default: bool,
    /// When.
    pub created: EpochMillis,
}

/// An account as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAccount {
    /// Its id, on the wire too.
    pub id: AccountId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Name for people.
    pub name: String,
    /// The customer's own id for it.
    pub external_id: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// The one that the organization was made with.
    pub is_default: bool,
    /// Nobody of an inactive account gets in.
    pub active: bool,
    /// When it was made.
    pub created: EpochMillis,
    /// When it was last changed.
    pub updated: EpochMillis,
}

/// What a list of accounts can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountField {
    /// Id.
    Id,
    /// Name.
    Name,
    /// The customer's own id.
    ExternalId,
    /// Description.
    Description,
    /// Whether it is the default account.
    IsDefault,
    /// Whether it is active.
    Active,
}

/// Which accounts a list shows.
#[derive(Debug, Clone)]
pub struct AccountFilter {
    /// Of this organization.
    pub organization: OrganizationId,
    /// Only this one.
    pub only: Option<AccountId>,
    /// With inactive ones.
    pub include_inactive: bool,
    /// All of these hold.
    pub terms: Vec<(AccountField, Wanted)>,
}

impl AccountFilter {
    fn condition(&self) -> Condition {
        let mut all = Condition::all()
            .add(Column::Organization.eq(self.organization.as_i64()))
            .add_option(self.only.map(|id| Column::Id.eq(id.as_i64())))
            .add_option((!self.include_inactive).then(|| Column::Active.eq(true)));
        for (field, wanted) in &self.terms {
            let column = match field {
                AccountField::Id => Column::Id,
                AccountField::Name => Column::Name,
                AccountField::ExternalId => Column::ExternalId,
                AccountField::Description => Column::Description,
                AccountField::IsDefault => Column::IsDefault,
                AccountField::Active => Column::Active,
            };
            all = all.add(filter::condition(Entity, column, wanted));
        }
        all
    }
}

impl<C: ConnectionTrait> Identities<'_, C> {
    /// The account of this id.
    pub async fn account(&self, id: AccountId) -> Result<Option<StoredAccount>, StoreError> {
        Ok(Entity::find_by_id(id.as_i64()).one(self.0).await?.map(StoredAccount::from))
    }

    /// The default account of an organization.
    pub async fn default_account(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<StoredAccount>, StoreError> {
        let found = Entity::find()
            .filter(Column::Organization.eq(organization.as_i64()))
            .filter(Column::IsDefault.eq(true))
            .order_by_asc(Column::Id)
            .one(self.0);
        Ok(found.await?.map(StoredAccount::from))
    }

    /// The active account of an organization with this external id.
    pub async fn account_by_external_id(
        &self,
        organization: OrganizationId,
        external_id: &str,
    ) -> Result<Option<StoredAccount>, StoreError> {
        let found = Entity::find()
            .filter(Column::Organization.eq(organization.as_i64()))
            .filter(Column::ExternalId.eq(external_id))
            .filter(Column::Active.eq(true))
            .order_by_asc(Column::Id)
            .one(self.0);
        Ok(found.await?.map(StoredAccount::from))
    }

    /// A page of the accounts that pass `filter`, oldest first, and how many pass in all.
    pub async fn accounts(
        &self,
        filter: &AccountFilter,
        offset: u64,
        limit: u64,
    ) -> Result<(Vec<StoredAccount>, u64), StoreError> {
        let all = Entity::find().filter(filter.condition());
        let total = all.clone().count(self.0).await?;
        let page = all.order_by_asc(Column::Id).offset(offset).limit(limit).all(self.0).await?;
        Ok((page.into_iter().map(StoredAccount::from).collect(), total))
    }
}

impl WriteTx {
    /// Adds an account and gives its id.
    pub async fn add_account(&self, new: &NewAccount) -> Result<AccountId, StoreError> {
        let row = ActiveModel {
            id: NotSet,
            organization: Set(new.organization.as_i64()),
            name: Set(new.name.clone()),
            external_id: Set(new.external_id.clone()),
            description: Set(new.description.clone()),
            is_default: Set(new.is_default),
            active: Set(true),
            created_ms: Set(new.created.as_i64()),
            updated_ms: Set(new.created.as_i64()),
        };
        Ok(AccountId::new(Entity::insert(row).exec(&self.0).await?.last_insert_id))
    }

    /// Changes what people may change of an account.
    pub async fn save_account(&self, changed: &StoredAccount) -> Result<(), StoreError> {
        let row = ActiveModel {
            id: Set(changed.id.as_i64()),
            name: Set(changed.name.clone()),
            external_id: Set(changed.external_id.clone()),
            description: Set(changed.description.clone()),
            active: Set(changed.active),
            updated_ms: Set(changed.updated.as_i64()),
            ..Default::default()
        };
        Entity::update(row).exec(&self.0).await?;
        Ok(())
    }

    /// Deletes all users of an account with their roles and logins, and the account's own role grants.
    pub async fn delete_people_of(&self, account: &StoredAccount) -> Result<(), StoreError> {
        for person in self.identities().people_of(account.organization, account.id).await? {
            self.delete_person(person).await?;
        }
        self.revoke_all(RoleHolder::Account(account.id)).await
    }
}

impl From<Model> for StoredAccount {
    fn from(row: Model) -> Self {
        Self {
            id: AccountId::new(row.id),
            organization: OrganizationId::new(row.organization),
            name: row.name,
            external_id: row.external_id,
            description: row.description,
            is_default: row.is_default,
            active: row.active,
            created: EpochMillis::new(row.created_ms),
            updated: EpochMillis::new(row.updated_ms),
        }
    }
}
