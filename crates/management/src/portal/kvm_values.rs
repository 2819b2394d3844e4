//! Key value maps for Apigee's API: over the same rows as SAP's entities, so that each sees what the other wrote.

use axum::http::StatusCode;
use pierhead_domain::SecretString;
use pierhead_store::management::{MapKey, StoredMap};

use crate::names::check_name;
use crate::odata::ODataError;
use crate::sets::MASK;
use crate::sets::maps;

use super::{Portal, Work};

/// Which entries a write is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    /// One that is not there.
    New,
    /// One that is there.
    Known,
    /// Either.
    Any,
}

impl Portal {
    /// Makes a map; its identity must be free.
    pub(crate) async fn make_map(
        &self,
        work: &mut Work,
        key: &MapKey,
        encrypted: bool,
        entries: &[(String, SecretString)],
    ) -> Result<(), ODataError> {
        check_name("name", &key.name, 255)?;
        if work.tx.designs().map(self.organization(), key).await?.is_some() {
            return Err(taken(format!("Key value map {} exists already", key.name)));
        }
        let map = StoredMap { key: key.clone(), encrypted, stamp: self.stamp() };
        work.tx.add_map(self.organization(), &map).await?;
        self.put_values(work, key, entries, Writes::New).await
    }

    /// Writes entries of a map that is there.
    pub(crate) async fn put_values(
        &self,
        work: &mut Work,
        key: &MapKey,
        entries: &[(String, SecretString)],
        writes: Writes,
    ) -> Result<(), ODataError> {
        let organization = self.organization();
        let changed = work.tx.change_map(organization, key, &self.stamp()).await?;
        changed.ok_or_else(|| maps::no_map(key))?;
        for (name, value) in entries {
            maps::check_entry(name, value.expose())?;
            let is_there = work.tx.designs().entry(organization, key, name).await?.is_some();
            match writes {
                Writes::New if is_there => {
                    return Err(taken(format!("Entry {name} of key value map {} exists already", key.name)));
                }
                Writes::Known if !is_there => return Err(maps::no_entry(key, name)),
                _ => {}
            }
            if value.expose() == MASK {
                // What was shown of an encrypted value comes back: it stays as it is.
                if is_there {
                    continue;
                }
                return Err(ODataError::bad(format!("value of '{name}' is the mask, not a value")));
            }
            let sealed = self.parts().seal_entry(key, name, value)?;
            work.tx.put_entry(organization, key, &sealed, true).await?;
        }
        work.changes_map(key.clone());
        Ok(())
    }

    /// Removes an entry.
    pub(crate) async fn remove_value(
        &self,
        work: &mut Work,
        key: &MapKey,
        name: &str,
    ) -> Result<(), ODataError> {
        let organization = self.organization();
        let changed = work.tx.change_map(organization, key, &self.stamp()).await?;
        changed.ok_or_else(|| maps::no_map(key))?;
        if !work.tx.remove_entry(organization, key, name).await? {
            return Err(maps::no_entry(key, name));
        }
        work.changes_map(key.clone());
        Ok(())
    }

    /// Removes a map with its entries.
    pub(crate) async fn remove_map(&self, work: &mut Work, key: &MapKey) -> Result<(), ODataError> {
        if !work.tx.remove_map(self.organization(), key).await? {
            return Err(maps::no_map(key));
        }
        work.changes_map(key.clone());
        Ok(())
    }

    /// Names and values of a map's entries, as far as they may be shown.
    pub(crate) async fn values(&self, map: &StoredMap) -> Result<Vec<(String, String)>, ODataError> {
        let entries = self.parts().store.designs().entries(self.organization(), &map.key).await?;
        let shown = entries.into_iter().map(|entry| {
            let value = match map.encrypted {
                true => MASK.to_owned(),
                false => self.parts().open_entry(&map.key, &entry)?.expose().to_owned(),
            };
            Ok((entry.name, value))
        });
        shown.collect()
    }
}

fn taken(text: String) -> ODataError {
    ODataError::coded(StatusCode::CONFLICT, "ALREADY_EXISTS", text)
}
