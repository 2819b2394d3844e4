//! API providers.

use pierhead_domain::OrganizationId;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, ConnectionTrait, QueryOrder};

use super::{Designs, Stamp};
use crate::{StoreError, WriteTx};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "api_provider")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub settings: String,
        pub sealed: Vec<u8>,
        pub created_ms: i64,
        pub created_by: String,
        pub changed_ms: i64,
        pub changed_by: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An API provider as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredProvider {
    /// Unique in the organization.
    pub name: String,
    /// Everything that is no secret: JSON.
    pub settings: String,
    /// The secrets, sealed together.
    #[serde(with = "crate::sealed_text")]
    pub sealed: Vec<u8>,
    /// Who and when.
    pub stamp: Stamp,
}

impl From<entity::Model> for StoredProvider {
    fn from(row: entity::Model) -> Self {
        Self {
            name: row.name,
            settings: row.settings,
            sealed: row.sealed,
            stamp: Stamp {
                created_ms: row.created_ms,
                created_by: row.created_by,
                changed_ms: row.changed_ms,
                changed_by: row.changed_by,
            },
        }
    }
}

fn row(organization: OrganizationId, provider: &StoredProvider) -> entity::ActiveModel {
    entity::ActiveModel {
        organization: Set(organization.as_i64()),
        name: Set(provider.name.clone()),
        settings: Set(provider.settings.clone()),
        sealed: Set(provider.sealed.clone()),
        created_ms: Set(provider.stamp.created_ms),
        created_by: Set(provider.stamp.created_by.clone()),
        changed_ms: Set(provider.stamp.changed_ms),
        changed_by: Set(provider.stamp.changed_by.clone()),
    }
}

impl<C: ConnectionTrait> Designs<'_, C> {
    /// All providers by name.
    pub async fn providers(&self, organization: OrganizationId) -> Result<Vec<StoredProvider>, StoreError> {
        let rows = entity::Entity::find()
            .filter(entity::Column::Organization.eq(organization.as_i64()))
            .order_by_asc(entity::Column::Name)
            .all(self.0)
            .await?;
        Ok(rows.into_iter().map(StoredProvider::from).collect())
    }

    /// One provider.
    pub async fn provider(
        &self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Option<StoredProvider>, StoreError> {
        let key = (organization.as_i64(), name.to_owned());
        Ok(entity::Entity::find_by_id(key).one(self.0).await?.map(StoredProvider::from))
    }
}

impl WriteTx {
    /// Adds a provider; its name must be free.
    pub async fn add_provider(
        &self,
        organization: OrganizationId,
        provider: &StoredProvider,
    ) -> Result<(), StoreError> {
        entity::Entity::insert(row(organization, provider)).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// Replaces the provider of the same name.
    pub async fn save_provider(
        &self,
        organization: OrganizationId,
        provider: &StoredProvider,
    ) -> Result<(), StoreError> {
        entity::Entity::update_many()
            .set(row(organization, provider))
            .filter(entity::Column::Organization.eq(organization.as_i64()))
            .filter(entity::Column::Name.eq(&provider.name))
            .exec(&self.0)
            .await?;
        Ok(())
    }

    /// Removes a provider; says whether it was there.
    pub async fn remove_provider(
        &self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<bool, StoreError> {
        let key = (organization.as_i64(), name.to_owned());
        Ok(entity::Entity::delete_by_id(key).exec(&self.0).await?.rows_affected > 0)
    }
}

#[cfg(test)]
mod tests {
    use pierhead_domain::OrganizationId;

    use super::StoredProvider;
    use crate::management::Stamp;
    use crate::{StoreError, on_both_databases};

    const ACME: OrganizationId = OrganizationId::new(1);

    fn provider(name: &str) -> StoredProvider {
        StoredProvider {
            name: name.into(),
            settings: "{}".into(),
            sealed: vec![1, 0, 255],
            stamp: Stamp::new(5, "me"),
        }
    }

    on_both_databases! {
        async fn a_provider_belongs_to_one_organization(store: Store) {
            let tx = store.write().await.unwrap();
            tx.add_provider(ACME, &provider("oc")).await.unwrap();
            tx.add_provider(OrganizationId::new(2), &provider("oc")).await.unwrap();
            assert!(matches!(tx.add_provider(ACME, &provider("oc")).await, Err(StoreError::Duplicate(_))));
            drop(tx);

            let tx = store.write().await.unwrap();
            tx.add_provider(ACME, &provider("b")).await.unwrap();
            tx.add_provider(ACME, &provider("a")).await.unwrap();
            let mut changed = provider("b");
            changed.settings = "{\"host\":\"h\"}".into();
            tx.save_provider(ACME, &changed).await.unwrap();
            assert_eq!(tx.designs().provider(ACME, "b").await.unwrap(), Some(changed.clone()));
            tx.commit().await.unwrap();

            assert_eq!(store.designs().providers(ACME).await.unwrap(), [provider("a"), changed]);
            assert_eq!(store.designs().providers(OrganizationId::new(2)).await.unwrap(), []);
            let tx = store.write().await.unwrap();
            assert!(tx.remove_provider(ACME, "a").await.unwrap());
            assert!(!tx.remove_provider(ACME, "a").await.unwrap());
        }

        async fn every_design_change_raises_the_generation(store: Store) {
            for expected in 1..=3 {
                let tx = store.write().await.unwrap();
                tx.begin_design_change(ACME).await.unwrap();
                tx.commit().await.unwrap();
                assert_eq!(store.designs().generation(ACME).await.unwrap(), expected);
            }
        }
    }
}
