//! Everything the data plane knows, immutable, in shared parts (design §3, Snapshot).

mod edit;
mod hosts;
mod keys;
mod kvm;
mod routes;
mod shared_flows;
mod shared_map;

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};
use pierhead_domain::SecretString;

use crate::compile::{BodyReads, CompiledProxy, CompiledSharedFlow, SharedCall};
use crate::ports::KvmScope;

pub use edit::SnapshotEdit;
pub use hosts::VirtualHost;
pub use keys::{
    ApiKey, ApiProduct, Attributes, Developer, DeveloperApp, KeyTable, LookupHash, ProductOperation,
    ProductQuota, ResourcePattern, Standing,
};
pub use kvm::KvmMap;
pub use routes::Route;
pub use shared_flows::{FlowHook, HookPoint};

use hosts::Hosts;
use kvm::KvmMaps;
use shared_flows::SharedFlows;
use shared_map::SharedMap;

/// One state of the data plane. A request pins one when it begins and sees no other until it ends.
///
/// Made from the one before it by [`Self::edit`] or one of the `with_…` methods; each rebuilds its own part and
/// shares the rest.
#[derive(Debug, Clone)]
pub struct Snapshot {
    generation: u64,
    organization: Arc<str>,
    environment: Arc<str>,
    hosts: Arc<Hosts>,
    proxies: SharedMap<Arc<str>, Arc<CompiledProxy>>,
    shared_flows: Arc<SharedFlows>,
    kvms: Arc<KvmMaps>,
    keys: Arc<KeyTable>,
}

/// A base path is served by another proxy on the same virtual host; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("base path '{base_path}' of virtual host '{host}' is taken by API proxy '{proxy}'")]
pub struct BasePathTaken {
    /// The virtual host.
    pub host: String,
    /// The base path.
    pub base_path: String,
    /// The proxy that has it.
    pub proxy: String,
}

impl Snapshot {
    /// The state that serves nothing, with one virtual host named `default` for every host name.
    pub fn empty(organization: &str, environment: &str) -> Self {
        Self {
            generation: 0,
            organization: organization.into(),
            environment: environment.into(),
            hosts: Arc::new(Hosts::new([VirtualHost::default()])),
            proxies: SharedMap::default(),
            shared_flows: Arc::default(),
            kvms: Arc::default(),
            keys: Arc::default(),
        }
    }

    /// How many changes led here; grows by one with each.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Name of the organization, for variables.
    pub fn organization(&self) -> &str {
        &self.organization
    }

    /// Name of the environment, for variables and product checks.
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// The virtual host that serves `host` (a Host header, with or without a port).
    pub(crate) fn virtual_host(&self, host: &str) -> Option<usize> {
        self.hosts.find(host)
    }

    pub(crate) fn host(&self, index: usize) -> Option<&VirtualHost> {
        self.hosts.get(index)
    }

    /// The endpoint that serves a normalised `path`, and the length of its base path in `path`.
    pub(crate) fn route(&self, host: usize, path: &str) -> Option<(&Route, usize)> {
        self.hosts.routes(host)?.find(path)
    }

    /// Name of the proxy that serves exactly this base path; an empty `host` is the default one.
    pub fn base_path_owner(&self, host: &str, base_path: &str) -> Option<&str> {
        let route = self.hosts.routes(self.hosts.named(host)?)?.exact(base_path)?;
        Some(&route.proxy.name)
    }

    /// Whether there is a virtual host of this name; the empty name is the default one.
    pub fn has_virtual_host(&self, name: &str) -> bool {
        self.hosts.named(name).is_some()
    }

    /// A deployed proxy.
    pub fn proxy(&self, name: &str) -> Option<&Arc<CompiledProxy>> {
        self.proxies.get(name)
    }

    /// Every deployed proxy, in no order.
    pub fn proxies(&self) -> impl Iterator<Item = &Arc<CompiledProxy>> {
        self.proxies.values()
    }

    /// A key value map.
    pub fn kvm(&self, scope: &KvmScope, map: &str) -> Option<&KvmMap> {
        self.kvms.get(scope, map)
    }

    /// The API keys.
    pub fn keys(&self) -> &KeyTable {
        &self.keys
    }

    /// The next state, in the making.
    pub fn edit(&self) -> SnapshotEdit {
        SnapshotEdit::of(self)
    }

    /// The next state, in the making, with these virtual hosts and nothing else of this one.
    pub fn anew(&self, hosts: impl IntoIterator<Item = VirtualHost>) -> SnapshotEdit {
        let bare = Self::empty(&self.organization, &self.environment);
        SnapshotEdit::of(&Self { generation: self.generation, hosts: Arc::new(Hosts::new(hosts)), ..bare })
    }

    fn edited(&self, change: impl FnOnce(&mut SnapshotEdit)) -> Self {
        let mut edit = self.edit();
        change(&mut edit);
        edit.finish()
    }

    /// With `proxy` in place of the one of the same name.
    pub fn with_proxy(&self, proxy: CompiledProxy) -> Result<Self, BasePathTaken> {
        self.with_proxies([proxy])
    }

    /// With each of `proxies` in place of the one of the same name: one change, however many they are.
    pub fn with_proxies(
        &self,
        proxies: impl IntoIterator<Item = CompiledProxy>,
    ) -> Result<Self, BasePathTaken> {
        let mut edit = self.edit();
        proxies.into_iter().try_for_each(|proxy| edit.serve(Arc::new(proxy)))?;
        Ok(edit.finish())
    }

    /// Without the proxy of this name; the same when there is none.
    pub fn without_proxy(&self, name: &str) -> Self {
        self.edited(|edit| edit.stop(name))
    }

    /// A deployed shared flow.
    pub fn shared_flow(&self, name: &str) -> Option<&Arc<CompiledSharedFlow>> {
        self.shared_flows.get(name)
    }

    /// Every deployed shared flow, in no order.
    pub fn shared_flows(&self) -> impl Iterator<Item = &Arc<CompiledSharedFlow>> {
        self.shared_flows.iter()
    }

    /// What runs around every proxy at this point.
    pub fn flow_hook(&self, point: HookPoint) -> Option<&FlowHook> {
        self.shared_flows.hook(point)
    }

    /// The bodies that the shared flows behind `calls`, and those at the hooks, read.
    pub(crate) fn shared_reads(&self, calls: &[SharedCall]) -> BodyReads {
        self.shared_flows.reads(calls)
    }

    /// With `flow` in place of the one of the same name; every proxy that calls it calls the new one.
    pub fn with_shared_flow(&self, flow: CompiledSharedFlow) -> Self {
        self.edited(|edit| edit.put_shared_flow(Arc::new(flow)))
    }

    /// Without the shared flow of this name; a proxy that calls it answers 500 there.
    pub fn without_shared_flow(&self, name: &str) -> Self {
        self.edited(|edit| edit.remove_shared_flow(name))
    }

    /// With another shared flow at a hook, or none.
    pub fn with_flow_hook(&self, point: HookPoint, hook: Option<FlowHook>) -> Self {
        self.edited(|edit| edit.set_flow_hook(point, hook))
    }

    /// With these virtual hosts instead of those before; proxies keep their base paths.
    pub fn with_virtual_hosts(
        &self,
        hosts: impl IntoIterator<Item = VirtualHost>,
    ) -> Result<Self, BasePathTaken> {
        let mut served = Hosts::new(hosts);
        for proxy in self.proxies.values() {
            served.are_free_for(proxy)?;
            served.serve(proxy);
        }
        Ok(Self { hosts: Arc::new(served), ..self.edit().finish() })
    }

    /// With all `entries` of one key value map, replacing it.
    pub fn with_kvm_map(
        &self,
        scope: KvmScope,
        map: &str,
        entries: impl IntoIterator<Item = (String, SecretString)>,
        encrypted: bool,
    ) -> Self {
        self.edited(|edit| edit.put_kvm_map(scope, map, entries, encrypted))
    }

    /// Without this key value map.
    pub fn without_kvm_map(&self, scope: &KvmScope, map: &str) -> Self {
        self.edited(|edit| edit.remove_kvm_map(scope, map))
    }

    /// With these API keys instead of those before.
    pub fn with_keys(&self, keys: KeyTable) -> Self {
        self.edited(|edit| edit.set_keys(keys))
    }
}

/// The present snapshot of a node. Reading takes no lock; changes happen one after another.
#[derive(Debug)]
pub struct SnapshotCell {
    present: ArcSwap<Snapshot>,
    changing: Mutex<()>,
}

impl SnapshotCell {
    /// A cell that holds `first`.
    pub fn new(first: Snapshot) -> Self {
        Self { present: ArcSwap::from_pointee(first), changing: Mutex::new(()) }
    }

    /// The present snapshot, pinned.
    pub fn load(&self) -> Arc<Snapshot> {
        self.present.load_full()
    }

    /// The present snapshot for a quick look.
    pub fn peek(&self) -> Guard<Arc<Snapshot>> {
        self.present.load()
    }

    /// Replaces the snapshot by what `change` makes of it. No two changes run at once, so none is lost.
    pub fn update(&self, change: impl FnOnce(&Snapshot) -> Snapshot) {
        let _ = self.try_update(|old| Ok::<_, std::convert::Infallible>(change(old)));
    }

    /// Like [`Self::update`]; on an error everything stays as it was.
    pub fn try_update<E>(&self, change: impl FnOnce(&Snapshot) -> Result<Snapshot, E>) -> Result<(), E> {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let next = change(&self.present.load())?;
        self.present.store(Arc::new(next));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
