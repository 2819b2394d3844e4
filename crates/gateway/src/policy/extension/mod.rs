//! Steps that run code or reach somebody else (api-management §9.2, §9.6).

mod flow_callout;
mod javascript;
pub(super) mod open_connectors;
mod tls;

use super::{Entry, OPEN_CONNECTORS, entry};

pub(super) static POLICIES: &[Entry] = &[
    entry("FlowCallout", "flowcallout", flow_callout::compile),
    entry("Javascript", "javascript", javascript::compile),
    entry(OPEN_CONNECTORS, "openconnectors", open_connectors::compile),
];
