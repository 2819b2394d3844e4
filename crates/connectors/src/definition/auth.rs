//! The `auth` block: how instances of a connector authenticate.

use std::time::Duration;

use pierhead_script::{Program, Template};

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
