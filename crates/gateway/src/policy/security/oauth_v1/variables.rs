//! What variables show of a token of OAuth 1.0.

use std::sync::Arc;

use pierhead_domain::SecretString;

use crate::exchange::ComputedVariables;
use crate::policy::security::verify_api_key::Verified;
use crate::tokens::Token;
use crate::variable::Value;

/// The attribute that holds the token's secret, which signing needs; sealed in the store with all attributes.
pub(crate) const SECRET: &str = "oauth_token_secret";

/// A token with its text.
pub(crate) struct Found {
    pub(crate) token: Arc<Token>,
    pub(crate) text: SecretString,
    pub(crate) verifier: Option<SecretString>,
    pub(crate) client: Option<Verified>,
}

impl ComputedVariables for Found {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        let token = &*self.token;
        Some(match name {
            "oauth_token" | "access_token" | "request_token" => Value::owned(self.text.expose().to_owned()),
            SECRET => Value::text(token.attribute(SECRET)?),
            "oauth_verifier" => Value::owned(self.verifier.as_ref()?.expose().to_owned()),
            "oauth_callback" => Value::text(token.redirect_uri.as_deref()?),
            "client_id" | "consumer_key" => Value::text(&token.client_id),
            "app_id" => Value::text(&token.app_id),
            "app_enduser" => Value::text(token.end_user.as_deref()?),
            "issued_at" => Value::Long(token.issued_at),
            "expires_at" => Value::Long(token.expires_at?),
            "status" => Value::text(if token.revoked { "revoked" } else { "approved" }),
            "failed" => return None,
            name => match token.attribute(name.strip_prefix("accesstoken.").unwrap_or(name)) {
                Some(value) => Value::text(value),
                None => return self.client.as_ref()?.get(name),
            },
        })
    }
}

/// What verifying a token sets without a prefix.
pub(crate) struct Global(pub(crate) Arc<Found>);

impl ComputedVariables for Global {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        let is_own = matches!(name, "access_token" | "client_id" | "app_enduser" | "issued_at");
        let by_prefix = ["apiproduct.", "developer.", "app."].iter().any(|prefix| name.starts_with(prefix));
        if is_own || by_prefix { self.0.get(name) } else { None }
    }
}
