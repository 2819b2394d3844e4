//! `SetOAuthV2Info`: adds and changes custom attributes of an access token (api-management §9.3).

use std::sync::Arc;

use pierhead_domain::SecretString;

use super::get_oauth_v2_info::unknown;
use super::oauth::variables::TokenVariables;
use super::oauth::{key_of, unavailable};
use super::oauth_v2::settings::{Attribute, attribute};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::setting::Setting;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::tokens::TokenKind;

/// What a token is by itself; attributes of these names are read and change nothing.
const OWN: &[&str] = &[
    "scope",
    "status",
    "expires_in",
    "developer.email",
    "client_id",
    "organization_name",
    "org_name",
    "refresh_count",
];

/// Fault: `steps.oauth.v2.invalid_access_token` 500.
#[derive(Debug)]
struct SetOAuthV2Info {
    token: Setting,
    attributes: Vec<Attribute>,
    prefix: Arc<str>,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["AccessToken", "Attributes"]);
    let root = policy.root;
    let token = Setting::child(policy, root, "AccessToken", &[]);
    if token.is_none() {
        policy.problem(root, "MissingConfigurationElement", "SetOAuthV2Info needs an AccessToken");
    }
    let mut attributes = Vec::new();
    if let Some(element) = root.child("Attributes") {
        policy.only(element, &[], &["Attribute"]);
        attributes.extend(element.children("Attribute").filter_map(|child| attribute(policy, child)));
        attributes.retain(|attribute| !OWN.contains(&attribute.name()));
    }
    let prefix = format!("oauthv2accesstoken.{}.", policy.name).into();
    Some(Box::new(SetOAuthV2Info { token: token?, attributes, prefix }))
}

impl Policy for SetOAuthV2Info {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Wait(Box::pin(self.set(cx)))
    }
}

impl SetOAuthV2Info {
    async fn set(&self, cx: &mut Exchange) -> Result<Next, Fault> {
        let text = self.token.text(cx).map(|text| text.into_owned());
        let text = text.ok_or_else(|| unknown(TokenKind::Access))?;
        let attributes = self.attributes.iter().filter_map(|attribute| attribute.resolve(cx)).collect();
        let set = cx.services.ports.tokens.set_attributes(text.clone(), attributes).await;
        let token = set.map_err(|why| unavailable(&why))?.ok_or_else(|| unknown(TokenKind::Access))?;
        let key = key_of(cx, &token.client_id);
        let mut found = TokenVariables::new(token, key, &cx.snapshot, cx.now());
        found.access = Some(SecretString::new(text));
        cx.variables.provide(&self.prefix, Arc::new(found));
        Ok(Next::Continue)
    }
}

#[cfg(test)]
mod tests;
