//! `InvalidateToken` and `ValidateToken`.

use super::settings::Settings;
use super::verify::refused;
use crate::condition::Lookup as _;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::Next;
use crate::policy::security::oauth::unavailable;

/// Revokes or approves each token that the policy names.
pub(super) async fn set(settings: &Settings, cx: &mut Exchange, revoked: bool) -> Result<Next, Fault> {
    for named in &settings.tokens {
        let text = cx.value(&named.variable).into_text().filter(|text| !text.is_empty());
        let text = text.map(|text| text.into_owned()).ok_or_else(|| {
            let text = format!("Failed to resolve Access Token variable {}", named.variable);
            refused("steps.oauth.v2.FailedToResolveAccessToken", text)
        })?;
        let tokens = &cx.services.ports.tokens;
        let found = tokens.set_revoked(named.kind, text, revoked, named.cascade).await;
        if !found.map_err(|why| unavailable(&why))? {
            return Err(match named.kind {
                crate::tokens::TokenKind::Refresh => {
                    refused("keymanagement.service.invalid_refresh_token", "Invalid Refresh Token")
                }
                _ => refused("keymanagement.service.invalid_access_token", "Invalid Access Token"),
            });
        }
    }
    Ok(Next::Continue)
}
