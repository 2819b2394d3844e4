//! Who calls proxies: products, developers and their apps.

use pierhead_domain::OrganizationId;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, ConnectionTrait, QueryOrder};

use super::{Designs, Stamp};
use crate::{StoreError, WriteTx};

macro_rules! entity {
    ($name:ident, $table:literal, { $($(#[$meta:meta])* $column:ident: $type:ty,)+ }) => {
        mod $name {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
            #[sea_orm(table_name = $table)]
            pub(crate) struct Model {
                #[sea_orm(primary_key, auto_increment = false)]
                pub organization: i64,
                $($(#[$meta])* pub $column: $type,)+
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub(crate) enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

entity!(product, "api_product", {
    #[sea_orm(primary_key, auto_increment = false)]
    name: String,
    document: String,
    created_ms: i64,
    created_by: String,
    changed_ms: i64,
    changed_by: String,
});

entity!(developer, "api_developer", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    email: String,
    document: String,
    created_ms: i64,
    created_by: String,
    changed_ms: i64,
    changed_by: String,
});

entity!(app, "api_app", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    developer: String,
    name: String,
    document: String,
    created_ms: i64,
    created_by: String,
    changed_ms: i64,
    changed_by: String,
});

/// An API product as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredProduct {
    /// Unique in the organization.
    pub name: String,
    /// Everything else: JSON.
    pub document: String,
    /// Who and when.
    pub stamp: Stamp,
}

/// A developer as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredDeveloper {
    /// Unique text.
    pub id: String,
    /// Unique in the organization, lower case.
    pub email: String,
    /// Everything else: JSON.
    pub document: String,
    /// Who and when.
    pub stamp: Stamp,
}

/// An app as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredApp {
    /// Unique text.
    pub id: String,
    /// Id of its developer.
    pub developer: String,
    /// Unique for the developer.
    pub name: String,
    /// Everything else: JSON.
    pub document: String,
    /// Who and when.
    pub stamp: Stamp,
}

macro_rules! stamp {
    ($row:ident) => {
        Stamp {
            created_ms: $row.created_ms,
            created_by: $row.created_by,
            changed_ms: $row.changed_ms,
            changed_by: $row.changed_by,
        }
    };
}

impl From<product::Model> for StoredProduct {
    fn from(row: product::Model) -> Self {
        Self { name: row.name, document: row.document, stamp: stamp!(row) }
    }
}

impl From<developer::Model> for StoredDeveloper {
    fn from(row: developer::Model) -> Self {
        Self { id: row.id, email: row.email, document: row.document, stamp: stamp!(row) }
    }
}

impl From<app::Model> for StoredApp {
    fn from(row: app::Model) -> Self {
        Self {
            id: row.id,
            developer: row.developer,
            name: row.name,
            document: row.document,
            stamp: stamp!(row),
        }
    }
}

impl<C: ConnectionTrait> Designs<'_, C> {
    /// All products by name.
    pub async fn products(&self, organization: OrganizationId) -> Result<Vec<StoredProduct>, StoreError> {
        let rows = product::Entity::find()
            .filter(product::Column::Organization.eq(organization.as_i64()))
            .order_by_asc(product::Column::Name)
            .all(self.0)
            .await?;
        Ok(rows.into_iter().map(StoredProduct::from).collect())
    }

    /// One product.
    pub async fn product(
        &self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Option<StoredProduct>, StoreError> {
        let id = (organization.as_i64(), name.to_owned());
        Ok(product::Entity::find_by_id(id).one(self.0).await?.map(StoredProduct::from))
    }

    /// All developers by email.
    pub async fn developers(&self, organization: OrganizationId) -> Result<Vec<StoredDeveloper>, StoreError> {
        let rows = developer::Entity::find()
            .filter(developer::Column::Organization.eq(organization.as_i64()))
            .order_by_asc(developer::Column::Email)
            .all(self.0)
            .await?;
        Ok(rows.into_iter().map(StoredDeveloper::from).collect())
    }

    /// All apps, by developer id and name.
    pub async fn apps(&self, organization: OrganizationId) -> Result<Vec<StoredApp>, StoreError> {
        let rows = app::Entity::find()
            .filter(app::Column::Organization.eq(organization.as_i64()))
            .order_by_asc(app::Column::Developer)
            .order_by_asc(app::Column::Name)
            .all(self.0)
            .await?;
        Ok(rows.into_iter().map(StoredApp::from).collect())
    }

    /// The apps of a developer, by name.
    pub async fn apps_of(
        &self,
        organization: OrganizationId,
        developer: &str,
    ) -> Result<Vec<StoredApp>, StoreError> {
        let rows = app::Entity::find()
            .filter(app::Column::Organization.eq(organization.as_i64()))
            .filter(app::Column::Developer.eq(developer))
            .order_by_asc(app::Column::Name)
            .all(self.0)
            .await?;
        Ok(rows.into_iter().map(StoredApp::from).collect())
    }
}

impl WriteTx {
    /// Adds a product; its name must be free.
    pub async fn add_product(
        &self,
        organization: OrganizationId,
        stored: &StoredProduct,
    ) -> Result<(), StoreError> {
        product::Entity::insert(product_row(organization, stored)).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// Replaces the product of the same name.
    pub async fn save_product(
        &self,
        organization: OrganizationId,
        stored: &StoredProduct,
    ) -> Result<(), StoreError> {
        product::Entity::update_many()
            .set(product_row(organization, stored))
            .filter(product::Column::Organization.eq(organization.as_i64()))
            .filter(product::Column::Name.eq(&stored.name))
            .exec(&self.0)
            .await?;
        Ok(())
    }

    /// Removes a product; says whether it was there.
    pub async fn remove_product(&self, organization: OrganizationId, name: &str) -> Result<bool, StoreError> {
        let id = (organization.as_i64(), name.to_owned());
        Ok(product::Entity::delete_by_id(id).exec(&self.0).await?.rows_affected > 0)
    }

    /// Adds a developer; the email must be free.
    pub async fn add_developer(
        &self,
        organization: OrganizationId,
        stored: &StoredDeveloper,
    ) -> Result<(), StoreError> {
        developer::Entity::insert(developer_row(organization, stored))
            .exec_without_returning(&self.0)
            .await?;
        Ok(())
    }

    /// Replaces the developer of the same id.
    pub async fn save_developer(
        &self,
        organization: OrganizationId,
        stored: &StoredDeveloper,
    ) -> Result<(), StoreError> {
        developer::Entity::update_many()
            .set(developer_row(organization, stored))
            .filter(developer::Column::Organization.eq(organization.as_i64()))
            .filter(developer::Column::Id.eq(&stored.id))
            .exec(&self.0)
            .await?;
        Ok(())
    }

    /// Removes a developer with the apps and their keys; says whether it was there.
    pub async fn remove_developer(&self, organization: OrganizationId, id: &str) -> Result<bool, StoreError> {
        for app in self.designs().apps_of(organization, id).await? {
            self.remove_app(organization, &app.id).await?;
        }
        let key = (organization.as_i64(), id.to_owned());
        Ok(developer::Entity::delete_by_id(key).exec(&self.0).await?.rows_affected > 0)
    }

    /// Adds an app; its name must be free for the developer.
    pub async fn add_app(&self, organization: OrganizationId, stored: &StoredApp) -> Result<(), StoreError> {
        app::Entity::insert(app_row(organization, stored)).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// Replaces the app of the same id.
    pub async fn save_app(&self, organization: OrganizationId, stored: &StoredApp) -> Result<(), StoreError> {
        app::Entity::update_many()
            .set(app_row(organization, stored))
            .filter(app::Column::Organization.eq(organization.as_i64()))
            .filter(app::Column::Id.eq(&stored.id))
            .exec(&self.0)
            .await?;
        Ok(())
    }

    /// Removes an app and its keys; says whether it was there.
    pub async fn remove_app(&self, organization: OrganizationId, id: &str) -> Result<bool, StoreError> {
        self.remove_keys_of(organization, id).await?;
        let row = (organization.as_i64(), id.to_owned());
        Ok(app::Entity::delete_by_id(row).exec(&self.0).await?.rows_affected > 0)
    }
}

fn product_row(organization: OrganizationId, stored: &StoredProduct) -> product::ActiveModel {
    product::ActiveModel {
        organization: Set(organization.as_i64()),
        name: Set(stored.name.clone()),
        document: Set(stored.document.clone()),
        created_ms: Set(stored.stamp.created_ms),
        created_by: Set(stored.stamp.created_by.clone()),
        changed_ms: Set(stored.stamp.changed_ms),
        changed_by: Set(stored.stamp.changed_by.clone()),
    }
}

fn developer_row(organization: OrganizationId, stored: &StoredDeveloper) -> developer::ActiveModel {
    developer::ActiveModel {
        organization: Set(organization.as_i64()),
        id: Set(stored.id.clone()),
        email: Set(stored.email.clone()),
        document: Set(stored.document.clone()),
        created_ms: Set(stored.stamp.created_ms),
        created_by: Set(stored.stamp.created_by.clone()),
        changed_ms: Set(stored.stamp.changed_ms),
        changed_by: Set(stored.stamp.changed_by.clone()),
    }
}

fn app_row(organization: OrganizationId, stored: &StoredApp) -> app::ActiveModel {
    app::ActiveModel {
        organization: Set(organization.as_i64()),
        id: Set(stored.id.clone()),
        developer: Set(stored.developer.clone()),
        name: Set(stored.name.clone()),
        document: Set(stored.document.clone()),
        created_ms: Set(stored.stamp.created_ms),
        created_by: Set(stored.stamp.created_by.clone()),
        changed_ms: Set(stored.stamp.changed_ms),
        changed_by: Set(stored.stamp.changed_by.clone()),
    }
}

#[cfg(test)]
mod tests {
    use pierhead_domain::OrganizationId;

    use super::{StoredApp, StoredDeveloper, StoredProduct};
    use crate::management::{Stamp, StoredKey, StoredKeyProduct};
    use crate::{StoreError, on_both_databases};

    const ACME: OrganizationId = OrganizationId::new(1);

    fn key(hash: &str, status: &str) -> StoredKey {
        StoredKey {
            hash: hash.into(),
            app: "a1".into(),
            sealed: vec![1],
            status: status.into(),
            products: vec![StoredKeyProduct { product: "p".into(), status: "approved".into() }],
            issued_ms: 1,
            expires_ms: None,
        }
    }

    on_both_databases! {
        async fn removing_a_developer_removes_apps_and_keys(store: Store) {
            let stamp = Stamp::new(1, "me");
            let tx = store.write().await.unwrap();
            let developer = StoredDeveloper {
                id: "d1".into(), email: "d@x".into(), document: "{}".into(), stamp: stamp.clone(),
            };
            tx.add_developer(ACME, &developer).await.unwrap();
            let app = StoredApp {
                id: "a1".into(), developer: "d1".into(), name: "app".into(), document: "{}".into(), stamp,
            };
            tx.add_app(ACME, &app).await.unwrap();
            tx.add_key(ACME, &key("h", "pending")).await.unwrap();
            tx.save_key(ACME, &key("h", "approved")).await.unwrap();
            assert_eq!(tx.designs().keys_of(ACME, "a1").await.unwrap(), [key("h", "approved")]);
            tx.commit().await.unwrap();

            let tx = store.write().await.unwrap();
            let twice = tx.add_developer(ACME, &StoredDeveloper { id: "d2".into(), ..developer }).await;
            assert!(matches!(twice, Err(StoreError::Duplicate(_))), "{twice:?}");
            drop(tx);

            let tx = store.write().await.unwrap();
            assert!(tx.remove_developer(ACME, "d1").await.unwrap());
            assert_eq!(tx.designs().apps(ACME).await.unwrap(), []);
            assert_eq!(tx.designs().keys(ACME).await.unwrap(), []);
        }

        async fn a_product_is_replaced_by_name(store: Store) {
            let tx = store.write().await.unwrap();
            let mut product =
                StoredProduct { name: "p".into(), document: "{}".into(), stamp: Stamp::new(1, "me") };
            tx.add_product(ACME, &product).await.unwrap();
            product.document = "{\"a\":1}".into();
            tx.save_product(ACME, &product).await.unwrap();
            assert_eq!(tx.designs().product(ACME, "p").await.unwrap(), Some(product));
            assert!(tx.remove_product(ACME, "p").await.unwrap());
            assert_eq!(tx.designs().products(ACME).await.unwrap(), []);
        }
    }
}
