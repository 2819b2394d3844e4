//! Functions that XSLT adds to XPath (XSLT 1.0, 12; of 2.0 those of groups and regular expressions).

use std::borrow::Cow;

use super::compile;
use super::run::Run;
use crate::document::NodeKind;
use crate::xpath::{ExpandedName, Focus, Value, XPathError};

/// The namespaces in which others put `node-set`.
const NODE_SET: &[&str] = &["http://exslt.org/common", "urn:schemas-microsoft-com:xslt"];

/// A function of the host, as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Host {
    Current,
    Key,
    FormatNumber,
    GenerateId,
    SystemProperty,
    ElementAvailable,
    FunctionAvailable,
    UnparsedEntityUri,
    NodeSet,
    CurrentGroup,
    CurrentGroupingKey,
    RegexGroup,
}

/// Functions of the stylesheet itself begin here.
const OWN: u32 = 1_000;

use Host::*;

/// Name, function, fewest and most arguments, whether it came with XSLT 2.0.
const ALL: &[(&str, Host, usize, usize, bool)] = &[
    ("current", Current, 0, 0, false),
    ("key", Key, 2, 2, false),
    ("format-number", FormatNumber, 2, 3, false),
    ("generate-id", GenerateId, 0, 1, false),
    ("system-property", SystemProperty, 1, 1, false),
    ("element-available", ElementAvailable, 1, 1, false),
    ("function-available", FunctionAvailable, 1, 1, false),
    ("unparsed-entity-uri", UnparsedEntityUri, 1, 1, false),
    ("current-group", CurrentGroup, 0, 0, true),
    ("current-grouping-key", CurrentGroupingKey, 0, 0, true),
    ("regex-group", RegexGroup, 1, 1, true),
];

impl Host {
    pub(super) fn own(index: usize) -> u32 {
        OWN + u32::try_from(index).unwrap_or(0)
    }

    pub(super) const fn is_key(function: u32) -> bool {
        function == Key as u32
    }

    pub(super) fn named(name: &ExpandedName, arguments: usize, later: bool) -> Option<Result<u32, String>> {
        let local = &*name.local;
        if NODE_SET.contains(&&*name.uri) && local == "node-set" {
            return Some(if arguments == 1 { Ok(NodeSet as u32) } else { Err(wrong(local, arguments)) });
        }
        if !name.uri.is_empty() {
            return None;
        }
        if matches!(local, "document" | "doc" | "collection" | "unparsed-text") {
            return Some(Err(format!(
                "the function {local} is not allowed: a stylesheet reads nothing but its source"
            )));
        }
        let (_, host, least, most, _) =
            ALL.iter().find(|(known, .., is_later)| *known == local && (later || !is_later))?;
        Some(if (*least..=*most).contains(&arguments) {
            Ok(*host as u32)
        } else {
            Err(wrong(local, arguments))
        })
    }

    fn at(number: u32) -> Option<Self> {
        if number == NodeSet as u32 {
            return Some(NodeSet);
        }
        ALL.iter().find(|(_, host, ..)| *host as u32 == number).map(|(_, host, ..)| *host)
    }
}

fn wrong(name: &str, arguments: usize) -> String {
    format!("the function {name} does not take {arguments} arguments")
}

impl<'d> Run<'_, 'd> {
    pub(super) fn call_host(
        &self,
        function: u32,
        arguments: Vec<Value<'d>>,
        focus: &Focus<'d>,
    ) -> Result<Value<'d>, XPathError> {
        if let Some(own) = function.checked_sub(OWN) {
            return self.call_own(own as usize, arguments);
        }
        let text = |index: usize| arguments.get(index).map_or(Cow::Borrowed(""), Value::to_text);
        let name = |index: usize| {
            // Names in arguments are almost always without a prefix; with one, the local part decides.
            let text = text(index);
            text.rsplit(':').next().unwrap_or_default().to_owned()
        };
        let Some(host) = Host::at(function) else {
            return Err(XPathError::Function("an unknown function".to_owned()));
        };
        Ok(match host {
            Current => Value::Nodes(vec![self.current.get()]),
            Key => {
                let key = name(0);
                let values: Vec<Cow<'d, str>> = match arguments.get(1) {
                    Some(value @ (Value::Nodes(_) | Value::Sequence(_))) => {
                        value.clone().into_items().iter().map(Value::to_text).collect()
                    }
                    Some(value) => vec![value.to_text()],
                    None => Vec::new(),
                };
                Value::Nodes(self.key(&key, &values, focus.node.document())?)
            }
            FormatNumber => {
                let format = if arguments.len() > 2 { name(2) } else { String::new() };
                let number = arguments.first().map_or(f64::NAN, Value::to_number);
                let named =
                    self.sheet.formats.iter().find(|(own, _)| *own.local == *format).map(|(_, own)| own);
                let written = match (named, format.is_empty()) {
                    (Some(named), _) => named.write(number, &text(1)),
                    (None, true) => super::decimal::DecimalFormat::default().write(number, &text(1)),
                    (None, false) => Err(format!("there is no decimal format {format}")),
                };
                written.map_err(|why| XPathError::Function(format!("format-number(): {why}")))?.into()
            }
            GenerateId => {
                let node = match arguments.into_iter().next() {
                    Some(value) => value.into_nodes("generate-id()")?.first().copied(),
                    None => Some(focus.node),
                };
                node.map_or_else(|| Value::from(""), |node| node.identifier().into())
            }
            SystemProperty => match &*name(0) {
                "version" => Value::Text(Cow::Borrowed(if self.sheet.later { "2.0" } else { "1.0" })),
                "vendor" => Value::from("Pierhead"),
                _ => Value::from(""),
            },
            ElementAvailable => compile::is_instruction(&name(0), self.sheet.later).into(),
            FunctionAvailable => {
                let wanted = ExpandedName { uri: "".into(), local: name(0).into() };
                crate::xpath::is_function(&wanted, self.sheet.later)
                    .max(
                        ALL.iter().any(|(known, .., later)| {
                            *known == &*wanted.local && (self.sheet.later || !later)
                        }),
                    )
                    .into()
            }
            // Without a document type there are none.
            UnparsedEntityUri => Value::from(""),
            NodeSet => {
                Value::Nodes(arguments.into_iter().next().unwrap_or(false.into()).into_nodes("node-set()")?)
            }
            CurrentGroup => {
                self.group.borrow().as_ref().map_or(Value::Nodes(Vec::new()), |(_, items)| items.clone())
            }
            CurrentGroupingKey => {
                self.group.borrow().as_ref().map_or(Value::from(""), |(key, _)| key.clone())
            }
            RegexGroup => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a cast saturates"
                )]
                let index = arguments.first().map_or(0.0, Value::to_number) as usize;
                self.regex_groups.borrow().get(index).cloned().unwrap_or_default().into()
            }
        })
    }

    /// Calls a function of the stylesheet.
    fn call_own(&self, index: usize, arguments: Vec<Value<'d>>) -> Result<Value<'d>, XPathError> {
        let Some(function) = self.sheet.functions.get(index) else {
            return Err(XPathError::Function("an unknown function".to_owned()));
        };
        let given = function.parameters.iter().cloned().zip(arguments).collect();
        let result = self.in_frame(given, || self.values(&function.body));
        result.map_err(|error| self.nested(error))
    }
}

impl crate::document::Node<'_> {
    /// A name that no other node of the transformation has.
    fn identifier(self) -> String {
        let kind = if self.kind() == NodeKind::Namespace { "x" } else { "n" };
        let (document, id, namespace) = self.place();
        format!("d{document}{kind}{id}.{namespace}").replace('.', "s")
    }
}
