//! Steps that run code or reach somebody else (api-management §9.2, §9.6).

mod callout;
mod data_capture;
mod flow_callout;
mod java_callout;
mod javascript;
mod message_logging;
mod open_connector_callout;
pub(super) mod open_connectors;
mod script;
mod service_callout;
mod statistics_collector;
pub(crate) mod substitute;
mod tls;
mod trace_capture;

use super::{Entry, OPEN_CONNECTORS, entry};

pub(super) static POLICIES: &[Entry] = &[
    entry("DataCapture", "datacapture", data_capture::compile),
    entry("FlowCallout", "flowcallout", flow_callout::compile),
    entry("JavaCallout", "javacallout", java_callout::compile),
    entry("Javascript", "javascript", javascript::compile),
    entry("MessageLogging", "messagelogging", message_logging::compile),
    entry("OpenConnectorCallout", "openconnectorcallout", open_connector_callout::compile),
    entry(OPEN_CONNECTORS, "openconnectors", open_connectors::compile),
    entry("Script", "script", script::compile),
    entry("ServiceCallout", "servicecallout", service_callout::compile),
    entry("StatisticsCollector", "statisticscollector", statistics_collector::compile),
    entry("TraceCapture", "tracecapture", trace_capture::compile),
];
