//! The template function `xpath(expression, xml[, type])` (api-management §6).

use std::borrow::Cow;

use pierhead_xml::{Document, Limits, Value, XPath};

use super::RenderProblem;
use super::functions::Argument;
use crate::exchange::Exchange;

/// The expression when it is a literal; else it is compiled when it is known. Names have no prefixes: the
/// function has no place to say what they stand for.
#[derive(Debug, Clone)]
pub(super) struct XPathCall {
    compiled: Option<XPath>,
    gives: Gives,
}

/// What is made of the value. Unsourced: that nodes are written as XML one after the other.
#[derive(Debug, Clone, Copy)]
enum Gives {
    /// Every node.
    Nodes,
    /// The first.
    Node,
    Text,
    Number,
    Boolean,
}

impl XPathCall {
    pub(super) fn compile(arguments: &[Argument]) -> Result<Self, String> {
        let compiled = match arguments.first() {
            Some(Argument::Literal(text)) => Some(XPath::compile(text, &[]).map_err(|bad| bad.to_string())?),
            _ => None,
        };
        let gives = match arguments.get(2) {
            None => Gives::Nodes,
            Some(Argument::Literal(name)) => match name.to_ascii_lowercase().as_str() {
                "nodeset" => Gives::Nodes,
                "node" => Gives::Node,
                "string" => Gives::Text,
                "number" => Gives::Number,
                "boolean" => Gives::Boolean,
                _ => return Err(format!("xpath gives no '{name}'")),
            },
            Some(Argument::Variable(_)) => return Err("the type of xpath must be a literal".to_owned()),
        };
        Ok(Self { compiled, gives })
    }

    /// The text of what is found; empty when nothing is. No document or no expression is an unresolved
    /// variable.
    pub(super) fn render<'a>(
        &self,
        cx: &'a Exchange,
        arguments: &'a [Argument],
        lenient: bool,
    ) -> Result<Cow<'a, str>, RenderProblem> {
        let mut failed = 0;
        match self.find(cx, arguments, &mut failed) {
            Some(text) => Ok(Cow::Owned(text)),
            None if lenient => Ok(Cow::Borrowed("")),
            None => Err(arguments
                .get(failed)
                .map_or_else(|| RenderProblem::Unresolved("".into()), Argument::unresolved)),
        }
    }

    /// `failed` is the argument that is to blame when there is no text.
    fn find(&self, cx: &Exchange, arguments: &[Argument], failed: &mut usize) -> Option<String> {
        let read;
        let xpath = match &self.compiled {
            Some(xpath) => xpath,
            None => {
                read = XPath::compile(&arguments.first()?.get(cx)?, &[]).ok()?;
                &read
            }
        };
        *failed = 1;
        let document = Document::parse(&arguments.get(1)?.get(cx)?, &Limits::default()).ok()?;
        let value = xpath.evaluate(document.root()).ok()?;
        Some(match (self.gives, value) {
            (Gives::Nodes, Value::Nodes(nodes)) => nodes.iter().map(|node| node.to_xml()).collect(),
            (Gives::Node, Value::Nodes(nodes)) => nodes.first().map(|node| node.to_xml()).unwrap_or_default(),
            (Gives::Nodes | Gives::Node | Gives::Text, value) => value.to_text().into_owned(),
            (Gives::Number, value) => Value::Number(value.to_number()).to_text().into_owned(),
            (Gives::Boolean, value) => value.to_boolean().to_string(),
        })
    }
}
