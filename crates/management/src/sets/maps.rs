//! Key value maps in both families over one store (api-management §8.5): `KeyMapEntries` for environment
//! maps, `GenericKeyMapEntries` for maps of any scope. The two differ in the names of their properties.

use axum::http::StatusCode;
use pierhead_domain::SecretString;
use pierhead_store::management::{MapKey, StoredMap};
use serde_json::json;

use crate::names::check_name;
use crate::odata::{Entity, EntitySet, Key, Navigation, ODataError, Parsed, Property};

use super::{HISTORY, MASK, life_cycle};

/// Longest key and value, in bytes (api-management §8.5).
const KEY_BYTES: usize = 2048;
const VALUE_BYTES: usize = 10 * 1024;

pub(crate) static KEY_MAP_ENTRIES: EntitySet = EntitySet {
    name: "KeyMapEntries",
    type_name: "KeyMapEntry",
    title: "key value map",
    properties: &[
        Property::key("name"),
        Property::text("scope"),
        Property::flag("encrypted"),
        Property::complex("life_cycle", &HISTORY),
        // The seed's body, posted here (api-management §8.5).
        Property::text("scopeId").input_only(),
        Property::flag("isEncrypted").input_only(),
    ],
    navigation: &[
        Navigation::many("keyMapEntryValues", "KeyMapEntryValues"),
        Navigation::many("genericKeyMapEntryValues", "GenericKeyMapEntryValues"),
    ],
};

pub(crate) static KEY_MAP_ENTRY_VALUES: EntitySet = EntitySet {
    name: "KeyMapEntryValues",
    type_name: "KeyMapEntryValue",
    title: "key value map entry",
    properties: &[
        Property::key("map_name"),
        Property::key("name").up_to(KEY_BYTES),
        Property::text("value").up_to(VALUE_BYTES),
    ],
    navigation: &[Navigation::one("keyMapEntry", "KeyMapEntries")],
};

pub(crate) static GENERIC_KEY_MAP_ENTRIES: EntitySet = EntitySet {
    name: "GenericKeyMapEntries",
    type_name: "GenericKeyMapEntry",
    title: "key value map",
    properties: &[
        Property::key("name"),
        Property::key("scope"),
        Property::key("scopeId"),
        Property::flag("isEncrypted"),
        Property::complex("life_cycle", &HISTORY),
    ],
    navigation: &[Navigation::many("genericKeyMapEntryValues", "GenericKeyMapEntryValues")],
};

pub(crate) static GENERIC_KEY_MAP_ENTRY_VALUES: EntitySet = EntitySet {
    name: "GenericKeyMapEntryValues",
    type_name: "GenericKeyMapEntryValue",
    title: "key value map entry",
    properties: &[
        Property::key("name").up_to(KEY_BYTES),
        Property::key("mapName"),
        Property::key("scope"),
        Property::key("scopeId"),
        Property::text("value").up_to(VALUE_BYTES),
    ],
    navigation: &[Navigation::one("genericKeyMapEntry", "GenericKeyMapEntries")],
};

/// Whether a set is one of the two families' maps.
pub(crate) fn is_maps(set: &EntitySet) -> bool {
    set.name == KEY_MAP_ENTRIES.name || set.name == GENERIC_KEY_MAP_ENTRIES.name
}

/// Whether a set is one of the two families' entries.
pub(crate) fn is_entries(set: &EntitySet) -> bool {
    set.name == KEY_MAP_ENTRY_VALUES.name || set.name == GENERIC_KEY_MAP_ENTRY_VALUES.name
}

fn is_generic(set: &EntitySet) -> bool {
    set.name.starts_with("Generic")
}

/// A map as an entity of `set`.
pub(crate) fn map_entity(set: &'static EntitySet, map: &StoredMap) -> Entity {
    let key = &map.key;
    let life_cycle = life_cycle(&map.stamp);
    let values = if is_generic(set) {
        json!({
            "name": key.name, "scope": key.scope, "scopeId": key.scope_id, "isEncrypted": map.encrypted,
            "life_cycle": life_cycle,
        })
    } else {
        json!({"name": key.name, "scope": key.scope, "encrypted": map.encrypted, "life_cycle": life_cycle})
    };
    Entity::new(set, values)
}

/// An entry as an entity of `set`; `value` is what may be shown.
pub(crate) fn entry_entity(set: &'static EntitySet, map: &MapKey, name: &str, value: &str) -> Entity {
    let values = if is_generic(set) {
        json!({
            "name": name, "mapName": map.name, "scope": map.scope, "scopeId": map.scope_id, "value": value,
        })
    } else {
        json!({"map_name": map.name, "name": name, "value": value})
    };
    Entity::new(set, values)
}

/// The identity that a map's key in a URL stands for.
pub(crate) fn map_of_key(set: &EntitySet, key: &Key) -> Result<MapKey, ODataError> {
    let (scope, scope_id) =
        if is_generic(set) { (key.get("scope"), key.get("scopeId")) } else { ("ENV", "") };
    identity(set, key.get("name"), scope, scope_id)
}

/// The identity of the map of an entry's key in a URL, and the entry's name.
pub(crate) fn entry_of_key(set: &EntitySet, key: &Key) -> Result<(MapKey, String), ODataError> {
    let map = if is_generic(set) {
        identity(set, key.get("mapName"), key.get("scope"), key.get("scopeId"))?
    } else {
        identity(set, key.get("map_name"), "ENV", "")?
    };
    Ok((map, key.get("name").to_owned()))
}

/// The identity that the body of a new map has.
pub(crate) fn map_of_body(body: &Parsed) -> Result<MapKey, ODataError> {
    let scope = body.text("scope").unwrap_or("ENV");
    let key = identity(body.set, body.required("name")?, scope, body.text("scopeId").unwrap_or_default())?;
    check_name(&format!("{}.name", body.set.name), &key.name, 255)?;
    Ok(key)
}

/// The identity of the map that the body of a new entry names: by its own properties, by the entity whose
/// list it was posted to, or by a link.
pub(crate) fn map_of_entry_body(
    body: &Parsed,
    parent: Option<&(&'static EntitySet, Key)>,
) -> Result<MapKey, ODataError> {
    let set = body.set;
    let (own, navigation) =
        if is_generic(set) { ("mapName", "genericKeyMapEntry") } else { ("map_name", "keyMapEntry") };
    let above = match (parent, body.links(navigation).next()) {
        (Some((set, key)), _) => Some(map_of_key(set, key)?),
        (None, Some(link)) => Some(map_of_key(link.set, &link.key)?),
        (None, None) => None,
    };
    let Some(above) = above else {
        let name = body.required(own)?;
        let scope = if is_generic(set) { body.required("scope")? } else { "ENV" };
        return identity(set, name, scope, body.text("scopeId").unwrap_or_default());
    };
    agrees(body, &above)?;
    Ok(above)
}

/// Whether what the body of an entry says about its map is true.
pub(crate) fn agrees(body: &Parsed, map: &MapKey) -> Result<(), ODataError> {
    for (property, value) in
        [("mapName", &map.name), ("map_name", &map.name), ("scope", &map.scope), ("scopeId", &map.scope_id)]
    {
        let said = body.text(property).filter(|said| said != value);
        // Environment and organization have one map of a name: what stands for them is not compared.
        if said.is_some() && !(property == "scopeId" && map.scope_id.is_empty()) {
            return Err(ODataError::bad(format!(
                "{}.{property} of an entry must be that of its map, '{value}'",
                body.set.name
            )));
        }
    }
    Ok(())
}

fn identity(set: &EntitySet, name: &str, scope: &str, scope_id: &str) -> Result<MapKey, ODataError> {
    let scope_id = match scope {
        "ENV" | "ORG" => "",
        "APIPROXY" if scope_id.is_empty() => {
            return Err(ODataError::bad(format!("{}.scopeId must be the name of the API proxy", set.name)));
        }
        "APIPROXY" => {
            check_name(&format!("{}.scopeId", set.name), scope_id, 255)?;
            scope_id
        }
        _ => return Err(ODataError::bad(format!("{}.scope must be ENV, APIPROXY or ORG", set.name))),
    };
    Ok(MapKey { scope: scope.into(), scope_id: scope_id.into(), name: name.into() })
}

/// Name and value of a new entry.
pub(crate) fn entry_of_body(body: &Parsed) -> Result<(String, SecretString), ODataError> {
    let name = body.required("name")?;
    check_key(body.set, name)?;
    let value = body.text("value").ok_or_else(|| missing_value(body.set))?;
    if value == MASK {
        return Err(ODataError::bad(format!("{}.value of '{name}' is the mask, not a value", body.set.name)));
    }
    Ok((name.into(), value.into()))
}

/// The new value of an entry; `None` when the body leaves it as it is.
pub(crate) fn changed_value(body: &Parsed, merge: bool) -> Result<Option<SecretString>, ODataError> {
    match body.text("value") {
        Some(MASK) => Ok(None),
        Some(value) => Ok(Some(value.into())),
        None if merge => Ok(None),
        None => Err(missing_value(body.set)),
    }
}

fn missing_value(set: &EntitySet) -> ODataError {
    ODataError::bad(format!("{}.value must be given", set.name))
}

fn check_key(set: &EntitySet, name: &str) -> Result<(), ODataError> {
    check_characters(&format!("{}.name", set.name), name)
}

fn check_characters(field: &str, name: &str) -> Result<(), ODataError> {
    if name.ends_with(char::is_whitespace) || name.contains("//") {
        return Err(ODataError::bad(format!("{field} must not end with a blank and hold no '//'")));
    }
    if name.contains(char::is_control) {
        return Err(ODataError::bad(format!("{field} must hold no control characters")));
    }
    Ok(())
}

/// Name and value of an entry that comes without an entity.
pub(crate) fn check_entry(name: &str, value: &str) -> Result<(), ODataError> {
    if name.is_empty() || name.len() > KEY_BYTES {
        return Err(ODataError::bad(format!("name of an entry must have 1 to {KEY_BYTES} bytes")));
    }
    if value.len() > VALUE_BYTES {
        return Err(ODataError::bad(format!("value of '{name}' may have {VALUE_BYTES} bytes")));
    }
    check_characters("name of an entry", name)
}

/// The error for a map that is there and has entries.
pub(crate) fn map_taken(key: &MapKey) -> ODataError {
    ODataError::coded(
        StatusCode::BAD_REQUEST,
        "KEY_MAP_ENTRY_NAME_DUPLICATION_ERROR",
        format!("A key value map '{}' of {} exists already.", key.name, place(key)),
    )
}

/// The error for an entry that is there.
pub(crate) fn entry_taken(key: &MapKey, name: &str) -> ODataError {
    ODataError::coded(
        StatusCode::BAD_REQUEST,
        "KEY_MAP_ENTRY_VALUE_NAME_DUPLICATION_ERROR",
        format!("An entry '{name}' of the key value map '{}' of {} exists already.", key.name, place(key)),
    )
}

/// The error for a map that is not there.
pub(crate) fn no_map(key: &MapKey) -> ODataError {
    ODataError::not_found(format_args!("Key value map '{}' of {}", key.name, place(key)))
}

/// The error for an entry that is not there.
pub(crate) fn no_entry(key: &MapKey, name: &str) -> ODataError {
    ODataError::not_found(format_args!(
        "Entry '{name}' of the key value map '{}' of {}",
        key.name,
        place(key)
    ))
}

fn place(key: &MapKey) -> String {
    match key.scope.as_str() {
        "APIPROXY" => format!("the API proxy '{}'", key.scope_id),
        "ORG" => "the organization".into(),
        _ => "the environment".into(),
    }
}
