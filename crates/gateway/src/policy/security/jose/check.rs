//! Verifying a token: its critical headers, its signature or encryption.

use std::sync::Arc;

use pierhead_vault::jose::{self, Encrypted, Header, Key, Signed};
use serde_json::Value;

use super::algorithms::Algorithms;
use super::keys::Resolved;
use super::{Family, Setting};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;

/// `KnownHeaders` and `IgnoreCriticalHeaders`.
#[derive(Debug)]
pub(crate) struct Critical {
    known: Option<Setting>,
    ignored: bool,
}

impl Critical {
    pub(crate) fn of(policy: &mut Blueprint<'_>) -> Self {
        let root = policy.root;
        let known = Setting::child(policy, root, "KnownHeaders", &[]);
        Self { known, ignored: policy.flag_child(root, "IgnoreCriticalHeaders", false) }
    }

    /// What a token calls critical must be known (RFC 7515 §4.1.11).
    pub(crate) fn check(&self, cx: &Exchange, header: &Header, family: Family) -> Result<(), Fault> {
        let Some(critical) = header.get("crit").filter(|_| !self.ignored) else { return Ok(()) };
        let known = self.known.as_ref().and_then(|known| known.text(cx)).unwrap_or_default();
        let is_known =
            |name: &str| known.split(',').any(|one| one.trim() == name) && header.contains_key(name);
        let all = critical.as_array().filter(|names| !names.is_empty());
        if all.is_some_and(|names| names.iter().all(|name| name.as_str().is_some_and(is_known))) {
            return Ok(());
        }
        let text = "The token has a critical header that the policy does not know";
        Err(family.fault("UnhandledCriticalHeader", text))
    }
}

/// The key id of a header.
pub(crate) fn key_id(header: &Header) -> Option<&str> {
    header.get("kid").and_then(Value::as_str)
}

/// Checks a signature over `input` with the key, or with the key of the set that the header names.
pub(crate) fn signature(
    token: &Signed<'_>,
    input: &[u8],
    algorithms: &Algorithms,
    keys: &Arc<Resolved>,
    family: Family,
    policy: &str,
) -> Result<(), Fault> {
    let Some(algorithm) = algorithms.allow(&token.header, family)? else {
        return Err(family.fault("FailedToDecode", "The token is signed and should be encrypted"));
    };
    let refused = |why| family.refusal(why, "InvalidToken", policy);
    match &**keys {
        Resolved::One(key) => jose::verify(algorithm, key, input, &token.signature).map_err(refused),
        Resolved::Set(set) => {
            let Some(id) = key_id(&token.header) else {
                let text = "The header of the token has no key id to look for in the key set";
                return Err(family.fault("KeyIdMissing", text));
            };
            let mut last = None;
            for candidate in set.candidates(Some(id), "sig", algorithm.name()) {
                // Only public halves verify: a secret in a set of public keys proves nothing.
                let Some(public) = candidate.key.public() else { continue };
                match jose::verify(algorithm, &Key::Public(public), input, &token.signature) {
                    Ok(()) => return Ok(()),
                    Err(why) => last = Some(why),
                }
            }
            Err(last.map_or_else(
                || family.fault("NoMatchingPublicKey", "The key set has no key of the token's key id"),
                refused,
            ))
        }
    }
}

/// Decrypts a token.
pub(crate) fn decrypt(
    token: &Encrypted<'_>,
    algorithms: &Algorithms,
    keys: &Arc<Resolved>,
    family: Family,
    policy: &str,
) -> Result<Vec<u8>, Fault> {
    algorithms.allow(&token.header, family)?;
    let Resolved::One(key) = &**keys else {
        return Err(family.fault("InvalidKeyConfiguration", "A key set decrypts nothing"));
    };
    let clear = jose::decrypt(token, key).map_err(|why| family.refusal(why, "FailedToDecode", policy))?;
    Ok(clear.to_vec())
}
