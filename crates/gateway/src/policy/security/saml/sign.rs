//! Making an enveloped signature.
//!
//! It is made where the assertion will stand, so that canonicalizations that look at the surroundings are
//! right too: first the digest, then the signature around it with an empty value, then the value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pierhead_vault::Certificate;
use pierhead_vault::jose::Key;
use pierhead_xml::{Canonical, Document, Edit, Limits, Node, escape_attribute};

use super::algorithm::Algorithm;
use super::{CANONICAL_BYTES, SAML, SIGNATURE};

/// What an assertion is signed with.
pub(crate) struct Signer<'k> {
    pub(crate) algorithm: Algorithm,
    pub(crate) canonical: &'k Canonical,
    pub(crate) key: &'k Key,
    /// Goes into the signature: the key's own first.
    pub(crate) chain: &'k [Certificate],
}

/// Signs the assertion that `find` finds; the signature comes behind its issuer (SAML 2.0 core, 2.3.3).
/// Gives the whole document.
pub(crate) fn sign(
    document: &Document,
    find: impl Fn(&Document) -> Option<Node<'_>>,
    signer: &Signer<'_>,
) -> Result<String, String> {
    let lost = || "the assertion cannot be found again".to_owned();
    let assertion = find(document).ok_or_else(lost)?;
    let id = assertion.attribute("ID").filter(|id| !id.is_empty()).ok_or("the assertion has no ID")?;
    let issuer = assertion.child_elements().find(|child| child.is_named(SAML, "Issuer"));
    let issuer = issuer.ok_or("the assertion has no issuer")?;
    if assertion.child_elements().any(|child| child.is_named(SIGNATURE, "Signature")) {
        return Err("the assertion has a signature already".to_owned());
    }
    let written = signer.canonical.write(assertion, None, CANONICAL_BYTES).map_err(|why| why.to_string())?;
    let digest = STANDARD.encode(signer.algorithm.digest().of(written.as_bytes()));
    let text = document.edited(issuer, Edit::Follow(&signer.signature(id, &digest)));

    let document = Document::parse(&text, &Limits::default()).map_err(|bad| bad.to_string())?;
    let assertion = find(&document).ok_or_else(lost)?;
    let signature = child(assertion, "Signature").ok_or_else(lost)?;
    let info = child(signature, "SignedInfo").ok_or_else(lost)?;
    let info = signer.canonical.write(info, None, CANONICAL_BYTES).map_err(|why| why.to_string())?;
    let value = signer.algorithm.sign(signer.key, info.as_bytes()).map_err(|why| why.to_string())?;
    let place = child(signature, "SignatureValue").ok_or_else(lost)?;
    Ok(document.edited(place, Edit::Append(&STANDARD.encode(value))))
}

fn child<'d>(of: Node<'d>, name: &str) -> Option<Node<'d>> {
    of.child_elements().find(|child| child.is_named(SIGNATURE, name))
}

impl Signer<'_> {
    fn signature(&self, id: &str, digest: &str) -> String {
        let (method, id) = (self.canonical.uri(), escape_attribute(id));
        let (algorithm, digest_method) = (self.algorithm.uri(), self.algorithm.digest().uri());
        let certificates: String = self
            .chain
            .iter()
            .map(|one| format!("<ds:X509Certificate>{}</ds:X509Certificate>", STANDARD.encode(one.der())))
            .collect();
        let key_info = match certificates.as_str() {
            "" => String::new(),
            all => format!("<ds:KeyInfo><ds:X509Data>{all}</ds:X509Data></ds:KeyInfo>"),
        };
        format!(
            "<ds:Signature xmlns:ds=\"{SIGNATURE}\"><ds:SignedInfo>\
             <ds:CanonicalizationMethod Algorithm=\"{method}\"/><ds:SignatureMethod Algorithm=\"{algorithm}\"/>\
             <ds:Reference URI=\"#{id}\"><ds:Transforms>\
             <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
             <ds:Transform Algorithm=\"{method}\"/></ds:Transforms>\
             <ds:DigestMethod Algorithm=\"{digest_method}\"/><ds:DigestValue>{digest}</ds:DigestValue>\
             </ds:Reference></ds:SignedInfo><ds:SignatureValue></ds:SignatureValue>{key_info}</ds:Signature>"
        )
    }
}
