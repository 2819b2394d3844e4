//! `DecodeJWS`: shows what is in a signed token without believing it (api-management §9.3).

use std::sync::Arc;

use pierhead_vault::jose::Signed;

use super::jose::variables::Found;
use super::jose::{Family, source, token};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::variable::Variable;

/// Faults, both 401: `steps.jws.FailedToDecode`, `steps.jws.InvalidToken`.
#[derive(Debug)]
struct DecodeJws {
    name: Arc<str>,
    source: Variable,
    prefix: Arc<str>,
}

const FAMILY: Family = Family::Jws;

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["Source"]);
    let source = source(policy);
    let prefix = format!("jws.{}.", policy.name).into();
    Some(Box::new(DecodeJws { name: policy.name.clone(), source: source?, prefix }))
}

impl Policy for DecodeJws {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.decode(cx).map(|found| {
            cx.variables.provide(&self.prefix, Arc::new(found));
            Next::Continue
        }))
    }
}

impl DecodeJws {
    fn decode(&self, cx: &Exchange) -> Result<Found, Fault> {
        let text = token(cx, &self.source, FAMILY, &self.name)?;
        let token = Signed::parse(&text).map_err(|_| {
            FAMILY.fault("FailedToDecode", format!("Failed to decode the token: policy({})", self.name))
        })?;
        let payload = Some(token.payload).filter(|payload| !payload.is_empty());
        Ok(Found { header: token.header, claims: None, payload, valid: false, now: cx.now() })
    }
}

#[cfg(test)]
mod tests;
