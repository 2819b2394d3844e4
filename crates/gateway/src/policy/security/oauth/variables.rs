//! Variables of tokens; computed when somebody reads them.

use std::sync::Arc;

use pierhead_domain::{EpochMillis, SecretString};

use crate::exchange::ComputedVariables;
use crate::policy::security::oauth::Entitlement;
use crate::policy::security::verify_api_key::Verified;
use crate::snapshot::{ApiKey, Snapshot};
use crate::tokens::Token;
use crate::variable::Value;

/// A token as variables show it.
pub(crate) struct TokenVariables {
    pub(crate) token: Arc<Token>,
    /// The text, where the policy has it.
    pub(crate) access: Option<SecretString>,
    pub(crate) refresh: Option<SecretString>,
    pub(crate) code: Option<SecretString>,
    /// The client's key, with the product that was chosen or the first one.
    pub(crate) client: Option<Verified>,
    /// What the exchange sees.
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) now: EpochMillis,
}

/// Whole seconds until a moment, one less as the original tells them; `0` where there is none.
pub(crate) fn seconds_left(expires_at: Option<i64>, now: EpochMillis) -> i64 {
    expires_at.map_or(0, |at| ((at - now.as_i64()).max(0) / 1000 - 1).max(0))
}

impl TokenVariables {
    pub(crate) fn new(
        token: Arc<Token>,
        key: Option<Arc<ApiKey>>,
        snapshot: &Arc<Snapshot>,
        now: EpochMillis,
    ) -> Self {
        let client = key.map(|key| Verified::new(key, Entitlement::default(), &token.client_id));
        Self { token, access: None, refresh: None, code: None, client, snapshot: snapshot.clone(), now }
    }
}

impl ComputedVariables for TokenVariables {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        let token = &*self.token;
        let secret = |text: &'_ Option<SecretString>| text.as_ref().map(|text| text.expose().to_owned());
        let status = |revoked: bool| Value::text(if revoked { "revoked" } else { "approved" });
        Some(match name {
            "access_token" => Value::owned(secret(&self.access)?),
            "refresh_token" => Value::owned(secret(&self.refresh)?),
            "code" => Value::owned(secret(&self.code)?),
            "token_type" => Value::text("BearerToken"),
            "client_id" => Value::text(&token.client_id),
            "grant_type" => Value::text(&token.grant_type),
            "scope" => Value::text(&token.scope),
            "status" => status(token.revoked),
            "issued_at" => Value::Long(token.issued_at),
            "expires_in" => Value::Long(seconds_left(token.expires_at, self.now)),
            "redirect_uri" => Value::text(token.redirect_uri.as_deref()?),
            "app_enduser" => Value::text(token.end_user.as_deref()?),
            "organization_name" => Value::text(self.snapshot.organization()),
            "refresh_count" => Value::Long(token.refresh.as_ref().map_or(0, |part| part.count.into())),
            "refresh_token_issued_at" => Value::Long(token.refresh.as_ref()?.issued_at),
            "refresh_token_expires_in" => {
                Value::Long(seconds_left(token.refresh.as_ref().and_then(|part| part.expires_at), self.now))
            }
            "refresh_token_status" => status(token.refresh.as_ref().map(|_| token.revoked)?),
            "application_name" => Value::text(&token.app_id),
            "api_product_list" => self.client.as_ref()?.get("app.apiproducts")?,
            "client_secret" | "failed" | "DisplayName" => return None,
            name => {
                if let Some(name) = name.strip_prefix("accesstoken.") {
                    return token.attribute(name).map(Value::text);
                }
                if let Some(value) = token.attribute(name) {
                    return Some(Value::text(value));
                }
                return self.client.as_ref()?.get(name);
            }
        })
    }
}

/// What verifying a token sets without a prefix.
pub(crate) struct Global(pub(crate) Arc<TokenVariables>);

impl ComputedVariables for Global {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        let is_own = matches!(
            name,
            "access_token"
                | "client_id"
                | "grant_type"
                | "scope"
                | "status"
                | "issued_at"
                | "expires_in"
                | "token_type"
                | "organization_name"
                | "app_enduser"
        );
        let by_prefix = ["accesstoken.", "apiproduct.", "developer.", "app."]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        if is_own || by_prefix { self.0.get(name) } else { None }
    }
}
