//! The output method `html` (XSLT 1.0, 16.2).

use super::output::Writer;
use crate::document::{Node, NodeKind};
use crate::write::push_name;

const VOID: &[&str] = &[
    "area", "base", "basefont", "br", "col", "embed", "frame", "hr", "img", "input", "isindex", "link",
    "meta", "param", "source", "track", "wbr",
];
const BOOLEAN: &[&str] = &[
    "async",
    "autofocus",
    "autoplay",
    "checked",
    "compact",
    "controls",
    "declare",
    "defer",
    "disabled",
    "hidden",
    "ismap",
    "loop",
    "multiple",
    "muted",
    "nohref",
    "noresize",
    "noshade",
    "novalidate",
    "nowrap",
    "open",
    "readonly",
    "required",
    "reversed",
    "selected",
];
const ADDRESS: &[&str] = &["action", "background", "cite", "href", "longdesc", "src", "usemap"];
/// Elements among text, where white space shows.
const INLINE: &[&str] = &[
    "a", "abbr", "b", "big", "button", "cite", "code", "em", "font", "i", "kbd", "label", "p", "pre", "q",
    "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "td", "textarea", "th", "tt", "u", "var",
    "li", "h1", "h2", "h3", "h4", "h5", "h6", "title", "option",
];

fn is_one_of(element: Node<'_>, names: &[&str]) -> bool {
    element.namespace().is_empty() && names.iter().any(|name| name.eq_ignore_ascii_case(element.local_name()))
}

/// Whether the text inside is written as it is.
pub(super) fn is_raw(element: Node<'_>) -> bool {
    is_one_of(element, &["script", "style"])
}

/// Whether lines may not be broken inside.
pub(super) fn keeps_space(element: Node<'_>) -> bool {
    is_one_of(element, INLINE) || is_raw(element)
}

/// Writes a start tag; gives whether children and an end tag follow.
pub(super) fn open(writer: &mut Writer<'_>, element: Node<'_>) -> bool {
    writer.out.push('<');
    push_name(&mut writer.out, element);
    for (prefix, uri) in
        crate::write::new_bindings(element, element.parent().is_none_or(|parent| !parent.is_element()))
    {
        writer.out.push_str(" xmlns");
        if !prefix.is_empty() {
            writer.out.push(':');
            writer.out.push_str(prefix);
        }
        writer.out.push_str("=\"");
        writer.html_attribute(uri);
        writer.out.push('"');
    }
    for attribute in element.attributes() {
        let (name, value) = (attribute.local_name(), attribute.own_text());
        writer.out.push(' ');
        push_name(&mut writer.out, attribute);
        if is_listed(name, BOOLEAN) && value.eq_ignore_ascii_case(name) {
            continue;
        }
        writer.out.push_str("=\"");
        if is_listed(name, ADDRESS) {
            writer.html_attribute(&escape_address(value));
        } else {
            writer.html_attribute(value);
        }
        writer.out.push('"');
    }
    writer.out.push('>');
    if is_one_of(element, VOID) {
        return false;
    }
    if is_one_of(element, &["head"]) && !has_content_type(element) {
        let encoding = writer.encoding.to_owned();
        writer.out.push_str("<meta http-equiv=\"Content-Type\" content=\"text/html; charset=");
        writer.out.push_str(&encoding);
        writer.out.push_str("\">");
    }
    if element.first_child().is_some() {
        return true;
    }
    crate::write::end_tag(&mut writer.out, element);
    false
}

fn is_listed(name: &str, list: &[&str]) -> bool {
    list.iter().any(|listed| listed.eq_ignore_ascii_case(name))
}

fn has_content_type(head: Node<'_>) -> bool {
    let is_it = |meta: Node<'_>| {
        meta.attributes().any(|attribute| {
            let name = attribute.local_name();
            name.eq_ignore_ascii_case("charset")
                || (name.eq_ignore_ascii_case("http-equiv")
                    && attribute.own_text().eq_ignore_ascii_case("content-type"))
        })
    };
    head.children()
        .any(|child| child.kind() == NodeKind::Element && is_one_of(child, &["meta"]) && is_it(child))
}

/// What is not ASCII in an address, as bytes in hexadecimal (HTML 4.01, B.2.1).
fn escape_address(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    for c in address.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    out
}
