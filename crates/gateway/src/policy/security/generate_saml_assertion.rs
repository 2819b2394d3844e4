//! `GenerateSAMLAssertion`: writes and signs an assertion for a backend (api-management §9.3).

use pierhead_domain::EpochMillis;
use pierhead_xml::{Canonical, Document, Edit, Limits, Node, XPath, escape_text};

use super::saml::algorithm::Algorithm;
use super::saml::sign::{Signer, sign};
use super::saml::{SAML, document, fault};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::key_stores::{KeyEntry, KeyStores};
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;
use crate::policy::setting::Setting;
use crate::policy::source::Source;
use crate::policy::xml_parts::Namespaces;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::template::{RenderProblem, Template};
use crate::variable::{Stored, Variable};

/// Writes an assertion by a template, signs it with a key of a key store, and puts it into a variable or into
/// an element of a message.
///
/// The template may use `saml.id`, `saml.issueInstant`, `saml.issuer` and `saml.subject`; the last two are
/// escaped there, what other variables hold is not.
///
/// Faults, all 500: `steps.saml.InvalidMediaTpe`, `steps.saml.SourceNotAvailable`,
/// `steps.saml.UnresolvedVariable`, `steps.saml.KeyNotAvailable`, `steps.saml.GenerationFailed`.
#[derive(Debug)]
struct GenerateSamlAssertion {
    issuer: Setting,
    subject: Option<Setting>,
    store: Setting,
    alias: Setting,
    stores: KeyStores,
    algorithm: Algorithm,
    canonical: Canonical,
    template: Option<Template>,
    lenient: bool,
    variable: Option<Variable>,
    message: Option<(Source, XPath)>,
    any_type: bool,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(
        &["ignoreContentType"],
        &[
            "CanonicalizationAlgorithm",
            "Issuer",
            "KeyStore",
            "OutputVariable",
            "SignatureAlgorithm",
            "Subject",
            "Template",
        ],
    );
    let root = policy.root;
    let any_type = policy.flag(root, "ignoreContentType", false);
    let issuer = Setting::child(policy, root, "Issuer", &[]);
    if issuer.is_none() {
        policy.problem(root, "NullIssuer", "GenerateSAMLAssertion needs an Issuer");
    }
    let subject = Setting::child(policy, root, "Subject", &[]);
    let keys = root.child("KeyStore");
    if let Some(keys) = keys {
        policy.only(keys, &[], &["Name", "Alias"]);
    }
    let mut part = |name: &str, rule| {
        let setting = keys.and_then(|keys| Setting::child(policy, keys, name, &[]));
        if setting.is_none() {
            policy.problem(keys.unwrap_or(root), rule, format!("the KeyStore needs {name}"));
        }
        setting
    };
    let (store, alias) = (part("Name", "NullKeyStore"), part("Alias", "NullKeyStoreAlias"));
    let algorithm = algorithm(policy);
    let canonical = canonical(policy);
    let template = root.child("Template").inspect(|element| {
        policy.only(element, &["ignoreUnresolvedVariables"], &[]);
    });
    let lenient = template.is_some_and(|element| policy.flag(element, "ignoreUnresolvedVariables", false));
    let template = template.filter(|element| !element.text().is_empty());
    let template = template.map(|element| policy.template(element, element.text()));
    let (variable, message) = output(policy)?;
    Some(Box::new(GenerateSamlAssertion {
        issuer: issuer?,
        subject,
        store: store?,
        alias: alias?,
        stores: policy.world.key_stores.clone(),
        algorithm: algorithm?,
        canonical: canonical?,
        template,
        lenient,
        variable,
        message,
        any_type,
    }))
}

/// As in the originals SHA-1 unless something better is asked for (decision 055).
fn algorithm(policy: &mut Blueprint<'_>) -> Option<Algorithm> {
    let element = policy.root.child("SignatureAlgorithm");
    if let Some(element) = element {
        policy.only(element, &[], &[]);
    }
    let written = element.filter(|element| !element.text().is_empty());
    let found = written.map_or(Some(Algorithm::RsaSha1), |element| Algorithm::named(element.text()));
    let at = element.unwrap_or(policy.root);
    match found {
        None => {
            let message = "SignatureAlgorithm is rsa-sha1, or rsa- or ecdsa- with sha256, sha384 or sha512";
            policy.problem(at, "InvalidSignatureAlgorithm", message);
        }
        Some(Algorithm::RsaSha1) => {
            let message =
                "the assertion is signed with SHA-1, as the originals do; say rsa-sha256 if you can";
            policy.warning(at, "WeakSignature", message);
        }
        Some(Algorithm::Jose(_)) => {}
    }
    found
}

fn canonical(policy: &mut Blueprint<'_>) -> Option<Canonical> {
    let Some(element) = policy.root.child("CanonicalizationAlgorithm") else {
        return Some(Canonical::EXCLUSIVE);
    };
    policy.only(element, &[], &[]);
    if element.text().is_empty() {
        return Some(Canonical::EXCLUSIVE);
    }
    let found = Canonical::identified(element.text());
    if found.is_none() {
        let message =
            "CanonicalizationAlgorithm is the identifier of Canonical XML 1.0 or of its exclusive form";
        policy.problem(element, "InvalidCanonicalizationAlgorithm", message);
    }
    found
}

type Output = (Option<Variable>, Option<(Source, XPath)>);

fn output(policy: &mut Blueprint<'_>) -> Option<Output> {
    let root = policy.root;
    let element = root.child("OutputVariable");
    let flow = element.and_then(|element| {
        policy.only(element, &[], &["FlowVariable", "Message"]);
        element.child("FlowVariable")
    });
    let variable = flow.and_then(|flow: &Element| {
        policy.only(flow, &["name"], &[]);
        policy.variable(flow, flow.attribute("name").unwrap_or_else(|| flow.text()))
    });
    let message = match element.and_then(|element| element.child("Message")) {
        Some(message) => {
            policy.only(message, &["name"], &["Namespaces", "XPath"]);
            let source = Source::by(policy, message, "name");
            source.reads_body(policy);
            let namespaces = Namespaces::read(policy, message);
            let Some(path) = message.child("XPath") else {
                policy.problem(message, "InvalidOutputVariable", "the Message needs an XPath to an element");
                return None;
            };
            Some((source, namespaces.xpath(policy, path)?))
        }
        None => None,
    };
    if flow.is_none() && message.is_none() {
        let at = element.unwrap_or(root);
        policy.problem(at, "InvalidOutputVariable", "OutputVariable needs a FlowVariable or a Message");
        return None;
    }
    Some((variable, message))
}

impl Policy for GenerateSamlAssertion {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.generate(cx).map(|()| Next::Continue))
    }
}

impl GenerateSamlAssertion {
    fn generate(&self, cx: &mut Exchange) -> Result<(), Fault> {
        let surroundings = match &self.message {
            Some((source, _)) => Some(document(cx, source, self.any_type)?),
            None => None,
        };
        let text = self.text(cx)?;
        let alone = Document::parse(&text, &Limits::default())
            .map_err(|bad| failed(&format!("the template gives no XML: {bad}")))?;
        let root = alone.element().filter(|root| root.is_named(SAML, "Assertion"));
        let root = root.ok_or_else(|| failed("the template gives no assertion of SAML 2.0"))?;
        let name = self.store.text(cx).ok_or_else(|| unresolved(self.store.name()))?.into_owned();
        let alias = self.alias.text(cx).ok_or_else(|| unresolved(self.alias.name()))?.into_owned();
        let entry = self.stores.get(name.trim()).and_then(|store| store.get(alias.trim()));
        let Some(KeyEntry { chain, key: Some(key) }) = entry else {
            let text = format!("There is no key '{}' in a key store '{}'", alias.trim(), name.trim());
            return Err(fault("KeyNotAvailable", text));
        };
        let (algorithm, canonical) = (self.algorithm, &self.canonical);
        let signer = Signer { algorithm, canonical, key: key.key(), chain };
        if let Some(variable) = &self.variable {
            let signed = sign(&alone, Document::element, &signer).map_err(|why| failed(&why))?;
            cx.set(variable, Some(Stored::from(signed)))
                .map_err(|why| failed(&format!("{variable}: {why}")))?;
        }
        if let (Some(surroundings), Some((source, path))) = (surroundings, &self.message) {
            let place = only(path, &surroundings)
                .ok_or_else(|| failed(&format!("the XPath leads to no single element of {}", source.name)))?;
            // Names without a prefix must not fall into the default namespace of the message.
            let inserted = match place.resolve_prefix("") {
                Some("") | None => root.to_xml(),
                Some(_) => shielded(root),
            };
            let text = surroundings.edited(place, Edit::Append(&inserted));
            let whole = Document::parse(&text, &Limits::default()).map_err(|bad| failed(&bad.to_string()))?;
            let signed = sign(&whole, |document| last_element(only(path, document)?), &signer);
            let signed = signed.map_err(|why| failed(&why))?;
            source.put_xml(cx, signed).map_err(|why| failed(&format!("{}: {why}", source.name)))?;
        }
        Ok(())
    }

    /// The assertion without its signature; sets the variables that the template uses.
    fn text(&self, cx: &mut Exchange) -> Result<String, Fault> {
        let issuer = self.issuer.text(cx).ok_or_else(|| unresolved(self.issuer.name()))?.into_owned();
        let subject = match &self.subject {
            Some(subject) => Some(subject.text(cx).ok_or_else(|| unresolved(subject.name()))?.into_owned()),
            None => None,
        };
        let mut id = [0; 16];
        cx.services.rng.fill(&mut id);
        let (id, instant) = (format!("_{}", hex::encode(id)), instant(cx.now()));
        set(cx, "saml.id", Some(&id));
        set(cx, "saml.issueInstant", Some(&instant));
        let Some(template) = &self.template else {
            let name = subject.map_or_else(String::new, |subject| {
                let name = escape_text(&subject);
                format!("<saml:Subject><saml:NameID>{name}</saml:NameID></saml:Subject>")
            });
            return Ok(format!(
                "<saml:Assertion xmlns:saml=\"{SAML}\" ID=\"{id}\" IssueInstant=\"{instant}\" Version=\"2.0\">\
                 <saml:Issuer>{}</saml:Issuer>{name}</saml:Assertion>",
                escape_text(&issuer)
            ));
        };
        set(cx, "saml.issuer", Some(&pierhead_xml::escape_attribute(&issuer)));
        set(cx, "saml.subject", subject.as_deref().map(pierhead_xml::escape_attribute).as_deref());
        let text = template.render(cx, self.lenient).map(|text| text.trim().to_owned());
        set(cx, "saml.issuer", Some(&issuer));
        set(cx, "saml.subject", subject.as_deref());
        text.map_err(|problem| match problem {
            RenderProblem::Unresolved(name) => unresolved(&name),
            RenderProblem::TooLong => failed("the template gives too long a text"),
        })
    }
}

/// `2017-06-06T18:54:51.007Z`.
fn instant(now: EpochMillis) -> String {
    let seconds = now.rfc3339_seconds();
    let seconds = seconds.trim_end_matches('Z');
    format!("{seconds}.{:03}Z", now.as_i64().rem_euclid(1000))
}

/// The element as XML that is in no default namespace, whatever it is put into.
fn shielded(root: Node<'_>) -> String {
    let xml = root.to_xml();
    let declares = root.namespaces().any(|node| node.local_name().is_empty());
    let end = 1 + root.name().len();
    if declares { xml } else { format!("{} xmlns=\"\"{}", &xml[..end], &xml[end..]) }
}

fn only<'d>(path: &XPath, document: &'d Document) -> Option<Node<'d>> {
    match path.nodes(document.root()).ok()?.as_slice() {
        [one] if one.is_element() => Some(*one),
        _ => None,
    }
}

fn last_element(node: Node<'_>) -> Option<Node<'_>> {
    node.child_elements().last()
}

fn set(cx: &mut Exchange, name: &str, value: Option<&str>) {
    // These variables are nobody's but the policy's: they can always be written.
    let _ = cx.set(&Variable::new(name), value.map(|value| Stored::from(value.to_owned())));
}

fn failed(why: &str) -> Fault {
    fault("GenerationFailed", format!("The assertion cannot be made: {why}"))
}

fn unresolved(variable: &str) -> Fault {
    fault("UnresolvedVariable", format!("Unresolved variable : {variable}"))
}

#[cfg(test)]
mod tests;
