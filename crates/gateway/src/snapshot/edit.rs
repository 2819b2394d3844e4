//! Many changes of a snapshot at the price of one.

use std::sync::Arc;

use pierhead_domain::SecretString;

use super::{BasePathTaken, FlowHook, HookPoint, KeyTable, KvmMap, Snapshot};
use crate::compile::{CompiledProxy, CompiledSharedFlow};
use crate::ports::KvmScope;

/// A snapshot in the making. Each part is copied once, however many changes it sees; nobody sees any of them
/// before [`Self::finish`].
#[derive(Debug)]
pub struct SnapshotEdit {
    next: Snapshot,
    flows_changed: bool,
}

impl SnapshotEdit {
    pub(super) fn of(old: &Snapshot) -> Self {
        let next = Snapshot { generation: old.generation + 1, ..old.clone() };
        Self { next, flows_changed: false }
    }

    /// The snapshot with what was changed so far, except what follows from changed shared flows.
    pub fn so_far(&self) -> &Snapshot {
        &self.next
    }

    /// Serves `proxy` in place of the one of the same name. On an error that one goes on.
    pub fn serve(&mut self, proxy: Arc<CompiledProxy>) -> Result<(), BasePathTaken> {
        self.next.hosts.are_free_for(&proxy)?;
        let hosts = Arc::make_mut(&mut self.next.hosts);
        if let Some(old) = self.next.proxies.get(&proxy.name) {
            hosts.stop(old);
        }
        hosts.serve(&proxy);
        self.next.proxies.insert(proxy.name.clone(), proxy);
        Ok(())
    }

    /// Stops a proxy; nothing when there is none of this name.
    pub fn stop(&mut self, name: &str) {
        if let Some(old) = self.next.proxies.remove(name) {
            Arc::make_mut(&mut self.next.hosts).stop(&old);
        }
    }

    /// Puts a shared flow in place of the one of the same name; every proxy that calls it calls the new one.
    pub fn put_shared_flow(&mut self, flow: Arc<CompiledSharedFlow>) {
        Arc::make_mut(&mut self.next.shared_flows).put(flow);
        self.flows_changed = true;
    }

    /// Removes a shared flow; a proxy that calls it answers 500 there.
    pub fn remove_shared_flow(&mut self, name: &str) {
        Arc::make_mut(&mut self.next.shared_flows).remove(name);
        self.flows_changed = true;
    }

    /// Puts another shared flow at a hook, or none.
    pub fn set_flow_hook(&mut self, point: HookPoint, hook: Option<FlowHook>) {
        Arc::make_mut(&mut self.next.shared_flows).set_hook(point, hook);
        self.flows_changed = true;
    }

    /// Puts all `entries` of one key value map, replacing it.
    pub fn put_kvm_map(
        &mut self,
        scope: KvmScope,
        map: &str,
        entries: impl IntoIterator<Item = (String, SecretString)>,
        encrypted: bool,
    ) {
        let entries =
            entries.into_iter().map(|(key, value)| (key.into_boxed_str(), Arc::new(value))).collect();
        Arc::make_mut(&mut self.next.kvms).put(scope, map, KvmMap { encrypted, entries });
    }

    /// Removes a key value map.
    pub fn remove_kvm_map(&mut self, scope: &KvmScope, map: &str) {
        Arc::make_mut(&mut self.next.kvms).remove(scope, map);
    }

    /// Puts these API keys instead of those before.
    pub fn set_keys(&mut self, keys: KeyTable) {
        self.next.keys = Arc::new(keys);
    }

    /// The snapshot with all changes.
    pub fn finish(mut self) -> Snapshot {
        if self.flows_changed {
            Arc::make_mut(&mut self.next.shared_flows).find_reads();
        }
        self.next
    }
}
