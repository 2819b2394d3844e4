//! What the policies about OAuth 2.0 tokens share (api-management §9.3).

pub(super) mod problem;
#[cfg(test)]
pub(super) mod testing;
pub(super) mod variables;

use std::borrow::Cow;
use std::sync::Arc;

use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::snapshot::{ApiKey, ApiProduct, Standing};
use crate::tokens::TokensUnavailable;

/// The key of a client id, as the snapshot has it now.
pub(super) fn key_of(cx: &Exchange, client_id: &str) -> Option<Arc<ApiKey>> {
    cx.snapshot.keys().find(client_id).cloned()
}

/// The products of a key that may be used.
pub(super) fn products(key: &ApiKey) -> impl Iterator<Item = &Arc<ApiProduct>> {
    key.products.iter().filter(|(_, standing)| *standing == Standing::Approved).map(|(product, _)| product)
}

/// The store is away.
pub(super) fn unavailable(why: &TokensUnavailable) -> Fault {
    tracing::warn!(error = %why, "a policy cannot reach the tokens: {why}");
    Fault::step(
        http::StatusCode::SERVICE_UNAVAILABLE,
        "steps.oauth.v2.TokensUnavailable",
        "Tokens cannot be read or written now",
    )
}

/// The place of the key's first product that gives access to the call.
pub(super) fn entitled(cx: &Exchange, key: &ApiKey) -> Result<usize, Fault> {
    let verb = cx.request.as_request().map_or("", |head| head.method.as_str());
    let environment = cx.snapshot.environment();
    let fits = key.products.iter().position(|(product, standing)| {
        *standing == Standing::Approved
            && product.gives_access(environment, &cx.proxy().name, cx.path_suffix(), verb)
    });
    fits.ok_or_else(|| {
        if products(key).any(|product| product.holds(environment, &cx.proxy().name)) {
            let text = "The resource is in none of the token's API products";
            return refused("keymanagement.service.apiresource_doesnot_exist", text);
        }
        refused(
            "keymanagement.service.InvalidAPICallAsNoApiProductMatchFound",
            "Invalid API call as no apiproduct match found",
        )
    })
}

/// 401.
pub(super) fn refused(code: &'static str, text: impl Into<Cow<'static, str>>) -> Fault {
    Fault::step(http::StatusCode::UNAUTHORIZED, code, text)
}
