//! The entity sets of `Management.svc` (api-management §8.1), one file per kind: its table, how rows
//! become entities, and how bodies become rows.

pub(crate) mod endpoints;
pub(crate) mod files;
pub(crate) mod flows;
pub(crate) mod hosts;
pub(crate) mod maps;
pub(crate) mod policies;
pub(crate) mod products;
pub(crate) mod providers;
pub(crate) mod proxies;
pub(crate) mod resources;

use pierhead_store::management::Stamp;
use serde_json::{Value, json};

use crate::odata::{ComplexType, Property, Schema, moment};

/// All entity sets.
pub(crate) static SCHEMA: Schema = Schema {
    namespace: "apiportal",
    container: "APIPortal",
    sets: &[
        &providers::SET,
        &proxies::SET,
        &endpoints::PROXY_ENDPOINTS,
        &endpoints::TARGET_ENDPOINTS,
        &endpoints::ROUTE_RULES,
        &endpoints::PROPERTIES,
        &flows::FLOWS,
        &flows::STREAMS,
        &flows::STEPS,
        &flows::FAULT_RULES,
        &policies::SET,
        &files::SET,
        &resources::RESOURCES,
        &resources::DOCUMENTATIONS,
        &hosts::SET,
        &products::SET,
        &maps::KEY_MAP_ENTRIES,
        &maps::KEY_MAP_ENTRY_VALUES,
        &maps::GENERIC_KEY_MAP_ENTRIES,
        &maps::GENERIC_KEY_MAP_ENTRY_VALUES,
    ],
};

/// `apiportal.History` (api-management §8.4).
pub(crate) static HISTORY: ComplexType = ComplexType {
    name: "History",
    properties: &[
        Property::moment("changed_at"),
        Property::text("changed_by"),
        Property::moment("created_at"),
        Property::text("created_by"),
    ],
};

/// A stamp as `life_cycle`.
pub(crate) fn life_cycle(stamp: &Stamp) -> Value {
    json!({
        "changed_at": moment(stamp.changed_ms),
        "changed_by": stamp.changed_by,
        "created_at": moment(stamp.created_ms),
        "created_by": stamp.created_by,
    })
}

/// What reads show instead of a secret. Sent back unchanged, it keeps the stored value.
pub(crate) const MASK: &str = "********";
