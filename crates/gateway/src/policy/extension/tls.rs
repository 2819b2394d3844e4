//! `SSLInfo` of steps that reach somebody else.

use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;

/// What a step asks of TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tls {
    /// Whether it is spoken, where the address does not say so.
    pub(super) enabled: bool,
    /// Accepts any certificate.
    pub(super) trust_all: bool,
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

/// Reads `SSLInfo` among the children of `parent`. What asks for certificates of its own degrades the policy:
/// going without them would trust whom the design does not.
pub(super) fn read<'d>(policy: &mut Blueprint<'d>, parent: &'d Element) -> Tls {
    let Some(info) = parent.child("SSLInfo") else { return Tls::default() };
    policy.only(info, &[], CHILDREN);
    let tls = Tls {
        enabled: policy.flag_child(info, "Enabled", false),
        trust_all: policy.flag_child(info, "IgnoreValidationErrors", false),
    };
    let needs_key = policy.flag_child(info, "ClientAuthEnabled", false);
    policy.flag_child(info, "Enforce", false);
    if tls.enabled {
        for name in ["KeyStore", "TrustStore", "CommonName", "Ciphers", "Protocols"] {
            let says_something =
                |element: &&Element| !element.text().is_empty() || !element.children.is_empty();
            if let Some(element) = info.child(name).filter(says_something)
                && (name != "KeyStore" || needs_key)
            {
                policy.degrade(element, format!("SSLInfo/{name} of a callout is not supported yet"));
            }
        }
    }
    tls
}
