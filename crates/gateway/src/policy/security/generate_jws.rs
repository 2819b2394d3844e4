//! `GenerateJWS`: signs any payload (api-management §9.3).

use std::sync::Arc;

use pierhead_vault::jose::Header;

use super::generate_jwt::{output, sign, store, write_critical};
use super::jose::additions::Additions;
use super::jose::algorithms::Algorithms;
use super::jose::keys::{KeySource, Ready, Resolved, Use};
use super::jose::{Family, needed};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::setting::Setting;
use crate::policy::{Compiled, Policy, PolicyRun};
use crate::variable::Variable;

/// Faults, all 401: `steps.jws.` with `GenerationFailed`, `MissingPayload`, `SigningFailed`,
/// `InsufficientKeyLength`, `InvalidCurve`, `InvalidKeyConfiguration`, `KeyParsingFailed`, `WrongKeyType`.
#[derive(Debug)]
struct GenerateJws {
    name: Arc<str>,
    algorithms: Algorithms,
    key: KeySource,
    payload: Setting,
    detached: bool,
    headers: Additions,
    critical: Option<Setting>,
    output: Variable,
    lenient: bool,
}

const FAMILY: Family = Family::Jws;

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(
        &[],
        &[
            "Type",
            "Algorithm",
            "SecretKey",
            "PrivateKey",
            "Payload",
            "DetachContent",
            "AdditionalHeaders",
            "CriticalHeaders",
            "OutputVariable",
            "IgnoreUnresolvedVariables",
        ],
    );
    let root = policy.root;
    let algorithms = Algorithms::of(policy, false, false);
    let kind = algorithms.as_ref().map(Algorithms::key_kind);
    let key = kind.and_then(|kind| KeySource::of(policy, kind, Use::Sign));
    let payload = Setting::child(policy, root, "Payload", &[]);
    if payload.is_none() {
        policy.problem(root, "MissingConfigurationElement", "GenerateJWS needs a Payload");
    }
    let detached = policy.flag_child(root, "DetachContent", false);
    let headers = Additions::headers(policy);
    let critical = Setting::child(policy, root, "CriticalHeaders", &[]);
    let lenient = policy.flag_child(root, "IgnoreUnresolvedVariables", false);
    let output = output(policy, FAMILY);
    Some(Box::new(GenerateJws {
        name: policy.name.clone(),
        algorithms: algorithms?,
        key: key?,
        payload: payload?,
        detached,
        headers,
        critical,
        output: output?,
        lenient,
    }))
}

impl Policy for GenerateJws {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.token(cx).and_then(|token| store(cx, &self.output, token, FAMILY)))
    }
}

impl GenerateJws {
    fn token(&self, cx: &Exchange) -> Result<String, Fault> {
        let mut header = Header::new();
        let key_id = self.key.id.as_ref().map(|id| needed(cx, id, self.lenient, FAMILY)).transpose()?;
        if let Some(id) = key_id.flatten() {
            header.insert("kid".into(), id.into());
        }
        self.headers.write(cx, &mut header, self.lenient, FAMILY)?;
        write_critical(cx, self.critical.as_ref(), &mut header);
        let payload = needed(cx, &self.payload, self.lenient, FAMILY)?;
        let payload = payload.filter(|payload| !payload.is_empty());
        let payload = payload.ok_or_else(|| FAMILY.fault("MissingPayload", "There is no payload to sign"))?;
        let (Ready::Now(key), Algorithms::Signed(all)) =
            (self.key.ready(cx, None, FAMILY)?, &self.algorithms)
        else {
            return Err(FAMILY.fault("InvalidKeyConfiguration", "A key set signs nothing"));
        };
        let (Resolved::One(key), Some(algorithm)) = (&*key, all.first()) else {
            return Err(FAMILY.fault("InvalidKeyConfiguration", "A key set signs nothing"));
        };
        let token = sign(*algorithm, key, header, payload.as_bytes(), FAMILY, &self.name)?;
        if !self.detached {
            return Ok(token);
        }
        let mut parts = token.split('.');
        let (header, signature) = (parts.next().unwrap_or_default(), parts.next_back().unwrap_or_default());
        Ok(format!("{header}..{signature}"))
    }
}

#[cfg(test)]
mod tests;
