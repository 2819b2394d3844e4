//! The public wire as the console uses it: in-process requests to the control listener's own services.

mod apigee;
mod control;
mod curl;
mod hub;
mod odata;
mod problem;
pub(crate) mod trace;

pub(crate) use apigee::{GatewayAddress, Report, Revisions, StepReport};
pub use control::ControlApi;
pub(crate) use control::{Authority, Payload, Wire};
pub(crate) use curl::ShownCall;
pub(crate) use hub::{
    Element, ElementKey, ElementResource, Instance, InstanceState, SignedInUser, StoredFile,
};
pub(crate) use odata::{ApiProvider, ApiProxy, KeyMap, Listed, MapAddress, Policy, SERVICE, Single};
pub(crate) use problem::{Violation, WireProblem};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but letters, digits and `-._~`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Text as one path segment or query value.
pub(crate) fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// Text as an OData string literal inside a path: quotes doubled, then percent-encoded.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", escape(&text.replace('\'', "''")))
}
