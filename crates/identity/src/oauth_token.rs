//! `/oauth/token`: access tokens for service keys (RFC 6749 §4.4), as clients of the original ask for them:
//! GET and POST, parameters in the query or a form, the client in Basic or the form (api-management §8.2).

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pierhead_domain::{Role, Roles, SecretString};
use pierhead_store::identity::StoredAccessToken;
use pierhead_web::{Credentials, Problem, body};
use serde_json::json;

use crate::credentials::{self, kind};
use crate::{Identity, IdentityProblem};

const FORM_BYTES: usize = 16 * 1024;

/// An error of the token endpoint (RFC 6749 §5.2).
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenProblem {
    #[error("{0}")]
    Request(&'static str),
    #[error("the client id or secret is not right")]
    Client,
    #[error("the only grant_type here is client_credentials")]
    GrantType,
    #[error("scope asks for a role that the service key does not have")]
    Scope,
    #[error("the store failed")]
    Inner(#[from] IdentityProblem),
}

impl Problem for TokenProblem {
    fn status(&self) -> StatusCode {
        match self {
            Self::Request(_) | Self::GrantType | Self::Scope => StatusCode::BAD_REQUEST,
            Self::Client => StatusCode::UNAUTHORIZED,
            Self::Inner(inner) => inner.status(),
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::Request(_) => "invalid_request",
            Self::Client => "invalid_client",
            Self::GrantType => "unsupported_grant_type",
            Self::Scope => "invalid_scope",
            Self::Inner(IdentityProblem::Body(_)) => "invalid_request",
            Self::Inner(_) => "server_error",
        }
    }
}

pierhead_web::answer_as_oauth!(TokenProblem);

/// `GET` and `POST /oauth/token`.
pub(crate) async fn issue(
    State(identity): State<Identity>,
    request: Request,
) -> Result<Response, TokenProblem> {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    let mut parameters = Parameters::default();
    parameters.read(query.as_bytes())?;
    if parameters.client_secret.is_some() {
        // Addresses end up in logs; the form and the header do not.
        return Err(TokenProblem::Request("client_secret must not stand in the address"));
    }
    if parts.method == Method::POST {
        parameters.read(&form(&parts.headers, body).await?)?;
    }
    let (client_id, secret) = client(&parts.headers, &mut parameters)?;
    match parameters.grant_type.as_deref() {
        None => return Err(TokenProblem::Request("grant_type is required")),
        Some("client_credentials") => {}
        Some(_) => return Err(TokenProblem::GrantType),
    }
    let key = identity.service_key(&client_id, &secret).await?.ok_or(TokenProblem::Client)?;
    let roles = granted(&key.roles, parameters.scope.as_deref())?;
    let active = identity.service_caller(key.organization, &key.client_id, roles.clone()).await?;
    active.ok_or(TokenProblem::Client)?;
    let (token, now) = (credentials::access_token(identity.0.rng.as_ref()), identity.now());
    let longest = now.plus(identity.0.settings.access_token_ttl);
    let expires = key.expires.map_or(longest, |expires| expires.min(longest));
    let stored = StoredAccessToken {
        token_hash: identity.hash(kind::ACCESS, token.expose()),
        client_id: key.client_id,
        roles: roles.clone(),
        expires,
    };
    keep(&identity, &stored).await?;
    Ok(answer(&token, expires.since(now).as_secs(), &roles))
}

async fn keep(identity: &Identity, token: &StoredAccessToken) -> Result<(), IdentityProblem> {
    let tx = identity.0.store.write().await?;
    tx.add_access_token(token, identity.now()).await?;
    Ok(tx.commit().await?)
}

fn answer(token: &SecretString, expires_in: u64, roles: &Roles) -> Response {
    let body = json!({
        "access_token": token.expose(),
        "token_type": "bearer",
        "expires_in": expires_in,
        "scope": roles.iter().map(Role::key).collect::<Vec<_>>().join(" "),
    });
    let mut response = Json(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// The key's roles, or those of them that `scope` asks for.
fn granted(held: &Roles, scope: Option<&str>) -> Result<Roles, TokenProblem> {
    let asked: Vec<&str> = scope.unwrap_or_default().split_whitespace().collect();
    if asked.is_empty() {
        return Ok(held.clone());
    }
    let role = |key: &str| key.parse::<Role>().ok().filter(|role| held.has(*role)).ok_or(TokenProblem::Scope);
    asked.into_iter().map(role).collect()
}

#[derive(Default)]
struct Parameters {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<SecretString>,
    scope: Option<String>,
}

impl Parameters {
    /// Reads pairs; what is unknown is ignored, what stands twice is refused (RFC 6749 §3.2).
    fn read(&mut self, pairs: &[u8]) -> Result<(), TokenProblem> {
        for (name, value) in form_urlencoded::parse(pairs) {
            let twice = match name.as_ref() {
                "grant_type" => self.grant_type.replace(value.into_owned()).is_some(),
                "client_id" => self.client_id.replace(value.into_owned()).is_some(),
                "client_secret" => self.client_secret.replace(value.into_owned().into()).is_some(),
                "scope" => self.scope.replace(value.into_owned()).is_some(),
                _ => false,
            };
            if twice {
                return Err(TokenProblem::Request("a parameter stands twice"));
            }
        }
        Ok(())
    }
}

async fn form(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, TokenProblem> {
    let bytes = body::read(body, FORM_BYTES).await.map_err(IdentityProblem::from)?;
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if bytes.is_empty() || media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Ok(bytes.to_vec())
    } else {
        Err(TokenProblem::Request("the body must be a form (application/x-www-form-urlencoded)"))
    }
}

/// The client, from the header or the form; from both only when they agree on the id.
fn client(headers: &HeaderMap, parameters: &mut Parameters) -> Result<(String, SecretString), TokenProblem> {
    let header = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    let Some(header) = header else {
        return match (parameters.client_id.take(), parameters.client_secret.take()) {
            (Some(id), Some(secret)) => Ok((id, secret)),
            _ => Err(TokenProblem::Client),
        };
    };
    let Ok(Credentials::Basic { name, password }) = header.parse() else { return Err(TokenProblem::Client) };
    let other_id = parameters.client_id.as_ref().is_some_and(|id| *id != name);
    if other_id || parameters.client_secret.is_some() {
        return Err(TokenProblem::Request("the client shows itself in the header and in the form"));
    }
    Ok((name, password))
}
