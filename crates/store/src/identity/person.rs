//! Users. The table is called `person`: `user` is a word of SQL.

use std::collections::BTreeMap;

use pierhead_domain::{AccountId, EpochMillis, OrganizationId, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::NotSet, ActiveValue::Set, Condition, ConnectionTrait, QueryOrder, QuerySelect};

use super::filter::{self, Wanted};
use super::{Identities, RoleHolder};
use crate::{StoreError, WriteTx};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "person")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub organization: i64,
        pub account: i64,
        /// Lower case.
        pub email: String,
        pub first_name: String,
        pub last_name: String,
        /// JSON: phone and address by wire name.
        pub profile: String,
        pub external_id: Option<String>,
        pub password_hash: String,
        pub secret_hash: String,
        pub secret_sealed: Vec<u8>,
        pub active: bool,
        pub last_login_ms: Option<i64>,
        pub created_ms: i64,
        pub updated_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{ActiveModel, Column, Entity, Model};

/// A user to add. The secret is sealed before it gets here.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// The organization of the account.
    pub organization: OrganizationId,
    /// The account it belongs to.
    pub account: AccountId,
    /// Lower case; unique in the installation.
    pub email: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Phone and address by wire name.
    pub profile: BTreeMap<String, String>,
    /// The customer's own id for it.
    pub external_id: Option<String>,
    /// Slow hash of the password.
    pub password_hash: String,
    /// Look-up hash of the user secret; unique.
    pub secret_hash: String,
    /// The sealed user secret.
    pub secret_sealed: Vec<u8>,
    /// When.
    pub created: EpochMillis,
}

/// A user as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPerson {
    /// Its id, on the wire too.
    pub id: UserId,
    /// The organization of the account.
    pub organization: OrganizationId,
    /// The account it belongs to.
    pub account: AccountId,
    /// Lower case.
    pub email: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Phone and address by wire name.
    pub profile: BTreeMap<String, String>,
    /// The customer's own id for it.
    pub external_id: Option<String>,
    /// Slow hash of the password.
    pub password_hash: String,
    /// Look-up hash of the user secret.
    pub secret_hash: String,
    /// The sealed user secret.
    pub secret_sealed: Vec<u8>,
    /// An inactive user does not get in.
    pub active: bool,
    /// The last login by password.
    pub last_login: Option<EpochMillis>,
    /// When it was made.
    pub created: EpochMillis,
    /// When it was last changed.
    pub updated: EpochMillis,
}

/// What a list of users can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonField {
    /// Id.
    Id,
    /// Email address.
    Email,
    /// Given name.
    FirstName,
    /// Family name.
    LastName,
    /// The customer's own id.
    ExternalId,
    /// Whether it is active.
    Active,
}

/// Which users a list shows.
#[derive(Debug, Clone)]
pub struct PersonFilter {
    /// Of this organization.
    pub organization: OrganizationId,
    /// Only of this account.
    pub account: Option<AccountId>,
    /// With inactive ones.
    pub include_inactive: bool,
    /// All of these hold.
    pub terms: Vec<(PersonField, Wanted)>,
}

impl PersonFilter {
    fn condition(&self) -> Condition {
        let mut all = Condition::all()
            .add(Column::Organization.eq(self.organization.as_i64()))
            .add_option(self.account.map(|id| Column::Account.eq(id.as_i64())))
            .add_option((!self.include_inactive).then(|| Column::Active.eq(true)));
        for (field, wanted) in &self.terms {
            let column = match field {
                PersonField::Id => Column::Id,
                PersonField::Email => Column::Email,
                PersonField::FirstName => Column::FirstName,
                PersonField::LastName => Column::LastName,
                PersonField::ExternalId => Column::ExternalId,
                PersonField::Active => Column::Active,
            };
            all = all.add(filter::condition(Entity, column, wanted));
        }
        all
    }
}

impl<C: ConnectionTrait> Identities<'_, C> {
    /// The user of this id.
    pub async fn person(&self, id: UserId) -> Result<Option<StoredPerson>, StoreError> {
        Entity::find_by_id(id.as_i64()).one(self.0).await?.map(StoredPerson::try_from).transpose()
    }

    /// The user with this email address, which is in lower case.
    pub async fn person_by_email(&self, email: &str) -> Result<Option<StoredPerson>, StoreError> {
        if !filter::storable(email) {
            return Ok(None);
        }
        let row = Entity::find().filter(Column::Email.eq(email)).one(self.0).await?;
        row.map(StoredPerson::try_from).transpose()
    }

    /// The user whose secret has this look-up hash.
    pub async fn person_by_secret(&self, hash: &str) -> Result<Option<StoredPerson>, StoreError> {
        let row = Entity::find().filter(Column::SecretHash.eq(hash)).one(self.0).await?;
        row.map(StoredPerson::try_from).transpose()
    }

    /// A page of the users that pass `filter`, oldest first, and how many pass in all.
    pub async fn people(
        &self,
        filter: &PersonFilter,
        offset: u64,
        limit: u64,
    ) -> Result<(Vec<StoredPerson>, u64), StoreError> {
        let all = Entity::find().filter(filter.condition());
        let total = all.clone().count(self.0).await?;
        let page = all.order_by_asc(Column::Id).offset(offset).limit(limit).all(self.0).await?;
        Ok((page.into_iter().map(StoredPerson::try_from).collect::<Result<_, _>>()?, total))
    }

    /// The accounts of the active users that are among `people` or belong to one of `accounts`.
    pub(super) async fn accounts_of_active_people(
        &self,
        organization: OrganizationId,
        people: Vec<i64>,
        accounts: Vec<i64>,
    ) -> Result<Vec<AccountId>, StoreError> {
        let ids: Vec<i64> = Entity::find()
            .select_only()
            .column(Column::Account)
            .distinct()
            .filter(Column::Organization.eq(organization.as_i64()))
            .filter(Column::Active.eq(true))
            .filter(Condition::any().add(Column::Id.is_in(people)).add(Column::Account.is_in(accounts)))
            .into_tuple()
            .all(self.0)
            .await?;
        Ok(ids.into_iter().map(AccountId::new).collect())
    }

    pub(super) async fn people_of(
        &self,
        organization: OrganizationId,
        account: AccountId,
    ) -> Result<Vec<UserId>, StoreError> {
        let ids: Vec<i64> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Organization.eq(organization.as_i64()))
            .filter(Column::Account.eq(account.as_i64()))
            .into_tuple()
            .all(self.0)
            .await?;
        Ok(ids.into_iter().map(UserId::new).collect())
    }
}

impl WriteTx {
    /// Adds a user and gives its id. [`StoreError::Duplicate`] when the email address is taken.
    pub async fn add_person(&self, new: &NewPerson) -> Result<UserId, StoreError> {
        let row = ActiveModel {
            id: NotSet,
            organization: Set(new.organization.as_i64()),
            account: Set(new.account.as_i64()),
            email: Set(new.email.clone()),
            first_name: Set(new.first_name.clone()),
            last_name: Set(new.last_name.clone()),
            profile: Set(profile_text(&new.profile)),
            external_id: Set(new.external_id.clone()),
            password_hash: Set(new.password_hash.clone()),
            secret_hash: Set(new.secret_hash.clone()),
            secret_sealed: Set(new.secret_sealed.clone()),
            active: Set(true),
            last_login_ms: Set(None),
            created_ms: Set(new.created.as_i64()),
            updated_ms: Set(new.created.as_i64()),
        };
        Ok(UserId::new(Entity::insert(row).exec(&self.0).await?.last_insert_id))
    }

    /// Changes what people may change of a user, the password included. [`StoreError::Duplicate`] when the
    /// email address is taken.
    pub async fn save_person(&self, changed: &StoredPerson) -> Result<(), StoreError> {
        let row = ActiveModel {
            id: Set(changed.id.as_i64()),
            email: Set(changed.email.clone()),
            first_name: Set(changed.first_name.clone()),
            last_name: Set(changed.last_name.clone()),
            profile: Set(profile_text(&changed.profile)),
            external_id: Set(changed.external_id.clone()),
            password_hash: Set(changed.password_hash.clone()),
            active: Set(changed.active),
            updated_ms: Set(changed.updated.as_i64()),
            ..Default::default()
        };
        Entity::update(row).exec(&self.0).await?;
        Ok(())
    }

    /// Notes a login by password.
    pub async fn note_login(&self, id: UserId, at: EpochMillis) -> Result<(), StoreError> {
        let row =
            ActiveModel { id: Set(id.as_i64()), last_login_ms: Set(Some(at.as_i64())), ..Default::default() };
        Entity::update(row).exec(&self.0).await?;
        Ok(())
    }

    /// Deletes a user with its roles and logins.
    pub async fn delete_person(&self, id: UserId) -> Result<(), StoreError> {
        self.revoke_all(RoleHolder::Person(id)).await?;
        self.end_logins_of(id).await?;
        Entity::delete_by_id(id.as_i64()).exec(&self.0).await?;
        Ok(())
    }
}

fn profile_text(profile: &BTreeMap<String, String>) -> String {
    // A map of text to text always becomes JSON.
    serde_json::to_string(profile).unwrap_or_else(|_| "{}".into())
}

impl TryFrom<Model> for StoredPerson {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let profile = serde_json::from_str(&row.profile).map_err(|why| StoreError::Inconsistent {
            table: "person",
            column: "profile",
            id: row.id.to_string(),
            why: why.to_string(),
        })?;
        Ok(Self {
            id: UserId::new(row.id),
            organization: OrganizationId::new(row.organization),
            account: AccountId::new(row.account),
            email: row.email,
            first_name: row.first_name,
            last_name: row.last_name,
            profile,
            external_id: row.external_id,
            password_hash: row.password_hash,
            secret_hash: row.secret_hash,
            secret_sealed: row.secret_sealed,
            active: row.active,
            last_login: row.last_login_ms.map(EpochMillis::new),
            created: EpochMillis::new(row.created_ms),
            updated: EpochMillis::new(row.updated_ms),
        })
    }
}
