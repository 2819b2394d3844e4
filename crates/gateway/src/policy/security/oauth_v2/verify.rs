//! `VerifyAccessToken`: lets a call pass with a token that gives access to it.

use std::borrow::Cow;
use std::sync::Arc;

use http::StatusCode;
use pierhead_domain::SecretString;

use super::settings::Settings;
use crate::condition::Lookup as _;
use crate::dialect::Dialect;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::Next;
pub(super) use crate::policy::security::oauth::refused;
use crate::policy::security::oauth::variables::{Global, TokenVariables};
use crate::policy::security::oauth::{entitled, key_of, unavailable};
use crate::policy::security::verify_api_key::{Verified, may_be_used};
use crate::snapshot::Standing;
use crate::tokens::{Token, TokenKind};

/// The check, when nothing has to be waited for: memory knows the token, or there is none.
pub(super) fn at_once(settings: &Settings, cx: &mut Exchange) -> Option<Result<Next, Fault>> {
    let text = match sent(settings, cx) {
        Ok(text) => text,
        Err(fault) => return Some(Err(fault)),
    };
    let token = cx.services.ports.tokens.recall(TokenKind::Access, &text)?;
    let text = SecretString::new(text);
    Some(check(settings, cx, text, token))
}

pub(super) async fn run(settings: &Settings, cx: &mut Exchange) -> Result<Next, Fault> {
    let text = sent(settings, cx)?.into_owned();
    let found = cx.services.ports.tokens.find(TokenKind::Access, text.clone()).await;
    match found.map_err(|why| unavailable(&why))? {
        Some(token) => check(settings, cx, SecretString::new(text), token),
        None => Err(refused("keymanagement.service.invalid_access_token", "Invalid Access Token")),
    }
}

/// The token that the client sent: after the prefix in `Authorization`, or whole in a variable of the policy's.
pub(super) fn sent<'a>(settings: &'a Settings, cx: &'a Exchange) -> Result<Cow<'a, str>, Fault> {
    if let Some(variable) = &settings.access_token {
        let text = cx.value(variable).into_text().filter(|text| !text.is_empty());
        return text.map(|text| without(text, &settings.access_token_prefix)).ok_or_else(|| {
            if cx.proxy().dialect == Dialect::Apigee && settings.operation.is_verify() {
                return refused("oauth.v2.InvalidAccessToken", "Invalid access token");
            }
            let text = format!("Failed to resolve Access Token variable {variable}");
            refused("steps.oauth.v2.FailedToResolveAccessToken", text)
        });
    }
    let invalid = || refused("oauth.v2.InvalidAccessToken", "Invalid access token");
    let header = cx.request.headers.get(http::header::AUTHORIZATION).ok_or_else(invalid)?;
    let line = header.to_str().map_err(|_| invalid())?;
    let prefix = &*settings.access_token_prefix;
    let start = line.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix));
    let rest = start.and_then(|_| line.get(prefix.len()..)).filter(|rest| rest.starts_with(' '));
    let token = rest.map(str::trim).filter(|token| !token.is_empty()).ok_or_else(invalid)?;
    Ok(Cow::Borrowed(token))
}

/// A variable may hold the whole header.
fn without<'a>(text: Cow<'a, str>, prefix: &str) -> Cow<'a, str> {
    let rest = text
        .get(..prefix.len())
        .filter(|start| start.eq_ignore_ascii_case(prefix))
        .and_then(|_| text.get(prefix.len()..))
        .filter(|rest| rest.starts_with(' '))
        .map(|rest| rest.trim().to_owned());
    rest.map_or(text, Cow::Owned)
}

/// What a token must be, apart from being known.
pub(super) fn check(
    settings: &Settings,
    cx: &mut Exchange,
    text: SecretString,
    token: Arc<Token>,
) -> Result<Next, Fault> {
    if token.revoked {
        return Err(refused("keymanagement.service.access_token_not_approved", "Access Token not approved"));
    }
    if token.is_expired(cx.now()) {
        return Err(refused("keymanagement.service.access_token_expired", "Access Token expired"));
    }
    let invalid = || refused("keymanagement.service.invalid_access_token", "Invalid Access Token");
    let key = key_of(cx, &token.client_id).filter(|key| {
        key.standing == Standing::Approved && key.expires_at.is_none_or(|expires| expires > cx.now())
    });
    let key = key.ok_or_else(invalid)?;
    may_be_used(&key)?;
    let by = entitled(cx, &key)?;
    let has = |scope: &String| token.scope.split(' ').any(|one| one == scope);
    if !settings.needed_scopes.is_empty() && !settings.needed_scopes.iter().any(has) {
        let text = format!("Required scope(s): {}", settings.needed_scopes.join(" "));
        return Err(Fault::step(StatusCode::FORBIDDEN, "steps.oauth.v2.InsufficientScope", text));
    }
    let client = Verified::new(key, by, &token.client_id);
    let mut found = TokenVariables::new(token, None, &cx.snapshot, cx.now());
    (found.access, found.client) = (Some(text), Some(client));
    let found = Arc::new(found);
    cx.variables.provide(&settings.prefix, found.clone());
    cx.variables.provide(&settings.global, Arc::new(Global(found)));
    Ok(Next::Continue)
}
