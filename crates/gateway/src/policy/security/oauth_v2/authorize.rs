//! `GenerateAuthorizationCode` and `GenerateAccessTokenImplicitGrant`: what a browser is sent back with.

use std::sync::Arc;

use super::answer;
use super::generate::{self, ACCESS_LENGTH};
use super::request::{self, Client};
use super::settings::Settings;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::Next;
use crate::policy::security::oauth::problem::Problem;
use crate::policy::security::oauth::unavailable;
use crate::policy::security::oauth::variables::{TokenVariables, seconds_left};
use crate::tokens::{NewToken, Token, TokenKind};

/// Ten minutes, the most that RFC 6749 §4.1.2 advises.
const CODE_MILLIS: i64 = 600_000;

/// An authorization request that may be answered.
struct Asked {
    client: Client,
    /// Where the answer goes: as sent, else the client's own.
    redirect: String,
    /// Whether the client sent it, so that it must send it again.
    sent_redirect: bool,
    scope: String,
    state: String,
}

fn asked(settings: &Settings, cx: &Exchange, response_type: &str) -> Result<Asked, Problem> {
    let client = request::public_client(settings, cx)?;
    match settings.response_type.text(cx) {
        Some(kind) if kind == response_type => {}
        Some(_) => return Err(Problem::ResponseType),
        None => return Err(Problem::Missing("response_type")),
    }
    let own = &*client.key.app.callback_url;
    let sent = settings.redirect_uri.text(cx);
    let redirect = match &sent {
        // Compared whole: a prefix would be an open redirector.
        Some(sent) if !own.is_empty() && sent != own => return Err(Problem::BadRedirect(sent.clone())),
        Some(sent) => sent.clone(),
        None if own.is_empty() => return Err(Problem::Missing("redirect_uri")),
        None => own.to_owned(),
    };
    if redirect.contains('#') || redirect.bytes().any(|byte| byte.is_ascii_control() || byte == b' ') {
        return Err(Problem::BadRedirect(redirect));
    }
    let scope = request::scope(settings.scope.text(cx).as_deref(), &client)?;
    let state = settings.state.text(cx).unwrap_or_default();
    Ok(Asked { client, sent_redirect: sent.is_some(), redirect, scope, state })
}

pub(super) async fn code(settings: &Settings, cx: &mut Exchange) -> Result<Next, Fault> {
    let asked = asked(settings, cx, "code").map_err(|problem| problem.fault(settings.manner(cx)))?;
    let mut token =
        generate::token(settings, cx, &asked.client, "authorization_code", asked.scope.clone(), None);
    token.expires_at = request::expiry(settings.expires_in.as_ref(), CODE_MILLIS, cx);
    token.redirect_uri = asked.sent_redirect.then(|| asked.redirect.clone());
    let code = request::given(settings.external_code.as_ref(), cx)
        .unwrap_or_else(|| request::new_text(cx, ACCESS_LENGTH));
    store(cx, NewToken { kind: TokenKind::Code, text: code.clone(), token: token.clone() }).await?;
    let shown = Token { redirect_uri: Some(asked.redirect.clone()), ..token };
    let mut found =
        TokenVariables::new(Arc::new(shown), Some(asked.client.key.clone()), &cx.snapshot, cx.now());
    found.code = Some(code.clone());
    cx.variables.provide(&settings.code_prefix, Arc::new(found));
    if !settings.answer {
        return Ok(Next::Continue);
    }
    let parameters = [("code", code.expose()), ("scope", &asked.scope), ("state", &asked.state)];
    let sent = answer::redirect(cx, &asked.redirect, &parameters, false);
    sent.ok_or_else(|| Problem::BadRedirect(asked.redirect).fault(settings.manner(cx)))
}

pub(super) async fn implicit(settings: &Settings, cx: &mut Exchange) -> Result<Next, Fault> {
    let asked = asked(settings, cx, "token").map_err(|problem| problem.fault(settings.manner(cx)))?;
    let token = generate::token(settings, cx, &asked.client, "implicit", asked.scope.clone(), None);
    let access = request::given(settings.external_access.as_ref(), cx)
        .unwrap_or_else(|| request::new_text(cx, ACCESS_LENGTH));
    store(cx, NewToken { kind: TokenKind::Access, text: access.clone(), token: token.clone() }).await?;
    let expires_in = seconds_left(token.expires_at, cx.now()).to_string();
    let mut found =
        TokenVariables::new(Arc::new(token), Some(asked.client.key.clone()), &cx.snapshot, cx.now());
    found.access = Some(access.clone());
    cx.variables.provide(&settings.prefix, Arc::new(found));
    if !settings.answer {
        return Ok(Next::Continue);
    }
    let token_type = if settings.rfc { "Bearer" } else { "" };
    let parameters = [
        ("expires_in", expires_in.as_str()),
        ("access_token", access.expose()),
        ("token_type", token_type),
        ("scope", &asked.scope),
        ("state", &asked.state),
    ];
    let sent = answer::redirect(cx, &asked.redirect, &parameters, true);
    sent.ok_or_else(|| Problem::BadRedirect(asked.redirect).fault(settings.manner(cx)))
}

async fn store(cx: &Exchange, new: NewToken) -> Result<(), Fault> {
    cx.services.ports.tokens.issue(vec![new], None).await.map(|_| ()).map_err(|why| unavailable(&why))
}
