//! The OAuth dance of a connector as pure functions: requests to make and answers to read. The hub sends
//! them and keeps the result.

use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use form_urlencoded::Serializer;
use http::{Method, Request, StatusCode, header};
use pierhead_domain::SecretString;
use pierhead_script::{Template, Variables};
use serde_json::{Map, Value};
use url::Url;

use super::scope::connection_value;
use crate::definition::{ClientAuth, Connector, OAuthBlock};

/// What of an instance's configuration the dance reads, by wire key.
pub type Settings<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The OAuth habits of one connector.
#[derive(Debug, Clone, Copy)]
pub struct OAuth<'c> {
    connector: &'c Connector,
    block: &'c OAuthBlock,
}

/// A client id and its secret, as the instance's owner registered them with the vendor.
#[derive(Debug, Clone)]
pub struct OAuthClient {
    /// `oauth.api.key`.
    pub id: String,
    /// `oauth.api.secret`; none for public clients.
    pub secret: Option<SecretString>,
}

/// What an authorize URL is made from.
#[derive(Debug, Clone)]
pub struct AuthorizeAsk<'a> {
    /// `oauth.api.key`.
    pub client_id: &'a str,
    /// `oauth.callback.url`.
    pub redirect_uri: &'a str,
    /// The caller's scopes; the definition's when none.
    pub scope: Option<&'a str>,
    /// Comes back with the code.
    pub state: &'a str,
    /// PKCE verifier; its S256 challenge goes into the URL. Needed when [`OAuth::pkce`].
    pub verifier: Option<&'a str>,
}

/// What the token endpoint is asked for.
#[derive(Debug, Clone)]
pub enum Grant<'a> {
    /// A code for tokens.
    Code {
        /// The code the redirect brought.
        code: &'a str,
        /// Exactly the redirect URI of the authorize URL.
        redirect_uri: &'a str,
        /// The PKCE verifier, if a challenge was sent.
        verifier: Option<&'a str>,
    },
    /// A refresh token for a new access token.
    Refresh {
        /// The refresh token.
        refresh_token: &'a SecretString,
    },
    /// A token for the client itself.
    ClientCredentials {
        /// Scopes; the definition's when none.
        scope: Option<&'a str>,
    },
}

/// A good token answer (RFC 6749 §5.1).
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The access token.
    pub access_token: SecretString,
    /// A refresh token, when the vendor gave one (on refresh: a rotated one; else keep the old).
    pub refresh_token: Option<SecretString>,
    /// How long the access token lives, when the vendor said so.
    pub expires_in: Option<Duration>,
    /// Granted scopes, when the vendor said so.
    pub scope: Option<String>,
    /// Values the definition captures, to be kept as settings.
    pub captured: Vec<(String, String)>,
}

/// Why a dance could not be started or an answer not be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OAuthProblem {
    /// An endpoint is missing or no URL.
    #[error("the {0} endpoint is not a URL: check the settings oauth.authorization.url and oauth.token.url")]
    BadEndpoint(&'static str),
    /// The grant or the client was refused for good: `invalid_grant`, `invalid_client`, … .
    #[error("the vendor refused: {code}{}", .description.as_deref().map(|d| format!(" ({d})")).unwrap_or_default())]
    Refused {
        /// RFC 6749 §5.2 error code, or `http_<status>`.
        code: String,
        /// The vendor's words.
        description: Option<String>,
    },
    /// The vendor is down or throttles; the grant is still good.
    #[error("the vendor's token endpoint is not available (status {0})")]
    Unavailable(StatusCode),
    /// 2xx, but not a token answer.
    #[error("the vendor's token answer cannot be used: {0}")]
    BadAnswer(&'static str),
}

impl<'c> OAuth<'c> {
    /// The OAuth habits of `connector`, if it has any.
    pub fn of(connector: &'c Connector) -> Option<Self> {
        connector.auth.oauth.as_ref().map(|block| Self { connector, block })
    }

    /// Whether a PKCE verifier must be made and kept between the legs.
    pub fn pkce(&self) -> bool {
        self.block.pkce
    }

    /// Refresh this long before a token expires.
    pub fn refresh_before(&self) -> Duration {
        self.connector.auth.refresh_before
    }

    /// The vendor's consent page for this ask. Honours the setting `oauth.authorization.url`.
    pub fn authorize_url(&self, settings: Settings<'_>, ask: &AuthorizeAsk<'_>) -> Result<Url, OAuthProblem> {
        let template = self.block.authorize.as_ref();
        let mut url = self.endpoint(settings, "oauth.authorization.url", template, "authorization")?;
        {
            let mut query = url.query_pairs_mut();
            for (name, value) in &self.block.authorize_params {
                query.append_pair(name, value);
            }
            query.append_pair("client_id", ask.client_id).append_pair("redirect_uri", ask.redirect_uri);
            query.append_pair("response_type", "code");
            let scope = self.scope(ask.scope);
            if !scope.is_empty() {
                query.append_pair("scope", &scope);
            }
            query.append_pair("state", ask.state);
            if let Some(verifier) = ask.verifier.filter(|_| self.block.pkce) {
                query.append_pair("code_challenge", &challenge(verifier));
                query.append_pair("code_challenge_method", "S256");
            }
        }
        Ok(url)
    }

    /// The token endpoint. Honours the setting `oauth.token.url`.
    pub fn token_url(&self, settings: Settings<'_>) -> Result<Url, OAuthProblem> {
        self.endpoint(settings, "oauth.token.url", Some(&self.block.token), "token")
    }

    /// The request that asks the token endpoint for `grant`.
    pub fn token_request(
        &self,
        settings: Settings<'_>,
        client: &OAuthClient,
        grant: &Grant<'_>,
    ) -> Result<Request<Bytes>, OAuthProblem> {
        let mut form = Serializer::new(String::new());
        match grant {
            Grant::Code { code, redirect_uri, verifier } => {
                form.append_pair("grant_type", "authorization_code").append_pair("code", code);
                form.append_pair("redirect_uri", redirect_uri);
                if let Some(verifier) = verifier.filter(|_| self.block.pkce) {
                    form.append_pair("code_verifier", verifier);
                }
            }
            Grant::Refresh { refresh_token } => {
                form.append_pair("grant_type", "refresh_token");
                form.append_pair("refresh_token", refresh_token.expose());
            }
            Grant::ClientCredentials { scope } => {
                form.append_pair("grant_type", "client_credentials");
                let scope = self.scope(*scope);
                if !scope.is_empty() {
                    form.append_pair("scope", &scope);
                }
            }
        }
        for (name, value) in &self.block.token_params {
            form.append_pair(name, value);
        }
        self.client_request(&self.token_url(settings)?, client, form)
    }

    /// The request that revokes `token` (RFC 7009), when the vendor can.
    pub fn revoke_request(
        &self,
        settings: Settings<'_>,
        client: &OAuthClient,
        token: &SecretString,
    ) -> Option<Request<Bytes>> {
        let template = self.block.revoke.as_ref();
        let url = self.endpoint(settings, "oauth.token.revoke_url", template, "revocation").ok()?;
        let mut form = Serializer::new(String::new());
        form.append_pair("token", token.expose());
        self.client_request(&url, client, form).ok()
    }

    /// Reads the answer to a token request. Pure; `body` is the whole answer.
    pub fn read_tokens(&self, status: StatusCode, body: &[u8]) -> Result<Tokens, OAuthProblem> {
        let json: Option<Map<String, Value>> = serde_json::from_slice(body).ok();
        let text = |name: &str| match json.as_ref()?.get(name)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(OAuthProblem::Unavailable(status));
        }
        if let Some(code) = text("error") {
            return Err(OAuthProblem::Refused { code, description: text("error_description") });
        }
        if !status.is_success() {
            return Err(OAuthProblem::Refused {
                code: format!("http_{}", status.as_u16()),
                description: None,
            });
        }
        if json.is_none() {
            return Err(OAuthProblem::BadAnswer("it is not a JSON object"));
        }
        let access_token = text("access_token").ok_or(OAuthProblem::BadAnswer("it has no access_token"))?;
        let seconds = text("expires_in").and_then(|seconds| seconds.parse::<f64>().ok());
        let seconds = seconds.filter(|seconds| seconds.is_finite() && *seconds > 0.0 && *seconds < 1e10);
        let whole = json.clone().map(Value::Object).unwrap_or_default();
        let captured = self.block.capture.iter().filter_map(|(name, at)| {
            let value = at.first(&whole, &Variables::none()).ok().flatten()?;
            value.as_str().map(|text| (name.clone(), text.to_owned()))
        });
        Ok(Tokens {
            access_token: access_token.into(),
            refresh_token: text("refresh_token").map(SecretString::from),
            expires_in: seconds.map(Duration::from_secs_f64),
            scope: text("scope"),
            captured: captured.collect(),
        })
    }

    fn scope(&self, asked: Option<&str>) -> String {
        match asked.filter(|scope| !scope.trim().is_empty()) {
            Some(scope) => scope.to_owned(),
            None => self.block.scopes.join(&self.block.scope_separator),
        }
    }

    fn client_request(
        &self,
        url: &Url,
        client: &OAuthClient,
        mut form: Serializer<'_, String>,
    ) -> Result<Request<Bytes>, OAuthProblem> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(url.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        match (self.block.client_auth, &client.secret) {
            (ClientAuth::Basic, Some(secret)) => {
                // RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
                let encode =
                    |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", encode(&client.id), encode(secret.expose()));
                let value = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
                request = request.header(header::AUTHORIZATION, value);
            }
            (ClientAuth::Post, Some(secret)) => {
                form.append_pair("client_id", &client.id).append_pair("client_secret", secret.expose());
            }
            (ClientAuth::None, _) | (_, None) => {
                form.append_pair("client_id", &client.id);
            }
        }
        request.body(Bytes::from(form.finish())).map_err(|_| OAuthProblem::BadEndpoint("token"))
    }

    fn endpoint(
        &self,
        settings: Settings<'_>,
        key: &str,
        template: Option<&Template>,
        what: &'static str,
    ) -> Result<Url, OAuthProblem> {
        let named = settings(key).filter(|url| !url.trim().is_empty());
        let text = match (named, template) {
            (Some(url), _) => url,
            (None, Some(template)) => {
                let connection = connection_value(self.connector, settings);
                let variables = Variables::none().with("connection", &connection);
                template.render(&Value::Null, &variables).map_err(|_| OAuthProblem::BadEndpoint(what))?
            }
            (None, None) => return Err(OAuthProblem::BadEndpoint(what)),
        };
        let url = Url::parse(text.trim()).map_err(|_| OAuthProblem::BadEndpoint(what))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(OAuthProblem::BadEndpoint(what));
        }
        Ok(url)
    }
}

/// The S256 challenge of a PKCE verifier (RFC 7636 §4.2).
fn challenge(verifier: &str) -> String {
    use sha2::Digest as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(verifier.as_bytes()))
}
