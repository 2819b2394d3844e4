//! `DecodeJWT`: shows what is in a token without believing it (api-management §9.3).

use std::sync::Arc;

use pierhead_vault::jose::{Encrypted, Signed};

use super::jose::variables::Found;
use super::jose::{Family, source, token};
use super::verify_jwt::claims_of;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::variable::Variable;

/// Faults, all 401: `steps.jwt.FailedToDecode`, `steps.jwt.InvalidToken`, `steps.jwt.MissingPayload`,
/// `steps.jwt.InvalidJsonFormat`. Of an encrypted token only the header is shown.
#[derive(Debug)]
struct DecodeJwt {
    name: Arc<str>,
    source: Variable,
    prefix: Arc<str>,
}

const FAMILY: Family = Family::Jwt;

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["Source"]);
    let source = source(policy);
    let prefix = format!("jwt.{}.", policy.name).into();
    Some(Box::new(DecodeJwt { name: policy.name.clone(), source: source?, prefix }))
}

impl Policy for DecodeJwt {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.decode(cx).map(|found| {
            cx.variables.provide(&self.prefix, Arc::new(found));
            Next::Continue
        }))
    }
}

impl DecodeJwt {
    fn decode(&self, cx: &Exchange) -> Result<Found, Fault> {
        let text = token(cx, &self.source, FAMILY, &self.name)?;
        let failed =
            |_| FAMILY.fault("FailedToDecode", format!("Failed to decode the token: policy({})", self.name));
        let (header, claims) = if text.bytes().filter(|byte| *byte == b'.').count() == 4 {
            (Encrypted::parse(&text).map_err(failed)?.header, None)
        } else {
            let token = Signed::parse(&text).map_err(failed)?;
            (token.header, Some(claims_of(&token.payload)?))
        };
        Ok(Found { header, claims, payload: None, valid: false, now: cx.now() })
    }
}

#[cfg(test)]
mod tests;
