//! Where a policy's key comes from, and the parsed key.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use pierhead_domain::SecretString;
use pierhead_vault::jose::{JoseError, JwkSet, Key, KeyKind, PrivateKey, PublicKey};

use super::key_sets::Freshness;
use super::{Family, Setting};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;
use crate::policy::security::hmac::Encoding;

/// What a policy does with its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Sign,
    Verify,
    Encrypt,
    Decrypt,
}

/// The key of a policy. What was parsed last is kept: the text behind a variable is mostly the same.
#[derive(Debug)]
pub(crate) struct KeySource {
    form: Form,
    value: Setting,
    password: Option<Setting>,
    /// `Id`: goes into `kid`.
    pub(crate) id: Option<Setting>,
    cache: ArcSwapOption<Parsed>,
    /// Of a password key: rounds and bytes of salt, where the policy says them.
    pub(crate) rounds: Option<u32>,
    pub(crate) salt_bytes: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Secret(Encoding),
    Private,
    Public,
    Set,
    SetAt,
}

#[derive(Debug)]
struct Parsed {
    text: SecretString,
    password: Option<SecretString>,
    keys: Arc<Resolved>,
}

/// A parsed key, or a set of them.
#[derive(Debug)]
pub(crate) enum Resolved {
    One(Key),
    Set(Arc<JwkSet>),
}

/// What has to happen before the key is there.
pub(crate) enum Ready {
    Now(Arc<Resolved>),
    /// The set at this address must be fetched.
    Fetch(String),
}

impl KeySource {
    /// Reads the element that holds a key of `kind`.
    pub(crate) fn of(policy: &mut Blueprint<'_>, kind: KeyKind, purpose: Use) -> Option<Self> {
        let public = matches!(purpose, Use::Verify | Use::Encrypt);
        let name = match kind {
            KeyKind::Secret => "SecretKey",
            KeyKind::Password => "PasswordKey",
            KeyKind::Direct => "DirectKey",
            KeyKind::Rsa | KeyKind::Ec if public => "PublicKey",
            KeyKind::Rsa | KeyKind::Ec => "PrivateKey",
        };
        for other in ["SecretKey", "PrivateKey", "PublicKey", "DirectKey", "PasswordKey"] {
            if other != name
                && let Some(element) = policy.root.child(other)
            {
                let message = format!("the algorithm needs a {name}, not a {other}");
                policy.problem(element, "InvalidKeyConfiguration", message);
                return None;
            }
        }
        let Some(element) = policy.root.child(name) else {
            let message = format!("the algorithm needs a {name}");
            policy.problem(policy.root, "MissingConfigurationElement", message);
            return None;
        };
        if name == "PublicKey" {
            return Self::public(policy, element);
        }
        let mut children = vec!["Value", "Id"];
        match name {
            "PrivateKey" => children.push("Password"),
            "PasswordKey" => children.extend(["SaltLength", "PBKDF2Iterations"]),
            _ => {}
        }
        policy.only(element, &["encoding"], &children);
        let form = if name == "PrivateKey" { Form::Private } else { Form::Secret(encoding(policy, element)) };
        let value = secret(policy, element, "Value");
        if value.is_none() && element.child("Value").is_none() {
            let message = format!("{name} needs a Value with a ref");
            policy.problem(element, "EmptyElementForKeyConfiguration", message);
        }
        let password =
            if element.child("Password").is_some() { secret(policy, element, "Password") } else { None };
        let mut number = |name: &str| {
            let child = element.child(name)?;
            policy.number::<u32>(child, child.text(), "InvalidValueForElement")
        };
        let rounds = number("PBKDF2Iterations");
        let salt_bytes = number("SaltLength").and_then(|bytes| usize::try_from(bytes).ok());
        let allowed = 1000..=pierhead_vault::jose::MAX_ITERATIONS;
        if rounds.is_some_and(|rounds| !allowed.contains(&rounds))
            || salt_bytes.is_some_and(|bytes| !(8..=1024).contains(&bytes))
        {
            let message =
                format!("PBKDF2Iterations is {} to {}, SaltLength 8 to 1024", allowed.start(), allowed.end());
            policy.problem(element, "InvalidValueForElement", message);
        }
        let id = Setting::child(policy, element, "Id", &[]);
        Some(Self { form, value: value?, password, id, cache: ArcSwapOption::empty(), rounds, salt_bytes })
    }

    fn public<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<Self> {
        policy.only(element, &[], &["Value", "JWKS", "Certificate", "Id"]);
        let id = Setting::child(policy, element, "Id", &[]);
        let (form, value) = if let Some(set) = element.child("JWKS") {
            policy.only(set, &["ref", "uri", "uriRef"], &[]);
            match set.attribute("uri").map(str::trim).filter(|uri| !uri.is_empty()) {
                Some(uri) => {
                    if super::key_sets::Address::parse(uri).is_none() {
                        let message = format!("'{uri}' is not an http or https address");
                        policy.problem(set, "InvalidValueForElement", message);
                    }
                    (Form::SetAt, Some(Setting::text_of(uri)))
                }
                None if set.attribute("uriRef").is_some() => {
                    (Form::SetAt, Setting::by(policy, set, "uriRef"))
                }
                None => (Form::Set, Setting::of(policy, set)),
            }
        } else {
            let child = element.child("Certificate").or_else(|| element.child("Value"));
            (
                Form::Public,
                child.and_then(|child| {
                    policy.only(child, &["ref"], &[]);
                    Setting::of(policy, child)
                }),
            )
        };
        if value.is_none() {
            let message = "PublicKey needs a Value, a Certificate or a JWKS";
            policy.problem(element, "EmptyElementForKeyConfiguration", message);
        }
        let cache = ArcSwapOption::empty();
        Some(Self { form, value: value?, password: None, id, cache, rounds: None, salt_bytes: None })
    }

    /// Whether it is a set at an address.
    pub(crate) fn is_fetched(&self) -> bool {
        self.form == Form::SetAt
    }

    /// The key, where it need not be fetched.
    pub(crate) fn ready(&self, cx: &Exchange, id: Option<&str>, family: Family) -> Result<Ready, Fault> {
        let missing = |setting: &Setting| {
            let text = format!("The key in {} cannot be resolved", setting.name());
            family.fault("InvalidKeyConfiguration", text)
        };
        let text = self.value.text(cx).ok_or_else(|| missing(&self.value))?;
        if self.form == Form::SetAt {
            return Ok(match cx.services.key_sets.find(&text, id, cx.now()) {
                Freshness::Fresh(set) => Ready::Now(Arc::new(Resolved::Set(set))),
                Freshness::Unavailable => return Err(unavailable(family, &text)),
                Freshness::Fetch => Ready::Fetch(text.into_owned()),
            });
        }
        let password = match &self.password {
            Some(setting) => Some(setting.text(cx).ok_or_else(|| missing(setting))?),
            None => None,
        };
        if let Some(parsed) = &*self.cache.load()
            && parsed.text.expose() == text
            && parsed.password.as_ref().map(SecretString::expose) == password.as_deref()
        {
            return Ok(Ready::Now(parsed.keys.clone()));
        }
        let keys = self.parse(&text, password.as_deref()).map_err(|why| {
            let name = if why == JoseError::ShortKey { "InsufficientKeyLength" } else { "KeyParsingFailed" };
            family.fault(name, format!("The key in {}: {why}", self.value.name()))
        })?;
        let keys = Arc::new(keys);
        let password = password.map(SecretString::new);
        let parsed = Parsed { text: SecretString::new(text), password, keys: keys.clone() };
        self.cache.store(Some(Arc::new(parsed)));
        Ok(Ready::Now(keys))
    }

    /// The same, waiting for a set that has to be fetched. One fetch of a set runs at a time on a thread.
    pub(crate) async fn fetch(cx: &Exchange, uri: String, family: Family) -> Result<Arc<Resolved>, Fault> {
        let set = cx.services.key_sets.fetch(&cx.services, &uri).await;
        set.map(|set| Arc::new(Resolved::Set(set))).ok_or_else(|| unavailable(family, &uri))
    }

    fn parse(&self, text: &str, password: Option<&str>) -> Result<Resolved, JoseError> {
        Ok(match self.form {
            Form::Secret(encoding) => {
                let bytes = encoding.read(text).ok_or(JoseError::BadKey("it is not in its encoding"))?;
                Resolved::One(Key::secret(bytes))
            }
            Form::Private => Resolved::One(Key::Private(PrivateKey::read(text, password)?)),
            Form::Public => Resolved::One(Key::Public(PublicKey::read(text)?)),
            Form::Set | Form::SetAt => Resolved::Set(Arc::new(JwkSet::read(text)?)),
        })
    }
}

fn unavailable(family: Family, uri: &str) -> Fault {
    family.fault("NoMatchingPublicKey", format!("The key set at {uri} cannot be had"))
}

/// A key or its password: a private variable, and never a text in the document.
fn secret<'d>(policy: &mut Blueprint<'d>, parent: &'d Element, name: &str) -> Option<Setting> {
    let element = parent.child(name)?;
    policy.only(element, &["ref", "encoding"], &[]);
    let Some(variable) = element.attribute("ref").filter(|_| element.text().is_empty()) else {
        let message = format!("{name} names a variable in its ref, and holds no key itself");
        policy.problem(element, "InvalidSecretInConfig", message);
        return None;
    };
    if !variable.trim().starts_with("private.") {
        let message = format!("the key is in '{variable}', and only private. variables may hold keys");
        policy.problem(element, "InvalidVariableNameForSecret", message);
        return None;
    }
    Setting::of(policy, element)
}

/// On the key's element, or on its value.
fn encoding(policy: &mut Blueprint<'_>, element: &Element) -> Encoding {
    let value = element.child("Value").and_then(|value| value.attribute("encoding"));
    let Some(name) = element.attribute("encoding").or(value) else { return Encoding::Utf8 };
    Encoding::named(name).unwrap_or_else(|| {
        let message = format!("'{name}' is not one of hex, base16, base64, base64url, utf8");
        policy.problem(element, "InvalidValueForElement", message);
        Encoding::Utf8
    })
}
