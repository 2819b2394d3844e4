//! Key value maps, decrypted, as policies read them.

use std::sync::Arc;

use ahash::AHashMap;
use pierhead_domain::SecretString;

use super::shared_map::SharedMap;
use crate::ports::KvmScope;

/// One key value map. Values are wiped when the last snapshot that holds them is dropped.
#[derive(Debug, Default)]
pub struct KvmMap {
    /// Values may only be read into `private.` variables.
    pub encrypted: bool,
    /// Values by key.
    pub entries: AHashMap<Box<str>, Arc<SecretString>>,
}

/// All key value maps by scope and name.
#[derive(Debug, Clone, Default)]
pub(crate) struct KvmMaps(SharedMap<KvmScope, Arc<MapsByName>>);

type MapsByName = AHashMap<Box<str>, Arc<KvmMap>>;

impl KvmMaps {
    pub(crate) fn get(&self, scope: &KvmScope, map: &str) -> Option<&KvmMap> {
        self.0.get(scope)?.get(map).map(Arc::as_ref)
    }

    pub(crate) fn put(&mut self, scope: KvmScope, name: &str, map: KvmMap) {
        Arc::make_mut(self.0.entry(scope)).insert(name.into(), Arc::new(map));
    }

    pub(crate) fn remove(&mut self, scope: &KvmScope, name: &str) {
        if let Some(maps) = self.0.get_mut(scope) {
            Arc::make_mut(maps).remove(name);
            if maps.is_empty() {
                self.0.remove(scope);
            }
        }
    }
}
