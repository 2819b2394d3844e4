//! `VerifyJWS`: believes a signed payload (api-management §9.3).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pierhead_vault::jose::Signed;

use super::jose::additions::Additions;
use super::jose::algorithms::Algorithms;
use super::jose::check::{self, Critical, key_id};
use super::jose::keys::{KeySource, Ready, Resolved, Use};
use super::jose::variables::Found;
use super::jose::{Family, source, token};
use crate::condition::Lookup as _;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::variable::Variable;

/// Faults, all 401: `steps.jws.` with `AlgorithmInTokenNotPresentInConfiguration`, `AlgorithmMismatch`,
/// `FailedToDecode`, `InsufficientKeyLength`, `InvalidClaim`, `InvalidCurve`, `InvalidKeyConfiguration`,
/// `InvalidToken`, `KeyIdMissing`, `KeyParsingFailed`, `MissingPayload`, `NoAlgorithmFoundInHeader`,
/// `NoMatchingPublicKey`, `UnhandledCriticalHeader`, `WrongKeyType`.
#[derive(Debug)]
struct VerifyJws {
    name: Arc<str>,
    source: Variable,
    algorithms: Algorithms,
    key: KeySource,
    /// Where the payload is, when the token does not hold it.
    detached: Option<Variable>,
    headers: Additions,
    critical: Critical,
    prefix: Arc<str>,
    lenient: bool,
}

const FAMILY: Family = Family::Jws;

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(
        &[],
        &[
            "Type",
            "Algorithm",
            "Source",
            "SecretKey",
            "PublicKey",
            "DetachedContent",
            "AdditionalHeaders",
            "KnownHeaders",
            "IgnoreCriticalHeaders",
            "IgnoreUnresolvedVariables",
        ],
    );
    let root = policy.root;
    let algorithms = Algorithms::of(policy, false, true);
    let kind = algorithms.as_ref().map(Algorithms::key_kind);
    let key = kind.and_then(|kind| KeySource::of(policy, kind, Use::Verify));
    let source = source(policy);
    let detached = root.child("DetachedContent").filter(|element| !element.text().is_empty());
    let detached = detached.and_then(|element| {
        policy.only(element, &[], &[]);
        policy.variable(element, element.text())
    });
    let headers = Additions::headers(policy);
    let critical = Critical::of(policy);
    let lenient = policy.flag_child(root, "IgnoreUnresolvedVariables", false);
    Some(Box::new(VerifyJws {
        name: policy.name.clone(),
        source: source?,
        algorithms: algorithms?,
        key: key?,
        detached,
        headers,
        critical,
        prefix: format!("jws.{}.", policy.name).into(),
        lenient,
    }))
}

impl Policy for VerifyJws {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        let ready = token(cx, &self.source, FAMILY, &self.name).and_then(|text| {
            let token = Signed::parse(&text).map_err(|_| self.undecoded())?;
            self.key.ready(cx, key_id(&token.header), FAMILY)
        });
        match ready {
            Ok(Ready::Now(key)) => PolicyRun::Done(self.verify(cx, &key)),
            Ok(Ready::Fetch(uri)) => PolicyRun::Wait(Box::pin(async move {
                let key = KeySource::fetch(cx, uri, FAMILY).await?;
                self.verify(cx, &key)
            })),
            Err(fault) => PolicyRun::Done(Err(fault)),
        }
    }
}

impl VerifyJws {
    fn verify(&self, cx: &mut Exchange, key: &Arc<Resolved>) -> Result<Next, Fault> {
        let found = {
            let text = token(cx, &self.source, FAMILY, &self.name)?;
            let token = Signed::parse(&text).map_err(|_| self.undecoded())?;
            self.critical.check(cx, &token.header, FAMILY)?;
            let joined;
            let input = match (&self.detached, token.payload.is_empty()) {
                (None, false) => token.signing_input,
                (Some(_), false) => {
                    let text = "The token holds a payload that should be elsewhere";
                    return Err(FAMILY.fault("InvalidToken", text));
                }
                (None, true) => return Err(FAMILY.fault("MissingPayload", "The token has no payload")),
                (Some(detached), true) => {
                    let payload = cx.value(detached).into_text();
                    let payload = payload.ok_or_else(|| {
                        FAMILY.fault("MissingPayload", format!("There is no payload in {detached}"))
                    })?;
                    joined = format!("{}.{}", token.encoded_header, URL_SAFE_NO_PAD.encode(&*payload));
                    &joined
                }
            };
            check::signature(&token, input.as_bytes(), &self.algorithms, key, FAMILY, &self.name)?;
            self.headers.check(cx, &token.header, self.lenient, FAMILY)?;
            let payload = Some(token.payload).filter(|payload| !payload.is_empty());
            Found { header: token.header, claims: None, payload, valid: true, now: cx.now() }
        };
        cx.variables.provide(&self.prefix, Arc::new(found));
        Ok(Next::Continue)
    }

    fn undecoded(&self) -> Fault {
        FAMILY.fault("FailedToDecode", format!("Failed to decode the token: policy({})", self.name))
    }
}

#[cfg(test)]
mod tests;
