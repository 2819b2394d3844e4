//! Service keys, and the access tokens that they were exchanged for. Only hashes are kept.

use pierhead_domain::{EpochMillis, OrganizationId, Role, Roles};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, ConnectionTrait, QueryOrder};

use super::Identities;
use super::filter::storable;
use crate::{StoreError, WriteTx};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "service_key")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub client_id: String,
        pub organization: i64,
        pub name: String,
        pub secret_hash: String,
        /// Keys of roles, with blanks between.
        pub roles: String,
        pub created_by: String,
        pub created_ms: i64,
        pub expires_ms: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod token {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_token")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub token_hash: String,
        pub client_id: String,
        pub roles: String,
        pub expires_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{ActiveModel, Column, Entity, Model};

/// A service key as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredServiceKey {
    /// Public id.
    pub client_id: String,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Name for people.
    pub name: String,
    /// Look-up hash of the secret.
    pub secret_hash: String,
    /// What its holder may do.
    pub roles: Roles,
    /// Email address of its maker.
    pub created_by: String,
    /// When it was made.
    pub created: EpochMillis,
    /// Until when it is good; `None`: until it is revoked.
    pub expires: Option<EpochMillis>,
}

/// An access token as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAccessToken {
    /// Look-up hash of the token.
    pub token_hash: String,
    /// The service key it was given for.
    pub client_id: String,
    /// What its bearer may do: the key's roles or fewer.
    pub roles: Roles,
    /// Until when it is good.
    pub expires: EpochMillis,
}

impl<C: ConnectionTrait> Identities<'_, C> {
    /// The service key of this client id.
    pub async fn service_key(&self, client_id: &str) -> Result<Option<StoredServiceKey>, StoreError> {
        if !storable(client_id) {
            return Ok(None);
        }
        Entity::find_by_id(client_id).one(self.0).await?.map(StoredServiceKey::try_from).transpose()
    }

    /// The service keys of an organization, oldest first.
    pub async fn service_keys(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<StoredServiceKey>, StoreError> {
        let rows = Entity::find()
            .filter(Column::Organization.eq(organization.as_i64()))
            .order_by_asc(Column::CreatedMs)
            .order_by_asc(Column::ClientId)
            .all(self.0)
            .await?;
        rows.into_iter().map(StoredServiceKey::try_from).collect()
    }

    /// The access token with this look-up hash.
    pub async fn access_token(&self, hash: &str) -> Result<Option<StoredAccessToken>, StoreError> {
        let row = token::Entity::find_by_id(hash).one(self.0).await?;
        row.map(|row| {
            Ok(StoredAccessToken {
                roles: roles(&row.roles, "access_token", &row.client_id)?,
                token_hash: row.token_hash,
                client_id: row.client_id,
                expires: EpochMillis::new(row.expires_ms),
            })
        })
        .transpose()
    }
}

impl WriteTx {
    /// Adds a service key.
    pub async fn add_service_key(&self, key: &StoredServiceKey) -> Result<(), StoreError> {
        let row = ActiveModel {
            client_id: Set(key.client_id.clone()),
            organization: Set(key.organization.as_i64()),
            name: Set(key.name.clone()),
            secret_hash: Set(key.secret_hash.clone()),
            roles: Set(roles_text(&key.roles)),
            created_by: Set(key.created_by.clone()),
            created_ms: Set(key.created.as_i64()),
            expires_ms: Set(key.expires.map(EpochMillis::as_i64)),
        };
        Entity::insert(row).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// Deletes a service key of an organization with its access tokens; says whether it was there.
    pub async fn delete_service_key(
        &self,
        organization: OrganizationId,
        client_id: &str,
    ) -> Result<bool, StoreError> {
        if !storable(client_id) {
            return Ok(false);
        }
        let gone = Entity::delete_by_id(client_id)
            .filter(Column::Organization.eq(organization.as_i64()))
            .exec(&self.0)
            .await?;
        if gone.rows_affected == 0 {
            return Ok(false);
        }
        token::Entity::delete_many().filter(token::Column::ClientId.eq(client_id)).exec(&self.0).await?;
        Ok(true)
    }

    /// Adds an access token, and forgets those that were over at `now`.
    pub async fn add_access_token(
        &self,
        new: &StoredAccessToken,
        now: EpochMillis,
    ) -> Result<(), StoreError> {
        let over = token::Entity::delete_many().filter(token::Column::ExpiresMs.lt(now.as_i64()));
        over.exec(&self.0).await?;
        let row = token::ActiveModel {
            token_hash: Set(new.token_hash.clone()),
            client_id: Set(new.client_id.clone()),
            roles: Set(roles_text(&new.roles)),
            expires_ms: Set(new.expires.as_i64()),
        };
        token::Entity::insert(row).exec_without_returning(&self.0).await?;
        Ok(())
    }
}

fn roles_text(roles: &Roles) -> String {
    roles.iter().map(Role::key).collect::<Vec<_>>().join(" ")
}

fn roles(text: &str, table: &'static str, id: &str) -> Result<Roles, StoreError> {
    text.split_whitespace().map(str::parse::<Role>).collect::<Result<Roles, _>>().map_err(|why| {
        StoreError::Inconsistent { table, column: "roles", id: id.into(), why: why.to_string() }
    })
}

impl TryFrom<Model> for StoredServiceKey {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            roles: roles(&row.roles, "service_key", &row.client_id)?,
            client_id: row.client_id,
            organization: OrganizationId::new(row.organization),
            name: row.name,
            secret_hash: row.secret_hash,
            created_by: row.created_by,
            created: EpochMillis::new(row.created_ms),
            expires: row.expires_ms.map(EpochMillis::new),
        })
    }
}
