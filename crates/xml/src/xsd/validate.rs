//! Checking a document.

use ahash::AHashSet;

use super::builtin::{Builtin, Typed};
use super::content::{Found, Matching};
use super::identity::{Tables, Values};
use super::model::{Blocks, Content, Element, Method, Process, Type, Usage};
use super::simple::{Simple, Variety};
use super::{Invalid, Schema, XSI};
use crate::document::{Node, NodeKind};
use crate::names::{is_blank, split_qname};
use crate::xpath::ExpandedName;

/// An element by its declaration.
pub(super) fn validate(schema: &Schema, root: Node<'_>) -> Result<(), Invalid> {
    let Some(element) = schema.global(root) else {
        return Err(invalid(root, format!("the element {} is not declared", root.local_name())));
    };
    run(schema, |checking| checking.element(root, element))
}

/// An element by a type, whatever its name.
pub(super) fn validate_as(schema: &Schema, root: Node<'_>, kind: &ExpandedName) -> Result<(), Invalid> {
    if let Some(index) = schema.named_types.get(kind) {
        return run(schema, |checking| checking.typed(root, *index, None));
    }
    match Builtin::named(&kind.local).filter(|_| &*kind.uri == super::XSD) {
        Some(builtin) => run(schema, |checking| checking.simple_element(root, &Simple::of(builtin), None)),
        None => Err(invalid(root, format!("{} has no type", root.local_name()))),
    }
}

fn run<'s, 'd>(
    schema: &'s Schema,
    check: impl FnOnce(&mut Checking<'s, 'd>) -> Result<(), Invalid>,
) -> Result<(), Invalid> {
    let mut checking = Checking {
        schema,
        has_constraints: schema.elements.iter().any(|element| !element.constraints.is_empty()),
        values: Values::default(),
        tables: Tables::default(),
        ids: AHashSet::new(),
        references: Vec::new(),
    };
    check(&mut checking)?;
    match checking.references.iter().find(|(_, id)| !checking.ids.contains(id)) {
        Some((line, _)) => {
            Err(Invalid { line: *line, why: "a reference to an ID that is not there".to_owned() })
        }
        None => Ok(()),
    }
}

fn invalid(node: Node<'_>, why: impl Into<String>) -> Invalid {
    Invalid { line: node.line(), why: why.into() }
}

struct Checking<'s, 'd> {
    schema: &'s Schema,
    has_constraints: bool,
    values: Values,
    tables: Tables<'d>,
    ids: AHashSet<String>,
    references: Vec<(u32, String)>,
}

impl Schema {
    fn global(&self, node: Node<'_>) -> Option<usize> {
        let name = ExpandedName { uri: node.namespace().into(), local: node.local_name().into() };
        self.globals.get(&name).copied()
    }

    /// How `kind` is made from `base`; `None` when it is not.
    fn path_to(&self, kind: usize, base: usize) -> Option<Vec<Method>> {
        let mut path = Vec::new();
        let mut at = kind;
        while at != base {
            let step = self.types.get(at)?;
            path.push(step.by);
            at = step.base?;
            if path.len() > 100 {
                return None;
            }
        }
        Some(path)
    }

    /// Whether a type may not stand in for another.
    pub(super) fn is_blocked(&self, kind: usize, declared: usize, blocks: Blocks) -> bool {
        let of_type = self.types.get(declared).map(|kind| kind.blocks).unwrap_or_default();
        match self.path_to(kind, declared) {
            None => declared != super::read::ANY_TYPE,
            Some(path) => path.iter().any(|method| match method {
                Method::Extension => blocks.extension || of_type.extension,
                Method::Restriction => blocks.restriction || of_type.restriction,
            }),
        }
    }
}

impl<'d> Checking<'_, 'd> {
    fn element(&mut self, node: Node<'d>, index: usize) -> Result<(), Invalid> {
        let schema = self.schema;
        let element = &schema.elements[index];
        if element.is_abstract {
            return Err(invalid(node, format!("the element {} is abstract", node.local_name())));
        }
        let index = self.type_of(node, element)?;
        self.typed(node, index, Some(element))?;
        if !element.constraints.is_empty() {
            self.tables.check(node, &element.constraints, &self.values)?;
        }
        Ok(())
    }

    /// The declared type, or the one that `xsi:type` names.
    fn type_of(&self, node: Node<'_>, element: &Element) -> Result<usize, Invalid> {
        let Some(named) = node.attribute_of(XSI, "type") else { return Ok(element.kind) };
        let index = self.xsi_type(node, named)?;
        if self.schema.is_blocked(index, element.kind, element.blocks) {
            let why = format!("xsi:type of {} is not derived from the declared type", node.local_name());
            return Err(invalid(node, why));
        }
        Ok(index)
    }

    fn xsi_type(&self, node: Node<'_>, named: &str) -> Result<usize, Invalid> {
        let name = split_qname(named.trim()).and_then(|(prefix, local)| {
            Some(ExpandedName { uri: node.resolve_prefix(prefix)?.into(), local: local.into() })
        });
        let index = name.and_then(|name| self.schema.named_types.get(&name).copied());
        index.ok_or_else(|| invalid(node, format!("xsi:type of {} names no type", node.local_name())))
    }

    fn typed(&mut self, node: Node<'d>, index: usize, element: Option<&Element>) -> Result<(), Invalid> {
        let schema = self.schema;
        let kind = &schema.types[index];
        let name = node.local_name();
        if kind.is_abstract {
            return Err(invalid(node, format!("the type of {name} is abstract")));
        }
        self.attributes(node, kind)?;
        match node.attribute_of(XSI, "nil").map(str::trim) {
            Some("true" | "1") => {
                if element.is_none_or(|element| !element.nillable) {
                    return Err(invalid(node, format!("the element {name} may not be nil")));
                }
                let is_empty = node
                    .children()
                    .all(|child| matches!(child.kind(), NodeKind::Comment | NodeKind::Instruction));
                return if is_empty {
                    Ok(())
                } else {
                    Err(invalid(node, format!("{name} is nil and not empty")))
                };
            }
            None | Some("false" | "0") => {}
            Some(_) => return Err(invalid(node, format!("xsi:nil of {name} is neither true nor false"))),
        }
        match &kind.content {
            Content::Simple(simple) => self.simple_element(node, simple, element),
            Content::Elements { particle, mixed } => {
                let children: Vec<Node<'d>> = node.child_elements().collect();
                let has_text =
                    |child: Node<'_>| child.kind() == NodeKind::Text && !is_blank(child.own_text());
                if !mixed && node.children().any(has_text) {
                    return Err(invalid(node, format!("the element {name} may not hold text")));
                }
                let mut matching = Matching { schema, elements: &children, found: Vec::new() };
                let matched = match particle {
                    Some(particle) => matching.particle(particle),
                    None => Ok(()),
                };
                let found = matching.found;
                match (matched, children.get(found.len())) {
                    (Err(why), Some(next)) => {
                        return Err(invalid(
                            *next,
                            format!("in {name}, before {}: {why}", next.local_name()),
                        ));
                    }
                    (Err(why), None) => return Err(invalid(node, format!("in {name}: {why}"))),
                    (Ok(()), Some(next)) => {
                        return Err(invalid(
                            *next,
                            format!("the element {} is not expected in {name}", next.local_name()),
                        ));
                    }
                    (Ok(()), None) => {}
                }
                if let Some(fixed) = element.and_then(|element| element.fixed.as_deref())
                    && *node.text() != *fixed
                {
                    return Err(invalid(node, format!("the element {name} does not have its fixed value")));
                }
                children.into_iter().zip(found).try_for_each(|(child, found)| self.found(child, found))
            }
        }
    }

    fn found(&mut self, child: Node<'d>, found: Found) -> Result<(), Invalid> {
        let process = match found {
            Found::Declared(index) => return self.element(child, index),
            Found::Wild(process) => process,
        };
        match (process, self.schema.global(child), child.attribute_of(XSI, "type")) {
            (Process::Skip, ..) => Ok(()),
            (_, Some(index), _) => self.element(child, index),
            (_, None, Some(named)) => {
                let index = self.xsi_type(child, named)?;
                self.typed(child, index, None)
            }
            (Process::Lax, None, None) => self.typed(child, super::read::ANY_TYPE, None),
            (Process::Strict, None, None) => {
                Err(invalid(child, format!("the element {} is not declared", child.local_name())))
            }
        }
    }

    fn simple_element(
        &mut self,
        node: Node<'d>,
        simple: &Simple,
        element: Option<&Element>,
    ) -> Result<(), Invalid> {
        let name = node.local_name();
        if let Some(child) = node.child_elements().next() {
            return Err(invalid(child, format!("the element {name} may not hold elements")));
        }
        let text = node.text();
        let given = match element.and_then(|element| element.default.as_deref().or(element.fixed.as_deref()))
        {
            Some(default) if text.is_empty() => default,
            _ => &*text,
        };
        let value =
            simple.read(given, node).map_err(|why| invalid(node, format!("the value of {name} is {why}")))?;
        if let Some(fixed) = element.and_then(|element| element.fixed.as_deref())
            && simple.read(fixed, node).ok().as_ref() != Some(&value)
        {
            return Err(invalid(node, format!("the element {name} does not have its fixed value")));
        }
        self.note(node, simple, value)
    }

    fn attributes(&mut self, node: Node<'d>, kind: &Type) -> Result<(), Invalid> {
        let name = node.local_name();
        for given in node.attributes() {
            if given.namespace() == XSI {
                continue;
            }
            let local = given.local_name();
            let declared = kind.attributes.iter().find(|own| given.is_named(&own.name.uri, &own.name.local));
            let wild = kind.any_attribute.as_ref().filter(|wildcard| wildcard.allows(given.namespace()));
            let attribute = match (declared, wild) {
                (Some(attribute), _) => attribute,
                (None, Some(wildcard)) => {
                    let name = ExpandedName { uri: given.namespace().into(), local: local.into() };
                    match (wildcard.process, self.schema.attributes.get(&name)) {
                        (Process::Skip, _) | (Process::Lax, None) => continue,
                        (_, Some(attribute)) => attribute,
                        (Process::Strict, None) => {
                            return Err(invalid(node, format!("the attribute {local} is not declared")));
                        }
                    }
                }
                (None, None) => {
                    return Err(invalid(node, format!("the element {name} has no attribute {local}")));
                }
            };
            let broken = |why: String| invalid(node, format!("the attribute {local} of {name} is {why}"));
            let value = attribute.kind.read(given.own_text(), node).map_err(broken)?;
            if let Some(fixed) = attribute.fixed.as_deref()
                && attribute.kind.read(fixed, node).ok().as_ref() != Some(&value)
            {
                return Err(broken("not its fixed value".to_owned()));
            }
            let simple = attribute.kind.clone();
            self.note(given, &simple, value)?;
        }
        let is_given = |name: &ExpandedName| node.attribute_of(&name.uri, &name.local).is_some();
        let missing = kind.attributes.iter().find(|own| own.usage == Usage::Required && !is_given(&own.name));
        match missing {
            Some(missing) => {
                Err(invalid(node, format!("the element {name} lacks the attribute {}", missing.name.local)))
            }
            None => Ok(()),
        }
    }

    /// Remembers values that other rules look at.
    fn note(&mut self, node: Node<'_>, simple: &Simple, value: Typed) -> Result<(), Invalid> {
        if self.has_constraints {
            self.values.insert(node.place().1, format!("{value:?}"));
        }
        let builtin = match &simple.variety {
            Variety::Atomic(builtin) => Some(*builtin),
            Variety::List(item) => match item.variety {
                Variety::Atomic(builtin) => Some(builtin),
                _ => None,
            },
            Variety::Union(_) => None,
        };
        let texts = match value {
            Typed::Text(text) => vec![text],
            Typed::List(items) => items
                .into_iter()
                .filter_map(|item| match item {
                    Typed::Text(text) => Some(text),
                    _ => None,
                })
                .collect(),
            _ => return Ok(()),
        };
        for text in texts {
            match builtin {
                Some(Builtin::Id) if !self.ids.insert(text.clone()) => {
                    return Err(invalid(node, "an ID is there twice"));
                }
                Some(Builtin::IdRef) => self.references.push((node.line(), text)),
                _ => {}
            }
        }
        Ok(())
    }
}
