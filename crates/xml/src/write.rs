//! Nodes as text.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::document::{Node, NodeKind};

/// Text with what would be markup escaped.
pub fn escape_text(text: &str) -> Cow<'_, str> {
    escape(text, |c| match c {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#13;"),
        _ => None,
    })
}

/// The value of an attribute in double quotes, escaped; white space survives the next reader.
pub fn escape_attribute(text: &str) -> Cow<'_, str> {
    escape(text, |c| match c {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\t' => Some("&#9;"),
        b'\n' => Some("&#10;"),
        b'\r' => Some("&#13;"),
        _ => None,
    })
}

pub(crate) fn escape(text: &str, with: impl Fn(u8) -> Option<&'static str>) -> Cow<'_, str> {
    let Some(first) = text.bytes().position(|byte| with(byte).is_some()) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..first]);
    let mut from = first;
    for (at, byte) in text.bytes().enumerate().skip(first) {
        if let Some(by) = with(byte) {
            out.push_str(&text[from..at]);
            out.push_str(by);
            from = at + 1;
        }
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

/// What is written otherwise than it stands.
#[derive(Clone, Copy, Default)]
struct Changes<'a> {
    edit: Option<(Node<'a>, Edit<'a>)>,
    hidden: Hidden<'a>,
}

/// What stands for the content of nodes that are not to be seen.
type Hidden<'a> = Option<(&'a dyn Fn(Node<'_>) -> bool, &'a str)>;

/// A node with the namespaces it needs; the value of an attribute or a namespace.
pub(crate) fn to_xml(node: Node<'_>) -> String {
    to_changed_xml(node, Changes::default())
}

/// The same with the content of some nodes replaced.
pub(crate) fn to_xml_hiding<'d>(node: Node<'d>, hidden: Hidden<'d>) -> String {
    to_changed_xml(node, Changes { edit: None, hidden })
}

fn to_changed_xml<'d>(node: Node<'d>, changes: Changes<'d>) -> String {
    let mut out = String::new();
    match node.kind() {
        NodeKind::Attribute | NodeKind::Namespace => out.push_str(node.own_text()),
        NodeKind::Root => node.children().for_each(|child| write_tree(&mut out, child, changes)),
        _ => write_tree(&mut out, node, changes),
    }
    out
}

/// A change of a document that is being written. Text that is put in is XML that is written as it is.
#[derive(Debug, Clone, Copy)]
pub enum Edit<'e> {
    /// Leaves the node out.
    Remove,
    /// Puts text at the end of what is in the element.
    Append(&'e str),
    /// Puts text behind the node.
    Follow(&'e str),
}

/// A whole document with one change at `at`.
pub(crate) fn edited<'d>(root: Node<'d>, at: Node<'d>, edit: Edit<'d>) -> String {
    let mut out = String::new();
    root.children()
        .for_each(|child| write_tree(&mut out, child, Changes { edit: Some((at, edit)), hidden: None }));
    out
}

/// Writes without recursion: the depth of a document is no matter.
fn write_tree<'d>(out: &mut String, top: Node<'d>, changes: Changes<'d>) {
    let change_at = |node: Node<'_>| changes.edit.filter(|(at, _)| *at == node).map(|(_, edit)| edit);
    let instead = |node: Node<'_>| changes.hidden.and_then(|(hides, text)| hides(node).then_some(text));
    let mut node = top;
    loop {
        match node.kind() {
            _ if matches!(change_at(node), Some(Edit::Remove)) => {}
            NodeKind::Element => {
                start_tag(out, node, node == top, changes.hidden);
                if let Some(instead) = instead(node) {
                    out.push('>');
                    out.push_str(&escape_text(instead));
                    end_tag(out, node);
                } else if let Some(child) = node.first_child() {
                    out.push('>');
                    node = child;
                    continue;
                } else if let Some(Edit::Append(text)) = change_at(node) {
                    out.push('>');
                    out.push_str(text);
                    end_tag(out, node);
                } else {
                    out.push_str("/>");
                }
            }
            NodeKind::Text => match instead(node) {
                Some(instead) => out.push_str(&escape_text(instead)),
                None if node.is_raw() => out.push_str(node.own_text()),
                None => out.push_str(&escape_text(node.own_text())),
            },
            NodeKind::Comment => {
                let _ = write!(out, "<!--{}-->", node.own_text());
            }
            NodeKind::Instruction => {
                let _ = write!(out, "<?{} {}?>", node.local_name(), node.own_text());
            }
            NodeKind::Root | NodeKind::Attribute | NodeKind::Namespace => {}
        }
        loop {
            if let Some(Edit::Follow(text)) = change_at(node) {
                out.push_str(text);
            }
            if node == top {
                return;
            }
            if let Some(next) = node.following_siblings().next() {
                node = next;
                break;
            }
            let Some(parent) = node.parent() else { return };
            if let Some(Edit::Append(text)) = change_at(parent) {
                out.push_str(text);
            }
            end_tag(out, parent);
            node = parent;
        }
    }
}

fn start_tag(out: &mut String, element: Node<'_>, is_top: bool, hidden: Hidden<'_>) {
    out.push('<');
    push_name(out, element);
    for (prefix, uri) in new_bindings(element, is_top) {
        let colon = if prefix.is_empty() { "" } else { ":" };
        let _ = write!(out, " xmlns{colon}{prefix}=\"{}\"", escape_attribute(uri));
    }
    for attribute in element.attributes() {
        out.push(' ');
        push_name(out, attribute);
        let value = match hidden {
            Some((hides, instead)) if hides(attribute) => instead,
            _ => attribute.own_text(),
        };
        let _ = write!(out, "=\"{}\"", escape_attribute(value));
    }
}

/// The bindings that differ from those of the parent; all of them at the top.
pub(crate) fn new_bindings<'d>(element: Node<'d>, is_top: bool) -> Vec<(&'d str, &'d str)> {
    let parent = if is_top { None } else { element.parent().filter(|parent| parent.is_element()) };
    if let Some(parent) = parent
        && element.has_scope_of(parent)
    {
        return Vec::new();
    }
    let mut bindings: Vec<_> = element
        .namespaces()
        .filter_map(Node::binding)
        .filter(|(prefix, uri)| {
            *prefix != "xml" && parent.and_then(|p| p.resolve_prefix(prefix)) != Some(*uri)
        })
        .collect();
    let undeclares = element.resolve_prefix("") == Some("")
        && parent.is_some_and(|parent| parent.resolve_prefix("").is_some_and(|uri| !uri.is_empty()));
    if undeclares {
        bindings.push(("", ""));
    }
    bindings
}

pub(crate) fn end_tag(out: &mut String, element: Node<'_>) {
    out.push_str("</");
    push_name(out, element);
    out.push('>');
}

pub(crate) fn push_name(out: &mut String, node: Node<'_>) {
    if !node.prefix().is_empty() {
        out.push_str(node.prefix());
        out.push(':');
    }
    out.push_str(node.local_name());
}
