//! `GetOAuthV2Info`: shows what is known of a token, a code or a client (api-management §9.3).

use std::sync::Arc;

use pierhead_domain::SecretString;

use super::oauth::variables::TokenVariables;
use super::oauth::{Entitlement, key_of, unavailable};
use super::verify_api_key::Verified;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::setting::Setting;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::tokens::{Token, TokenKind};

/// Faults, all 500: `steps.oauth.v2.` with `invalid_access_token`, `expired_access_token`,
/// `access_token_not_approved`, `invalid_refresh_token`, `refresh_token_expired`, `invalid_client-invalid_client_id`,
/// `invalid_request-authorization_code_invalid`, `authorization_code_expired`. Unsourced: the status, and which
/// prefix goes with which name. Only hashes of tokens are kept, so a token's own text is shown and no other.
#[derive(Debug)]
struct GetOAuthV2Info {
    asked: Vec<(TokenKind, Setting, Arc<str>)>,
    client: Option<(Setting, Arc<str>)>,
    /// A revoked or expired access token is shown too.
    ignore_status: bool,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(
        &[],
        &["AccessToken", "AuthorizationCode", "ClientId", "RefreshToken", "IgnoreAccessTokenStatus"],
    );
    let root = policy.root;
    let mut asked = Vec::new();
    for (kind, element, prefix) in [
        (TokenKind::Access, "AccessToken", "oauthv2accesstoken"),
        (TokenKind::Refresh, "RefreshToken", "oauthv2refreshtoken"),
        (TokenKind::Code, "AuthorizationCode", "oauthv2authcode"),
    ] {
        if let Some(setting) = Setting::child(policy, root, element, &[]) {
            asked.push((kind, setting, format!("{prefix}.{}.", policy.name).into()));
        }
    }
    let client = Setting::child(policy, root, "ClientId", &[]);
    let client = client.map(|setting| (setting, format!("oauthv2client.{}.", policy.name).into()));
    if asked.is_empty() && client.is_none() {
        let message = "the policy needs an AccessToken, RefreshToken, AuthorizationCode or ClientId";
        policy.problem(root, "MissingConfigurationElement", message);
    }
    let ignore_status = policy.flag_child(root, "IgnoreAccessTokenStatus", false);
    Some(Box::new(GetOAuthV2Info { asked, client, ignore_status }))
}

impl Policy for GetOAuthV2Info {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Wait(Box::pin(self.show(cx)))
    }
}

impl GetOAuthV2Info {
    async fn show(&self, cx: &mut Exchange) -> Result<Next, Fault> {
        for (kind, setting, prefix) in &self.asked {
            let text = setting.text(cx).map(|text| text.into_owned()).ok_or_else(|| unknown(*kind))?;
            let found = cx.services.ports.tokens.find(*kind, text.clone()).await;
            let token = found.map_err(|why| unavailable(&why))?.ok_or_else(|| unknown(*kind))?;
            self.usable(*kind, &token, cx)?;
            let key = key_of(cx, &token.client_id);
            let mut found = TokenVariables::new(token, key, &cx.snapshot, cx.now());
            let text = Some(SecretString::new(text));
            match kind {
                TokenKind::Access => found.access = text,
                TokenKind::Refresh => found.refresh = text,
                TokenKind::Code => found.code = text,
            }
            cx.variables.provide(prefix, Arc::new(found));
        }
        if let Some((setting, prefix)) = &self.client {
            let found = setting
                .text(cx)
                .and_then(|id| Some(Verified::new(key_of(cx, &id)?, Entitlement::default(), &id)));
            let found =
                found.ok_or_else(|| refused("invalid_client-invalid_client_id", "Invalid client id"))?;
            cx.variables.provide(prefix, Arc::new(found));
        }
        Ok(Next::Continue)
    }

    fn usable(&self, kind: TokenKind, token: &Token, cx: &Exchange) -> Result<(), Fault> {
        if kind == TokenKind::Access && self.ignore_status {
            return Ok(());
        }
        if token.revoked {
            return Err(match kind {
                TokenKind::Access => refused("access_token_not_approved", "Access Token not approved"),
                kind => unknown(kind),
            });
        }
        if token.is_expired(cx.now()) {
            return Err(match kind {
                TokenKind::Access => refused("expired_access_token", "Access Token expired"),
                TokenKind::Refresh => refused("refresh_token_expired", "Refresh Token expired"),
                TokenKind::Code => refused("authorization_code_expired", "Authorization Code expired"),
            });
        }
        Ok(())
    }
}

/// There is no such token.
pub(super) fn unknown(kind: TokenKind) -> Fault {
    match kind {
        TokenKind::Access => refused("invalid_access_token", "Invalid Access Token"),
        TokenKind::Refresh => refused("invalid_refresh_token", "Invalid Refresh Token"),
        TokenKind::Code => {
            refused("invalid_request-authorization_code_invalid", "Invalid Authorization Code")
        }
    }
}

fn refused(name: &str, text: &'static str) -> Fault {
    Fault::internal(format!("steps.oauth.v2.{name}"), text)
}

#[cfg(test)]
mod tests;
