//! Reading attributes and wildcards.

use std::sync::Arc;

use super::builtin::Builtin;
use super::model::{Allows, Attribute, Process, Usage, Wildcard};
use super::read::{Place, Reader};
use super::simple::Simple;
use super::{BadSchema, XSD};
use crate::xpath::ExpandedName;

type Attributes = (Vec<Attribute>, Option<Wildcard>);

impl<'d> Reader<'d> {
    /// The attributes that stand in a type or group, groups expanded.
    pub(super) fn attributes(&mut self, place: Place<'d>) -> Result<Attributes, BadSchema> {
        let (mut attributes, mut any) = (Vec::new(), None);
        for child in place.node.child_elements().filter(|child| child.namespace() == XSD) {
            let here = place.at(child);
            match child.local_name() {
                "attribute" => {
                    let attribute = self.attribute_use(here)?;
                    if attributes.iter().any(|other: &Attribute| other.name == attribute.name) {
                        return Err(
                            here.bad(format!("the attribute {} is there twice", attribute.name.local))
                        );
                    }
                    attributes.push(attribute);
                }
                "attributeGroup" => {
                    here.only_attributes(&["ref", "id"])?;
                    let name = here.qname(here.need("ref")?)?;
                    let (mut more, more_any) = self.attribute_group(&name, here)?;
                    attributes.append(&mut more);
                    any = any.or(more_any);
                }
                "anyAttribute" => any = Some(here.wildcard(&["namespace", "processContents", "id"])?),
                _ => {}
            }
        }
        Ok((attributes, any))
    }

    pub(super) fn attribute_group(
        &mut self,
        name: &ExpandedName,
        from: Place<'d>,
    ) -> Result<Attributes, BadSchema> {
        let Some(place) = self.declared("attributeGroup", name) else {
            return Err(from.bad(format!("there is no attributeGroup {}", name.local)));
        };
        if self.busy.contains(&("attributeGroup", name.clone())) || self.busy.len() > 50 {
            return Err(from.bad(format!("the attributeGroup {} holds itself", name.local)));
        }
        place.only_attributes(&["name", "id"])?;
        place.parts(&["attribute", "attributeGroup", "anyAttribute"])?;
        self.count(place)?;
        self.busy.push(("attributeGroup", name.clone()));
        let attributes = self.attributes(place);
        self.busy.pop();
        attributes
    }

    fn attribute_use(&mut self, place: Place<'d>) -> Result<Attribute, BadSchema> {
        place.only_attributes(&["name", "ref", "type", "use", "default", "fixed", "form", "id"])?;
        let mut attribute = match place.node.attribute("ref") {
            Some(name) => {
                let name = place.qname(name)?;
                let mut attribute = self.attribute_named(&name, place)?;
                attribute.fixed = place.node.attribute("fixed").map(Into::into).or(attribute.fixed);
                attribute
            }
            None => {
                let default = place.root().attribute("attributeFormDefault");
                let form = place.node.attribute("form").or(default).unwrap_or("unqualified");
                let mut name = place.target_name(place.need("name")?);
                if form != "qualified" {
                    name.uri = "".into();
                }
                self.attribute_of(place, name)?
            }
        };
        attribute.usage = match place.node.attribute("use") {
            None | Some("optional") => Usage::Optional,
            Some("required") => Usage::Required,
            Some("prohibited") => Usage::Prohibited,
            Some(_) => return Err(place.bad("use is none of optional, required and prohibited")),
        };
        Ok(attribute)
    }

    /// An attribute that is declared right here.
    pub(super) fn attribute_of(
        &mut self,
        place: Place<'d>,
        name: ExpandedName,
    ) -> Result<Attribute, BadSchema> {
        self.count(place)?;
        place.parts(&["simpleType"])?;
        let kind = match (place.node.attribute("type"), place.part("simpleType")) {
            (Some(_), Some(inline)) => return Err(inline.bad("either type or a simpleType inside")),
            (Some(kind), None) => {
                let kind = place.qname(kind)?;
                self.simple_named(&kind, place)?
            }
            (None, Some(inline)) => Arc::new(self.simple(inline)?),
            (None, None) => Arc::new(Simple::of(Builtin::AnySimple)),
        };
        let fixed: Option<Box<str>> = place.node.attribute("fixed").map(Into::into);
        for value in fixed.as_deref().into_iter().chain(place.node.attribute("default")) {
            kind.read(value, place.node).map_err(|why| place.bad(format!("the value given is {why}")))?;
        }
        Ok(Attribute { name, kind, usage: Usage::Optional, fixed })
    }
}

impl Place<'_> {
    /// `any` or `anyAttribute`.
    pub(super) fn wildcard(self, attributes: &[&str]) -> Result<Wildcard, BadSchema> {
        self.only_attributes(attributes)?;
        self.parts(&[])?;
        let target = self.in_document.target.as_str();
        let allows = match self.node.attribute("namespace").map_or("##any", str::trim) {
            "##any" => Allows::Any,
            "##other" => Allows::Other(target.into()),
            listed => Allows::Listed(
                listed
                    .split_ascii_whitespace()
                    .map(|one| match one {
                        "##targetNamespace" => target.into(),
                        "##local" => "".into(),
                        one => one.into(),
                    })
                    .collect(),
            ),
        };
        let process = match self.node.attribute("processContents") {
            None | Some("strict") => Process::Strict,
            Some("lax") => Process::Lax,
            Some("skip") => Process::Skip,
            Some(_) => return Err(self.bad("processContents is none of strict, lax and skip")),
        };
        Ok(Wildcard { allows, process })
    }
}
