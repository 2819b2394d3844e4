//! Instructions and literal elements.

use super::super::avt::Avt;
use super::super::instruction::{Bound, Content, LiteralAttribute, LiteralElement, Scope};
use super::*;

impl Compiler {
    pub(super) fn instruction(&mut self, element: Node<'_>, body: &mut Body) -> Compiled<()> {
        if element.namespace() != XSLT {
            body.push(self.literal(element)?);
            return Ok(());
        }
        let line = element.line();
        let made = match element.local_name() {
            "text" => {
                only_children_text(element)?;
                let here = self.here(element);
                let attributes = Attributes::of(&here, &["disable-output-escaping"], &[])?;
                let raw = attributes.flag("disable-output-escaping", false)?;
                Instruction::Text { text: element.text().into(), raw }
            }
            "value-of" => {
                let here = self.here(element);
                let attributes =
                    Attributes::of(&here, &["select", "disable-output-escaping"], &["separator"])?;
                if !self.shared.later {
                    attributes.need("select")?;
                    only_children(element, &[])?;
                }
                let raw = attributes.flag("disable-output-escaping", false)?;
                let separator = attributes.avt("separator")?;
                Instruction::ValueOf { value: self.content(element)?, separator, raw }
            }
            "copy-of" => {
                only_children(element, &[])?;
                let here = self.here(element);
                let attributes = Attributes::of(&here, &["select"], &["copy-namespaces"])?;
                if !attributes.flag("copy-namespaces", true)? {
                    return Err(here.bad("copy-namespaces=\"no\" is not supported"));
                }
                Instruction::CopyOf { select: attributes.need_expr("select")? }
            }
            "copy" => {
                let here = self.here(element);
                let attributes = Attributes::of(
                    &here,
                    &["use-attribute-sets"],
                    &["copy-namespaces", "inherit-namespaces"],
                )?;
                if !attributes.flag("copy-namespaces", true)? {
                    return Err(here.bad("copy-namespaces=\"no\" is not supported"));
                }
                let sets = self.sets(&here, attributes.get("use-attribute-sets"))?;
                Instruction::Copy { sets, body: self.body(element, &[])?, line }
            }
            "sequence" if self.shared.later => {
                only_children(element, &["fallback"])?;
                let here = self.here(element);
                let attributes = Attributes::of(&here, &[], &["select"])?;
                Instruction::Sequence { select: attributes.need_expr("select")? }
            }
            "element" => self.element(element)?,
            "attribute" => self.attribute(element)?,
            "namespace" if self.shared.later => {
                let here = self.here(element);
                let attributes = Attributes::of(&here, &[], &["name", "select"])?;
                let name = Avt::compile(attributes.need("name")?, &here)?;
                Instruction::Namespace { name, value: self.content(element)?, line }
            }
            "comment" => {
                Attributes::of(&self.here(element), &[], &["select"])?;
                Instruction::Comment { value: self.content(element)?, line }
            }
            "processing-instruction" => {
                let here = self.here(element);
                let attributes = Attributes::of(&here, &["name"], &["select"])?;
                let name = Avt::compile(attributes.need("name")?, &here)?;
                Instruction::Processing { name, value: self.content(element)?, line }
            }
            "variable" => {
                let variable = self.variable(element)?;
                self.declare_local(&variable.name, &self.here(element))?;
                Instruction::Variable(variable)
            }
            "message" => {
                let here = self.here(element);
                let attributes = Attributes::of(&here, &["terminate"], &["select"])?;
                let terminate = attributes.avt_or("terminate", "no")?;
                Instruction::Message { value: self.content(element)?, terminate }
            }
            // Only for processors that do not know the element it stands in.
            "fallback" => return Ok(()),
            "apply-imports" => {
                return Err(self
                    .here(element)
                    .bad("xsl:apply-imports is not supported: nothing is imported"));
            }
            _ => match self.flow(element)? {
                Some(made) => made,
                None => return Err(self.here(element).bad(format!("{} is not supported", element.name()))),
            },
        };
        body.push(made);
        Ok(())
    }

    /// The text of an instruction: of `select` where XSLT 2.0 allows it, else what its body writes.
    pub(super) fn content(&mut self, element: Node<'_>) -> Compiled<Content> {
        if let Some(select) = element.attribute("select") {
            return Ok(Content::Select(self.here(element).expr(select)?));
        }
        Ok(Content::Body(self.body(element, &["fallback"])?))
    }

    /// `xsl:variable`, `xsl:param` and `xsl:with-param`.
    pub(super) fn variable(&mut self, element: Node<'_>) -> Compiled<Variable> {
        let here = self.here(element);
        let attributes = Attributes::of(&here, &["name", "select"], &["as", "required", "tunnel"])?;
        if attributes.flag("tunnel", false)? {
            return Err(here.bad("tunnel parameters are not supported"));
        }
        let name = here.name(attributes.need("name")?)?;
        let is_empty = element.first_child().is_none();
        let value = match attributes.expr("select")? {
            Some(_) if !is_empty => return Err(here.bad("select and content exclude each other")),
            Some(select) => Bound::Select(select),
            None if is_empty => Bound::Nothing,
            None if attributes.get("as").is_some_and(|kind| !kind.trim().starts_with("document-node")) => {
                Bound::Values(self.body(element, &[])?)
            }
            None => Bound::Tree(self.body(element, &[])?),
        };
        Ok(Variable { name, value, line: element.line() })
    }

    pub(super) fn sets(&self, here: &Here<'_, '_>, names: Option<&str>) -> Compiled<Vec<ExpandedName>> {
        here.names(names.unwrap_or_default())
    }

    fn element(&mut self, element: Node<'_>) -> Compiled<Instruction> {
        let here = self.here(element);
        let attributes =
            Attributes::of(&here, &["name", "namespace", "use-attribute-sets"], &["inherit-namespaces"])?;
        let name = Avt::compile(attributes.need("name")?, &here)?;
        if let Some(name) = name.as_literal()
            && crate::names::split_qname(name.trim()).is_none()
        {
            return Err(here.bad(format!("'{name}' is no name")));
        }
        let namespace = attributes.avt("namespace")?;
        let sets = self.sets(&here, attributes.get("use-attribute-sets"))?;
        let body = self.body(element, &[])?;
        Ok(Instruction::Element { name, namespace, scope: scope(element), sets, body, line: element.line() })
    }

    fn attribute(&mut self, element: Node<'_>) -> Compiled<Instruction> {
        let here = self.here(element);
        let attributes = Attributes::of(&here, &["name", "namespace"], &["select", "separator"])?;
        let name = Avt::compile(attributes.need("name")?, &here)?;
        let namespace = attributes.avt("namespace")?;
        let separator = attributes.avt("separator")?;
        let value = self.content(element)?;
        Ok(Instruction::Attribute {
            name,
            namespace,
            scope: scope(element),
            value,
            separator,
            line: element.line(),
        })
    }

    pub(super) fn literal(&mut self, element: Node<'_>) -> Compiled<Instruction> {
        let here = self.here(element);
        let mut attributes = Vec::new();
        let mut sets = Vec::new();
        for attribute in element.attributes() {
            if attribute.namespace() == XSLT {
                match attribute.local_name() {
                    "use-attribute-sets" => sets = here.names(attribute.own_text())?,
                    "exclude-result-prefixes"
                    | "extension-element-prefixes"
                    | "version"
                    | "xpath-default-namespace" => {}
                    _ => return Err(here.bad(format!("an element has no attribute {}", attribute.name()))),
                }
                continue;
            }
            let (prefix, uri) = self.aliased(attribute.prefix(), attribute.namespace());
            attributes.push(LiteralAttribute {
                prefix,
                local: attribute.local_name().into(),
                uri,
                value: Avt::compile(attribute.own_text(), &here)?,
            });
        }
        let (prefix, uri) = self.aliased(element.prefix(), element.namespace());
        let excluded = excluded(element, &here)?;
        let namespaces = element
            .namespaces()
            .filter_map(Node::binding)
            .filter(|(prefix, uri)| *prefix != "xml" && *uri != XSLT && !excluded.contains(uri))
            .map(|(prefix, uri)| match self.aliases.get(uri) {
                Some((_, aliased)) => (Box::from(prefix), aliased.clone()),
                None => (Box::from(prefix), Box::from(uri)),
            })
            .filter(|(_, uri)| !uri.is_empty())
            .collect();
        Ok(Instruction::Literal(Box::new(LiteralElement {
            prefix,
            local: element.local_name().into(),
            uri,
            namespaces,
            sets,
            attributes,
            body: self.body(element, &[])?,
        })))
    }

    fn aliased(&self, prefix: &str, uri: &str) -> (Box<str>, Box<str>) {
        match self.aliases.get(uri) {
            Some((_, aliased)) if aliased.is_empty() => ("".into(), "".into()),
            // The prefix that stands in the stylesheet now stands for what is meant.
            Some((_, aliased)) if !prefix.is_empty() => (prefix.into(), aliased.clone()),
            Some((meant, aliased)) => (meant.clone(), aliased.clone()),
            None => (prefix.into(), uri.into()),
        }
    }
}

/// The prefixes in scope of an element.
fn scope(element: Node<'_>) -> Scope {
    let bindings = element.namespaces().filter_map(Node::binding);
    bindings.map(|(prefix, uri)| (prefix.into(), uri.into())).collect()
}

/// Namespaces that this element or one around it says are not for the result.
fn excluded<'d>(element: Node<'d>, here: &Here<'_, '_>) -> Compiled<Vec<&'d str>> {
    let mut uris = Vec::new();
    for around in std::iter::once(element).chain(element.ancestors()).filter(|node| node.is_element()) {
        let of = if around.namespace() == XSLT { "" } else { XSLT };
        for name in ["exclude-result-prefixes", "extension-element-prefixes"] {
            for prefix in around.attribute_of(of, name).unwrap_or_default().split_ascii_whitespace() {
                if prefix == "#all" {
                    uris.extend(around.namespaces().filter_map(Node::binding).map(|(_, uri)| uri));
                    continue;
                }
                let prefix = if prefix == "#default" { "" } else { prefix };
                let uri = around.resolve_prefix(prefix);
                uris.push(uri.ok_or_else(|| here.bad(format!("the prefix {prefix} is not bound")))?);
            }
        }
    }
    Ok(uris)
}

fn only_children_text(element: Node<'_>) -> Compiled<()> {
    match element.child_elements().next() {
        Some(child) => Err(BadStylesheet { line: child.line(), why: "xsl:text holds text only".to_owned() }),
        None => Ok(()),
    }
}
