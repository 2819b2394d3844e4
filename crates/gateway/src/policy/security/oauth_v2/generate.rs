//! `GenerateAccessToken` and `GenerateJWTAccessToken`: the first tokens of a grant.

use std::sync::Arc;

use pierhead_domain::{SecretString, time_ordered_id};

use super::jwt::{self, JwtKey};
use super::request::{self, Client};
use super::settings::{Operation, Settings};
use super::{answer, authorize};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::Next;
use crate::policy::security::oauth::problem::Problem;
use crate::policy::security::oauth::unavailable;
use crate::policy::security::oauth::variables::TokenVariables;
use crate::tokens::{NewToken, RefreshPart, Spent, Token, TokenKind};

/// Half an hour, as the original.
pub(super) const ACCESS_MILLIS: i64 = 1_800_000;
/// Endless, as the original.
pub(super) const REFRESH_MILLIS: i64 = -1;
pub(super) const ACCESS_LENGTH: usize = 28;
pub(super) const REFRESH_LENGTH: usize = 32;

pub(super) async fn run(settings: &Settings, jwt: Option<&JwtKey>, cx: &mut Exchange) -> Result<Next, Fault> {
    let refused = |problem: Problem, cx: &Exchange| problem.fault(settings.manner(cx));
    let supports_implicit = settings.operation == Operation::Generate && settings.supports_implicit();
    if supports_implicit && settings.response_type.text(cx).as_deref() == Some("token") {
        return authorize::implicit(settings, cx).await;
    }
    let grant_type =
        settings.grant_type.text(cx).ok_or_else(|| refused(Problem::Missing("grant_type"), cx))?;
    let supported = grant_type != "implicit" && settings.grants.contains(&grant_type);
    if !supported {
        return Err(refused(Problem::UnsupportedGrant(grant_type), cx));
    }
    let client = request::client(settings, cx).map_err(|problem| refused(problem, cx))?;
    match grant_type.as_str() {
        "authorization_code" => {
            let (spent, code) = match code(settings, cx, &client).await? {
                Ok(found) => found,
                Err(problem) => return Err(refused(problem, cx)),
            };
            let refresh = Some(0);
            let mut token = token(settings, cx, &client, &grant_type, code.scope.clone(), refresh);
            token.grant.clone_from(&code.grant);
            token.end_user = token.end_user.or_else(|| code.end_user.clone());
            let own = std::mem::take(&mut token.attributes);
            token.attributes.clone_from(&code.attributes);
            token.put_attributes(own);
            issue(settings, jwt, cx, client, token, Some((spent, Problem::BadCode))).await
        }
        "password" => {
            for (parameter, name) in [(&settings.user_name, "username"), (&settings.password, "password")] {
                if parameter.text(cx).is_none() {
                    return Err(refused(Problem::Missing(name), cx));
                }
            }
            let scope = request::scope(settings.scope.text(cx).as_deref(), &client);
            let scope = scope.map_err(|problem| refused(problem, cx))?;
            let token = token(settings, cx, &client, &grant_type, scope, Some(0));
            issue(settings, jwt, cx, client, token, None).await
        }
        _ => {
            let scope = request::scope(settings.scope.text(cx).as_deref(), &client);
            let scope = scope.map_err(|problem| refused(problem, cx))?;
            let token = token(settings, cx, &client, &grant_type, scope, None);
            issue(settings, jwt, cx, client, token, None).await
        }
    }
}

/// The code that is spent, with what is known of it. A code that was spent before takes everything back that it
/// gave (RFC 6749 §4.1.2).
async fn code(
    settings: &Settings,
    cx: &Exchange,
    client: &Client,
) -> Result<Result<(Spent, Arc<Token>), Problem>, Fault> {
    let Some(text) = settings.code.text(cx) else { return Ok(Err(Problem::Missing("code"))) };
    let tokens = &cx.services.ports.tokens;
    let found = tokens.find(TokenKind::Code, text.clone()).await.map_err(|why| unavailable(&why))?;
    let Some(code) = found.filter(|code| code.client_id == client.id) else {
        return Ok(Err(Problem::BadCode));
    };
    if code.revoked {
        tokens.revoke_grant(code.grant.clone()).await.map_err(|why| unavailable(&why))?;
        return Ok(Err(Problem::BadCode));
    }
    if code.is_expired(cx.now()) {
        return Ok(Err(Problem::BadCode));
    }
    match (&code.redirect_uri, settings.redirect_uri.text(cx)) {
        (Some(_), None) => return Ok(Err(Problem::Missing("redirect_uri"))),
        (Some(right), Some(sent)) if *right != sent => return Ok(Err(Problem::BadRedirect(sent))),
        _ => {}
    }
    Ok(Ok((Spent { kind: TokenKind::Code, text: SecretString::new(text), keep: false }, code)))
}

/// A new access token; `refreshed` says how often its grant was, when it has a refresh token.
pub(super) fn token(
    settings: &Settings,
    cx: &Exchange,
    client: &Client,
    grant_type: &str,
    scope: String,
    refreshed: Option<u32>,
) -> Token {
    let now = cx.now();
    let refresh = refreshed.map(|count| RefreshPart {
        issued_at: now.as_i64(),
        expires_at: request::expiry(settings.refresh_expires_in.as_ref(), REFRESH_MILLIS, cx),
        count,
    });
    Token {
        grant: time_ordered_id(now, cx.services.rng.as_ref()),
        client_id: client.id.clone(),
        app_id: client.key.app.id.to_string(),
        end_user: settings.end_user.as_ref().and_then(|user| user.text(cx)),
        grant_type: grant_type.to_owned(),
        scope,
        issued_at: now.as_i64(),
        expires_at: request::expiry(settings.expires_in.as_ref(), ACCESS_MILLIS, cx),
        revoked: false,
        redirect_uri: None,
        refresh,
        attributes: settings.new_attributes(cx),
    }
}

/// Issues the token, sets variables and answers. `spent` is used up in the same step, or the request is refused.
pub(super) async fn issue(
    settings: &Settings,
    jwt: Option<&JwtKey>,
    cx: &mut Exchange,
    client: Client,
    token: Token,
    spent: Option<(Spent, Problem)>,
) -> Result<Next, Fault> {
    let access = match jwt {
        Some(key) => SecretString::new(jwt::token(settings, key, cx, &client, &token)?),
        None => request::given(settings.external_access.as_ref(), cx)
            .unwrap_or_else(|| request::new_text(cx, ACCESS_LENGTH)),
    };
    let kept = spent.as_ref().filter(|(spent, _)| spent.kind == TokenKind::Refresh && spent.keep);
    let refresh = token.refresh.as_ref().map(|_| match kept {
        Some((spent, _)) => spent.text.clone(),
        None => request::given(settings.external_refresh.as_ref(), cx)
            .unwrap_or_else(|| request::new_text(cx, REFRESH_LENGTH)),
    });
    let mut new = Vec::new();
    if settings.store {
        // A JWT is verified by its signature; only what refreshes it is kept.
        if jwt.is_none() {
            new.push(NewToken { kind: TokenKind::Access, text: access.clone(), token: token.clone() });
        }
        if let (Some(text), Some(part)) = (&refresh, &token.refresh) {
            let mut record = token.clone();
            record.expires_at = part.expires_at;
            new.push(NewToken { kind: TokenKind::Refresh, text: text.clone(), token: record });
        }
    }
    let (spent, otherwise) = spent.unzip();
    let issued = cx.services.ports.tokens.issue(new, spent).await.map_err(|why| unavailable(&why))?;
    if !issued {
        return Err(otherwise.unwrap_or(Problem::BadCode).fault(settings.manner(cx)));
    }
    let mut found = TokenVariables::new(Arc::new(token), Some(client.key), &cx.snapshot, cx.now());
    (found.access, found.refresh) = (Some(access), refresh);
    let found = Arc::new(found);
    cx.variables.provide(&settings.prefix, found.clone());
    if settings.answer { Ok(answer::tokens(settings, cx, &found)) } else { Ok(Next::Continue) }
}
