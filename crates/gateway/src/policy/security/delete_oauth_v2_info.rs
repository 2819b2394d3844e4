//! `DeleteOAuthV2Info`: forgets an access token or an authorization code (api-management §9.3).

use super::get_oauth_v2_info::unknown;
use super::oauth::unavailable;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::setting::Setting;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::tokens::TokenKind;

/// Faults, both 500: `steps.oauth.v2.invalid_access_token`,
/// `steps.oauth.v2.invalid_request-authorization_code_invalid`.
#[derive(Debug)]
struct DeleteOAuthV2Info(Vec<(TokenKind, Setting)>);

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["AccessToken", "AuthorizationCode"]);
    let root = policy.root;
    let mut tokens = Vec::new();
    for (kind, name) in [(TokenKind::Access, "AccessToken"), (TokenKind::Code, "AuthorizationCode")] {
        tokens.extend(Setting::child(policy, root, name, &[]).map(|setting| (kind, setting)));
    }
    if tokens.is_empty() {
        let message = "DeleteOAuthV2Info needs an AccessToken or an AuthorizationCode";
        policy.problem(root, "MissingConfigurationElement", message);
    }
    Some(Box::new(DeleteOAuthV2Info(tokens)))
}

impl Policy for DeleteOAuthV2Info {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Wait(Box::pin(self.delete(cx)))
    }
}

impl DeleteOAuthV2Info {
    async fn delete(&self, cx: &mut Exchange) -> Result<Next, Fault> {
        for (kind, setting) in &self.0 {
            let text = setting.text(cx).map(|text| text.into_owned()).ok_or_else(|| unknown(*kind))?;
            let removed = cx.services.ports.tokens.remove(*kind, text).await;
            if !removed.map_err(|why| unavailable(&why))? {
                return Err(unknown(*kind));
            }
        }
        Ok(Next::Continue)
    }
}

#[cfg(test)]
mod tests;
