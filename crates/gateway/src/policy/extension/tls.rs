//! `SSLInfo` of steps that reach somebody else.

use std::sync::Arc;

use crate::compile::Endpoint;
use crate::design::TlsSettings;
use crate::exchange::Exchange;
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;
use crate::target_tls::{TargetTls, TlsAsked, TlsPlan};

/// What a step asks of TLS.
#[derive(Debug, Default)]
pub(super) struct Tls {
    /// Whether it is spoken, where the address does not say so.
    pub(super) enabled: bool,
    /// Accepts any certificate.
    pub(super) trust_all: bool,
    /// `None` is the default: public authorities, and no certificate of ours.
    pub(super) plan: Option<TlsPlan>,
}

const CHILDREN: &[&str] = &[
    "Enabled",
    "Enforce",
    "ClientAuthEnabled",
    "KeyStore",
    "KeyAlias",
    "TrustStore",
    "Ciphers",
    "Protocols",
    "IgnoreValidationErrors",
    "CommonName",
];

/// Reads `SSLInfo` among the children of `parent`. What cannot be had degrades the policy: going without it
/// would trust whom the design does not.
pub(super) fn read<'d>(policy: &mut Blueprint<'d>, parent: &'d Element) -> Tls {
    let Some(info) = parent.child("SSLInfo") else { return Tls::default() };
    policy.only(info, &[], CHILDREN);
    let text = |name: &str| info.child(name).map_or("", Element::text).trim().to_owned();
    let listed = |group: &str, item: &str| match info.child(group) {
        Some(found) if found.children.is_empty() => {
            found.text().split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        }
        Some(found) => found.children(item).map(|item| item.text().trim().to_owned()).collect(),
        None => Vec::new(),
    };
    let settings = TlsSettings {
        enabled: policy.flag_child(info, "Enabled", false),
        client_auth: policy.flag_child(info, "ClientAuthEnabled", false),
        key_store: text("KeyStore"),
        key_alias: text("KeyAlias"),
        trust_store: text("TrustStore"),
        ciphers: listed("Ciphers", "Cipher"),
        protocols: listed("Protocols", "Protocol"),
        ignore_validation_errors: policy.flag_child(info, "IgnoreValidationErrors", false),
        enforce: policy.flag_child(info, "Enforce", false),
        common_name: text("CommonName"),
        common_name_wildcard: info
            .child("CommonName")
            .and_then(|name| name.attribute("wildcardMatch"))
            .is_some_and(|flag| flag.trim() == "true"),
    };
    match TlsAsked::read(&settings, &policy.world.key_stores) {
        Ok(asked) => {
            for warning in asked.warnings {
                policy.warning(info, "TlsChoiceNotRead", warning);
            }
            Tls { enabled: settings.enabled, trust_all: asked.trust_all, plan: asked.plan }
        }
        Err(unmet) => {
            let at = info.child(unmet.element).unwrap_or(info);
            policy.degrade(at, unmet.to_string());
            Tls { enabled: settings.enabled, ..Tls::default() }
        }
    }
}

impl Tls {
    /// What handshakes of this exchange need. The error says what is missing.
    pub(super) fn identity(&self, cx: &Exchange) -> Result<Option<Arc<TargetTls>>, String> {
        self.plan.as_ref().map(|plan| plan.of(cx)).transpose()
    }

    /// Asks it of a server whose own record does not say otherwise.
    pub(super) fn apply(&self, endpoint: &mut Endpoint, cx: &Exchange) -> Result<(), String> {
        endpoint.trust_all |= self.trust_all;
        if endpoint.tls && endpoint.identity.is_none() {
            endpoint.identity = self.identity(cx)?;
        }
        Ok(())
    }
}
