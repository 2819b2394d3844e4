//! `ValidateSAMLAssertion`: believes what a trusted signer says about a caller (api-management §9.3).

use pierhead_xml::{Document, Edit, Node, XPath};

use super::saml::assertion::{Assertion, VARIABLES};
use super::saml::{SAML, document, fault, refusal, verify};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::key_stores::KeyStores;
use crate::policy::blueprint::Blueprint;
use crate::policy::setting::Setting;
use crate::policy::source::Source;
use crate::policy::xml_parts::Namespaces;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::variable::{Stored, Variable};

/// Finds an assertion, checks its signature and its conditions, and puts what it says into variables `saml.…`.
///
/// Faults: `steps.saml.InvalidMediaTpe`, `steps.saml.SourceNotAvailable`, `steps.saml.TrustStoreNotAvailable`
/// (500); `steps.saml.AssertionNotFound`, `steps.saml.InvalidSignature`, `steps.saml.InvalidAssertion` (401;
/// sap: 500).
#[derive(Debug)]
struct ValidateSamlAssertion {
    source: Source,
    any_type: bool,
    assertion: XPath,
    /// Where the signature is, when not in the assertion itself.
    signed: Option<XPath>,
    trust: Setting,
    stores: KeyStores,
    audience: Option<Setting>,
    remove: bool,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&["ignoreContentType"], &["Source", "TrustStore", "RemoveAssertion", "Audience"]);
    let root = policy.root;
    let any_type = policy.flag(root, "ignoreContentType", false);
    let remove = policy.flag_child(root, "RemoveAssertion", false);
    let trust = Setting::child(policy, root, "TrustStore", &[]);
    if trust.is_none() {
        policy.problem(root, "TrustStoreNotConfigured", "ValidateSAMLAssertion needs a TrustStore");
    }
    let audience = Setting::child(policy, root, "Audience", &[]);
    let Some(element) = root.child("Source") else {
        policy.problem(root, "SourceNotConfigured", "ValidateSAMLAssertion needs a Source");
        return None;
    };
    policy.only(element, &["name"], &["Namespaces", "XPath", "AssertionXPath", "SignedElementXPath"]);
    let source = Source::by(policy, element, "name");
    source.reads_body(policy);
    let namespaces = Namespaces::read(policy, element);
    let signed = element.child("SignedElementXPath").map(|path| namespaces.xpath(policy, path));
    let Some(path) = element.child("AssertionXPath").or_else(|| element.child("XPath")) else {
        policy.problem(element, "SourceNotConfigured", "the Source needs an XPath to the assertion");
        return None;
    };
    let assertion = namespaces.xpath(policy, path)?;
    for path in [Some(&assertion), signed.as_ref().and_then(Option::as_ref)].into_iter().flatten() {
        if !path.gives_nodes() {
            policy.problem(element, "SourceNotConfigured", "an XPath of the Source must lead to an element");
        }
    }
    Some(Box::new(ValidateSamlAssertion {
        source,
        any_type,
        assertion,
        signed: match signed {
            Some(path) => Some(path?),
            None => None,
        },
        trust: trust?,
        stores: policy.world.key_stores.clone(),
        audience,
        remove,
    }))
}

impl Policy for ValidateSamlAssertion {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.validate(cx).map(|()| Next::Continue))
    }
}

impl ValidateSamlAssertion {
    fn validate(&self, cx: &mut Exchange) -> Result<(), Fault> {
        for name in VARIABLES {
            set(cx, name, None);
        }
        set(cx, "saml.valid", Some(Stored::from(false)));
        let document = document(cx, &self.source, self.any_type)?;
        let node = self.check(cx, &document)?;
        let assertion = Assertion::check(node, self.audience(cx)?.as_deref(), cx.now()).map_err(|why| {
            refusal(cx.proxy().dialect, "InvalidAssertion", format!("The assertion is not valid: {why}"))
        })?;
        for (name, value) in assertion.variables() {
            set(cx, name, Some(Stored::from(value)));
        }
        set(cx, "saml.valid", Some(Stored::from(true)));
        if self.remove {
            let rest = document.edited(node, Edit::Remove);
            self.source.put_xml(cx, rest).map_err(|why| {
                fault("SourceNotAvailable", format!("The assertion cannot be removed: {why}"))
            })?;
        }
        Ok(())
    }

    /// The assertion, once its signature was found to be good.
    fn check<'d>(&self, cx: &Exchange, document: &'d Document) -> Result<Node<'d>, Fault> {
        let dialect = cx.proxy().dialect;
        let missing = |what: &str| {
            let text = format!("There is not exactly one {what} in {}", self.source.name);
            refusal(dialect, "AssertionNotFound", text)
        };
        let assertion = only(&self.assertion, document)
            .filter(|node| node.is_named(SAML, "Assertion"))
            .ok_or_else(|| missing("assertion"))?;
        let signed = match &self.signed {
            Some(path) => only(path, document).ok_or_else(|| missing("signed element"))?,
            None => assertion,
        };
        // The assertion is what is signed, or is directly in it.
        if signed != assertion && assertion.parent() != Some(signed) {
            return Err(missing("assertion in the signed element"));
        }
        let name = self.trust.text(cx).unwrap_or_default();
        let Some(trust) = self.stores.get(name.trim()) else {
            return Err(fault(
                "TrustStoreNotAvailable",
                format!("There is no trust store '{}'", name.trim()),
            ));
        };
        verify::verify(signed, trust, cx.now()).map_err(|why| {
            refusal(
                dialect,
                "InvalidSignature",
                format!("The assertion is not signed as it should be: {why}"),
            )
        })?;
        Ok(assertion)
    }

    fn audience(&self, cx: &Exchange) -> Result<Option<String>, Fault> {
        let Some(setting) = &self.audience else { return Ok(None) };
        let text = setting.text(cx).filter(|text| !text.trim().is_empty());
        let text = text.ok_or_else(|| {
            fault("UnresolvedVariable", format!("Unresolved variable : {}", setting.name()))
        })?;
        Ok(Some(text.trim().to_owned()))
    }
}

fn only<'d>(path: &XPath, document: &'d Document) -> Option<Node<'d>> {
    match path.nodes(document.root()).ok()?.as_slice() {
        [one] if one.is_element() => Some(*one),
        _ => None,
    }
}

fn set(cx: &mut Exchange, name: &str, value: Option<Stored>) {
    // These variables are nobody's but the policy's: they can always be written.
    let _ = cx.set(&Variable::new(name), value);
}

#[cfg(test)]
mod tests;
