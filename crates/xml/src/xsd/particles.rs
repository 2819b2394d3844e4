//! Reading element declarations and groups of them.

use super::BadSchema;
use super::identity::Constraint;
use super::model::{Element, Particle, Term};
use super::read::{ANY_TYPE, Place, Reader};
use crate::xpath::ExpandedName;

/// Groups in groups deeper than this are refused.
const MAX_DEPTH: usize = 50;

impl<'d> Reader<'d> {
    /// A global element; gives its index.
    pub(super) fn global_element(
        &mut self,
        name: &ExpandedName,
        from: Place<'d>,
    ) -> Result<usize, BadSchema> {
        if let Some(index) = self.globals.get(name) {
            return Ok(*index);
        }
        let Some(place) = self.declared("element", name) else {
            return Err(from.bad(format!("there is no element {}", name.local)));
        };
        place.only_attributes(&[
            "name",
            "type",
            "substitutionGroup",
            "default",
            "fixed",
            "nillable",
            "abstract",
            "final",
            "block",
            "id",
        ])?;
        let head = place.node.attribute("substitutionGroup").map(|head| place.qname(head)).transpose()?;
        let index = self.element(place, name.clone())?;
        self.globals.insert(name.clone(), index);
        if let Some(head) = head {
            let head_index = self.head(&head, place)?;
            let declares_type = place.node.attribute("type").is_some()
                || place.part("simpleType").is_some()
                || place.part("complexType").is_some();
            // Without a type of its own it has its head's.
            if !declares_type {
                self.elements[index].kind = self.elements[head_index].kind;
            }
            self.stands_for(index, head);
        }
        Ok(index)
    }

    fn head(&mut self, name: &ExpandedName, from: Place<'d>) -> Result<usize, BadSchema> {
        if self.busy.contains(&("element", name.clone())) || self.busy.len() > MAX_DEPTH {
            return Err(from.bad(format!("the element {} substitutes itself", name.local)));
        }
        self.busy.push(("element", name.clone()));
        let index = self.global_element(name, from);
        self.busy.pop();
        index
    }

    /// An element declaration, global or local.
    fn element(&mut self, place: Place<'d>, name: ExpandedName) -> Result<usize, BadSchema> {
        self.count(place)?;
        place.parts(&["simpleType", "complexType", "key", "keyref", "unique"])?;
        let inline = place.part("simpleType").or_else(|| place.part("complexType"));
        let kind = match (place.node.attribute("type"), inline) {
            (Some(_), Some(inline)) => return Err(inline.bad("either type or a type inside")),
            (Some(kind), None) => {
                let kind = place.qname(kind)?;
                self.type_named(&kind, place)?
            }
            (None, Some(inline)) if inline.node.local_name() == "complexType" => self.later(inline),
            (None, Some(inline)) => {
                let simple = self.simple(inline)?;
                self.simple_type(std::sync::Arc::new(simple), Some(ANY_TYPE))
            }
            (None, None) => ANY_TYPE,
        };
        let (fixed, default) = (place.node.attribute("fixed"), place.node.attribute("default"));
        if fixed.is_some() && default.is_some() {
            return Err(place.bad("either fixed or default"));
        }
        let element = Element {
            name,
            kind,
            nillable: place.flag("nillable")?,
            is_abstract: place.flag("abstract")?,
            fixed: fixed.map(Into::into),
            default: default.map(Into::into),
            blocks: place.blocks(),
            constraints: Constraint::read(place)?,
        };
        self.elements.push(element);
        Ok(self.elements.len() - 1)
    }

    /// `None` where nothing may stand at all.
    pub(super) fn particle(&mut self, place: Place<'d>, depth: usize) -> Result<Option<Particle>, BadSchema> {
        self.count(place)?;
        if depth > MAX_DEPTH {
            return Err(place.bad("groups nest too deep"));
        }
        let (least, most) = occurrences(place)?;
        if most == Some(0) {
            return Ok(None);
        }
        let term = match place.node.local_name() {
            "element" => Term::Element(self.local_element(place)?),
            "any" => Term::Any(place.wildcard(&[
                "namespace",
                "processContents",
                "minOccurs",
                "maxOccurs",
                "id",
            ])?),
            "group" => {
                place.only_attributes(&["ref", "minOccurs", "maxOccurs", "id"])?;
                let name = place.qname(place.need("ref")?)?;
                match self.group(&name, place)? {
                    Some(particle) if (least, most) == (1, Some(1)) => return Ok(Some(particle)),
                    Some(particle) => Term::Sequence(vec![particle]),
                    None => return Ok(None),
                }
            }
            kind => {
                place.only_attributes(&["minOccurs", "maxOccurs", "id"])?;
                let allowed: &[&str] = if kind == "all" {
                    &["element"]
                } else {
                    &["element", "any", "group", "choice", "sequence"]
                };
                let mut particles = Vec::new();
                for part in place.parts(allowed)? {
                    particles.extend(self.particle(part, depth + 1)?);
                }
                match kind {
                    "all" if particles.iter().any(|particle| particle.most != Some(1)) => {
                        return Err(place.bad("in all an element stands at most once"));
                    }
                    "all" => Term::All(particles),
                    "choice" => Term::Choice(particles),
                    _ => Term::Sequence(particles),
                }
            }
        };
        Ok(Some(Particle { least, most, term }))
    }

    fn local_element(&mut self, place: Place<'d>) -> Result<usize, BadSchema> {
        if let Some(name) = place.node.attribute("ref") {
            place.only_attributes(&["ref", "minOccurs", "maxOccurs", "id"])?;
            let name = place.qname(name)?;
            return self.head_free(&name, place);
        }
        place.only_attributes(&[
            "name",
            "type",
            "default",
            "fixed",
            "nillable",
            "block",
            "form",
            "minOccurs",
            "maxOccurs",
            "id",
        ])?;
        let default = place.root().attribute("elementFormDefault");
        let form = place.node.attribute("form").or(default).unwrap_or("unqualified");
        let mut name = place.target_name(place.need("name")?);
        if form != "qualified" {
            name.uri = "".into();
        }
        self.element(place, name)
    }

    /// A global element that is referred to.
    fn head_free(&mut self, name: &ExpandedName, from: Place<'d>) -> Result<usize, BadSchema> {
        match self.globals.get(name) {
            Some(index) => Ok(*index),
            None => self.head(name, from),
        }
    }

    /// The particle of a named group.
    pub(super) fn group(
        &mut self,
        name: &ExpandedName,
        from: Place<'d>,
    ) -> Result<Option<Particle>, BadSchema> {
        let Some(place) = self.declared("group", name) else {
            return Err(from.bad(format!("there is no group {}", name.local)));
        };
        if self.busy.contains(&("group", name.clone())) || self.busy.len() > MAX_DEPTH {
            return Err(from.bad(format!("the group {} holds itself", name.local)));
        }
        place.only_attributes(&["name", "id"])?;
        let parts = place.parts(&["all", "choice", "sequence"])?;
        let [part] = parts.as_slice() else {
            return Err(place.bad("a group has one of all, choice and sequence"));
        };
        self.busy.push(("group", name.clone()));
        let particle = self.particle(*part, 0);
        self.busy.pop();
        particle
    }
}

fn occurrences(place: Place<'_>) -> Result<(u32, Option<u32>), BadSchema> {
    let number = |name: &str, text: &str| {
        text.trim().parse::<u32>().map_err(|_| place.bad(format!("{name} is no number that is possible")))
    };
    let least = place.node.attribute("minOccurs").map_or(Ok(1), |text| number("minOccurs", text))?;
    let most = match place.node.attribute("maxOccurs").map(str::trim) {
        Some("unbounded") => None,
        Some(text) => Some(number("maxOccurs", text)?),
        None => Some(1),
    };
    if most.is_some_and(|most| most < least) {
        return Err(place.bad("maxOccurs is less than minOccurs"));
    }
    Ok((least, most))
}
