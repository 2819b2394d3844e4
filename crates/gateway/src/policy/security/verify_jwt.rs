//! `VerifyJWT`: believes a token that is signed or encrypted as it should be (api-management §9.3).

mod claims;

use std::sync::Arc;

use pierhead_vault::jose::{Encrypted, Header, Signed};
use serde_json::{Map, Value};

use self::claims::Expected;
use super::jose::additions::Additions;
use super::jose::algorithms::Algorithms;
use super::jose::check::{self, Critical, key_id};
use super::jose::keys::{KeySource, Ready, Resolved, Use};
use super::jose::variables::Found;
use super::jose::{Family, source, token};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::variable::Variable;

/// Faults, all 401: `steps.jwt.` with `AlgorithmInTokenNotPresentInConfiguration`, `AlgorithmMismatch`,
/// `FailedToDecode`, `InsufficientKeyLength`, `InvalidClaim`, `InvalidCurve`, `InvalidIterationCount`,
/// `InvalidJsonFormat`, `InvalidKeyConfiguration`, `InvalidSaltLength`, `InvalidToken`, `JwtAudienceMismatch`,
/// `JwtIssuerMismatch`, `JwtSubjectMismatch`, `KeyIdMissing`, `KeyParsingFailed`, `MissingPayload`,
/// `NoAlgorithmFoundInHeader`, `NoMatchingPublicKey`, `TokenExpired`, `TokenNotYetValid`,
/// `UnhandledCriticalHeader`, `WrongKeyType`.
#[derive(Debug)]
struct VerifyJwt {
    name: Arc<str>,
    source: Variable,
    algorithms: Algorithms,
    key: KeySource,
    expected: Expected,
    headers: Additions,
    critical: Critical,
    prefix: Arc<str>,
    lenient: bool,
}

const FAMILY: Family = Family::Jwt;

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(
        &[],
        &[
            "Type",
            "Algorithm",
            "Algorithms",
            "Source",
            "SecretKey",
            "PrivateKey",
            "PublicKey",
            "DirectKey",
            "PasswordKey",
            "Subject",
            "Issuer",
            "Audience",
            "Id",
            "AdditionalClaims",
            "CustomClaims",
            "AdditionalHeaders",
            "KnownHeaders",
            "IgnoreCriticalHeaders",
            "IgnoreIssuedAt",
            "TimeAllowance",
            "MaxLifespan",
            "IgnoreUnresolvedVariables",
        ],
    );
    let root = policy.root;
    let algorithms = Algorithms::of(policy, true, true);
    let purpose =
        if matches!(algorithms, Some(Algorithms::Encrypted(..))) { Use::Decrypt } else { Use::Verify };
    let kind = algorithms.as_ref().map(Algorithms::key_kind);
    let key = kind.and_then(|kind| KeySource::of(policy, kind, purpose));
    let source = source(policy);
    let expected = Expected::of(policy);
    let headers = Additions::headers(policy);
    let critical = Critical::of(policy);
    let lenient = policy.flag_child(root, "IgnoreUnresolvedVariables", false);
    Some(Box::new(VerifyJwt {
        name: policy.name.clone(),
        source: source?,
        algorithms: algorithms?,
        key: key?,
        expected,
        headers,
        critical,
        prefix: format!("jwt.{}.", policy.name).into(),
        lenient,
    }))
}

impl Policy for VerifyJwt {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        match self.ready(cx) {
            Ok(Ready::Now(key)) => PolicyRun::Done(self.verify(cx, &key)),
            Ok(Ready::Fetch(uri)) => PolicyRun::Wait(Box::pin(async move {
                let key = KeySource::fetch(cx, uri, FAMILY).await?;
                self.verify(cx, &key)
            })),
            Err(fault) => PolicyRun::Done(Err(fault)),
        }
    }
}

impl VerifyJwt {
    /// A set is asked for the key id of the token.
    fn ready(&self, cx: &Exchange) -> Result<Ready, Fault> {
        let text = token(cx, &self.source, FAMILY, &self.name)?;
        let header = header(&text).ok_or_else(|| self.undecoded())?;
        self.key.ready(cx, key_id(&header), FAMILY)
    }

    fn verify(&self, cx: &mut Exchange, key: &Arc<Resolved>) -> Result<Next, Fault> {
        let found = {
            let text = token(cx, &self.source, FAMILY, &self.name)?;
            let (header, payload) = self.open(cx, &text, key)?;
            let claims = claims_of(&payload)?;
            self.headers.check(cx, &header, self.lenient, FAMILY)?;
            self.expected.check(cx, &claims, self.lenient)?;
            Found { header, claims: Some(claims), payload: None, valid: true, now: cx.now() }
        };
        cx.variables.provide(&self.prefix, Arc::new(found));
        Ok(Next::Continue)
    }

    /// Header and payload, once they may be believed.
    fn open(&self, cx: &Exchange, text: &str, key: &Arc<Resolved>) -> Result<(Header, Vec<u8>), Fault> {
        if matches!(self.algorithms, Algorithms::Encrypted(..)) {
            let token = Encrypted::parse(text).map_err(|_| self.undecoded())?;
            self.critical.check(cx, &token.header, FAMILY)?;
            let clear = check::decrypt(&token, &self.algorithms, key, FAMILY, &self.name)?;
            return Ok((token.header, clear));
        }
        let token = Signed::parse(text).map_err(|_| self.undecoded())?;
        self.critical.check(cx, &token.header, FAMILY)?;
        let input = token.signing_input.as_bytes();
        check::signature(&token, input, &self.algorithms, key, FAMILY, &self.name)?;
        Ok((token.header, token.payload))
    }

    fn undecoded(&self) -> Fault {
        FAMILY.fault("FailedToDecode", format!("Failed to decode the token: policy({})", self.name))
    }
}

/// The header of a token of either kind.
fn header(text: &str) -> Option<Header> {
    match text.bytes().filter(|byte| *byte == b'.').count() {
        4 => Encrypted::parse(text).ok().map(|token| token.header),
        _ => Signed::parse(text).ok().map(|token| token.header),
    }
}

/// The claims in a payload.
pub(super) fn claims_of(payload: &[u8]) -> Result<Map<String, Value>, Fault> {
    if payload.is_empty() {
        return Err(FAMILY.fault("MissingPayload", "The token has no payload"));
    }
    match serde_json::from_slice(payload) {
        Ok(Value::Object(claims)) => Ok(claims),
        _ => Err(FAMILY.fault("InvalidJsonFormat", "The payload of the token is no JSON object")),
    }
}

#[cfg(test)]
mod tests;
