//! From an `SSLInfo` to what a handshake needs.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ahash::AHashMap;
use rustls::SupportedProtocolVersion;
use rustls::crypto::CryptoProvider;
use rustls::version::{TLS12, TLS13};

use super::verifier::ExpectedName;
use super::{TargetTls, shown, trusted};
use crate::design::TlsSettings;
use crate::exchange::Exchange;
use crate::key_stores::KeyStores;
use crate::template::Template;

/// How TLS is spoken to a target beyond the default.
#[derive(Debug)]
pub(crate) enum TlsPlan {
    /// Everything is known.
    Fixed(Arc<TargetTls>),
    /// The names of stores come from variables.
    Named(Box<Named>),
}

/// Stores whose names a request decides.
#[derive(Debug)]
pub(crate) struct Named {
    key_store: Template,
    key_alias: Template,
    trust_store: Template,
    rest: TlsSettings,
    stores: KeyStores,
    /// What was made so far, by its three names: connections are found again by it.
    made: Mutex<AHashMap<[String; 3], Arc<TargetTls>>>,
}

/// As many combinations of names are remembered.
const REMEMBERED: usize = 256;

/// What an `SSLInfo` asks for and cannot be had: the element and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SSLInfo/{element}: {why}")]
pub(crate) struct Unmet {
    pub(crate) element: &'static str,
    pub(crate) why: String,
}

/// An `SSLInfo` that was understood.
#[derive(Debug, Default)]
pub(crate) struct TlsAsked {
    /// Any certificate will do.
    pub(crate) trust_all: bool,
    /// `None` is the default: public authorities and the host's name.
    pub(crate) plan: Option<TlsPlan>,
    /// What is asked for and left out without harm.
    pub(crate) warnings: Vec<String>,
}

impl TlsAsked {
    /// Reads settings; `enabled` decides whether anything else counts.
    pub(crate) fn read(settings: &TlsSettings, stores: &KeyStores) -> Result<Self, Unmet> {
        let mut asked = Self::default();
        if !settings.enabled {
            return Ok(asked);
        }
        let verifies = settings.enforce || !settings.ignore_validation_errors;
        asked.trust_all = !verifies;
        let needs_trust = verifies && !(settings.trust_store.is_empty() && settings.common_name.is_empty());
        let chooses = !settings.ciphers.is_empty() || !settings.protocols.is_empty();
        if !settings.client_auth && !needs_trust && !chooses {
            return Ok(asked);
        }
        let template = |element, text: &str| {
            Template::parse(text.trim()).map_err(|bad| Unmet { element, why: bad.to_string() })
        };
        let named = Named {
            key_store: template("KeyStore", &settings.key_store)?,
            key_alias: template("KeyAlias", &settings.key_alias)?,
            trust_store: template("TrustStore", &settings.trust_store)?,
            rest: settings.clone(),
            stores: stores.clone(),
            made: Mutex::default(),
        };
        let literal = [&named.key_store, &named.key_alias, &named.trust_store].map(Template::as_literal);
        asked.plan = Some(match literal {
            [Some(key_store), Some(key_alias), Some(trust_store)] => {
                let tls = make(settings, stores, [key_store, key_alias, trust_store], &mut asked.warnings)?;
                TlsPlan::Fixed(Arc::new(tls))
            }
            _ => {
                // What does not depend on the names is found out now.
                versions(&settings.protocols, &mut asked.warnings)?;
                provider(&settings.ciphers, &mut asked.warnings)?;
                TlsPlan::Named(Box::new(named))
            }
        });
        Ok(asked)
    }
}

impl TlsPlan {
    /// What is spoken for this exchange. The error is for the log.
    pub(crate) fn of(&self, cx: &Exchange) -> Result<Arc<TargetTls>, String> {
        match self {
            Self::Fixed(tls) => Ok(Arc::clone(tls)),
            Self::Named(named) => named.of(cx),
        }
    }

    /// What is spoken when there is no exchange.
    pub(crate) fn fixed(&self) -> Option<&Arc<TargetTls>> {
        match self {
            Self::Fixed(tls) => Some(tls),
            Self::Named(_) => None,
        }
    }
}

impl Named {
    fn of(&self, cx: &Exchange) -> Result<Arc<TargetTls>, String> {
        let render = |template: &Template| match template.render(cx, false) {
            Ok(name) => Ok(name.into_owned()),
            Err(missing) => Err(missing.to_string()),
        };
        let names = [render(&self.key_store)?, render(&self.key_alias)?, render(&self.trust_store)?];
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tls) = made.get(&names) {
            return Ok(Arc::clone(tls));
        }
        let tls = make(&self.rest, &self.stores, names.each_ref().map(String::as_str), &mut Vec::new())
            .map_err(|unmet| unmet.to_string())?;
        if made.len() >= REMEMBERED {
            made.clear();
        }
        let tls = Arc::new(tls);
        made.insert(names, Arc::clone(&tls));
        Ok(tls)
    }
}

fn make(
    settings: &TlsSettings,
    stores: &KeyStores,
    [key_store, key_alias, trust_store]: [&str; 3],
    warnings: &mut Vec<String>,
) -> Result<TargetTls, Unmet> {
    let versions = versions(&settings.protocols, warnings)?;
    let provider = Arc::new(provider(&settings.ciphers, warnings)?);
    let verifies = settings.enforce || !settings.ignore_validation_errors;
    let trusted = match trust_store {
        name if !name.is_empty() && verifies => {
            let store = stores.get(name).ok_or_else(|| missing("TrustStore", "trust store", name))?;
            Some(trusted(store))
        }
        _ => None,
    };
    let shown = match key_store {
        "" if settings.client_auth => {
            return Err(Unmet { element: "KeyStore", why: "a store must be named".into() });
        }
        name if settings.client_auth => {
            let store = stores.get(name).ok_or_else(|| missing("KeyStore", "key store", name))?;
            let entry = match key_alias {
                "" => store.only_key(),
                alias => store.get(alias),
            };
            let entry = entry.ok_or_else(|| Unmet {
                element: "KeyAlias",
                why: match key_alias {
                    "" => format!("key store '{name}' does not hold exactly one key"),
                    alias => format!("key store '{name}' has no alias '{alias}'"),
                },
            })?;
            let key = shown(entry, &provider).map_err(|why| Unmet { element: "KeyAlias", why })?;
            Some(Arc::new(key))
        }
        _ => None,
    };
    let common_name = settings.common_name.trim();
    let expected = (!common_name.is_empty())
        .then(|| ExpectedName { pattern: common_name.into(), wildcard: settings.common_name_wildcard });
    Ok(TargetTls { trusted, verifies, expected, shown, versions, provider, offers: OnceLock::new() })
}

fn missing(element: &'static str, what: &str, name: &str) -> Unmet {
    Unmet { element, why: format!("there is no {what} '{name}'") }
}

/// TLS 1.2 and 1.3, or those of them that are named.
fn versions(
    protocols: &[String],
    warnings: &mut Vec<String>,
) -> Result<Vec<&'static SupportedProtocolVersion>, Unmet> {
    let mut named = Vec::new();
    for protocol in protocols.iter().map(|protocol| protocol.trim()) {
        match protocol.to_ascii_uppercase().replace('V', "").as_str() {
            "TLS1.2" => named.push(&TLS12),
            "TLS1.3" => named.push(&TLS13),
            _ => warnings.push(format!("SSLInfo: {protocol} is broken and not spoken (RFC 8996)")),
        }
    }
    match (named.is_empty(), protocols.is_empty()) {
        (_, true) => Ok(vec![&TLS13, &TLS12]),
        (false, false) => Ok(named),
        (true, false) => {
            Err(Unmet { element: "Protocols", why: "only TLSv1.2 and TLSv1.3 are spoken".into() })
        }
    }
}

/// The safe suites, or those of them that are named.
fn provider(ciphers: &[String], warnings: &mut Vec<String>) -> Result<CryptoProvider, Unmet> {
    let mut provider = rustls::crypto::ring::default_provider();
    if ciphers.is_empty() {
        return Ok(provider);
    }
    let name =
        |suite: &rustls::SupportedCipherSuite| format!("{:?}", suite.suite()).replace("TLS13_", "TLS_");
    for cipher in ciphers.iter().map(|cipher| cipher.trim()) {
        if !provider.cipher_suites.iter().any(|suite| name(suite).eq_ignore_ascii_case(cipher)) {
            warnings.push(format!("SSLInfo: the cipher suite {cipher} is not spoken"));
        }
    }
    provider
        .cipher_suites
        .retain(|suite| ciphers.iter().any(|cipher| name(suite).eq_ignore_ascii_case(cipher.trim())));
    if provider.cipher_suites.is_empty() {
        return Err(Unmet { element: "Ciphers", why: "none of the named suites is spoken".into() });
    }
    Ok(provider)
}
