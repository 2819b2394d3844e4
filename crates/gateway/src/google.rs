//! Credentials towards Google's services (`Authentication` of Apigee X; api-management §3).
//!
//! The operator gives an environment the key of a service account. Tokens are asked for with it as RFC 7523 and
//! Google's page "Using OAuth 2.0 for Server to Server Applications" say, kept by each worker thread, and renewed
//! before they expire.

mod authentication;
mod tokens;

use std::fmt;

use pierhead_domain::{EpochMillis, SecretString};
use pierhead_vault::jose::{self, Header, Key, PrivateKey, SignatureAlgorithm};
use serde::Deserialize;
use serde_json::json;

pub(crate) use authentication::{Authentication, Refused};
pub use tokens::GoogleTokens;

use crate::callout::locate;

/// In whose name Google's services are called.
pub struct GoogleAccount(Account);

enum Account {
    Service { email: Box<str>, key_id: Box<str>, key: Box<Key>, token_uri: Box<str> },
    Given { access: SecretString, identity: SecretString },
}

/// A service account's key that cannot be used. The text holds nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum BadServiceAccount {
    /// It is not the JSON document of a key.
    #[error("it is not the JSON document of a service account's key: {0} is missing or wrong")]
    Field(&'static str),
    /// The private key cannot be read.
    #[error("private_key: {0}")]
    Key(jose::JoseError),
    /// Assertions would go to who should not have them.
    #[error("token_uri is no https URL")]
    TokenUri,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct KeyDocument {
    r#type: String,
    client_email: String,
    private_key_id: String,
    private_key: String,
    token_uri: String,
}

/// Where tokens are asked for when the key does not say it.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// How long an assertion may be used, in seconds.
const ASSERTION_SECONDS: i64 = 3600;

/// What a token is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// An access token for these scopes, parted by blanks.
    Scopes(Box<str>),
    /// An OpenID Connect token for this audience.
    Audience(Box<str>),
}

impl GoogleAccount {
    /// A service account, from the JSON document that Google gives for its key.
    ///
    /// # Errors
    /// When it is none, its key cannot be read, or its `token_uri` is neither `https` nor on this machine.
    pub fn service(document: &str) -> Result<Self, BadServiceAccount> {
        let read: KeyDocument =
            serde_json::from_str(document).map_err(|_| BadServiceAccount::Field("an object"))?;
        if read.r#type != "service_account" {
            return Err(BadServiceAccount::Field("type"));
        }
        if read.client_email.is_empty() {
            return Err(BadServiceAccount::Field("client_email"));
        }
        let key = PrivateKey::read(&read.private_key, None).map_err(BadServiceAccount::Key)?;
        let token_uri = if read.token_uri.is_empty() { TOKEN_URI } else { read.token_uri.as_str() };
        let (endpoint, _) = locate(token_uri).ok_or(BadServiceAccount::TokenUri)?;
        if !endpoint.tls && !matches!(&*endpoint.host, "127.0.0.1" | "[::1]" | "localhost") {
            return Err(BadServiceAccount::TokenUri);
        }
        Ok(Self(Account::Service {
            email: read.client_email.into(),
            key_id: read.private_key_id.into(),
            key: Box::new(Key::Private(key)),
            token_uri: token_uri.into(),
        }))
    }

    /// Tokens that somebody fetched already (`gcloud auth print-access-token`, `print-identity-token`); they are
    /// sent for every scope and audience, and nothing renews them.
    pub const fn given(access: SecretString, identity: SecretString) -> Self {
        Self(Account::Given { access, identity })
    }

    fn given_for(&self, purpose: &Purpose) -> Option<&SecretString> {
        match (&self.0, purpose) {
            (Account::Given { access, .. }, Purpose::Scopes(_)) => Some(access),
            (Account::Given { identity, .. }, Purpose::Audience(_)) => Some(identity),
            (Account::Service { .. }, _) => None,
        }
    }

    /// Who it is, for keeping its tokens apart from another's.
    fn name(&self) -> &str {
        match &self.0 {
            Account::Service { email, .. } => email,
            Account::Given { .. } => "given",
        }
    }

    /// Address and form of a request for a token; `None` when there is nothing to ask, or the key does not sign.
    fn request(&self, purpose: &Purpose, now: EpochMillis) -> Option<(&str, String)> {
        let Account::Service { email, key_id, key, token_uri } = &self.0 else { return None };
        let mut claims = json!({
            "iss": email, "aud": token_uri, "iat": now.seconds(), "exp": now.seconds() + ASSERTION_SECONDS,
        });
        match purpose {
            Purpose::Scopes(scopes) => claims["scope"] = json!(scopes),
            Purpose::Audience(audience) => {
                claims["sub"] = json!(email);
                claims["target_audience"] = json!(audience);
            }
        }
        let algorithm = SignatureAlgorithm::named("RS256")?;
        let mut header = Header::new();
        header.insert("alg".into(), algorithm.name().into());
        header.insert("typ".into(), "JWT".into());
        header.insert("kid".into(), (**key_id).into());
        let assertion = jose::sign_compact(algorithm, key, &header, claims.to_string().as_bytes()).ok()?;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .append_pair("assertion", &assertion)
            .finish();
        Some((token_uri, form))
    }
}

impl fmt::Debug for GoogleAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GoogleAccount").field(&self.name()).finish()
    }
}

#[cfg(test)]
mod tests;
