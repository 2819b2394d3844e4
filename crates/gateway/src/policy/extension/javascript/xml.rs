//! `body.asXML`: a document as a tree that the prelude dresses up.

use serde::Serialize;

use crate::policy::element::Element;

#[derive(Serialize)]
struct Node<'e> {
    name: &'e str,
    text: &'e str,
    xml: String,
    attributes: serde_json::Map<String, serde_json::Value>,
    children: Vec<Node<'e>>,
}

/// The tree as JSON; names are local, as policies match them. The error says why it is no XML.
pub(super) fn tree(text: &str) -> Result<String, String> {
    let root = Element::parse(text).map_err(|bad| format!("not XML: line {}: {}", bad.line, bad.why))?;
    serde_json::to_string(&node(&root)).map_err(|error| error.to_string())
}

fn node(element: &Element) -> Node<'_> {
    let attributes = element
        .attributes()
        .filter_map(|name| Some((name.to_owned(), element.attribute(name)?.into())))
        .collect();
    let mut xml = String::new();
    write(element, &mut xml);
    Node {
        name: &element.name,
        text: element.text(),
        xml,
        attributes,
        children: element.children.iter().map(node).collect(),
    }
}

/// An element as text, without the namespaces and the mixed content it may have had.
fn write(element: &Element, out: &mut String) {
    use quick_xml::escape::escape;
    out.push('<');
    out.push_str(&element.name);
    for name in element.attributes() {
        let value = escape(element.attribute(name).unwrap_or_default());
        out.extend([" ", name, "=\"", &value, "\""]);
    }
    if element.children.is_empty() && element.text().is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    out.push_str(&escape(element.text()));
    element.children.iter().for_each(|child| write(child, out));
    out.extend(["</", &element.name, ">"]);
}
