//! Reading simple types.

use std::sync::Arc;

use super::builtin::{Builtin, Space};
use super::read::{Place, Reader};
use super::simple::{Facet, Simple, Variety};
use super::{BadSchema, XSD};
use crate::xpath::ExpandedName;

const FACETS: &[&str] = &[
    "length",
    "minLength",
    "maxLength",
    "pattern",
    "enumeration",
    "whiteSpace",
    "minInclusive",
    "maxInclusive",
    "minExclusive",
    "maxExclusive",
    "totalDigits",
    "fractionDigits",
];

impl<'d> Reader<'d> {
    /// A simple type by name.
    pub(super) fn simple_named(
        &mut self,
        name: &ExpandedName,
        from: Place<'d>,
    ) -> Result<Arc<Simple>, BadSchema> {
        if let Some(known) = self.simples.get(name) {
            return Ok(known.clone());
        }
        if &*name.uri == XSD {
            let simple = match &*name.local {
                "IDREFS" => Simple::list_of(Simple::of(Builtin::IdRef)),
                "ENTITIES" => Simple::list_of(Simple::of(Builtin::Entity)),
                "NMTOKENS" => Simple::list_of(Simple::of(Builtin::NmToken)),
                local => match Builtin::named(local) {
                    Some(builtin) => Simple::of(builtin),
                    None => return Err(from.bad(format!("there is no built-in simple type {local}"))),
                },
            };
            let simple = Arc::new(simple);
            self.simples.insert(name.clone(), simple.clone());
            return Ok(simple);
        }
        let Some(place) = self.declared("simpleType", name) else {
            return Err(from.bad(format!("there is no type {}", name.local)));
        };
        if self.busy.iter().any(|(kind, busy)| *kind == "simpleType" && busy == name) || self.busy.len() > 50
        {
            return Err(from.bad(format!("the type {} is made from itself", name.local)));
        }
        self.busy.push(("simpleType", name.clone()));
        let simple = self.simple(place);
        self.busy.pop();
        let simple = Arc::new(simple?);
        self.simples.insert(name.clone(), simple.clone());
        Ok(simple)
    }

    /// A `simpleType` element.
    pub(super) fn simple(&mut self, place: Place<'d>) -> Result<Simple, BadSchema> {
        self.count(place)?;
        place.only_attributes(&["name", "final", "id"])?;
        let parts = place.parts(&["restriction", "list", "union"])?;
        let [part] = parts.as_slice() else {
            return Err(place.bad("a simple type needs one of restriction, list and union"));
        };
        match part.node.local_name() {
            "restriction" => {
                part.only_attributes(&["base", "id"])?;
                let base = self.base_or_inline(*part, "base")?;
                self.restricted(&base, *part)
            }
            "list" => {
                part.only_attributes(&["itemType", "id"])?;
                part.parts(&["simpleType"])?;
                let item = self.base_or_inline(*part, "itemType")?;
                if matches!(item.variety, Variety::List(_)) {
                    return Err(part.bad("a list of lists"));
                }
                Ok(Simple { variety: Variety::List(item), space: Space::Collapse, facets: Vec::new() })
            }
            _ => {
                part.only_attributes(&["memberTypes", "id"])?;
                let mut members = Vec::new();
                for name in part.node.attribute("memberTypes").unwrap_or_default().split_ascii_whitespace() {
                    let name = part.qname(name)?;
                    members.push(self.simple_named(&name, *part)?);
                }
                for inline in part.parts(&["simpleType"])? {
                    members.push(Arc::new(self.nested_simple(inline)?));
                }
                if members.is_empty() {
                    return Err(part.bad("a union has no members"));
                }
                Ok(Simple { variety: Variety::Union(members), space: Space::Preserve, facets: Vec::new() })
            }
        }
    }

    fn nested_simple(&mut self, place: Place<'d>) -> Result<Simple, BadSchema> {
        if self.busy.len() > 50 {
            return Err(place.bad("types nest too deep"));
        }
        self.busy.push(("inline", place.target_name("")));
        let simple = self.simple(place);
        self.busy.pop();
        simple
    }

    fn base_or_inline(&mut self, place: Place<'d>, attribute: &str) -> Result<Arc<Simple>, BadSchema> {
        match (place.node.attribute(attribute), place.part("simpleType")) {
            (Some(name), None) => {
                let name = place.qname(name)?;
                self.simple_named(&name, place)
            }
            (None, Some(inline)) => Ok(Arc::new(self.nested_simple(inline)?)),
            _ => Err(place.bad(format!("either {attribute} or a simpleType inside"))),
        }
    }

    /// A type with the facets of a restriction added.
    pub(super) fn restricted(&mut self, base: &Simple, place: Place<'d>) -> Result<Simple, BadSchema> {
        let mut simple = base.clone();
        let (mut patterns, mut enumeration, mut bounds) = (Vec::new(), Vec::new(), Vec::new());
        let allowed = [FACETS, &["simpleType", "attribute", "attributeGroup", "anyAttribute"]].concat();
        for part in place.parts(&allowed)? {
            let facet = part.node.local_name();
            if !FACETS.contains(&facet) {
                continue;
            }
            part.only_attributes(&["value", "fixed", "id"])?;
            let text = part.need("value")?;
            let size = || text.trim().parse::<usize>().map_err(|_| part.bad(format!("{facet} is no number")));
            match facet {
                "pattern" => {
                    let translated =
                        crate::regular::translate(&anchors(text)).map_err(|why| part.bad(why))?;
                    let whole =
                        regex::RegexBuilder::new(&format!("^(?:{translated})$")).size_limit(1 << 21).build();
                    patterns.push(whole.map_err(|_| part.bad("not a regular expression that is supported"))?);
                }
                "enumeration" => {
                    enumeration.push(
                        base.read(text, part.node).map_err(|why| part.bad(format!("enumeration: {why}")))?,
                    );
                }
                "whiteSpace" => {
                    let space = match text.trim() {
                        "preserve" => Space::Preserve,
                        "replace" => Space::Replace,
                        "collapse" => Space::Collapse,
                        _ => return Err(part.bad("whiteSpace is none of preserve, replace and collapse")),
                    };
                    if space < simple.space {
                        return Err(part.bad("whiteSpace may not be looser than in the base"));
                    }
                    simple.space = space;
                }
                "length" => bounds.push(Facet::Length(size()?)),
                "minLength" => bounds.push(Facet::MinLength(size()?)),
                "maxLength" => bounds.push(Facet::MaxLength(size()?)),
                "totalDigits" => bounds.push(Facet::TotalDigits(size()?)),
                "fractionDigits" => bounds.push(Facet::FractionDigits(size()?)),
                _ => {
                    let plain = Simple { facets: Vec::new(), ..base.clone() };
                    let value =
                        plain.read(text, part.node).map_err(|why| part.bad(format!("{facet}: {why}")))?;
                    if value.compare(&value).is_none() {
                        return Err(part.bad(format!("values of this type have no order for {facet}")));
                    }
                    bounds.push(match facet {
                        "minInclusive" => Facet::MinInclusive(value),
                        "maxInclusive" => Facet::MaxInclusive(value),
                        "minExclusive" => Facet::MinExclusive(value),
                        _ => Facet::MaxExclusive(value),
                    });
                }
            }
        }
        simple.facets.append(&mut bounds);
        if !patterns.is_empty() {
            simple.facets.push(Facet::Patterns(patterns));
        }
        if !enumeration.is_empty() {
            simple.facets.push(Facet::Enumeration(enumeration));
        }
        Ok(simple)
    }
}

/// Schemas have no anchors: both signs stand for themselves.
fn anchors(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let (mut escaped, mut class) = (false, 0usize);
    for c in pattern.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class += 1,
            ']' => class = class.saturating_sub(1),
            '^' | '$' if class == 0 => out.push('\\'),
            _ => {}
        }
        out.push(c);
    }
    out
}
