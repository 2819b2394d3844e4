//! `GetOAuthV1Info`: shows what is known of a token or a client (api-management §9.3, Apigee Edge only).

use std::sync::Arc;

use pierhead_domain::SecretString;

use super::oauth::{Entitlement, key_of, unavailable};
use super::oauth_v1::stored;
use super::oauth_v1::variables::Found;
use super::verify_api_key::Verified;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::setting::Setting;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::tokens::TokenKind;

/// Faults, both 500: `steps.oauth.v1.TokenRejected`, `steps.oauth.v1.ConsumerKeyUnknown`. Unsourced: names and status.
#[derive(Debug)]
struct GetOAuthV1Info {
    tokens: Vec<(TokenKind, Setting, Arc<str>)>,
    client: Option<(Setting, Arc<str>)>,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["AccessToken", "AppKey", "ConsumerKey", "OAuthConfig", "RequestToken"]);
    let root = policy.root;
    let mut tokens = Vec::new();
    for (kind, element, prefix) in [
        (TokenKind::Access, "AccessToken", "oauthv1accesstoken"),
        (TokenKind::Code, "RequestToken", "oauthv1requesttoken"),
    ] {
        if let Some(setting) = Setting::child(policy, root, element, &["type"]) {
            tokens.push((kind, setting, format!("{prefix}.{}.", policy.name).into()));
        }
    }
    let client = Setting::child(policy, root, "ConsumerKey", &["type"]);
    let client = client.or_else(|| Setting::child(policy, root, "AppKey", &["type"]));
    let client = client.map(|setting| (setting, format!("oauthv1client.{}.", policy.name).into()));
    if tokens.is_empty() && client.is_none() {
        let message = "the policy needs an AccessToken, a RequestToken, a ConsumerKey or an AppKey";
        policy.problem(root, "MissingConfigurationElement", message);
    }
    Some(Box::new(GetOAuthV1Info { tokens, client }))
}

impl Policy for GetOAuthV1Info {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Wait(Box::pin(self.show(cx)))
    }
}

impl GetOAuthV1Info {
    async fn show(&self, cx: &mut Exchange) -> Result<Next, Fault> {
        for (kind, setting, prefix) in &self.tokens {
            let text = setting.text(cx).map(|text| text.into_owned()).ok_or_else(unknown)?;
            let found = cx.services.ports.tokens.find(*kind, stored(&text)).await;
            let token = found.map_err(|why| unavailable(&why))?.ok_or_else(unknown)?;
            let client = key_of(cx, &token.client_id)
                .map(|key| Verified::new(key, Entitlement::default(), &token.client_id));
            let found = Found { token, text: SecretString::new(text), verifier: None, client };
            cx.variables.provide(prefix, Arc::new(found));
        }
        if let Some((setting, prefix)) = &self.client {
            let found = setting
                .text(cx)
                .and_then(|id| Some(Verified::new(key_of(cx, &id)?, Entitlement::default(), &id)));
            let found = found.ok_or_else(|| {
                Fault::internal("steps.oauth.v1.ConsumerKeyUnknown", "The consumer key is unknown")
            })?;
            cx.variables.provide(prefix, Arc::new(found));
        }
        Ok(Next::Continue)
    }
}

/// There is no such token.
pub(super) fn unknown() -> Fault {
    Fault::internal("steps.oauth.v1.TokenRejected", "The token is unknown")
}

#[cfg(test)]
mod tests;
