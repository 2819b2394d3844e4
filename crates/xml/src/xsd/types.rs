//! Reading complex types.

use std::sync::Arc;

use super::BadSchema;
use super::builtin::Builtin;
use super::model::{Attribute, Content, Method, Particle, Term, Type, Usage, Wildcard};
use super::read::{ANY_TYPE, Place, Reader};
use super::simple::Simple;

const PARTICLES: &[&str] = &["group", "all", "choice", "sequence"];
const ATTRIBUTES: &[&str] = &["attribute", "attributeGroup", "anyAttribute"];

impl<'d> Reader<'d> {
    pub(super) fn compile_type(&mut self, index: usize, place: Place<'d>) -> Result<(), BadSchema> {
        self.busy_types.push(index);
        let made = self.complex(place);
        self.busy_types.pop();
        self.types[index] = Some(made?);
        Ok(())
    }

    fn complex(&mut self, place: Place<'d>) -> Result<Type, BadSchema> {
        self.count(place)?;
        place.only_attributes(&["name", "mixed", "abstract", "block", "final", "id"])?;
        let allowed = [PARTICLES, ATTRIBUTES, &["simpleContent", "complexContent"]].concat();
        let parts = place.parts(&allowed)?;
        let mut made = match parts.first().map(|part| (part.node.local_name(), *part)) {
            Some(("simpleContent", part)) => self.simple_content(part)?,
            Some(("complexContent", part)) => self.complex_content(part, place.flag("mixed")?)?,
            _ => {
                let particle = self.content_particle(place)?;
                let (attributes, any_attribute) = self.attributes(place)?;
                Type {
                    base: Some(ANY_TYPE),
                    by: Method::Restriction,
                    is_abstract: false,
                    blocks: place.blocks(),
                    content: Content::Elements { particle, mixed: place.flag("mixed")? },
                    attributes,
                    any_attribute,
                }
            }
        };
        if parts.len() > 1 && matches!(parts[0].node.local_name(), "simpleContent" | "complexContent") {
            return Err(parts[1].bad("nothing may follow simpleContent and complexContent"));
        }
        made.is_abstract = place.flag("abstract")?;
        made.blocks = place.blocks();
        made.attributes.retain(|attribute| attribute.usage != Usage::Prohibited);
        Ok(made)
    }

    fn derivation(place: Place<'d>) -> Result<(Place<'d>, Method), BadSchema> {
        let parts = place.parts(&["restriction", "extension"])?;
        match parts.as_slice() {
            [one] if one.node.local_name() == "extension" => Ok((*one, Method::Extension)),
            [one] => Ok((*one, Method::Restriction)),
            _ => Err(place.bad("either a restriction or an extension")),
        }
    }

    fn simple_content(&mut self, place: Place<'d>) -> Result<Type, BadSchema> {
        let (part, by) = Self::derivation(place)?;
        part.only_attributes(&["base", "id"])?;
        let name = part.qname(part.need("base")?)?;
        let index = self.type_named(&name, part)?;
        let base = self.compiled(index, part)?;
        let of_base = match &base.content {
            Content::Simple(simple) => simple.clone(),
            // A restriction of mixed content gives its own simple type.
            Content::Elements { mixed: true, .. } if part.part("simpleType").is_some() => {
                Arc::new(Simple::of(Builtin::AnySimple))
            }
            Content::Elements { .. } => return Err(part.bad("the base has no simple content")),
        };
        let simple = match (by, part.part("simpleType")) {
            (Method::Extension, _) => {
                part.parts(ATTRIBUTES)?;
                of_base
            }
            (Method::Restriction, Some(inline)) => {
                let inline = self.simple(inline)?;
                Arc::new(self.restricted(&inline, part)?)
            }
            (Method::Restriction, None) => Arc::new(self.restricted(&of_base, part)?),
        };
        self.derived(part, by, (index, &base), Content::Simple(simple))
    }

    fn complex_content(&mut self, place: Place<'d>, mixed: bool) -> Result<Type, BadSchema> {
        place.only_attributes(&["mixed", "id"])?;
        let mixed = if place.node.attribute("mixed").is_some() { place.flag("mixed")? } else { mixed };
        let (part, by) = Self::derivation(place)?;
        part.only_attributes(&["base", "id"])?;
        part.parts(&[PARTICLES, ATTRIBUTES].concat())?;
        let name = part.qname(part.need("base")?)?;
        let index = self.type_named(&name, part)?;
        let base = self.compiled(index, part)?;
        let own = self.content_particle(part)?;
        let content = match (by, &base.content) {
            (Method::Restriction, _) => Content::Elements { particle: own, mixed },
            (Method::Extension, Content::Elements { particle, mixed: base_mixed }) => {
                let particle = match (particle.clone(), own) {
                    (Some(first), Some(then)) => Some(Particle::once(Term::Sequence(vec![first, then]))),
                    (one, other) => one.or(other),
                };
                Content::Elements { particle, mixed: mixed || *base_mixed }
            }
            (Method::Extension, Content::Simple(simple)) if own.is_none() => Content::Simple(simple.clone()),
            (Method::Extension, Content::Simple(_)) => return Err(part.bad("the base has simple content")),
        };
        self.derived(part, by, (index, &base), content)
    }

    /// The attributes of the base with those of the derivation on top.
    fn derived(
        &mut self,
        part: Place<'d>,
        by: Method,
        (index, base): (usize, &Type),
        content: Content,
    ) -> Result<Type, BadSchema> {
        let (own, any) = self.attributes(part)?;
        let mut attributes: Vec<Attribute> = base.attributes.clone();
        for attribute in own {
            match attributes.iter_mut().find(|inherited| inherited.name == attribute.name) {
                Some(inherited) => *inherited = attribute,
                None => attributes.push(attribute),
            }
        }
        let any_attribute: Option<Wildcard> = match by {
            Method::Restriction => any,
            Method::Extension => {
                any.map(|own| united(own, base.any_attribute.as_ref())).or(base.any_attribute.clone())
            }
        };
        Ok(Type {
            base: Some(index),
            by,
            is_abstract: false,
            blocks: part.blocks(),
            content,
            attributes,
            any_attribute,
        })
    }

    fn content_particle(&mut self, place: Place<'d>) -> Result<Option<Particle>, BadSchema> {
        let mut found = None;
        for child in place.node.child_elements().filter(|child| child.namespace() == super::XSD) {
            if PARTICLES.contains(&child.local_name()) {
                if found.is_some() {
                    return Err(place.at(child).bad("a type has one group of elements"));
                }
                found = Some(self.particle(place.at(child), 0)?);
            }
        }
        Ok(found.flatten())
    }
}

/// What one of two wildcards allows.
fn united(own: Wildcard, base: Option<&Wildcard>) -> Wildcard {
    use super::model::Allows;
    let Some(base) = base else { return own };
    let allows = match (&own.allows, &base.allows) {
        (Allows::Listed(own), Allows::Listed(base)) => {
            Allows::Listed([own.as_slice(), base.as_slice()].concat())
        }
        (own, base) if own == base => own.clone(),
        // What else two wildcards have in common is nearly everything.
        _ => Allows::Any,
    };
    Wildcard { allows, process: own.process }
}
