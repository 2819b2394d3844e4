//! `POST /token`: codes and refresh tokens become access tokens.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{AUTHORIZATION, CACHE_CONTROL, PRAGMA};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt, Limited};
use pierhead_domain::SecretString;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::bearer::json_response;
use super::super::journal::BodyNote;
use super::super::state::{App, Shared};
use super::{Asked, Code};

/// A token request is a short form.
const FORM_LIMIT: usize = 64 << 10;

/// A refusal of the token endpoint, RFC 6749 §5.2 with Google's texts.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenProblem {
    #[error("Could not read the form.")]
    Unreadable,
    #[error("Could not determine client ID from request.")]
    NoClient,
    #[error("The OAuth client was not found.")]
    UnknownClient,
    #[error("Unauthorized")]
    WrongSecret,
    #[error("Missing required parameter: {0}")]
    Missing(&'static str),
    #[error("Invalid grant_type: {0}")]
    GrantType(String),
    #[error("Malformed auth code.")]
    MalformedCode,
    #[error("Bad Request")]
    DeadCode,
    #[error("Bad Request")]
    RedirectMismatch,
    #[error("Missing code verifier.")]
    NoVerifier,
    #[error("Invalid code verifier.")]
    WrongVerifier,
    #[error("Token has been expired or revoked.")]
    DeadRefreshToken,
    #[error("Some requested scopes were not granted.")]
    WiderScope,
}

impl TokenProblem {
    fn code(&self) -> (StatusCode, &'static str) {
        let bad = StatusCode::BAD_REQUEST;
        match self {
            Self::Unreadable | Self::NoClient | Self::Missing(_) => (bad, "invalid_request"),
            Self::UnknownClient | Self::WrongSecret => (StatusCode::UNAUTHORIZED, "invalid_client"),
            Self::GrantType(_) => (bad, "unsupported_grant_type"),
            Self::RedirectMismatch => (bad, "redirect_uri_mismatch"),
            Self::WiderScope => (bad, "invalid_scope"),
            Self::MalformedCode
            | Self::DeadCode
            | Self::NoVerifier
            | Self::WrongVerifier
            | Self::DeadRefreshToken => (bad, "invalid_grant"),
        }
    }
}

impl IntoResponse for TokenProblem {
    fn into_response(self) -> Response {
        let (status, code) = self.code();
        answer(status, &json!({"error": code, "error_description": self.to_string()}))
    }
}

pub(super) fn answer(status: StatusCode, body: &Value) -> Response {
    let mut response = json_response(status, serde_json::to_vec_pretty(body).unwrap_or_default());
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, max-age=0, must-revalidate"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

pub(super) async fn token(State(app): State<Shared>, request: Request) -> Result<Response, TokenProblem> {
    let (parts, body) = request.into_parts();
    let form = Form::read(body).await?;
    if let Some(note) = parts.extensions.get::<BodyNote>() {
        let basic = parts.headers.contains_key(AUTHORIZATION);
        let method = if basic {
            "basic"
        } else if form.get("client_secret").is_some() {
            "post"
        } else {
            "none"
        };
        note.set(json!({"grant_type": form.get("grant_type"), "client_auth": method}));
    }
    check_client(&app, &parts.headers, &form)?;
    match form.need("grant_type")? {
        "authorization_code" => redeem_code(&app, &form),
        "refresh_token" => refresh(&app, &form),
        other => Err(TokenProblem::GrantType(other.to_owned())),
    }
}

fn check_client(app: &App, headers: &HeaderMap, form: &Form) -> Result<(), TokenProblem> {
    let basic = headers.get(AUTHORIZATION).and_then(|value| {
        let text = value.to_str().ok()?;
        let (scheme, encoded) = text.split_once(' ')?;
        let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (id, secret) = decoded.split_once(':')?;
        // RFC 6749 §2.3.1: both are form-encoded before they are joined.
        scheme.eq_ignore_ascii_case("basic").then(|| (unquote(id), unquote(secret)))
    });
    let (id, secret) = match basic {
        Some((id, secret)) => (id, Some(secret)),
        None => (
            form.get("client_id").ok_or(TokenProblem::NoClient)?.to_owned(),
            form.get("client_secret").map(str::to_owned),
        ),
    };
    if id != app.options.client_id {
        return Err(TokenProblem::UnknownClient);
    }
    let secret = secret.ok_or(TokenProblem::Missing("client_secret"))?;
    if SecretString::from(secret) == app.options.client_secret {
        Ok(())
    } else {
        Err(TokenProblem::WrongSecret)
    }
}

fn unquote(text: &str) -> String {
    form_urlencoded::parse(format!("x={text}").as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

fn redeem_code(app: &App, form: &Form) -> Result<Response, TokenProblem> {
    let presented = form.need("code")?;
    if !presented.starts_with("4/") {
        return Err(TokenProblem::MalformedCode);
    }
    let redirect_uri = form.need("redirect_uri")?;
    let mut oauth = app.oauth();
    // Taken out before anything is checked: a code is for one attempt.
    let code = oauth.codes.remove(presented).ok_or(TokenProblem::DeadCode)?;
    if code.expires <= app.now() {
        return Err(TokenProblem::DeadCode);
    }
    let Code { asked, grant, with_refresh_token, .. } = code;
    if asked.redirect_uri != redirect_uri {
        return Err(TokenProblem::RedirectMismatch);
    }
    verify_challenge(&asked, form)?;
    let token = oauth.issue_access(app, grant, asked.scopes.clone()).ok_or(TokenProblem::DeadCode)?;
    let mut body = json!({"access_token": token, "expires_in": app.options.access_token_lifetime.as_secs()});
    if with_refresh_token {
        body["refresh_token"] = json!(oauth.issue_refresh(app, grant));
    }
    body["scope"] = json!(asked.scopes.join(" "));
    body["token_type"] = json!("Bearer");
    Ok(answer(StatusCode::OK, &body))
}

fn verify_challenge(asked: &Asked, form: &Form) -> Result<(), TokenProblem> {
    let Some(challenge) = &asked.challenge else { return Ok(()) };
    let verifier = form.get("code_verifier").ok_or(TokenProblem::NoVerifier)?;
    let derived = if challenge.sha256 {
        URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
    } else {
        verifier.to_owned()
    };
    if derived == challenge.text { Ok(()) } else { Err(TokenProblem::WrongVerifier) }
}

fn refresh(app: &App, form: &Form) -> Result<Response, TokenProblem> {
    let presented = form.need("refresh_token")?;
    let mut oauth = app.oauth();
    let grant = oauth.refresh.get(presented).copied().ok_or(TokenProblem::DeadRefreshToken)?;
    let granted = oauth.grants.get(&grant).ok_or(TokenProblem::DeadRefreshToken)?.scopes.clone();
    let scopes = match form.get("scope") {
        None => granted,
        Some(narrower) => {
            let wanted: Vec<String> = narrower.split_whitespace().map(str::to_owned).collect();
            if !wanted.iter().all(|scope| granted.contains(scope)) {
                return Err(TokenProblem::WiderScope);
            }
            wanted
        }
    };
    let token = oauth.issue_access(app, grant, scopes.clone()).ok_or(TokenProblem::DeadRefreshToken)?;
    oauth.refreshed += 1;
    Ok(answer(
        StatusCode::OK,
        &json!({
            "access_token": token,
            "expires_in": app.options.access_token_lifetime.as_secs(),
            "scope": scopes.join(" "),
            "token_type": "Bearer",
        }),
    ))
}

/// A short form body.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) async fn read(body: Body) -> Result<Self, TokenProblem> {
        let bytes = Limited::new(body, FORM_LIMIT).collect().await.map_err(|_| TokenProblem::Unreadable)?;
        Ok(Self(form_urlencoded::parse(&bytes.to_bytes()).into_owned().collect()))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn need(&self, name: &'static str) -> Result<&str, TokenProblem> {
        self.get(name).ok_or(TokenProblem::Missing(name))
    }
}
