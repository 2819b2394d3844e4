//! Logins: tokens that a person got for a password. Only their hashes are kept.

use pierhead_domain::{EpochMillis, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, ConnectionTrait};

use super::Identities;
use crate::{StoreError, WriteTx};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "login_session")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub token_hash: String,
        pub person: i64,
        pub created_ms: i64,
        pub expires_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{ActiveModel, Column, Entity};

/// A login as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLogin {
    /// Look-up hash of the token.
    pub token_hash: String,
    /// Who.
    pub person: UserId,
    /// Since when.
    pub created: EpochMillis,
    /// Until when.
    pub expires: EpochMillis,
}

impl<C: ConnectionTrait> Identities<'_, C> {
    /// The login whose token has this look-up hash.
    pub async fn login(&self, hash: &str) -> Result<Option<StoredLogin>, StoreError> {
        let row = Entity::find_by_id(hash).one(self.0).await?;
        Ok(row.map(|row| StoredLogin {
            token_hash: row.token_hash,
            person: UserId::new(row.person),
            created: EpochMillis::new(row.created_ms),
            expires: EpochMillis::new(row.expires_ms),
        }))
    }
}

impl WriteTx {
    /// Adds a login, and forgets those that are over.
    pub async fn add_login(&self, login: &StoredLogin) -> Result<(), StoreError> {
        let over = Entity::delete_many().filter(Column::ExpiresMs.lt(login.created.as_i64()));
        over.exec(&self.0).await?;
        let row = ActiveModel {
            token_hash: Set(login.token_hash.clone()),
            person: Set(login.person.as_i64()),
            created_ms: Set(login.created.as_i64()),
            expires_ms: Set(login.expires.as_i64()),
        };
        Entity::insert(row).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// Ends one login; says whether it was there.
    pub async fn end_login(&self, hash: &str) -> Result<bool, StoreError> {
        Ok(Entity::delete_by_id(hash).exec(&self.0).await?.rows_affected > 0)
    }

    /// Ends all logins of a user.
    pub async fn end_logins_of(&self, person: UserId) -> Result<(), StoreError> {
        Entity::delete_many().filter(Column::Person.eq(person.as_i64())).exec(&self.0).await?;
        Ok(())
    }
}
