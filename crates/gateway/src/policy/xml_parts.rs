//! Namespaces and XPaths of policies, and the documents they look at.

use pierhead_xml::{Document, Limits, XPath};

use super::blueprint::Blueprint;
use super::element::Element;

/// Prefixes with what they stand for.
pub(crate) struct Namespaces(Vec<(String, String)>);

impl Namespaces {
    /// Reads the `Namespaces` in `parent`, if any.
    pub(crate) fn read<'d>(policy: &mut Blueprint<'d>, parent: &'d Element) -> Self {
        let mut namespaces: Vec<(String, String)> = Vec::new();
        let Some(element) = parent.child("Namespaces") else { return Self(namespaces) };
        policy.only(element, &[], &["Namespace"]);
        for child in element.children("Namespace") {
            policy.only(child, &["prefix"], &[]);
            let prefix = child.attribute("prefix").unwrap_or_default().trim();
            if namespaces.iter().any(|(known, _)| known == prefix) {
                policy.problem(child, "DuplicatePrefix", format!("the prefix '{prefix}' is there twice"));
            } else if !prefix.is_empty() && child.text().is_empty() {
                let message = format!("the prefix '{prefix}' needs a namespace");
                policy.problem(child, "NONEmptyPrefixMappedToEmptyURI", message);
            } else {
                namespaces.push((prefix.to_owned(), child.text().to_owned()));
            }
        }
        Self(namespaces)
    }

    /// Compiles the text of an element.
    pub(crate) fn xpath(&self, policy: &mut Blueprint<'_>, element: &Element) -> Option<XPath> {
        if element.text().is_empty() {
            policy.problem(element, "EmptyXPathExpression", "the XPath is empty");
            return None;
        }
        let known: Vec<(&str, &str)> =
            self.0.iter().map(|(prefix, uri)| (prefix.as_str(), uri.as_str())).collect();
        match XPath::compile(element.text(), &known) {
            Ok(path) => Some(path),
            Err(bad) => {
                policy.problem(element, "XPathCompilationFailed", bad.to_string());
                None
            }
        }
    }
}

/// Reads a payload.
pub(crate) fn document(text: &str) -> Result<Document, String> {
    Document::parse(text, &Limits::default()).map_err(|bad| format!("the payload is no XML: {bad}"))
}
