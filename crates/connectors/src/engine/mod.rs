//! The one interpreter of connector definitions.
//!
//! Invariant: no vendor's name occurs here or in the drivers; a test reads the sources and says so.
//! Everything a vendor needs is data in its definition.

mod answer;
mod build;
mod connection;
mod documents;
mod failure;
mod listing;
mod oauth;
mod problem;
mod push;
mod redirect;
mod resources;
mod run;
mod scope;
mod session;
#[cfg(test)]
mod tests;
mod wire;
mod xml;

use http::{StatusCode, header};
use serde_json::Value;

pub use connection::{Connection, Credential, DownloadLink};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use documents::fuzz_form;
pub use oauth::{AuthorizeAsk, Grant, OAuth, OAuthClient, OAuthProblem, Settings, Tokens};
pub use problem::{CallProblem, ProviderFault};
pub use run::{Engine, EngineParts};
pub(crate) use wire::CallHead;
pub use wire::{Body, BoxError, HubAnswer, HubCall, empty_body, full_body};

/// A client's JSON body may have so many bytes.
const MAX_CLIENT_JSON: usize = 1 << 20;

/// The original's words for a call that a connector does not answer (open-connectors §3).
fn not_supported() -> CallProblem {
    CallProblem::not_found("This API is not currently supported for this element")
}

/// The client's JSON body; an empty one is an empty object.
async fn client_json(call: &CallHead, body: Body) -> Result<Value, CallProblem> {
    let kind =
        call.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.is_empty() && !kind.to_ascii_lowercase().contains("json") {
        return Err(CallProblem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Content-Type: must be application/json",
        ));
    }
    let bytes = answer::collect(body, MAX_CLIENT_JSON).await.map_err(|problem| match problem.retryable {
        true => CallProblem::bad_request("the body broke off"),
        false => CallProblem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("a JSON body has at most {MAX_CLIENT_JSON} bytes"),
        ),
    })?;
    if bytes.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| CallProblem::bad_request(format!("the body is not JSON: {error}")))
}

/// A list as the hub answers it, with its headers' values.
fn list_answer(page: listing::Page, local: &listing::Local) -> HubAnswer {
    let returned = page.items.len() as u64;
    let mut names: Vec<String> = local.condition.as_ref().map(resources::names).unwrap_or_default();
    for order in &local.orders {
        if !names.contains(&order.field.name) {
            names.push(order.field.name.clone());
        }
    }
    HubAnswer {
        next_page: page.next,
        returned_count: Some(returned),
        total_count: page.total,
        filtered_locally: (!names.is_empty()).then(|| names.join(",")),
        ..HubAnswer::json(&Value::Array(page.items))
    }
}
