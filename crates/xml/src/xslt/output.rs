//! Writing a result (XSLT 1.0, 16).

use std::fmt::Write as _;

use super::statics::Here;
use super::{BadStylesheet, TransformError, html};
use crate::document::{Document, Node, NodeKind};
use crate::names::is_blank;
use crate::write::{end_tag, escape, escape_text, new_bindings, push_name};
use crate::xpath::ExpandedName;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Xml,
    Html,
    Text,
}

/// `xsl:output`, several merged.
#[derive(Debug, Default)]
pub(super) struct Settings {
    method: Option<Method>,
    encoding: Option<Box<str>>,
    omit_declaration: Option<bool>,
    standalone: Option<bool>,
    doctype_public: Option<Box<str>>,
    doctype_system: Option<Box<str>>,
    cdata_elements: Vec<ExpandedName>,
    indent: Option<bool>,
    media_type: Option<Box<str>>,
}

impl Settings {
    pub(super) fn read(&mut self, here: &Here<'_, '_>) -> Result<(), BadStylesheet> {
        let flag = |text: &str| match text.trim() {
            "yes" | "true" | "1" => Ok(true),
            "no" | "false" | "0" => Ok(false),
            other => Err(here.bad(format!("xsl:output: '{other}' is neither yes nor no"))),
        };
        for attribute in here.node.attributes() {
            let text = attribute.own_text();
            match attribute.local_name() {
                _ if !attribute.namespace().is_empty() => {}
                "method" => {
                    self.method = Some(match text.trim() {
                        "xml" => Method::Xml,
                        "html" => Method::Html,
                        "text" => Method::Text,
                        other => return Err(here.bad(format!("the output method {other} is not supported"))),
                    });
                }
                "version"
                    if text.trim().starts_with("1.")
                        || matches!(text.trim(), "4.0" | "4.01" | "5" | "5.0") => {}
                "encoding" => {
                    let name = text.trim().to_ascii_lowercase();
                    let known =
                        ["utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252"];
                    if !known.contains(&name.as_str()) {
                        return Err(here.bad(format!("the output encoding {} is not supported", text.trim())));
                    }
                    self.encoding = Some(text.trim().into());
                }
                "omit-xml-declaration" => self.omit_declaration = Some(flag(text)?),
                "standalone" if text.trim() == "omit" => self.standalone = None,
                "standalone" => self.standalone = Some(flag(text)?),
                "doctype-public" => self.doctype_public = Some(text.into()),
                "doctype-system" => self.doctype_system = Some(text.into()),
                "cdata-section-elements" => self.cdata_elements.extend(here.names(text)?),
                "indent" => self.indent = Some(flag(text)?),
                "media-type" => self.media_type = Some(text.trim().into()),
                "name" if here.shared.later => return Err(here.bad("named outputs are not supported")),
                other => return Err(here.bad(format!("xsl:output: {other}=\"{text}\" is not supported"))),
            }
        }
        Ok(())
    }

    /// Without a method a result whose outermost element is `html` is written as such.
    fn method(&self, result: &Document) -> Method {
        self.method.unwrap_or_else(|| {
            let first = result.root().children().find(|node| {
                node.is_element() || (node.kind() == NodeKind::Text && !is_blank(node.own_text()))
            });
            let is_html = |node: Node<'_>| {
                node.is_element()
                    && node.namespace().is_empty()
                    && node.local_name().eq_ignore_ascii_case("html")
            };
            if first.is_some_and(is_html) { Method::Html } else { Method::Xml }
        })
    }

    pub(super) fn media_type(&self) -> Option<String> {
        self.media_type.as_deref().map(str::to_owned)
    }

    pub(super) fn write(&self, result: &Document) -> Result<String, TransformError> {
        let method = self.method(result);
        let mut writer = Writer {
            out: String::new(),
            method,
            indent: self.indent.unwrap_or(method == Method::Html),
            ascii: self.encoding.as_deref().is_some_and(|name| !name.to_ascii_lowercase().starts_with("utf")),
            cdata: &self.cdata_elements,
            encoding: self.encoding.as_deref().unwrap_or("UTF-8"),
        };
        match method {
            Method::Text => return Ok(result.root().text().into_owned()),
            Method::Xml if !self.omit_declaration.unwrap_or(false) => {
                let _ = write!(writer.out, "<?xml version=\"1.0\" encoding=\"{}\"", writer.encoding);
                if let Some(standalone) = self.standalone {
                    let _ = write!(writer.out, " standalone=\"{}\"", if standalone { "yes" } else { "no" });
                }
                writer.out.push_str("?>");
                if writer.indent {
                    writer.out.push('\n');
                }
            }
            Method::Xml | Method::Html => {}
        }
        let mut doctype = self.doctype(method);
        for node in result.root().children() {
            if node.is_element()
                && let Some(doctype) = doctype.take()
            {
                let _ = write!(writer.out, "<!DOCTYPE {}{doctype}>", node.name());
                writer.out.push('\n');
            }
            writer.tree(node);
        }
        if writer.out.len() > super::run::MAX_RESULT_BYTES * 2 {
            return Err(TransformError::TooLong(super::run::MAX_RESULT_BYTES));
        }
        Ok(writer.out)
    }

    fn doctype(&self, method: Method) -> Option<String> {
        match (&self.doctype_public, &self.doctype_system) {
            (Some(public), Some(system)) => Some(format!(" PUBLIC \"{public}\" \"{system}\"")),
            (None, Some(system)) => Some(format!(" SYSTEM \"{system}\"")),
            (Some(public), None) if method == Method::Html => Some(format!(" PUBLIC \"{public}\"")),
            _ => None,
        }
    }
}

/// Writes nodes without recursion.
pub(super) struct Writer<'s> {
    pub(super) out: String,
    pub(super) method: Method,
    pub(super) indent: bool,
    /// What is not ASCII is written as references.
    ascii: bool,
    cdata: &'s [ExpandedName],
    pub(super) encoding: &'s str,
}

impl Writer<'_> {
    fn tree(&mut self, top: Node<'_>) {
        let mut node = top;
        let mut level = 0usize;
        loop {
            if self.breaks_before(node) {
                self.new_line(level);
            }
            if self.open(node)
                && let Some(child) = node.first_child()
            {
                node = child;
                level += 1;
                continue;
            }
            loop {
                if node == top {
                    return;
                }
                if let Some(next) = node.following_siblings().next() {
                    node = next;
                    break;
                }
                let Some(parent) = node.parent() else { return };
                level = level.saturating_sub(1);
                if self.breaks_inside(parent) {
                    self.new_line(level);
                }
                self.close(parent);
                node = parent;
            }
        }
    }

    /// Writes a node up to where its children go; whether there are any.
    fn open(&mut self, node: Node<'_>) -> bool {
        match node.kind() {
            NodeKind::Element if self.method == Method::Html && node.namespace().is_empty() => {
                html::open(self, node)
            }
            NodeKind::Element => {
                self.start_tag(node);
                if node.first_child().is_some() {
                    self.out.push('>');
                    return true;
                }
                self.out.push_str("/>");
                false
            }
            NodeKind::Text => {
                self.text(node);
                false
            }
            NodeKind::Comment => {
                let _ = write!(self.out, "<!--{}-->", node.own_text());
                false
            }
            NodeKind::Instruction => {
                let end = if self.method == Method::Html { ">" } else { "?>" };
                let _ = write!(self.out, "<?{} {}{end}", node.local_name(), node.own_text());
                false
            }
            NodeKind::Root | NodeKind::Attribute | NodeKind::Namespace => false,
        }
    }

    fn close(&mut self, element: Node<'_>) {
        end_tag(&mut self.out, element);
    }

    fn start_tag(&mut self, element: Node<'_>) {
        self.out.push('<');
        push_name(&mut self.out, element);
        let is_top = element.parent().is_none_or(|parent| !parent.is_element());
        for (prefix, uri) in new_bindings(element, is_top) {
            let colon = if prefix.is_empty() { "" } else { ":" };
            let _ = write!(self.out, " xmlns{colon}{prefix}=\"");
            self.attribute_text(uri);
            self.out.push('"');
        }
        for attribute in element.attributes() {
            self.out.push(' ');
            push_name(&mut self.out, attribute);
            self.out.push_str("=\"");
            self.attribute_text(attribute.own_text());
            self.out.push('"');
        }
    }

    fn attribute_text(&mut self, text: &str) {
        let escaped = crate::write::escape_attribute(text);
        self.encoded(&escaped);
    }

    fn text(&mut self, node: Node<'_>) {
        let text = node.own_text();
        if node.is_raw() {
            return self.out.push_str(text);
        }
        let parent = node.parent().filter(|parent| parent.is_element());
        if self.method == Method::Html && parent.is_some_and(html::is_raw) {
            return self.out.push_str(text);
        }
        let is_cdata = parent
            .is_some_and(|parent| self.cdata.iter().any(|name| parent.is_named(&name.uri, &name.local)));
        if is_cdata && (!self.ascii || text.is_ascii()) {
            // What would end the section ends it in two.
            let _ = write!(self.out, "<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"));
            return;
        }
        let escaped = escape_text(text);
        self.encoded(&escaped);
    }

    /// Characters that the encoding may not have become references.
    pub(super) fn encoded(&mut self, text: &str) {
        if !self.ascii || text.is_ascii() {
            return self.out.push_str(text);
        }
        for c in text.chars() {
            if c.is_ascii() {
                self.out.push(c);
            } else {
                let _ = write!(self.out, "&#{};", u32::from(c));
            }
        }
    }

    /// The value of an attribute in HTML.
    pub(super) fn html_attribute(&mut self, text: &str) {
        let escaped = escape(text, |byte| match byte {
            b'&' => Some("&amp;"),
            b'"' => Some("&quot;"),
            _ => None,
        });
        // An ampersand before a brace is a macro of scripts and stays one (HTML 4.01, B.7.1).
        let escaped = escaped.replace("&amp;{", "&{");
        self.encoded(&escaped);
    }

    /// Whether an element's children stand on lines of their own: none of them is text that counts.
    fn breaks_inside(&self, element: Node<'_>) -> bool {
        self.indent
            && element.first_child().is_some()
            && !(self.method == Method::Html && html::keeps_space(element))
            && !super::space::preserves(element)
            && element.children().all(|child| child.kind() != NodeKind::Text)
    }

    fn breaks_before(&self, node: Node<'_>) -> bool {
        match node.parent() {
            Some(parent) if parent.is_element() => self.breaks_inside(parent),
            Some(_) => {
                self.indent && node.preceding_siblings().next().is_some() && node.kind() != NodeKind::Text
            }
            None => false,
        }
    }

    fn new_line(&mut self, level: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n("  ", level.min(100)));
    }
}
