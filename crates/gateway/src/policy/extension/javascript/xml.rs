//! XML for scripts: a text as the tree that E4X's objects are made from.

use pierhead_xml::{Document, Limits, Node, NodeKind};
use serde_json::{Value, json};

/// The parts of a text as JSON: a text as it is, an element as `[local, uri, prefix, attributes, declarations,
/// children]`. Whitespace alone, comments and processing instructions are left out. The error says why it is no XML.
pub(super) fn tree(text: &str) -> Result<String, String> {
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let content = match text.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>").map_or(text, |(_, content)| content),
        None => text,
    };
    // A part of a document may have several outermost elements, or none.
    let whole = format!("<x>{content}</x>");
    let document = Document::parse(&whole, &Limits::default()).map_err(|bad| format!("not XML: {bad}"))?;
    let parts = document.element().map(children).unwrap_or_default();
    Ok(Value::from(parts).to_string())
}

fn children(element: Node<'_>) -> Vec<Value> {
    element
        .children()
        .filter_map(|child| match child.kind() {
            NodeKind::Element => Some(tree_of(child)),
            NodeKind::Text => Some(child.own_text()).filter(|text| !text.trim().is_empty()).map(Value::from),
            _ => None,
        })
        .collect()
}

fn tree_of(element: Node<'_>) -> Value {
    let attributes: Vec<Value> = element
        .attributes()
        .map(|one| json!([one.local_name(), one.namespace(), one.prefix(), one.own_text()]))
        .collect();
    let around = element.parent();
    let declared: Vec<Value> = element
        .namespaces()
        .map(|space| (space.local_name(), space.own_text()))
        .filter(|(prefix, uri)| {
            *prefix != "xml" && around.and_then(|around| around.resolve_prefix(prefix)) != Some(uri)
        })
        .map(|(prefix, uri)| json!([prefix, uri]))
        .collect();
    json!([
        element.local_name(),
        element.namespace(),
        element.prefix(),
        attributes,
        declared,
        children(element)
    ])
}
