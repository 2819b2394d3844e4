//! `key`, `keyref` and `unique` (XML Schema part 1, 3.11).

use ahash::{AHashMap, AHashSet};

use super::read::Place;
use super::{BadSchema, Invalid, XSD};
use crate::document::{Node, NodeKind};
use crate::xpath::{ExpandedName, XPath};

#[derive(Debug, Clone)]
pub(super) struct Constraint {
    name: ExpandedName,
    kind: Kind,
    selector: XPath,
    fields: Vec<XPath>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Key,
    Unique,
    /// Of a key or unique of this name.
    Reference(ExpandedName),
}

impl Constraint {
    /// Those of an element declaration.
    pub(super) fn read(element: Place<'_>) -> Result<Vec<Self>, BadSchema> {
        let mut constraints = Vec::new();
        for child in element.node.child_elements().filter(|child| child.namespace() == XSD) {
            let place = element.at(child);
            let kind = match child.local_name() {
                "key" => Kind::Key,
                "unique" => Kind::Unique,
                "keyref" => Kind::Reference(place.qname(place.need("refer")?)?),
                _ => continue,
            };
            place.only_attributes(&["name", "refer", "id"])?;
            let (mut selector, mut fields) = (None, Vec::new());
            for part in place.parts(&["selector", "field"])? {
                part.only_attributes(&["xpath", "id"])?;
                let xpath = compile(part)?;
                if part.node.local_name() == "field" {
                    fields.push(xpath);
                } else if selector.replace(xpath).is_some() {
                    return Err(part.bad("a second selector"));
                }
            }
            let Some(selector) = selector.filter(|_| !fields.is_empty()) else {
                return Err(place.bad("a selector and a field are needed"));
            };
            constraints.push(Self { name: place.target_name(place.need("name")?), kind, selector, fields });
        }
        Ok(constraints)
    }
}

fn compile(place: Place<'_>) -> Result<XPath, BadSchema> {
    let text = place.need("xpath")?;
    let bindings: Vec<(&str, &str)> = place.node.namespaces().filter_map(Node::binding).collect();
    let xpath = XPath::compile(text, &bindings).map_err(|bad| place.bad(bad.to_string()))?;
    if xpath.gives_nodes() { Ok(xpath) } else { Err(place.bad("a selector or field gives nodes")) }
}

/// Values of elements and attributes by their place in the document, as their types compare them.
pub(super) type Values = AHashMap<u32, String>;

/// The tables of keys that were made so far, with the part of the document they are about.
#[derive(Debug, Default)]
pub(super) struct Tables<'d>(Vec<(Node<'d>, ExpandedName, AHashSet<Vec<String>>)>);

impl<'d> Tables<'d> {
    /// Checks the constraints of an element once all that is in it has been checked.
    pub(super) fn check(
        &mut self,
        element: Node<'d>,
        constraints: &[Constraint],
        values: &Values,
    ) -> Result<(), Invalid> {
        // References may be to keys of the same element: those come first.
        let (references, keys): (Vec<_>, Vec<_>) =
            constraints.iter().partition(|constraint| matches!(constraint.kind, Kind::Reference(_)));
        for constraint in keys {
            let mut table = AHashSet::new();
            for node in constraint.select(element)? {
                let Some(key) = constraint.key_of(node, values)? else {
                    if constraint.kind == Kind::Key {
                        return Err(constraint.broken(node, "a field has no value"));
                    }
                    continue;
                };
                if !table.insert(key) {
                    return Err(constraint.broken(node, "a value is there twice"));
                }
            }
            self.0.push((element, constraint.name.clone(), table));
        }
        for constraint in references {
            let Kind::Reference(refer) = &constraint.kind else { continue };
            let is_inside =
                |node: &Node<'d>| *node == element || node.ancestors().any(|around| around == element);
            let tables: Vec<_> =
                self.0.iter().filter(|(node, name, _)| name == refer && is_inside(node)).collect();
            for node in constraint.select(element)? {
                if let Some(key) = constraint.key_of(node, values)?
                    && !tables.iter().any(|(.., table)| table.contains(&key))
                {
                    return Err(constraint.broken(node, "there is no such key"));
                }
            }
        }
        Ok(())
    }
}

impl Constraint {
    fn select<'d>(&self, element: Node<'d>) -> Result<Vec<Node<'d>>, Invalid> {
        self.selector.nodes(element).map_err(|error| self.broken(element, &error.to_string()))
    }

    /// The values of all fields; `None` when one is not there.
    fn key_of(&self, node: Node<'_>, values: &Values) -> Result<Option<Vec<String>>, Invalid> {
        let mut key = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let nodes = field.nodes(node).map_err(|error| self.broken(node, &error.to_string()))?;
            match nodes.as_slice() {
                [] => return Ok(None),
                [one] => {
                    let is_element = one.kind() == NodeKind::Element;
                    let value = values.get(&one.place().1).cloned();
                    // What has no simple type is compared by its text.
                    key.push(value.unwrap_or_else(|| {
                        if is_element { one.text().into_owned() } else { one.own_text().to_owned() }
                    }));
                }
                _ => return Err(self.broken(node, "a field has several values")),
            }
        }
        Ok(Some(key))
    }

    fn broken(&self, node: Node<'_>, why: &str) -> Invalid {
        Invalid { line: node.line(), why: format!("the constraint {}: {why}", self.name.local) }
    }
}
