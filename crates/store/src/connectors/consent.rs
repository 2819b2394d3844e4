//! Consents under way: what must survive between the vendor's consent page and the instance's creation.

use pierhead_domain::EpochMillis;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, sea_query::OnConflict};

use crate::{Store, StoreError, WriteTx};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "connector_consent")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub client: String,
        pub nonce: String,
        pub shared: bool,
        pub expires_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{ActiveModel, Column, Entity, Model};

/// A consent under way. It holds no secret: the PKCE verifier is derived from the nonce by the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredConsent {
    /// Look-up hash of client and state.
    pub id: String,
    /// Look-up hash of connector, OAuth client and callback.
    pub client: String,
    /// From which the verifier is derived.
    pub nonce: String,
    /// The state was not chosen by the caller: several people may be under way with it.
    pub shared: bool,
    /// Until when it may be used.
    pub expires: EpochMillis,
}

impl Store {
    /// The youngest consent of this client that is still good.
    pub async fn consent_of_client(
        &self,
        client: &str,
        now: EpochMillis,
    ) -> Result<Option<StoredConsent>, StoreError> {
        let row = Entity::find()
            .filter(Column::Client.eq(client))
            .filter(Column::ExpiresMs.gt(now.as_i64()))
            .order_by_desc(Column::ExpiresMs)
            .one(self.reader())
            .await?;
        Ok(row.map(StoredConsent::from))
    }
}

impl WriteTx {
    /// Puts a consent, replacing the one with the same id, and forgets those that ended before `now`.
    pub async fn put_consent(&self, consent: &StoredConsent, now: EpochMillis) -> Result<(), StoreError> {
        Entity::delete_many().filter(Column::ExpiresMs.lte(now.as_i64())).exec(&self.0).await?;
        let row = ActiveModel {
            id: Set(consent.id.clone()),
            client: Set(consent.client.clone()),
            nonce: Set(consent.nonce.clone()),
            shared: Set(consent.shared),
            expires_ms: Set(consent.expires.as_i64()),
        };
        let replace = OnConflict::column(Column::Id)
            .update_columns([Column::Client, Column::Nonce, Column::Shared, Column::ExpiresMs])
            .to_owned();
        Entity::insert(row).on_conflict(replace).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// Uses a consent: gives it if it is still good, and takes it away unless it is shared. Of two who use
    /// it at once, one gets it.
    pub async fn use_consent(&self, id: &str, now: EpochMillis) -> Result<Option<StoredConsent>, StoreError> {
        let row = Entity::find_by_id(id).filter(Column::ExpiresMs.gt(now.as_i64())).one(&self.0).await?;
        let Some(consent) = row.map(StoredConsent::from) else { return Ok(None) };
        if consent.shared {
            return Ok(Some(consent));
        }
        let taken = Entity::delete_by_id(id).exec(&self.0).await?.rows_affected == 1;
        Ok(taken.then_some(consent))
    }
}

impl From<Model> for StoredConsent {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            client: row.client,
            nonce: row.nonce,
            shared: row.shared,
            expires: EpochMillis::new(row.expires_ms),
        }
    }
}
