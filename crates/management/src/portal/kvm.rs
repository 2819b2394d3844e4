//! Reading and writing key value maps, in both families.

use pierhead_store::management::{MapKey, StoredEntry, StoredMap};

use crate::odata::{Entity, EntitySet, Expand, Key, ODataError, Parsed};
use crate::sets::MASK;
use crate::sets::maps::{
    self, GENERIC_KEY_MAP_ENTRIES, GENERIC_KEY_MAP_ENTRY_VALUES, KEY_MAP_ENTRIES, KEY_MAP_ENTRY_VALUES,
};

use super::{Portal, Work};

impl Portal {
    pub(super) async fn list_maps(
        &self,
        set: &'static EntitySet,
        expand: &Expand,
    ) -> Result<Vec<Entity>, ODataError> {
        let mut found = Vec::new();
        for map in self.parts().store.designs().maps(self.organization()).await? {
            if is_of_family(set, &map.key) {
                found.push(self.map_with_entries(set, &map, expand).await?);
            }
        }
        Ok(found)
    }

    pub(super) async fn find_map(
        &self,
        set: &'static EntitySet,
        key: &Key,
        expand: &Expand,
    ) -> Result<Option<Entity>, ODataError> {
        let key = maps::map_of_key(set, key)?;
        let Some(map) = self.parts().store.designs().map(self.organization(), &key).await? else {
            return Ok(None);
        };
        Ok(Some(self.map_with_entries(set, &map, expand).await?))
    }

    pub(super) async fn list_entries(
        &self,
        set: &'static EntitySet,
        expand: &Expand,
    ) -> Result<Vec<Entity>, ODataError> {
        let mut found = Vec::new();
        for map in self.parts().store.designs().maps(self.organization()).await? {
            if is_of_family(set, &map.key) {
                found.extend(self.entries(set, &map, expand).await?);
            }
        }
        Ok(found)
    }

    pub(super) async fn find_entry(
        &self,
        set: &'static EntitySet,
        key: &Key,
        expand: &Expand,
    ) -> Result<Option<Entity>, ODataError> {
        let (map, name) = maps::entry_of_key(set, key)?;
        let designs = self.parts().store.designs();
        let Some(map) = designs.map(self.organization(), &map).await? else { return Ok(None) };
        let entry = designs.entry(self.organization(), &map.key, &name).await?;
        entry.map(|entry| self.entry(set, &map, &entry, expand)).transpose()
    }

    async fn map_with_entries(
        &self,
        set: &'static EntitySet,
        map: &StoredMap,
        expand: &Expand,
    ) -> Result<Entity, ODataError> {
        let mut entity = maps::map_entity(set, map);
        for (navigation, values) in [
            ("keyMapEntryValues", &KEY_MAP_ENTRY_VALUES),
            ("genericKeyMapEntryValues", &GENERIC_KEY_MAP_ENTRY_VALUES),
        ] {
            if let Some(below) = expand.below(navigation) {
                entity.related.push((navigation, self.entries(values, map, below).await?));
            }
        }
        Ok(entity)
    }

    async fn entries(
        &self,
        set: &'static EntitySet,
        map: &StoredMap,
        expand: &Expand,
    ) -> Result<Vec<Entity>, ODataError> {
        let entries = self.parts().store.designs().entries(self.organization(), &map.key).await?;
        entries.iter().map(|entry| self.entry(set, map, entry, expand)).collect()
    }

    fn entry(
        &self,
        set: &'static EntitySet,
        map: &StoredMap,
        entry: &StoredEntry,
        expand: &Expand,
    ) -> Result<Entity, ODataError> {
        let clear = if map.encrypted { None } else { Some(self.parts().open_entry(&map.key, entry)?) };
        let shown = clear.as_ref().map_or(MASK, |value| value.expose());
        let above = |set| vec![maps::map_entity(set, map)];
        Ok(maps::entry_entity(set, &map.key, &entry.name, shown)
            .with(expand, "keyMapEntry", |_| above(&KEY_MAP_ENTRIES))
            .with(expand, "genericKeyMapEntry", |_| above(&GENERIC_KEY_MAP_ENTRIES)))
    }

    /// Makes a map with its entries. A map that is there and empty, as the one that creating a proxy
    /// against an Open Connectors provider makes, is filled.
    pub(super) async fn create_map(&self, work: &mut Work, body: &Parsed) -> Result<Entity, ODataError> {
        let organization = self.organization();
        let key = maps::map_of_body(body)?;
        let said = body.flag("isEncrypted").or_else(|| body.flag("encrypted"));
        let entries = ["keyMapEntryValues", "genericKeyMapEntryValues"];
        let entries: Vec<&Parsed> = entries.iter().filter_map(|name| body.nested(name)).flatten().collect();
        let old = work.tx.change_map(organization, &key, &self.stamp()).await?;
        let map = match old {
            None => {
                let map =
                    StoredMap { key: key.clone(), encrypted: said.unwrap_or(false), stamp: self.stamp() };
                work.tx.add_map(organization, &map).await?;
                map
            }
            Some(map) => {
                let filled = !work.tx.designs().entries(organization, &key).await?.is_empty();
                if filled || entries.is_empty() {
                    return Err(maps::map_taken(&key));
                }
                if said.is_some_and(|said| said != map.encrypted) {
                    return Err(ODataError::bad(format!(
                        "{}: whether the key value map '{}' is encrypted cannot be changed",
                        body.set.name, key.name
                    )));
                }
                map
            }
        };
        for entry in entries {
            maps::agrees(entry, &key)?;
            self.add_entry(work, &key, entry).await?;
        }
        work.changes_map(key);
        let set = if is_of_family(body.set, &map.key) { body.set } else { &GENERIC_KEY_MAP_ENTRIES };
        Ok(maps::map_entity(set, &map))
    }

    /// Replaces the entries that the body of a map holds; nothing else of a map changes.
    pub(super) async fn update_map(
        &self,
        work: &mut Work,
        key: &Key,
        body: &Parsed,
    ) -> Result<(), ODataError> {
        let organization = self.organization();
        let key = maps::map_of_key(body.set, key)?;
        let map = self.change_map(work, &key).await?;
        let said = body.flag("isEncrypted").or_else(|| body.flag("encrypted"));
        if said.is_some_and(|said| said != map.encrypted) {
            return Err(ODataError::bad(format!(
                "{}: whether the key value map '{}' is encrypted cannot be changed",
                body.set.name, key.name
            )));
        }
        for name in ["keyMapEntryValues", "genericKeyMapEntryValues"] {
            for entry in body.nested(name).unwrap_or_default() {
                maps::agrees(entry, &key)?;
                let name = entry.required("name")?;
                if work.tx.designs().entry(organization, &key, name).await?.is_none() {
                    self.add_entry(work, &key, entry).await?;
                } else if let Some(value) = maps::changed_value(entry, true)? {
                    let sealed = self.parts().seal_entry(&key, name, &value)?;
                    work.tx.put_entry(organization, &key, &sealed, true).await?;
                }
            }
        }
        work.changes_map(key);
        Ok(())
    }

    pub(super) async fn delete_map(
        &self,
        work: &mut Work,
        set: &'static EntitySet,
        key: &Key,
    ) -> Result<(), ODataError> {
        let key = maps::map_of_key(set, key)?;
        if !work.tx.remove_map(self.organization(), &key).await? {
            return Err(maps::no_map(&key));
        }
        work.changes_map(key);
        Ok(())
    }

    pub(super) async fn create_entry(
        &self,
        work: &mut Work,
        body: &Parsed,
        parent: Option<&(&'static EntitySet, Key)>,
    ) -> Result<Entity, ODataError> {
        let key = maps::map_of_entry_body(body, parent)?;
        let map = self.change_map(work, &key).await?;
        let entry = self.add_entry(work, &key, body).await?;
        let entity = self.entry(body.set, &map, &entry, &Expand::default())?;
        work.changes_map(key);
        Ok(entity)
    }

    /// The map, which now bears who changed its entries and when.
    async fn change_map(&self, work: &Work, key: &MapKey) -> Result<StoredMap, ODataError> {
        let changed = work.tx.change_map(self.organization(), key, &self.stamp()).await?;
        changed.ok_or_else(|| maps::no_map(key))
    }

    async fn add_entry(&self, work: &Work, key: &MapKey, body: &Parsed) -> Result<StoredEntry, ODataError> {
        let organization = self.organization();
        let (name, value) = maps::entry_of_body(body)?;
        if work.tx.designs().entry(organization, key, &name).await?.is_some() {
            return Err(maps::entry_taken(key, &name));
        }
        let entry = self.parts().seal_entry(key, &name, &value)?;
        work.tx.add_entry(organization, key, &entry).await?;
        Ok(entry)
    }

    pub(super) async fn update_entry(
        &self,
        work: &mut Work,
        key: &Key,
        body: &Parsed,
        merge: bool,
    ) -> Result<(), ODataError> {
        let organization = self.organization();
        let (map, name) = maps::entry_of_key(body.set, key)?;
        if body.text("name").is_some_and(|said| said != name) {
            return Err(ODataError::bad(format!("{}.name cannot be changed", body.set.name)));
        }
        maps::agrees(body, &map)?;
        self.change_map(work, &map).await?;
        if work.tx.designs().entry(organization, &map, &name).await?.is_none() {
            return Err(maps::no_entry(&map, &name));
        }
        if let Some(value) = maps::changed_value(body, merge)? {
            let entry = self.parts().seal_entry(&map, &name, &value)?;
            work.tx.put_entry(organization, &map, &entry, true).await?;
            work.changes_map(map);
        }
        Ok(())
    }

    pub(super) async fn delete_entry(
        &self,
        work: &mut Work,
        set: &'static EntitySet,
        key: &Key,
    ) -> Result<(), ODataError> {
        let (map, name) = maps::entry_of_key(set, key)?;
        self.change_map(work, &map).await?;
        if !work.tx.remove_entry(self.organization(), &map, &name).await? {
            return Err(maps::no_entry(&map, &name));
        }
        work.changes_map(map);
        Ok(())
    }
}

/// `KeyMapEntries` shows environment maps; the generic family shows those of every scope that has a name on
/// the wire.
fn is_of_family(set: &EntitySet, key: &MapKey) -> bool {
    match key.scope.as_str() {
        "ENV" => true,
        "APIPROXY" | "ORG" => set.name.starts_with("Generic"),
        _ => false,
    }
}
