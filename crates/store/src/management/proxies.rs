//! API proxies, their deployed revisions, and what they hold on to: base paths and providers.

use pierhead_domain::OrganizationId;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ActiveValue::Set, ConnectionTrait, QueryOrder, QuerySelect};

use super::{Designs, Stamp};
use crate::{StoreError, WriteTx};

mod proxy {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "api_proxy")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub revision: i64,
        /// 0 when nothing is deployed.
        pub live_revision: i64,
        pub design: String,
        pub settings: String,
        pub created_ms: i64,
        pub created_by: String,
        pub changed_ms: i64,
        pub changed_by: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod revision {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "api_proxy_revision")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub proxy: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub revision: i64,
        pub design: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod base_path {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "api_base_path")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub host: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub path: String,
        pub proxy: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod provider_use {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "api_provider_use")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub provider: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub proxy: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An API proxy as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredProxy {
    /// Unique in the organization.
    pub name: String,
    /// The number that the design gets when it is deployed.
    pub revision: i64,
    /// The deployed revision.
    pub live_revision: Option<i64>,
    /// The design as last edited: JSON.
    pub design: String,
    /// What the wire carries beside the design: JSON.
    pub settings: String,
    /// Who and when.
    pub stamp: Stamp,
}

/// A design as it was deployed. Never changed once written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredRevision {
    /// Name of the proxy.
    pub proxy: String,
    /// From 1.
    pub revision: i64,
    /// The design: JSON.
    pub design: String,
}

/// A base path on a virtual host; the empty host is the default one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BasePath {
    /// Name of the virtual host.
    pub host: String,
    /// Starts with `/`.
    pub path: String,
}

impl From<proxy::Model> for StoredProxy {
    fn from(row: proxy::Model) -> Self {
        Self {
            name: row.name,
            revision: row.revision,
            live_revision: (row.live_revision > 0).then_some(row.live_revision),
            design: row.design,
            settings: row.settings,
            stamp: Stamp {
                created_ms: row.created_ms,
                created_by: row.created_by,
                changed_ms: row.changed_ms,
                changed_by: row.changed_by,
            },
        }
    }
}

fn row(organization: OrganizationId, stored: &StoredProxy) -> proxy::ActiveModel {
    proxy::ActiveModel {
        organization: Set(organization.as_i64()),
        name: Set(stored.name.clone()),
        revision: Set(stored.revision),
        live_revision: Set(stored.live_revision.unwrap_or(0)),
        design: Set(stored.design.clone()),
        settings: Set(stored.settings.clone()),
        created_ms: Set(stored.stamp.created_ms),
        created_by: Set(stored.stamp.created_by.clone()),
        changed_ms: Set(stored.stamp.changed_ms),
        changed_by: Set(stored.stamp.changed_by.clone()),
    }
}

fn is_same(of_proxy: (proxy::Entity, proxy::Column), of_revision: revision::Column) -> Expr {
    Expr::col(of_proxy).equals((revision::Entity, of_revision))
}

impl<C: ConnectionTrait> Designs<'_, C> {
    /// All proxies by name.
    pub async fn proxies(&self, organization: OrganizationId) -> Result<Vec<StoredProxy>, StoreError> {
        let rows = proxy::Entity::find()
            .filter(proxy::Column::Organization.eq(organization.as_i64()))
            .order_by_asc(proxy::Column::Name)
            .all(self.0)
            .await?;
        Ok(rows.into_iter().map(StoredProxy::from).collect())
    }

    /// One proxy.
    pub async fn proxy(
        &self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Option<StoredProxy>, StoreError> {
        let key = (organization.as_i64(), name.to_owned());
        Ok(proxy::Entity::find_by_id(key).one(self.0).await?.map(StoredProxy::from))
    }

    /// One deployed design.
    pub async fn revision(
        &self,
        organization: OrganizationId,
        proxy: &str,
        number: i64,
    ) -> Result<Option<StoredRevision>, StoreError> {
        let key = (organization.as_i64(), proxy.to_owned(), number);
        let row = revision::Entity::find_by_id(key).one(self.0).await?;
        Ok(row.map(|row| StoredRevision { proxy: row.proxy, revision: row.revision, design: row.design }))
    }

    /// Numbers of the kept designs of a proxy, from the oldest.
    pub async fn revisions(&self, organization: OrganizationId, proxy: &str) -> Result<Vec<i64>, StoreError> {
        let rows = revision::Entity::find()
            .select_only()
            .column(revision::Column::Revision)
            .filter(revision::Column::Organization.eq(organization.as_i64()))
            .filter(revision::Column::Proxy.eq(proxy))
            .order_by_asc(revision::Column::Revision)
            .into_tuple()
            .all(self.0)
            .await?;
        Ok(rows)
    }

    /// Every deployed design, by proxy name.
    pub async fn live_revisions(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<StoredRevision>, StoreError> {
        let of_proxy = Query::select()
            .expr(Expr::val(1))
            .from(proxy::Entity)
            .and_where(is_same((proxy::Entity, proxy::Column::Organization), revision::Column::Organization))
            .and_where(is_same((proxy::Entity, proxy::Column::Name), revision::Column::Proxy))
            .and_where(is_same((proxy::Entity, proxy::Column::LiveRevision), revision::Column::Revision))
            .to_owned();
        let rows = revision::Entity::find()
            .filter(revision::Column::Organization.eq(organization.as_i64()))
            .filter(Expr::exists(of_proxy))
            .order_by_asc(revision::Column::Proxy)
            .all(self.0)
            .await?;
        let stored = |row: revision::Model| StoredRevision {
            proxy: row.proxy,
            revision: row.revision,
            design: row.design,
        };
        Ok(rows.into_iter().map(stored).collect())
    }

    /// The proxy that has a base path.
    pub async fn base_path_owner(
        &self,
        organization: OrganizationId,
        at: &BasePath,
    ) -> Result<Option<String>, StoreError> {
        let key = (organization.as_i64(), at.host.clone(), at.path.clone());
        Ok(base_path::Entity::find_by_id(key).one(self.0).await?.map(|row| row.proxy))
    }

    /// Names of the proxies that use a provider, in their design or in what is deployed.
    pub async fn users_of_provider(
        &self,
        organization: OrganizationId,
        provider: &str,
    ) -> Result<Vec<String>, StoreError> {
        let rows = provider_use::Entity::find()
            .filter(provider_use::Column::Organization.eq(organization.as_i64()))
            .filter(provider_use::Column::Provider.eq(provider))
            .order_by_asc(provider_use::Column::Proxy)
            .all(self.0)
            .await?;
        Ok(rows.into_iter().map(|row| row.proxy).collect())
    }
}

impl WriteTx {
    /// Adds a proxy; its name must be free.
    pub async fn add_proxy(
        &self,
        organization: OrganizationId,
        stored: &StoredProxy,
    ) -> Result<(), StoreError> {
        proxy::Entity::insert(row(organization, stored)).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// Replaces the proxy of the same name.
    pub async fn save_proxy(
        &self,
        organization: OrganizationId,
        stored: &StoredProxy,
    ) -> Result<(), StoreError> {
        proxy::Entity::update_many()
            .set(row(organization, stored))
            .filter(proxy::Column::Organization.eq(organization.as_i64()))
            .filter(proxy::Column::Name.eq(&stored.name))
            .exec(&self.0)
            .await?;
        Ok(())
    }

    /// Removes a proxy with its revisions, base paths and provider uses; says whether it was there.
    pub async fn remove_proxy(&self, organization: OrganizationId, name: &str) -> Result<bool, StoreError> {
        self.set_base_paths(organization, name, &[]).await?;
        self.set_provider_uses(organization, name, &[]).await?;
        revision::Entity::delete_many()
            .filter(revision::Column::Organization.eq(organization.as_i64()))
            .filter(revision::Column::Proxy.eq(name))
            .exec(&self.0)
            .await?;
        let key = (organization.as_i64(), name.to_owned());
        Ok(proxy::Entity::delete_by_id(key).exec(&self.0).await?.rows_affected > 0)
    }

    /// Keeps a design that is being deployed.
    pub async fn add_revision(
        &self,
        organization: OrganizationId,
        stored: &StoredRevision,
    ) -> Result<(), StoreError> {
        let row = revision::ActiveModel {
            organization: Set(organization.as_i64()),
            proxy: Set(stored.proxy.clone()),
            revision: Set(stored.revision),
            design: Set(stored.design.clone()),
        };
        revision::Entity::insert(row).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// Removes a kept design; says whether it was there.
    pub async fn remove_revision(
        &self,
        organization: OrganizationId,
        proxy: &str,
        number: i64,
    ) -> Result<bool, StoreError> {
        let key = (organization.as_i64(), proxy.to_owned(), number);
        Ok(revision::Entity::delete_by_id(key).exec(&self.0).await?.rows_affected > 0)
    }

    /// Makes `paths` the base paths of a proxy. One that another proxy has is [`StoreError::Duplicate`].
    pub async fn set_base_paths(
        &self,
        organization: OrganizationId,
        proxy: &str,
        paths: &[BasePath],
    ) -> Result<(), StoreError> {
        base_path::Entity::delete_many()
            .filter(base_path::Column::Organization.eq(organization.as_i64()))
            .filter(base_path::Column::Proxy.eq(proxy))
            .exec(&self.0)
            .await?;
        for at in paths {
            let row = base_path::ActiveModel {
                organization: Set(organization.as_i64()),
                host: Set(at.host.clone()),
                path: Set(at.path.clone()),
                proxy: Set(proxy.to_owned()),
            };
            base_path::Entity::insert(row).exec_without_returning(&self.0).await?;
        }
        Ok(())
    }

    /// Makes `providers` the providers that a proxy uses.
    pub async fn set_provider_uses(
        &self,
        organization: OrganizationId,
        proxy: &str,
        providers: &[String],
    ) -> Result<(), StoreError> {
        provider_use::Entity::delete_many()
            .filter(provider_use::Column::Organization.eq(organization.as_i64()))
            .filter(provider_use::Column::Proxy.eq(proxy))
            .exec(&self.0)
            .await?;
        for provider in providers {
            let row = provider_use::ActiveModel {
                organization: Set(organization.as_i64()),
                provider: Set(provider.clone()),
                proxy: Set(proxy.to_owned()),
            };
            provider_use::Entity::insert(row).exec_without_returning(&self.0).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use pierhead_domain::OrganizationId;

    use super::{BasePath, StoredProxy, StoredRevision};
    use crate::management::Stamp;
    use crate::{StoreError, on_both_databases};

    const ACME: OrganizationId = OrganizationId::new(1);

    fn proxy(name: &str) -> StoredProxy {
        StoredProxy {
            name: name.into(),
            revision: 1,
            live_revision: None,
            design: "{}".into(),
            settings: "{}".into(),
            stamp: Stamp::new(5, "me"),
        }
    }

    fn path(path: &str) -> BasePath {
        BasePath { host: String::new(), path: path.into() }
    }

    on_both_databases! {
        async fn a_base_path_has_one_owner(store: Store) {
            let tx = store.write().await.unwrap();
            tx.set_base_paths(ACME, "a", &[path("/a"), path("/b")]).await.unwrap();
            tx.set_base_paths(ACME, "a", &[path("/b")]).await.unwrap();
            tx.set_base_paths(ACME, "c", &[path("/a")]).await.unwrap();
            assert_eq!(tx.designs().base_path_owner(ACME, &path("/a")).await.unwrap(), Some("c".into()));
            let taken = tx.set_base_paths(ACME, "d", &[path("/b")]).await;
            assert!(matches!(taken, Err(StoreError::Duplicate(_))), "{taken:?}");
        }

        async fn only_deployed_designs_are_live(store: Store) {
            let tx = store.write().await.unwrap();
            let mut live = proxy("b");
            tx.add_proxy(ACME, &proxy("a")).await.unwrap();
            tx.add_proxy(ACME, &live).await.unwrap();
            let deployed = StoredRevision { proxy: "b".into(), revision: 1, design: "{\"x\":1}".into() };
            tx.add_revision(ACME, &deployed).await.unwrap();
            live.live_revision = Some(1);
            tx.save_proxy(ACME, &live).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(store.designs().live_revisions(ACME).await.unwrap(), [deployed]);

            let tx = store.write().await.unwrap();
            assert!(tx.remove_proxy(ACME, "b").await.unwrap());
            tx.commit().await.unwrap();
            assert_eq!(store.designs().live_revisions(ACME).await.unwrap(), []);
            assert_eq!(store.designs().revision(ACME, "b", 1).await.unwrap(), None);
        }

        async fn a_provider_knows_the_proxies_that_use_it(store: Store) {
            let tx = store.write().await.unwrap();
            tx.set_provider_uses(ACME, "p2", &["oc".into()]).await.unwrap();
            tx.set_provider_uses(ACME, "p1", &["oc".into(), "web".into()]).await.unwrap();
            assert_eq!(tx.designs().users_of_provider(ACME, "oc").await.unwrap(), ["p1", "p2"]);
            tx.remove_proxy(ACME, "p1").await.unwrap();
            assert_eq!(tx.designs().users_of_provider(ACME, "oc").await.unwrap(), ["p2"]);
            assert!(tx.designs().users_of_provider(ACME, "web").await.unwrap().is_empty());
        }
    }
}
