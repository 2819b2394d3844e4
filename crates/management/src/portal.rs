//! `Management.svc` for one caller: the entity sets over the store.

mod deploy;
mod import;
mod key_stores;
mod kvm;
mod kvm_values;
mod parts;
mod providers;
mod proxies;
mod report;
mod resource_files;
mod revisions;
mod shared_flows;
mod work;

use async_trait::async_trait;
use pierhead_domain::{Caller, OrganizationId};
use pierhead_store::management::Stamp;
use serde_json::Value;

use crate::management::{Management, Parts};
use crate::odata::{Action, Entity, EntitySet, Expand, Key, ODataError, Parsed, Schema, Service};
use crate::sets::{SCHEMA, hosts, maps, products, providers as provider_set, proxies as proxy_set};

pub(crate) use kvm_values::Writes;
pub(crate) use revisions::{Landing, NoChange, RevisionOf};
pub(crate) use work::Work;

/// The service as one caller sees it.
pub(crate) struct Portal {
    management: Management,
    /// For `changed_by`.
    caller: String,
}

impl Portal {
    /// For a caller of the organization that this gateway runs.
    pub(crate) fn new(management: Management, caller: &Caller) -> Self {
        Self { management, caller: caller.name.clone() }
    }

    fn parts(&self) -> &Parts {
        self.management.parts()
    }

    fn organization(&self) -> OrganizationId {
        self.parts().organization()
    }

    fn stamp(&self) -> Stamp {
        Stamp::new(self.now_ms(), &self.caller)
    }

    fn now_ms(&self) -> i64 {
        self.parts().clock.now().as_i64()
    }
}

#[async_trait]
impl Service for Portal {
    type Work = Work;

    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn actions(&self) -> &'static [&'static str] {
        &["Deploy", "Undeploy"]
    }

    async fn list(&self, set: &'static EntitySet, expand: &Expand) -> Result<Vec<Entity>, ODataError> {
        let designs = self.parts().store.designs();
        if set.name == provider_set::SET.name {
            let providers = designs.providers(self.organization()).await?;
            return Ok(providers.iter().map(provider_set::entity).collect());
        }
        if set.name == hosts::SET.name {
            return Ok(self.parts().settings.virtual_hosts.iter().map(hosts::entity).collect());
        }
        if set.name == products::SET.name {
            let products = designs.products(self.organization()).await?;
            return Ok(products.iter().map(products::entity).collect());
        }
        if maps::is_maps(set) {
            return self.list_maps(set, expand).await;
        }
        if maps::is_entries(set) {
            return self.list_entries(set, expand).await;
        }
        self.list_proxy_parts(set, expand).await
    }

    async fn find(
        &self,
        set: &'static EntitySet,
        key: &Key,
        expand: &Expand,
    ) -> Result<Option<Entity>, ODataError> {
        let designs = self.parts().store.designs();
        if set.name == provider_set::SET.name {
            let provider = designs.provider(self.organization(), key.first()).await?;
            return Ok(provider.as_ref().map(provider_set::entity));
        }
        if set.name == hosts::SET.name {
            let mut hosts = self.parts().settings.virtual_hosts.iter();
            return Ok(hosts.find(|host| host.name == key.first()).map(hosts::entity));
        }
        if set.name == products::SET.name {
            let product = designs.product(self.organization(), key.first()).await?;
            return Ok(product.as_ref().map(products::entity));
        }
        if maps::is_maps(set) {
            return self.find_map(set, key, expand).await;
        }
        if maps::is_entries(set) {
            return self.find_entry(set, key, expand).await;
        }
        self.find_proxy_part(set, key, expand).await
    }

    async fn begin(&self) -> Result<Work, ODataError> {
        Work::begin(self.parts()).await
    }

    async fn create(
        &self,
        work: &mut Work,
        body: Parsed,
        parent: Option<(&'static EntitySet, Key)>,
    ) -> Result<Entity, ODataError> {
        let set = body.set;
        if set.name == provider_set::SET.name {
            self.create_provider(work, &body).await
        } else if set.name == proxy_set::SET.name {
            self.create_proxy(work, &body).await
        } else if maps::is_maps(set) {
            self.create_map(work, &body).await
        } else if maps::is_entries(set) {
            self.create_entry(work, &body, parent.as_ref()).await
        } else {
            self.create_part(work, &body, parent.as_ref()).await
        }
    }

    async fn update(&self, work: &mut Work, key: &Key, body: Parsed, merge: bool) -> Result<(), ODataError> {
        let set = body.set;
        if set.name == provider_set::SET.name {
            self.update_provider(work, key.first(), &body, merge).await
        } else if set.name == proxy_set::SET.name {
            self.update_proxy(work, key.first(), &body, merge).await
        } else if maps::is_maps(set) {
            self.update_map(work, key, &body).await
        } else if maps::is_entries(set) {
            self.update_entry(work, key, &body, merge).await
        } else {
            self.update_part(work, key.first(), &body, merge).await
        }
    }

    async fn delete(&self, work: &mut Work, set: &'static EntitySet, key: &Key) -> Result<(), ODataError> {
        if set.name == provider_set::SET.name {
            self.delete_provider(work, key.first()).await
        } else if set.name == proxy_set::SET.name {
            self.delete_proxy(work, key.first()).await
        } else if maps::is_maps(set) {
            self.delete_map(work, set, key).await
        } else if maps::is_entries(set) {
            self.delete_entry(work, set, key).await
        } else {
            self.delete_part(work, set, key.first()).await
        }
    }

    async fn act(&self, work: &mut Work, action: Action) -> Result<Value, ODataError> {
        match (action.set.name, action.name.as_str()) {
            ("APIProxies", "Deploy") => self.deploy(work, action.key.first()).await,
            ("APIProxies", "Undeploy") => self.undeploy(work, action.key.first()).await,
            (set, name) => Err(ODataError::unsupported(format_args!("{name} of {set}"))),
        }
    }

    async fn commit(&self, work: Work) -> Result<(), ODataError> {
        // A client that leaves now must not leave a change behind that is committed and not live.
        let management = self.management.clone();
        let committed = tokio::spawn(async move { work.commit(management.parts()).await });
        committed.await.map_err(ODataError::internal)?
    }
}
