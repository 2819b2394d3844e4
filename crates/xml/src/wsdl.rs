//! WSDL 1.1: the types and messages of a service.

#[cfg(test)]
mod tests;

use ahash::{AHashMap, AHashSet};

use crate::document::{Document, Node};
use crate::limits::Limits;
use crate::names::split_qname;
use crate::soap::Envelope;
use crate::xpath::ExpandedName;
use crate::xsd::{BadSchema, Invalid, Schema, XSD};

const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
/// The SOAP bindings of 1.1 and 1.2.
const BINDINGS: [&str; 2] =
    ["http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/"];
/// Imports in imports deeper than this are refused (api-management §9.5).
const MAX_IMPORTS: usize = 10;

/// A service as its description has it, as far as messages are concerned.
#[derive(Debug)]
pub struct Wsdl {
    schema: Schema,
    /// What a body may hold: elements of the schema.
    elements: AHashSet<ExpandedName>,
    /// What a body may hold in RPC style: a call or its answer, with the parts in it.
    calls: AHashMap<ExpandedName, Vec<Part>>,
}

/// A part of a message.
#[derive(Debug, Clone)]
struct Part {
    name: Box<str>,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Element(ExpandedName),
    Type(ExpandedName),
}

impl Wsdl {
    /// Compiles the description `name` of `documents`, pairs of a name and a text; what it imports is found
    /// by the last part of its address.
    pub fn compile(name: &str, documents: &[(&str, &str)], limits: &Limits) -> Result<Self, BadSchema> {
        let loaded = load(name, documents, limits)?;
        let roots: Vec<(Node<'_>, &str)> =
            loaded.iter().filter_map(|(name, document)| Some((document.element()?, name.as_str()))).collect();
        let types = roots.iter().flat_map(|(root, _)| parts(*root, "types"));
        let schemas: Vec<Node<'_>> =
            types.flat_map(Node::child_elements).filter(|node| node.is_named(XSD, "schema")).collect();
        let schema = Schema::of_nodes(&schemas, name, documents, limits)?;
        let mut wsdl = Self { schema, elements: AHashSet::new(), calls: AHashMap::new() };
        let mut messages = AHashMap::new();
        for (root, file) in &roots {
            let target = root.attribute("targetNamespace").unwrap_or_default();
            for message in parts(*root, "message") {
                let own = message.attribute("name").unwrap_or_default();
                messages.insert(named(target, own), wsdl.message(message, file)?);
            }
        }
        for (root, file) in &roots {
            wsdl.port_types(*root, file, &messages, &roots)?;
        }
        Ok(wsdl)
    }

    /// Checks what is in the body of a message: it must be a message of the service. Faults of SOAP are.
    pub fn validate(&self, envelope: &Envelope<'_>) -> Result<(), Invalid> {
        if envelope.is_fault() {
            return Ok(());
        }
        envelope.body.iter().try_for_each(|element| self.validate_element(*element))
    }

    /// Checks one element of a body.
    pub fn validate_element(&self, element: Node<'_>) -> Result<(), Invalid> {
        let name = named(element.namespace(), element.local_name());
        if let Some(parts) = self.calls.get(&name) {
            return self.validate_call(element, parts);
        }
        if self.elements.contains(&name) {
            return self.schema.validate_element(element);
        }
        Err(Invalid {
            line: element.line(),
            why: format!("{} is no message of the service", element.local_name()),
        })
    }

    /// Whether an element of this name is a message, or is declared in the types.
    pub fn knows(&self, namespace: &str, local: &str) -> bool {
        let name = named(namespace, local);
        self.elements.contains(&name)
            || self.calls.contains_key(&name)
            || self.schema.declares(namespace, local)
    }

    fn validate_call(&self, call: Node<'_>, parts: &[Part]) -> Result<(), Invalid> {
        let invalid = |node: Node<'_>, why: String| Invalid { line: node.line(), why };
        let mut given: Vec<Node<'_>> = call.child_elements().collect();
        for part in parts {
            let Some(at) = given.iter().position(|node| *node.local_name() == *part.name) else {
                return Err(invalid(call, format!("{} lacks the part {}", call.local_name(), part.name)));
            };
            let node = given.remove(at);
            match &part.kind {
                Kind::Type(kind) => self.schema.validate_as(node, &kind.uri, &kind.local)?,
                Kind::Element(_) => {
                    node.child_elements().try_for_each(|inner| self.schema.validate_element(inner))?
                }
            }
        }
        match given.first() {
            Some(other) => {
                Err(invalid(*other, format!("{} is no part of {}", other.local_name(), call.local_name())))
            }
            None => Ok(()),
        }
    }

    fn message(&self, message: Node<'_>, file: &str) -> Result<Vec<Part>, BadSchema> {
        let mut found = Vec::new();
        for part in parts(message, "part") {
            let bad = |why: String| BadSchema { document: file.to_owned(), line: part.line(), why };
            let name = part.attribute("name").unwrap_or_default();
            let kind = match (part.attribute("element"), part.attribute("type")) {
                (Some(element), None) => {
                    let element = qname(part, element)
                        .ok_or_else(|| bad(format!("the part {name} names no element")))?;
                    if !self.schema.declares(&element.uri, &element.local) {
                        return Err(bad(format!("there is no element {}", element.local)));
                    }
                    Kind::Element(element)
                }
                (None, Some(kind)) => {
                    let kind =
                        qname(part, kind).ok_or_else(|| bad(format!("the part {name} names no type")))?;
                    if !self.schema.has_type(&kind.uri, &kind.local) {
                        return Err(bad(format!("there is no type {}", kind.local)));
                    }
                    Kind::Type(kind)
                }
                _ => return Err(bad(format!("the part {name} has either an element or a type"))),
            };
            found.push(Part { name: name.into(), kind });
        }
        Ok(found)
    }

    /// The messages of all operations, as their bindings put them on the wire.
    fn port_types(
        &mut self,
        root: Node<'_>,
        file: &str,
        messages: &AHashMap<ExpandedName, Vec<Part>>,
        roots: &[(Node<'_>, &str)],
    ) -> Result<(), BadSchema> {
        let target = root.attribute("targetNamespace").unwrap_or_default();
        for port_type in parts(root, "portType") {
            let own = port_type.attribute("name").unwrap_or_default();
            for operation in parts(port_type, "operation") {
                let name = operation.attribute("name").unwrap_or_default();
                let rpc = rpc_namespace(roots, &named(target, own), name);
                for (direction, suffix) in [("input", ""), ("output", "Response"), ("fault", "")] {
                    for io in parts(operation, direction) {
                        let bad = |why: &str| BadSchema {
                            document: file.to_owned(),
                            line: io.line(),
                            why: why.to_owned(),
                        };
                        let message = io.attribute("message").and_then(|message| qname(io, message));
                        let message = message.and_then(|message| messages.get(&message));
                        let Some(parts) = message else { return Err(bad("the operation names no message")) };
                        match &rpc {
                            Some(namespace) if direction != "fault" => {
                                self.calls
                                    .insert(named(namespace, &format!("{name}{suffix}")), parts.clone());
                            }
                            _ => {
                                let elements = parts.iter().filter_map(|part| match &part.kind {
                                    Kind::Element(name) => Some(name.clone()),
                                    Kind::Type(_) => None,
                                });
                                self.elements.extend(elements);
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// The namespace of calls when the operation is bound in RPC style.
fn rpc_namespace(roots: &[(Node<'_>, &str)], port_type: &ExpandedName, operation: &str) -> Option<String> {
    for (root, _) in roots {
        for binding in parts(*root, "binding") {
            if binding.attribute("type").and_then(|kind| qname(binding, kind)).as_ref() != Some(port_type) {
                continue;
            }
            let soap = |node: Node<'_>, local: &str, attribute: &str| {
                let mut found = node
                    .child_elements()
                    .filter(|child| BINDINGS.iter().any(|uri| child.is_named(uri, local)));
                found.find_map(|child| child.attribute(attribute).map(str::to_owned))
            };
            let style = soap(binding, "binding", "style");
            let bound = parts(binding, "operation").find(|bound| bound.attribute("name") == Some(operation));
            let Some(bound) = bound else { continue };
            if soap(bound, "operation", "style").or(style).as_deref() == Some("rpc") {
                let body = parts(bound, "input")
                    .chain(parts(bound, "output"))
                    .find_map(|io| soap(io, "body", "namespace"));
                return Some(body.unwrap_or_default());
            }
        }
    }
    None
}

fn load(
    name: &str,
    documents: &[(&str, &str)],
    limits: &Limits,
) -> Result<Vec<(String, Document)>, BadSchema> {
    let mut loaded: Vec<(String, Document)> = Vec::new();
    let mut waiting = vec![(name.to_owned(), name.to_owned(), 0u32, 0usize)];
    while let Some((name, from, line, depth)) = waiting.pop() {
        let file = name.rsplit(['/', '\\']).next().unwrap_or(&name).to_owned();
        if loaded.iter().any(|(known, _)| *known == file) {
            continue;
        }
        let bad = |why: String| BadSchema { document: from.clone(), line, why };
        if depth > MAX_IMPORTS {
            return Err(bad(format!("imports nest deeper than {MAX_IMPORTS}")));
        }
        let found = documents.iter().find(|(known, _)| *known == name || *known == file);
        let Some((_, text)) = found else { return Err(bad(format!("there is no document {file}"))) };
        let document = Document::parse(text, limits).map_err(|bad| BadSchema::of(&file, bad))?;
        let root = document.element();
        match root {
            Some(root) if root.is_named(WSDL, "definitions") => {
                for import in parts(root, "import") {
                    if let Some(location) = import.attribute("location") {
                        waiting.push((location.to_owned(), file.clone(), import.line(), depth + 1));
                    }
                }
                loaded.push((file, document));
            }
            _ => {
                return Err(BadSchema {
                    document: file,
                    line: 1,
                    why: "not a description of WSDL 1.1".to_owned(),
                });
            }
        }
    }
    Ok(loaded)
}

/// The elements of WSDL of this name inside.
fn parts<'d>(node: Node<'d>, local: &'static str) -> impl Iterator<Item = Node<'d>> {
    node.child_elements().filter(move |child| child.is_named(WSDL, local))
}

fn named(uri: &str, local: &str) -> ExpandedName {
    ExpandedName { uri: uri.into(), local: local.into() }
}

fn qname(node: Node<'_>, text: &str) -> Option<ExpandedName> {
    let (prefix, local) = split_qname(text.trim())?;
    Some(named(node.resolve_prefix(prefix)?, local))
}
