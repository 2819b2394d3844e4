//! `GenerateJWT`: makes a signed or encrypted token of claims (api-management §9.3).

mod claims;
mod moments;

use std::sync::Arc;

use pierhead_domain::Rng;
use pierhead_vault::jose::{self, Header, Key};
use serde_json::Value;

use self::claims::Claims;
use super::jose::additions::Additions;
use super::jose::algorithms::Algorithms;
use super::jose::keys::{KeySource, Ready, Resolved, Use};
use super::jose::{Family, needed};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::setting::Setting;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::variable::{Stored, Variable};

/// Faults, all 401: `steps.jwt.` with `GenerationFailed` (a claim cannot be resolved), `SigningFailed`,
/// `EncryptionFailed`, `InsufficientKeyLength`, `InvalidCurve`, `InvalidJsonFormat`, `InvalidClaim`,
/// `InvalidKeyConfiguration`, `KeyParsingFailed`, `KeyIdMissing`, `NoMatchingPublicKey`, `WrongKeyType`.
#[derive(Debug)]
struct GenerateJwt {
    name: Arc<str>,
    algorithms: Algorithms,
    key: KeySource,
    claims: Claims,
    headers: Additions,
    critical: Option<Setting>,
    output: Variable,
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
            "SecretKey",
            "PrivateKey",
            "PublicKey",
            "DirectKey",
            "PasswordKey",
            "Subject",
            "Issuer",
            "Audience",
            "Id",
            "ExpiresIn",
            "NotBefore",
            "AdditionalClaims",
            "CustomClaims",
            "AdditionalHeaders",
            "CriticalHeaders",
            "OutputVariable",
            "IgnoreUnresolvedVariables",
            "Compress",
        ],
    );
    let root = policy.root;
    if policy.flag_child(root, "Compress", false)
        && let Some(element) = root.child("Compress")
    {
        let message = "compressed content is not supported: a small token could become a huge one";
        policy.problem(element, "InvalidValueForElement", message);
    }
    let algorithms = Algorithms::of(policy, true, false);
    let purpose =
        if matches!(algorithms, Some(Algorithms::Encrypted(..))) { Use::Encrypt } else { Use::Sign };
    let kind = algorithms.as_ref().map(Algorithms::key_kind);
    let key = kind.and_then(|kind| KeySource::of(policy, kind, purpose));
    let claims = Claims::of(policy);
    let headers = Additions::headers(policy);
    let critical = Setting::child(policy, root, "CriticalHeaders", &[]);
    let lenient = policy.flag_child(root, "IgnoreUnresolvedVariables", false);
    let output = output(policy, FAMILY);
    let name = policy.name.clone();
    Some(Box::new(GenerateJwt {
        name,
        algorithms: algorithms?,
        key: key?,
        claims: claims?,
        headers,
        critical,
        output: output?,
        lenient,
    }))
}

/// The variable that `OutputVariable` names.
pub(super) fn output(policy: &mut Blueprint<'_>, family: Family) -> Option<Variable> {
    match policy.root.child("OutputVariable").filter(|element| !element.text().is_empty()) {
        Some(element) => {
            policy.only(element, &[], &[]);
            policy.variable(element, element.text())
        }
        None => {
            let name = family.name();
            Some(Variable::new(&format!("{name}.{}.generated_{name}", policy.name)))
        }
    }
}

impl Policy for GenerateJwt {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        match self.key.ready(cx, None, FAMILY) {
            Ok(Ready::Now(key)) => PolicyRun::Done(self.generate(cx, &key)),
            Ok(Ready::Fetch(uri)) => PolicyRun::Wait(Box::pin(async move {
                let key = KeySource::fetch(cx, uri, FAMILY).await?;
                self.generate(cx, &key)
            })),
            Err(fault) => PolicyRun::Done(Err(fault)),
        }
    }
}

impl GenerateJwt {
    fn generate(&self, cx: &mut Exchange, key: &Resolved) -> Result<Next, Fault> {
        let claims = self.claims.write(cx, self.lenient)?;
        let mut header = Header::new();
        header.insert("typ".into(), "JWT".into());
        let key_id = self.key.id.as_ref().map(|id| needed(cx, id, self.lenient, FAMILY)).transpose()?;
        if let Some(id) = key_id.flatten() {
            header.insert("kid".into(), id.into());
        }
        self.headers.write(cx, &mut header, self.lenient, FAMILY)?;
        write_critical(cx, self.critical.as_ref(), &mut header);
        let payload = Value::Object(claims).to_string();
        let token = match &self.algorithms {
            Algorithms::Signed(all) => {
                let (Resolved::One(key), Some(algorithm)) = (key, all.first()) else {
                    return Err(FAMILY.fault("InvalidKeyConfiguration", "A key set signs nothing"));
                };
                sign(*algorithm, key, header, payload.as_bytes(), FAMILY, &self.name)?
            }
            Algorithms::Encrypted(algorithm, content) => {
                let content =
                    content.first().copied().ok_or_else(|| FAMILY.fault("EncryptionFailed", "No content"))?;
                add_password_cost(&self.key, &mut header, cx.services.rng.as_ref());
                let of_set;
                let key = match key {
                    Resolved::One(key) => key,
                    Resolved::Set(set) => {
                        let id = header.get("kid").and_then(Value::as_str);
                        let id = id.ok_or_else(|| {
                            FAMILY.fault("KeyIdMissing", "PublicKey needs an Id to choose from the key set")
                        })?;
                        let found = set.candidates(Some(id), "enc", algorithm.name()).next();
                        let public = found.and_then(|found| found.key.public()).ok_or_else(|| {
                            FAMILY.fault("NoMatchingPublicKey", "The key set has no key of this id")
                        })?;
                        of_set = Key::Public(public);
                        &of_set
                    }
                };
                let rng = cx.services.rng.as_ref();
                jose::encrypt(header, *algorithm, content, key, payload.as_bytes(), rng)
                    .map_err(|why| FAMILY.refusal(why, "EncryptionFailed", &self.name))?
            }
        };
        store(cx, &self.output, token, FAMILY)
    }
}

/// Signs a header, to which `alg` is added, and a payload.
pub(super) fn sign(
    algorithm: jose::SignatureAlgorithm,
    key: &Key,
    mut header: Header,
    payload: &[u8],
    family: Family,
    policy: &str,
) -> Result<String, Fault> {
    header.insert("alg".into(), algorithm.name().into());
    jose::sign_compact(algorithm, key, &header, payload)
        .map_err(|why| family.refusal(why, "SigningFailed", policy))
}

/// `crit`, from a list parted by commas.
pub(super) fn write_critical(cx: &Exchange, critical: Option<&Setting>, header: &mut Header) {
    if let Some(names) = critical.and_then(|setting| setting.text(cx)) {
        let names: Vec<Value> =
            names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Value::from).collect();
        if !names.is_empty() {
            header.insert("crit".into(), names.into());
        }
    }
}

pub(super) fn store(
    cx: &mut Exchange,
    output: &Variable,
    token: String,
    family: Family,
) -> Result<Next, Fault> {
    cx.set(output, Some(Stored::from(token)))
        .map(|()| Next::Continue)
        .map_err(|why| family.fault("GenerationFailed", format!("Failed to set variable {output}: {why}")))
}

/// Rounds and salt, where the policy says how many.
fn add_password_cost(key: &KeySource, header: &mut Header, rng: &dyn Rng) {
    use base64::Engine as _;
    if let Some(rounds) = key.rounds {
        header.insert("p2c".into(), rounds.into());
    }
    if let Some(bytes) = key.salt_bytes {
        let mut salt = vec![0; bytes];
        rng.fill(&mut salt);
        let salt = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(salt);
        header.insert("p2s".into(), salt.into());
    }
}

#[cfg(test)]
mod tests;
