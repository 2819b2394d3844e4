//! From documents to components: what is declared where, and the order in which it is compiled.

use std::sync::Arc;

use ahash::AHashMap;

use super::load::Loaded;
use super::model::{
    Allows, Attribute, Blocks, Content, Element, Method, Particle, Process, Term, Type, Usage, Wildcard,
};
use super::simple::Simple;
use super::{BadSchema, Schema, XSD};
use crate::document::{Node, NodeKind};
use crate::names::{XML, is_blank, split_qname};
use crate::xpath::ExpandedName;

/// A place in a schema's documents.
#[derive(Clone, Copy)]
pub(super) struct Place<'d> {
    pub(super) node: Node<'d>,
    pub(super) in_document: &'d Loaded,
}

/// The type that allows everything.
pub(super) const ANY_TYPE: usize = 0;
/// More components or particles than this are refused.
const MAX_COMPONENTS: usize = 100_000;

pub(super) struct Reader<'d> {
    /// Global declarations by kind (`element`, `complexType`, …) and name.
    declared: AHashMap<(&'static str, ExpandedName), Place<'d>>,
    pub(super) elements: Vec<Element>,
    pub(super) types: Vec<Option<Type>>,
    pub(super) globals: AHashMap<ExpandedName, usize>,
    pub(super) named_types: AHashMap<ExpandedName, usize>,
    pub(super) simples: AHashMap<ExpandedName, Arc<Simple>>,
    attributes: AHashMap<ExpandedName, Attribute>,
    /// Types that are referred to and not compiled yet.
    waiting: Vec<(usize, Place<'d>)>,
    /// Names that are being compiled: to meet one again is a circle.
    pub(super) busy: Vec<(&'static str, ExpandedName)>,
    pub(super) busy_types: Vec<usize>,
    heads: Vec<(usize, ExpandedName)>,
    made: usize,
}

const KINDS: &[&str] = &["element", "complexType", "simpleType", "attribute", "group", "attributeGroup"];

pub(super) fn compile(documents: &[Loaded]) -> Result<Schema, BadSchema> {
    let mut reader = Reader {
        declared: AHashMap::new(),
        elements: Vec::new(),
        types: vec![Some(any_type())],
        globals: AHashMap::new(),
        named_types: AHashMap::new(),
        simples: AHashMap::new(),
        attributes: AHashMap::new(),
        waiting: Vec::new(),
        busy: Vec::new(),
        busy_types: Vec::new(),
        heads: Vec::new(),
        made: 0,
    };
    reader.named_types.insert(ExpandedName { uri: XSD.into(), local: "anyType".into() }, ANY_TYPE);
    for document in documents {
        reader.declare(document)?;
    }
    reader.compile_all()?;
    reader.finish()
}

fn any_type() -> Type {
    let wildcard = Wildcard { allows: Allows::Any, process: Process::Lax };
    let particle = Particle { least: 0, most: None, term: Term::Any(wildcard.clone()) };
    Type {
        base: None,
        by: Method::Restriction,
        is_abstract: false,
        blocks: Blocks::default(),
        content: Content::Elements { particle: Some(particle), mixed: true },
        attributes: Vec::new(),
        any_attribute: Some(wildcard),
    }
}

impl<'d> Reader<'d> {
    fn declare(&mut self, document: &'d Loaded) -> Result<(), BadSchema> {
        let Some(root) = document.root() else { return Ok(()) };
        let place = Place { node: root, in_document: document };
        place.only_attributes(&[
            "targetNamespace",
            "elementFormDefault",
            "attributeFormDefault",
            "blockDefault",
            "finalDefault",
            "version",
            "id",
        ])?;
        for child in place.parts(&[
            "include",
            "import",
            "element",
            "complexType",
            "simpleType",
            "attribute",
            "group",
            "attributeGroup",
        ])? {
            let Some(kind) = KINDS.iter().find(|kind| **kind == child.node.local_name()) else { continue };
            let name = child.target_name(child.need("name")?);
            // Simple and complex types share their names.
            let is_twice = match *kind {
                "complexType" | "simpleType" => {
                    self.declared.contains_key(&("complexType", name.clone()))
                        || self.declared.contains_key(&("simpleType", name.clone()))
                }
                kind => self.declared.contains_key(&(kind, name.clone())),
            };
            if is_twice {
                return Err(child.bad(format!("{kind} {} is declared twice", name.local)));
            }
            self.declared.insert((kind, name), child);
        }
        Ok(())
    }

    fn compile_all(&mut self) -> Result<(), BadSchema> {
        let mut all: Vec<((&'static str, ExpandedName), Place<'d>)> =
            self.declared.iter().map(|(key, place)| (key.clone(), *place)).collect();
        // The order of the documents, so that the first mistake is always the same.
        all.sort_by_key(|(_, place)| (place.in_document.name.clone(), place.node));
        for ((kind, name), place) in all {
            match kind {
                "element" => drop(self.global_element(&name, place)?),
                "complexType" => drop(self.type_named(&name, place)?),
                "simpleType" => drop(self.simple_named(&name, place)?),
                "attribute" => {
                    let attribute = self.attribute_named(&name, place)?;
                    self.attributes.insert(name, attribute);
                }
                // Those that nobody uses are looked at all the same.
                "group" => drop(self.group(&name, place)?),
                _ => drop(self.attribute_group(&name, place)?),
            }
        }
        while let Some((index, place)) = self.waiting.pop() {
            self.compile_type(index, place)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<Schema, BadSchema> {
        let mut substitutes: AHashMap<ExpandedName, Vec<usize>> = AHashMap::new();
        let head_of: AHashMap<usize, ExpandedName> = self.heads.into_iter().collect();
        for index in head_of.keys() {
            // Who stands for one that stands for another stands for that one too.
            let (mut at, mut steps) = (*index, 0);
            while let Some(head) = head_of.get(&at) {
                substitutes.entry(head.clone()).or_default().push(*index);
                steps += 1;
                let Some(next) = self.globals.get(head).filter(|_| steps < 50) else { break };
                at = *next;
            }
        }
        Ok(Schema {
            elements: self.elements,
            types: self.types.into_iter().map(|kind| kind.unwrap_or_else(any_type)).collect(),
            globals: self.globals,
            named_types: self.named_types,
            attributes: self.attributes,
            substitutes,
        })
    }

    pub(super) fn declared(&self, kind: &'static str, name: &ExpandedName) -> Option<Place<'d>> {
        self.declared.get(&(kind, name.clone())).copied()
    }

    /// Counts what is made, so that groups in groups do not multiply without end.
    pub(super) fn count(&mut self, place: Place<'_>) -> Result<(), BadSchema> {
        self.made += 1;
        if self.made > MAX_COMPONENTS {
            return Err(place.bad(format!("a schema may have {MAX_COMPONENTS} parts")));
        }
        Ok(())
    }

    /// The index of a type by name; it is compiled later.
    pub(super) fn type_named(&mut self, name: &ExpandedName, from: Place<'d>) -> Result<usize, BadSchema> {
        if let Some(index) = self.named_types.get(name) {
            return Ok(*index);
        }
        let index = if let Some(place) = self.declared("complexType", name) {
            self.later(place)
        } else {
            let simple = self.simple_named(name, from)?;
            let base = self.declared("simpleType", name).and_then(|place| place.part("restriction"));
            let base = base
                .and_then(|restriction| restriction.node.attribute("base").map(|base| (restriction, base)));
            let base = match base {
                _ if &*name.uri == XSD => {
                    let parent = super::builtin::parent(&name.local);
                    Some(self.type_named(&ExpandedName { uri: XSD.into(), local: parent.into() }, from)?)
                }
                Some((restriction, base)) => {
                    let base = restriction.qname(base)?;
                    Some(self.type_named(&base, from)?)
                }
                None => Some(ANY_TYPE),
            };
            self.simple_type(simple, base)
        };
        self.named_types.insert(name.clone(), index);
        Ok(index)
    }

    /// Reserves an index for a type that is compiled later.
    pub(super) fn later(&mut self, place: Place<'d>) -> usize {
        self.types.push(None);
        self.waiting.push((self.types.len() - 1, place));
        self.types.len() - 1
    }

    /// A simple type as a type.
    pub(super) fn simple_type(&mut self, simple: Arc<Simple>, base: Option<usize>) -> usize {
        self.types.push(Some(Type {
            base,
            by: Method::Restriction,
            is_abstract: false,
            blocks: Blocks::default(),
            content: Content::Simple(simple),
            attributes: Vec::new(),
            any_attribute: None,
        }));
        self.types.len() - 1
    }

    /// A type that must be known now, because another is made from it.
    pub(super) fn compiled(&mut self, index: usize, from: Place<'d>) -> Result<Type, BadSchema> {
        if let Some(Some(kind)) = self.types.get(index) {
            return Ok(kind.clone());
        }
        if self.busy_types.contains(&index) || self.busy_types.len() > 50 {
            return Err(from.bad("a type is derived from itself"));
        }
        let Some(at) = self.waiting.iter().position(|(waiting, _)| *waiting == index) else {
            return Err(from.bad("a type is derived from itself"));
        };
        let (_, place) = self.waiting.swap_remove(at);
        self.compile_type(index, place)?;
        match self.types.get(index) {
            Some(Some(kind)) => Ok(kind.clone()),
            _ => Err(from.bad("a type is derived from itself")),
        }
    }

    pub(super) fn stands_for(&mut self, element: usize, head: ExpandedName) {
        self.heads.push((element, head));
    }

    /// A global attribute.
    pub(super) fn attribute_named(
        &mut self,
        name: &ExpandedName,
        from: Place<'d>,
    ) -> Result<Attribute, BadSchema> {
        if &*name.uri == XML {
            let kind = Arc::new(Simple::of(super::builtin::Builtin::Text));
            return Ok(Attribute { name: name.clone(), kind, usage: Usage::Optional, fixed: None });
        }
        let Some(place) = self.declared("attribute", name) else {
            return Err(from.bad(format!("there is no attribute {}", name.local)));
        };
        self.attribute_of(place, name.clone())
    }
}

impl<'d> Place<'d> {
    pub(super) const fn at(self, node: Node<'d>) -> Self {
        Self { node, ..self }
    }

    pub(super) fn bad(self, why: impl Into<String>) -> BadSchema {
        let line = self.node.line() + self.in_document.lines_before;
        BadSchema { document: self.in_document.name.clone(), line, why: why.into() }
    }

    pub(super) fn root(self) -> Node<'d> {
        self.in_document.root().unwrap_or(self.node)
    }

    pub(super) fn need(self, attribute: &str) -> Result<&'d str, BadSchema> {
        let name = self.node.local_name();
        self.node.attribute(attribute).ok_or_else(|| self.bad(format!("{name} has no {attribute}")))
    }

    pub(super) fn only_attributes(self, allowed: &[&str]) -> Result<(), BadSchema> {
        match self.node.attributes().find(|a| a.namespace().is_empty() && !allowed.contains(&a.local_name()))
        {
            Some(other) => {
                Err(self.bad(format!("{} has no attribute {}", self.node.local_name(), other.local_name())))
            }
            None => Ok(()),
        }
    }

    /// The elements inside, annotations aside; any other than `allowed` is refused.
    pub(super) fn parts(self, allowed: &[&str]) -> Result<Vec<Self>, BadSchema> {
        let mut parts = Vec::new();
        for child in self.node.children() {
            let here = self.at(child);
            match child.kind() {
                NodeKind::Element if child.is_named(XSD, "annotation") => {}
                NodeKind::Element if child.namespace() == XSD && allowed.contains(&child.local_name()) => {
                    parts.push(here)
                }
                NodeKind::Element => {
                    return Err(here.bad(format!(
                        "{} is not supported in {}",
                        child.name(),
                        self.node.local_name()
                    )));
                }
                NodeKind::Text if !is_blank(child.own_text()) => return Err(here.bad("text in a schema")),
                _ => {}
            }
        }
        Ok(parts)
    }

    /// The first element of this name inside.
    pub(super) fn part(self, name: &str) -> Option<Self> {
        self.node.child_elements().find(|child| child.is_named(XSD, name)).map(|node| self.at(node))
    }

    /// A name that is declared here.
    pub(super) fn target_name(self, local: &str) -> ExpandedName {
        ExpandedName { uri: self.in_document.target.as_str().into(), local: local.trim().into() }
    }

    /// A name that is referred to.
    pub(super) fn qname(self, text: &str) -> Result<ExpandedName, BadSchema> {
        let text = text.trim();
        let (prefix, local) = split_qname(text).ok_or_else(|| self.bad(format!("'{text}' is no name")))?;
        let uri = self.node.resolve_prefix(prefix);
        let uri = uri.ok_or_else(|| self.bad(format!("the prefix {prefix} is not bound")))?;
        // Included without a namespace of its own, a document means that of its includer.
        let has_own = self.root().attribute("targetNamespace").is_some();
        let uri = if uri.is_empty() && !has_own { self.in_document.target.as_str() } else { uri };
        Ok(ExpandedName { uri: uri.into(), local: local.into() })
    }

    pub(super) fn flag(self, attribute: &str) -> Result<bool, BadSchema> {
        match self.node.attribute(attribute).map(str::trim) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(self.bad(format!("{attribute} is neither true nor false"))),
        }
    }

    /// `block`, or what the schema says for all.
    pub(super) fn blocks(self) -> Blocks {
        let default = self.root().attribute("blockDefault");
        let words = self.node.attribute("block").or(default).unwrap_or_default();
        let has = |word: &str| words.split_ascii_whitespace().any(|one| one == word || one == "#all");
        Blocks {
            substitution: has("substitution"),
            extension: has("extension"),
            restriction: has("restriction"),
        }
    }
}
