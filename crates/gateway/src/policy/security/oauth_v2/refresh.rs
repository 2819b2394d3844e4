//! `RefreshAccessToken` and `RefreshJWTAccessToken`.

use pierhead_domain::SecretString;

use super::generate;
use super::jwt::JwtKey;
use super::request;
use super::settings::Settings;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::Next;
use crate::policy::security::oauth::problem::Problem;
use crate::policy::security::oauth::unavailable;
use crate::tokens::{Spent, TokenKind};

/// The old access tokens of the grant end; so does the refresh token, unless the policy reuses it. One that was used
/// up before ends the grant: somebody has stolen it, or the client is confused (RFC 9700 §4.14).
pub(super) async fn run(settings: &Settings, jwt: Option<&JwtKey>, cx: &mut Exchange) -> Result<Next, Fault> {
    let refused = |problem: Problem, cx: &Exchange| problem.fault(settings.manner(cx));
    match settings.grant_type.text(cx) {
        Some(grant) if grant == "refresh_token" => {}
        Some(grant) => return Err(refused(Problem::UnsupportedGrant(grant), cx)),
        None => return Err(refused(Problem::Missing("grant_type"), cx)),
    }
    let text = settings.refresh_token.text(cx);
    let text = text.ok_or_else(|| refused(Problem::Missing("refresh_token"), cx))?;
    let client = request::client(settings, cx).map_err(|problem| refused(problem, cx))?;
    let tokens = cx.services.ports.tokens.clone();
    let found = tokens.find(TokenKind::Refresh, text.clone()).await.map_err(|why| unavailable(&why))?;
    let old = found.filter(|token| token.client_id == client.id);
    let old = old.ok_or_else(|| refused(Problem::BadRefresh, cx))?;
    if old.revoked {
        tokens.revoke_grant(old.grant.clone()).await.map_err(|why| unavailable(&why))?;
        return Err(refused(Problem::BadRefresh, cx));
    }
    if old.is_expired(cx.now()) {
        return Err(refused(Problem::RefreshExpired, cx));
    }
    let asked = settings.scope.text(cx);
    let scope = match &asked {
        // Never more than was given (RFC 6749 §6).
        Some(asked) => {
            let given: Vec<&str> = old.scope.split(' ').collect();
            let wanted: Vec<&str> = asked.split([' ', ',']).filter(|one| !one.is_empty()).collect();
            if !wanted.iter().all(|one| given.contains(one)) {
                return Err(refused(Problem::BadScope, cx));
            }
            wanted.join(" ")
        }
        None => old.scope.clone(),
    };
    let count = old.refresh.as_ref().map_or(0, |part| part.count) + 1;
    let mut token = generate::token(settings, cx, &client, &old.grant_type, scope, Some(count));
    token.grant.clone_from(&old.grant);
    token.end_user = token.end_user.or_else(|| old.end_user.clone());
    let own = std::mem::take(&mut token.attributes);
    token.attributes.clone_from(&old.attributes);
    token.put_attributes(own);
    let keep = settings.reuse_refresh;
    if keep && let (Some(new), Some(part)) = (&mut token.refresh, &old.refresh) {
        (new.issued_at, new.expires_at) = (part.issued_at, part.expires_at);
    }
    let spent = Spent { kind: TokenKind::Refresh, text: SecretString::new(text), keep };
    generate::issue(settings, jwt, cx, client, token, Some((spent, Problem::BadRefresh))).await
}
