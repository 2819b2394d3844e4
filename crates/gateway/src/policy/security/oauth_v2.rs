//! `OAuthV2`: issues, refreshes, verifies and revokes tokens of OAuth 2.0 (api-management §9.3).

mod answer;
mod authorize;
mod generate;
mod jwt;
mod refresh;
mod request;
pub(super) mod settings;
mod standing;
mod verify;

pub(super) use self::request::new_text;

use self::jwt::JwtKey;
use self::settings::{Operation, Settings};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::{Compiled, Next, Policy, PolicyRun};

/// One operation on tokens. Their state leaves through [`crate::tokens::Tokens`].
///
/// Verifying faults: `keymanagement.service.invalid_access_token`, `…access_token_expired`,
/// `…access_token_not_approved`, `…InvalidAPICallAsNoApiProductMatchFound`, `oauth.v2.InvalidAccessToken`,
/// `steps.oauth.v2.FailedToResolveAccessToken` 401, `steps.oauth.v2.InsufficientScope` 403. Requests for tokens
/// are refused as `oauth::problem` lists; 503 `steps.oauth.v2.TokensUnavailable` while the store is away.
#[derive(Debug)]
struct OAuthV2 {
    settings: Settings,
    jwt: Option<JwtKey>,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    let settings = Settings::of(policy)?;
    let jwt = if settings.operation.is_jwt() { Some(JwtKey::of(policy, settings.operation)?) } else { None };
    Some(Box::new(OAuthV2 { settings, jwt }))
}

impl Policy for OAuthV2 {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        // A token that memory knows is verified without waiting.
        if self.settings.operation == Operation::Verify
            && let Some(verified) = verify::at_once(&self.settings, cx)
        {
            return PolicyRun::Done(verified);
        }
        if let (Operation::VerifyJwt, Some(key)) = (self.settings.operation, &self.jwt) {
            return PolicyRun::Done(jwt::verify(&self.settings, key, cx));
        }
        PolicyRun::Wait(Box::pin(self.run_waiting(cx)))
    }
}

impl OAuthV2 {
    async fn run_waiting(&self, cx: &mut Exchange) -> Result<Next, Fault> {
        let settings = &self.settings;
        match settings.operation {
            Operation::Generate | Operation::GenerateJwt => {
                generate::run(settings, self.jwt.as_ref(), cx).await
            }
            Operation::Refresh | Operation::RefreshJwt => refresh::run(settings, self.jwt.as_ref(), cx).await,
            Operation::Code => authorize::code(settings, cx).await,
            Operation::Implicit => authorize::implicit(settings, cx).await,
            Operation::Verify => verify::run(settings, cx).await,
            Operation::Invalidate => standing::set(settings, cx, true).await,
            Operation::Validate => standing::set(settings, cx, false).await,
            Operation::VerifyJwt => Ok(Next::Continue),
        }
    }
}

#[cfg(test)]
mod tests;
