//! `DeleteOAuthV1Info`: forgets a token (api-management §9.3, Apigee Edge only).

use super::get_oauth_v1_info::unknown;
use super::oauth::unavailable;
use super::oauth_v1::stored;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::setting::Setting;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::tokens::TokenKind;

/// Fault, 500: `steps.oauth.v1.TokenRejected`. Unsourced: name and status.
#[derive(Debug)]
struct DeleteOAuthV1Info {
    tokens: Vec<(TokenKind, Setting)>,
    /// Takes back what the end user agreed to: together with the request token.
    verifier: Option<Setting>,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["AccessToken", "OAuthConfig", "RequestToken", "Verifier"]);
    let root = policy.root;
    let mut tokens = Vec::new();
    for (kind, name) in [(TokenKind::Access, "AccessToken"), (TokenKind::Code, "RequestToken")] {
        tokens.extend(Setting::child(policy, root, name, &["type"]).map(|setting| (kind, setting)));
    }
    let verifier = Setting::child(policy, root, "Verifier", &["type"]);
    let has_request = tokens.iter().any(|(kind, _)| *kind == TokenKind::Code);
    if tokens.is_empty() || verifier.is_some() && !has_request {
        let message =
            "the policy needs an AccessToken or a RequestToken; a Verifier goes with a RequestToken";
        policy.problem(root, "MissingConfigurationElement", message);
    }
    Some(Box::new(DeleteOAuthV1Info { tokens, verifier }))
}

impl Policy for DeleteOAuthV1Info {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Wait(Box::pin(self.delete(cx)))
    }
}

impl DeleteOAuthV1Info {
    async fn delete(&self, cx: &mut Exchange) -> Result<Next, Fault> {
        let verifier = match &self.verifier {
            Some(setting) => Some(setting.text(cx).ok_or_else(unknown)?.into_owned()),
            None => None,
        };
        for (kind, setting) in &self.tokens {
            let text = setting.text(cx).map(|text| text.into_owned()).ok_or_else(unknown)?;
            let text = match &verifier {
                Some(verifier) if *kind == TokenKind::Code => stored(&format!("{text}:{verifier}")),
                _ => stored(&text),
            };
            let removed = cx.services.ports.tokens.remove(*kind, text).await;
            if !removed.map_err(|why| unavailable(&why))? {
                return Err(unknown());
            }
        }
        Ok(Next::Continue)
    }
}

#[cfg(test)]
mod tests;
