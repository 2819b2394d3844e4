//! The `auth` block: how instances of a connector authenticate.

use std::time::Duration;

use pierhead_script::{Escape, Program, Template};

use super::block::Block;

/// How instances authenticate, and where the credential goes.
#[derive(Debug, Clone)]
pub struct Auth {
    /// The kind.
    pub scheme: Scheme,
    /// The OAuth endpoints and habits, for the OAuth kinds.
    pub oauth: Option<OAuthBlock>,
    /// Refresh this long before expiry.
    pub refresh_before: Duration,
    /// Headers to put into every request; `credential.<part>` names secret material.
    pub(crate) headers: Vec<(http::HeaderName, Template)>,
    /// Query parameters to put into every request.
    pub(crate) query: Vec<(String, Template)>,
}

/// The kinds of authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// No credentials.
    None,
    /// A key from the configuration.
    ApiKey,
    /// Settings `username` and `password`.
    Basic,
    /// A token from the configuration.
    Bearer,
    /// OAuth 2.0 authorization code, with PKCE where the definition says so.
    OAuth2Code,
    /// OAuth 2.0 client credentials.
    OAuth2ClientCredentials,
}

impl Scheme {
    /// `authentication.type` on the wire.
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::None | Self::Bearer => "custom",
            Self::ApiKey => "apiKey",
            Self::Basic => "basic",
            Self::OAuth2Code | Self::OAuth2ClientCredentials => "oauth2",
        }
    }

    /// Whether an authorization server issues the credential.
    pub fn is_oauth(self) -> bool {
        matches!(self, Self::OAuth2Code | Self::OAuth2ClientCredentials)
    }
}

/// The OAuth part of a definition.
#[derive(Debug, Clone)]
pub struct OAuthBlock {
    /// Authorization endpoint (the setting `oauth.authorization.url` wins).
    pub(crate) authorize: Option<Template>,
    /// Token endpoint (the setting `oauth.token.url` wins).
    pub(crate) token: Template,
    /// Revocation endpoint (RFC 7009), when the vendor has one (the setting `oauth.token.revoke_url` wins).
    pub(crate) revoke: Option<Template>,
    /// How the client authenticates at the token endpoint.
    pub client_auth: ClientAuth,
    /// Send a PKCE challenge (S256).
    pub pkce: bool,
    /// Scopes asked for when the instance names none.
    pub scopes: Vec<String>,
    /// Between scopes; usually a blank.
    pub scope_separator: String,
    /// More parameters of the authorize URL.
    pub authorize_params: Vec<(String, String)>,
    /// More parameters of the token call.
    pub token_params: Vec<(String, String)>,
    /// Values to keep from the token answer: setting name and where it stands.
    pub(crate) capture: Vec<(String, Program)>,
}

/// How a client shows itself at the token endpoint (RFC 6749 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// `Authorization: Basic`.
    Basic,
    /// `client_id` and `client_secret` in the form body.
    Post,
    /// `client_id` only: a public client.
    None,
}

/// Variables the `apply` block may use.
const APPLY_NAMES: &[&str] = &["connection", "credential"];

impl Auth {
    /// Reads the `auth` list. One kind per definition for now; the list is the format's, so that a second
    /// choice needs no new version of it.
    pub(crate) fn read(definition: &Block<'_>) -> Option<Self> {
        let choices = definition.blocks("auth", "auth");
        match choices.as_slice() {
            [block] => Self::read_block(block),
            _ => {
                definition.mistake("auth", "needs a list of exactly one kind of authentication");
                None
            }
        }
    }

    fn read_block(block: &Block<'_>) -> Option<Self> {
        const SCHEMES: &[(&str, Scheme)] = &[
            ("none", Scheme::None),
            ("api_key", Scheme::ApiKey),
            ("basic", Scheme::Basic),
            ("bearer", Scheme::Bearer),
            ("oauth2_code", Scheme::OAuth2Code),
            ("oauth2_client_credentials", Scheme::OAuth2ClientCredentials),
        ];
        let scheme = block.choice("scheme", SCHEMES);
        if scheme.is_none() {
            block.mistake("scheme", "is required");
        }
        let oauth = OAuthBlock::read(block);
        if scheme.is_some_and(Scheme::is_oauth) && oauth.is_none() {
            block.mistake("oauth", "is required for this scheme");
        }
        let lifecycle = block.block("lifecycle", "lifecycle");
        let refresh_before = lifecycle.as_ref().and_then(|lifecycle| lifecycle.duration("refresh_before"));
        let apply = block.block("apply", "apply");
        let headers = apply.as_ref().map_or_else(Vec::new, |apply| apply.headers("headers", APPLY_NAMES));
        let query = apply.as_ref().map_or_else(Vec::new, |apply| apply.templates("query", APPLY_NAMES));
        Some(Self {
            scheme: scheme?,
            oauth,
            refresh_before: refresh_before.unwrap_or(Duration::from_secs(300)),
            headers,
            query,
        })
    }
}

impl OAuthBlock {
    fn read(auth: &Block<'_>) -> Option<Self> {
        const CLIENT_AUTH: &[(&str, ClientAuth)] =
            &[("basic", ClientAuth::Basic), ("post", ClientAuth::Post), ("none", ClientAuth::None)];
        let block = auth.block("oauth", "oauth")?;
        let url = |key: &str| block.template(key, Escape::None, &["connection"]);
        let (authorize, token, revoke) = (url("authorize"), url("token"), url("revoke"));
        if token.is_none() {
            block.mistake("token", "is required");
        }
        let client_auth = block.choice("client_auth", CLIENT_AUTH).unwrap_or(ClientAuth::Basic);
        let pkce = block.flag("pkce").unwrap_or(false);
        let scopes = block.texts("scopes");
        let scope_separator = block.text("scope_separator").unwrap_or_else(|| " ".to_owned());
        let params = block.block("params", "oauth params");
        let leg = |name: &str| -> Vec<(String, String)> {
            let Some(leg) = params.as_ref().and_then(|params| params.block(name, "texts")) else {
                return Vec::new();
            };
            let pair = |(key, _): &(String, _)| leg.text(key).map(|value| (key.clone(), value));
            leg.members().iter().filter_map(pair).collect()
        };
        let (authorize_params, token_params) = (leg("authorize"), leg("token"));
        let capture = block.block("capture", "capture").map_or_else(Vec::new, |capture| {
            let Some(token) = capture.block("token", "mapping") else { return Vec::new() };
            let field =
                |(name, _): &(String, _)| token.program(name, &[]).map(|program| (name.clone(), program));
            token.members().iter().filter_map(field).collect()
        });
        Some(Self {
            authorize,
            token: token?,
            revoke,
            client_auth,
            pkce,
            scopes,
            scope_separator,
            authorize_params,
            token_params,
            capture,
        })
    }
}
