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

/// What gives a key access to a call.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entitlement {
    /// The place of the product among the key's.
    pub(super) product: usize,
    /// The place of the operation in it, when it has operations.
    pub(super) operation: Option<usize>,
}

/// The key's first approved product that gives access to the call.
pub(super) fn entitlement(cx: &Exchange, key: &ApiKey) -> Option<Entitlement> {
    let verb = cx.request.as_request().map_or("", |head| head.method.as_str());
    let (environment, proxy) = (cx.snapshot.environment(), &cx.proxy().name);
    key.products.iter().enumerate().find_map(|(place, (product, standing))| {
        if *standing != Standing::Approved {
            return None;
        }
        let operation = product.access(environment, proxy, cx.path_suffix(), verb)?;
        Some(Entitlement { product: place, operation })
    })
}

/// The same, or why the token gives no access.
pub(super) fn entitled(cx: &Exchange, key: &ApiKey) -> Result<Entitlement, Fault> {
    entitlement(cx, key).ok_or_else(|| {
        let environment = cx.snapshot.environment();
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
