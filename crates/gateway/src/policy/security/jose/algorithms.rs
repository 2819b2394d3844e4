//! The algorithms a policy is configured with.

use pierhead_vault::jose::{ContentAlgorithm, Header, KeyAlgorithm, KeyKind, SignatureAlgorithm};

use super::Family;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;

/// Signed, or encrypted.
#[derive(Debug, Clone)]
pub(crate) enum Algorithms {
    /// One to sign with; those that may have been signed with.
    Signed(Box<[SignatureAlgorithm]>),
    /// For the key, and those that are allowed for the content.
    Encrypted(KeyAlgorithm, Box<[ContentAlgorithm]>),
}

impl Algorithms {
    /// Reads `Algorithm`, or `Algorithms` with `Key` and `Content` where tokens may be encrypted.
    pub(crate) fn of(policy: &mut Blueprint<'_>, may_encrypt: bool, many: bool) -> Option<Self> {
        let root = policy.root;
        if let Some(element) = root.child("Type") {
            policy.only(element, &[], &[]);
            let encrypted = root.child("Algorithms").is_some();
            let fits = match element.text() {
                "Signed" | "" => !encrypted,
                "Encrypted" => encrypted,
                _ => false,
            };
            if !fits {
                let message = "Type is Signed with Algorithm, and Encrypted with Algorithms";
                policy.problem(element, "InvalidValueForElement", message);
            }
        }
        match (root.child("Algorithm"), root.child("Algorithms").filter(|_| may_encrypt)) {
            (Some(element), None) => {
                policy.only(element, &[], &[]);
                let mut found = Vec::new();
                for name in element.text().split(',').map(str::trim) {
                    match SignatureAlgorithm::named(name) {
                        Some(algorithm) => found.push(algorithm),
                        None => {
                            let message = format!("'{name}' is not a signature algorithm");
                            policy.problem(element, "InvalidValueForElement", message);
                            return None;
                        }
                    }
                }
                let kind = found.first().map(|algorithm| algorithm.key_kind());
                if found.len() > 1 && (!many || found.iter().any(|one| Some(one.key_kind()) != kind)) {
                    let message = "the algorithms of one policy use one kind of key";
                    policy.problem(element, "InvalidValueForElement", message);
                    return None;
                }
                Some(Self::Signed(found.into()))
            }
            (None, Some(element)) => {
                policy.only(element, &[], &["Key", "Content"]);
                let text = |name| element.child(name).map_or("", |child| child.text());
                let key = KeyAlgorithm::named(text("Key"));
                let content: Option<Vec<_>> =
                    text("Content").split(',').map(|name| ContentAlgorithm::named(name.trim())).collect();
                let content = content.filter(|all| many || all.len() == 1);
                if key.is_none() {
                    let message = format!("'{}' is not an algorithm for keys", text("Key"));
                    policy.problem(element, "InvalidValueForElement", message);
                }
                if content.is_none() {
                    let message = format!("'{}' is not an algorithm for content", text("Content"));
                    policy.problem(element, "InvalidValueForElement", message);
                }
                Some(Self::Encrypted(key?, content?.into()))
            }
            (Some(_), Some(element)) => {
                policy.problem(
                    element,
                    "InvalidConfiguration",
                    "Algorithm and Algorithms exclude each other",
                );
                None
            }
            (None, None) => {
                policy.problem(root, "MissingConfigurationElement", "the policy needs an Algorithm");
                None
            }
        }
    }

    /// What kind of key they take.
    pub(crate) fn key_kind(&self) -> KeyKind {
        match self {
            Self::Signed(all) => all.first().map_or(KeyKind::Secret, |algorithm| algorithm.key_kind()),
            Self::Encrypted(key, _) => key.key_kind(),
        }
    }

    /// Whether a token's header names algorithms that the policy allows; for a signed one which.
    pub(crate) fn allow(&self, header: &Header, family: Family) -> Result<Option<SignatureAlgorithm>, Fault> {
        let text = |name: &str| header.get(name).and_then(serde_json::Value::as_str);
        let Some(found) = text("alg") else {
            let text = "The header of the token names no algorithm";
            return Err(family.fault("NoAlgorithmFoundInHeader", text));
        };
        let mismatch = || {
            let text = "The algorithm of the token is not the one that the policy expects";
            family.fault("AlgorithmMismatch", text)
        };
        match self {
            Self::Signed(allowed) => match allowed.iter().find(|algorithm| algorithm.name() == found) {
                Some(algorithm) => Ok(Some(*algorithm)),
                None if allowed.len() == 1 => Err(mismatch()),
                None => {
                    let text = "The algorithm of the token is not among those of the policy";
                    Err(family.fault("AlgorithmInTokenNotPresentInConfiguration", text))
                }
            },
            Self::Encrypted(key, content) => {
                let content_fits =
                    text("enc").is_some_and(|name| content.iter().any(|allowed| allowed.name() == name));
                if key.name() == found && content_fits { Ok(None) } else { Err(mismatch()) }
            }
        }
    }
}
