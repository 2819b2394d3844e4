//! Checking an enveloped signature (XML Signature Syntax and Processing, section 3.2; SAML 2.0 core, 5.4).
//!
//! What is signed is found from the element that will be used, never the other way round: the signature must
//! be a child of that element and refer to its ID, and nothing else in the document may have that ID. So a
//! document cannot show one element to the signature and another to the reader.

use pierhead_domain::EpochMillis;
use pierhead_vault::{Certificate, constant_time_eq};
use pierhead_xml::{Canonical, Node, NodeKind};

use super::algorithm::{Algorithm, Digest};
use super::{CANONICAL_BYTES, SIGNATURE};
use crate::key_stores::KeyStore;
use crate::template::decode_base64;

/// More certificates in a signature are not looked at.
const MAX_CERTIFICATES: usize = 8;
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// Attributes that some reader may take for an ID.
const ID_NAMES: &[&str] = &["ID", "Id", "id", "AssertionID", "ResponseID"];

/// Why a signature does not count.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Unsigned {
    #[error("it has no signature of its own")]
    NoSignature,
    #[error("the signature is not as SAML wants it: {0}")]
    Malformed(&'static str),
    #[error("the signature does not refer to the element it is in, or not to that alone")]
    OtherElement,
    #[error("the signature is made with an algorithm that is not known here: {0}")]
    UnknownAlgorithm(String),
    #[error("what is signed was changed")]
    WrongDigest,
    #[error("the certificate of the signature is not trusted now")]
    Untrusted,
    #[error("the signature does not verify")]
    WrongSignature,
    #[error("its canonical form is too long")]
    TooLong,
}

/// Whether `element` is signed by somebody whom `trust` vouches for at `now`.
pub(crate) fn verify(element: Node<'_>, trust: &KeyStore, now: EpochMillis) -> Result<(), Unsigned> {
    let mut signatures = element.child_elements().filter(|child| child.is_named(SIGNATURE, "Signature"));
    let signature = signatures.next().ok_or(Unsigned::NoSignature)?;
    if signatures.next().is_some() {
        return Err(Unsigned::Malformed("there are two"));
    }
    let mut parts = signature.child_elements();
    let info = next(&mut parts, "SignedInfo")?;
    let value = next(&mut parts, "SignatureValue")?;
    let key_info = parts.next();
    if key_info.is_some_and(|part| !part.is_named(SIGNATURE, "KeyInfo")) || parts.next().is_some() {
        return Err(Unsigned::Malformed("it holds more than SignedInfo, SignatureValue and KeyInfo"));
    }

    let mut parts = info.child_elements();
    let method = canonical(next(&mut parts, "CanonicalizationMethod")?)?;
    let algorithm = attribute(next(&mut parts, "SignatureMethod")?, "Algorithm")?;
    let algorithm =
        Algorithm::identified(algorithm).ok_or_else(|| Unsigned::UnknownAlgorithm(algorithm.to_owned()))?;
    let reference = next(&mut parts, "Reference")?;
    if parts.next().is_some() {
        return Err(Unsigned::Malformed("there is more than one reference"));
    }
    check_reference(reference, element, signature)?;

    let info = method.write(info, None, CANONICAL_BYTES).map_err(|_| Unsigned::TooLong)?;
    let value = bytes(value)?;
    let trusted: Vec<Certificate> = trust.certificates().cloned().collect();
    let given = certificates(key_info)?;
    let candidates: Vec<&Certificate> = if given.is_empty() {
        trusted.iter().filter(|one| one.is_valid_at(now)).collect()
    } else {
        given.iter().filter(|one| one.is_trusted(&trusted, &given, now)).collect()
    };
    if candidates.is_empty() {
        return Err(Unsigned::Untrusted);
    }
    let verifies = |one: &&Certificate| algorithm.verify(one.key(), info.as_bytes(), &value).is_ok();
    if candidates.iter().any(verifies) { Ok(()) } else { Err(Unsigned::WrongSignature) }
}

fn check_reference(reference: Node<'_>, element: Node<'_>, signature: Node<'_>) -> Result<(), Unsigned> {
    let id = element.attribute("ID").filter(|id| !id.is_empty()).ok_or(Unsigned::OtherElement)?;
    if reference.attribute("URI").and_then(|uri| uri.strip_prefix('#')) != Some(id) {
        return Err(Unsigned::OtherElement);
    }
    let bears_id = |node: &Node<'_>| {
        node.attributes().any(|one| ID_NAMES.contains(&one.local_name()) && one.own_text() == id)
    };
    let all = element.document().root().descendants().filter(|node| node.kind() == NodeKind::Element);
    if all.filter(bears_id).count() != 1 {
        return Err(Unsigned::OtherElement);
    }
    let mut parts = reference.child_elements();
    let transforms = next(&mut parts, "Transforms")?;
    let digest_method = attribute(next(&mut parts, "DigestMethod")?, "Algorithm")?;
    let digest = Digest::identified(digest_method)
        .ok_or_else(|| Unsigned::UnknownAlgorithm(digest_method.to_owned()))?;
    let expected = bytes(next(&mut parts, "DigestValue")?)?;
    let mut transforms = transforms.child_elements();
    let enveloped = next(&mut transforms, "Transform")?;
    if enveloped.attribute("Algorithm") != Some(ENVELOPED) {
        return Err(Unsigned::Malformed("the first transform must be that of an enveloped signature"));
    }
    let method = match transforms.next() {
        Some(transform) => canonical(transform)?,
        None => Canonical::INCLUSIVE,
    };
    if transforms.next().is_some() {
        return Err(Unsigned::Malformed("there are more than two transforms"));
    }
    let written = method.write(element, Some(signature), CANONICAL_BYTES).map_err(|_| Unsigned::TooLong)?;
    if constant_time_eq(&digest.of(written.as_bytes()), &expected) {
        Ok(())
    } else {
        Err(Unsigned::WrongDigest)
    }
}

fn next<'d>(parts: &mut impl Iterator<Item = Node<'d>>, name: &'static str) -> Result<Node<'d>, Unsigned> {
    parts.next().filter(|part| part.is_named(SIGNATURE, name)).ok_or(Unsigned::Malformed(name))
}

fn attribute<'d>(node: Node<'d>, name: &'static str) -> Result<&'d str, Unsigned> {
    node.attribute(name).ok_or(Unsigned::Malformed(name))
}

fn bytes(node: Node<'_>) -> Result<Vec<u8>, Unsigned> {
    decode_base64(&node.text()).ok_or(Unsigned::Malformed("a value is not in Base64"))
}

fn canonical(method: Node<'_>) -> Result<Canonical, Unsigned> {
    let uri = attribute(method, "Algorithm")?;
    let mut canonical =
        Canonical::identified(uri).ok_or_else(|| Unsigned::UnknownAlgorithm(uri.to_owned()))?;
    let mut parts = method.child_elements();
    if let Some(inclusive) = parts.next() {
        if !canonical.exclusive
            || !inclusive.is_named(EXCLUSIVE, "InclusiveNamespaces")
            || parts.next().is_some()
        {
            return Err(Unsigned::Malformed("a canonicalization has parameters that it cannot have"));
        }
        let list = inclusive.attribute("PrefixList").unwrap_or_default();
        let prefix = |prefix: &str| if prefix == "#default" { String::new() } else { prefix.to_owned() };
        canonical.inclusive_prefixes = list.split_ascii_whitespace().take(64).map(prefix).collect();
    }
    Ok(canonical)
}

fn certificates(key_info: Option<Node<'_>>) -> Result<Vec<Certificate>, Unsigned> {
    let Some(key_info) = key_info else { return Ok(Vec::new()) };
    let of = |name| move |node: &Node<'_>| node.is_named(SIGNATURE, name);
    let data = key_info.child_elements().filter(of("X509Data"));
    let found = data.flat_map(Node::child_elements).filter(of("X509Certificate"));
    let read = |node| {
        Certificate::read(&bytes(node)?).map_err(|_| Unsigned::Malformed("a certificate cannot be read"))
    };
    found.take(MAX_CERTIFICATES).map(read).collect()
}
