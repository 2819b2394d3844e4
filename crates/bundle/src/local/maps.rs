//! Key value maps in memory: policies write them, and the next request reads what they wrote.

use std::sync::Arc;

use pierhead_domain::SecretString;
use pierhead_gateway::ports::{KvmAddress, KvmScope, KvmUnavailable, KvmWriter, PortFuture};
use pierhead_gateway::snapshot::{Snapshot, SnapshotCell};

use super::settings::Map;

pub(super) struct Maps(pub(super) Arc<SnapshotCell>);

impl KvmWriter for Maps {
    fn put(&self, at: KvmAddress, value: String, replace: bool) -> PortFuture<Result<(), KvmUnavailable>> {
        self.0.update(|present| {
            let kept = !replace
                && present
                    .kvm(&at.scope, &at.map)
                    .is_some_and(|map| map.entries.contains_key(at.key.as_str()));
            if kept { present.clone() } else { with_entry(present, &at, value.into()) }
        });
        Box::pin(std::future::ready(Ok(())))
    }

    fn delete(&self, at: KvmAddress) -> PortFuture<Result<(), KvmUnavailable>> {
        self.0.update(|present| changed(present, &at, None));
        Box::pin(std::future::ready(Ok(())))
    }
}

/// With one entry put; the map is made when it is not there.
pub(super) fn with_entry(snapshot: &Snapshot, at: &KvmAddress, value: SecretString) -> Snapshot {
    changed(snapshot, at, Some(value))
}

fn changed(snapshot: &Snapshot, at: &KvmAddress, value: Option<SecretString>) -> Snapshot {
    let map = snapshot.kvm(&at.scope, &at.map);
    let others = map.into_iter().flat_map(|map| &map.entries).filter(|(key, _)| ***key != *at.key);
    let mut entries: Vec<(String, SecretString)> =
        others.map(|(key, value)| (key.to_string(), value.expose().to_owned().into())).collect();
    entries.extend(value.map(|value| (at.key.clone(), value)));
    let encrypted = map.is_some_and(|map| map.encrypted);
    snapshot.with_kvm_map(at.scope.clone(), &at.map, entries, encrypted)
}

pub(super) fn with_maps(mut snapshot: Snapshot, maps: &[Map]) -> Snapshot {
    for map in maps {
        let scope = match map.proxy.as_deref() {
            Some(proxy) => KvmScope::Proxy(proxy.to_owned()),
            None if map.organization => KvmScope::Organization,
            None => KvmScope::Environment,
        };
        let entries = map.entries.iter().map(|(key, value)| (key.clone(), value.clone().into()));
        snapshot = snapshot.with_kvm_map(scope, &map.name, entries, map.encrypted);
    }
    snapshot
}
