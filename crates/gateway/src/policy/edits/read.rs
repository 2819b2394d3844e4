//! Reading changes from a policy document.

use http::HeaderName;

use super::{Assignment, Edit, Edits, MessageRef, Pair, Part, Setting};
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;
use crate::template::Template;
use crate::variable::{MessageName, Which};

const GROUPS: &[&str] = &["Headers", "QueryParams", "FormParams"];
/// What stands in a group.
const ITEMS: &[&str] = &["Header", "QueryParam", "FormParam"];
const COPY_PARTS: &[&str] = &[
    "Headers",
    "QueryParams",
    "FormParams",
    "Payload",
    "Verb",
    "Version",
    "Path",
    "StatusCode",
    "ReasonPhrase",
];

impl Edits {
    /// Names of the elements that [`Self::read`] understands.
    pub(crate) const ELEMENTS: &[&str] = &["Copy", "Remove", "Add", "Set", "AssignVariable"];

    /// Reads the changes among the children of `parent`; others are the caller's. `target` is the message
    /// that is changed: editing its form reads its body.
    pub(crate) fn read<'d>(
        policy: &mut Blueprint<'d>,
        parent: &'d Element,
        target: &str,
        lenient: bool,
    ) -> Self {
        let mut edits = Self { edits: Vec::new(), lenient };
        for element in &parent.children {
            let edit = match element.name.as_str() {
                "Copy" => Some(copy(policy, element)),
                "Remove" => Some(Edit::Remove(parts(policy, element, &[], target))),
                "Add" => {
                    only_groups(policy, element);
                    let pairs =
                        element.children.iter().flat_map(|group| pairs(policy, group, target)).collect();
                    Some(Edit::Add(pairs))
                }
                "Set" => Some(set(policy, element, target)),
                "AssignVariable" => {
                    assignment(policy, element).map(|assignment| Edit::Assign(Box::new(assignment)))
                }
                _ => None,
            };
            edits.edits.extend(edit);
        }
        edits
    }
}

/// Groups; a header or parameter that stands outside of its group does nothing in the originals.
fn only_groups<'d>(policy: &mut Blueprint<'d>, element: &'d Element) {
    policy.only(element, &[], &[GROUPS, ITEMS].concat());
    for item in element.children.iter().filter(|item| ITEMS.contains(&item.name.as_str())) {
        let message = format!("{} outside of {}s has no effect", item.name, item.name);
        policy.warning(item, "WithoutEffect", message);
    }
}

fn copy<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Edit {
    let source = element.attribute("source").unwrap_or("message");
    let parts = parts(policy, element, &["source"], source);
    if parts.iter().any(|part| matches!(part, Part::Payload)) {
        note_body(policy, source);
    }
    Edit::Copy { source: MessageRef(source.into()), parts }
}

/// What `Copy` and `Remove` name. An empty group is all of it, and so is an empty `Copy` of its message.
fn parts<'d>(
    policy: &mut Blueprint<'d>,
    element: &'d Element,
    attributes: &[&str],
    message: &str,
) -> Vec<Part> {
    policy.only(element, attributes, COPY_PARTS);
    let mut parts = Vec::new();
    if element.children.is_empty() && element.name == "Copy" {
        return vec![
            Part::AllHeaders,
            Part::AllQueryParams,
            Part::Payload,
            Part::Verb,
            Part::Path,
            Part::StatusCode,
            Part::ReasonPhrase,
        ];
    }
    if element.children.is_empty() && element.name == "Remove" {
        return vec![Part::AllHeaders, Part::AllQueryParams, Part::Payload];
    }
    for child in &element.children {
        let all = child.children.is_empty();
        match child.name.as_str() {
            "Headers" if all => parts.push(Part::AllHeaders),
            "QueryParams" if all => parts.push(Part::AllQueryParams),
            "FormParams" if all => parts.push(Part::AllFormParams),
            "Headers" | "QueryParams" | "FormParams" => {
                let singular = child.name.trim_end_matches('s');
                policy.only(child, &[], &[singular]);
                for item in &child.children {
                    policy.only(item, &["name"], &[]);
                    parts.extend(named_part(policy, item));
                }
            }
            name => {
                // `<Verb>false</Verb>` leaves it out.
                if policy.flag_child(element, name, true) {
                    parts.push(match name {
                        "Payload" => Part::Payload,
                        "Verb" => Part::Verb,
                        "Version" => Part::Version,
                        "Path" => Part::Path,
                        "StatusCode" => Part::StatusCode,
                        _ => Part::ReasonPhrase,
                    });
                }
            }
        }
    }
    if parts.iter().any(|part| matches!(part, Part::AllFormParams | Part::FormParam(..))) {
        note_body(policy, message);
    }
    parts
}

fn named_part<'d>(policy: &mut Blueprint<'d>, item: &'d Element) -> Option<Part> {
    let (name, which) = indexed_name(policy, item)?;
    match item.name.as_str() {
        "Header" => header_name(policy, item, name).map(|name| Part::Header(name, which)),
        "QueryParam" => Some(Part::QueryParam(name.into(), which)),
        _ => Some(Part::FormParam(name.into(), which)),
    }
}

fn pairs<'d>(policy: &mut Blueprint<'d>, group: &'d Element, target: &str) -> Vec<Pair> {
    if !GROUPS.contains(&group.name.as_str()) {
        return Vec::new();
    }
    let singular = group.name.trim_end_matches('s');
    policy.only(group, &[], &[singular]);
    if group.name == "FormParams" {
        note_body(policy, target);
    }
    let mut pairs = Vec::new();
    for item in group.children(singular) {
        policy.only(item, &["name"], &[]);
        let Some((name, which)) = indexed_name(policy, item) else { continue };
        let value = policy.template(item, item.text());
        match singular {
            "Header" => {
                if let Some(name) = header_name(policy, item, name) {
                    pairs.push(Pair::Header(name, which, value));
                }
            }
            "QueryParam" => pairs.push(Pair::QueryParam(name.into(), which, value)),
            _ => pairs.push(Pair::FormParam(name.into(), which, value)),
        }
    }
    pairs
}

fn set<'d>(policy: &mut Blueprint<'d>, element: &'d Element, target: &str) -> Edit {
    // Of AssignMessage only, which reads it itself: what makes a token may have to wait for it.
    let authentication: &[&str] = if policy.root.name == "AssignMessage" { &["Authentication"] } else { &[] };
    policy.only(element, &[], &[COPY_PARTS, authentication].concat());
    let mut settings = Vec::new();
    for child in &element.children {
        match child.name.as_str() {
            "Headers" | "QueryParams" | "FormParams" => {
                settings.extend(pairs(policy, child, target).into_iter().map(Setting::Pair));
            }
            "Payload" => settings.push(payload(policy, child)),
            "Authentication" => {}
            // What consoles write for "not set".
            "Path" | "StatusCode" | "ReasonPhrase" | "Verb" if child.text().is_empty() => {
                policy.only(child, &[], &[]);
            }
            name => {
                policy.only(child, &[], &[]);
                let value = policy.template(child, child.text());
                match name {
                    "Verb" => settings.push(Setting::Verb(value)),
                    "Version" => settings.push(Setting::Version),
                    "Path" => settings.push(Setting::Path(value)),
                    "StatusCode" => {
                        check_status(policy, child, &value);
                        settings.push(Setting::StatusCode(value));
                    }
                    "ReasonPhrase" => settings.push(Setting::ReasonPhrase(value)),
                    _ => {}
                }
            }
        }
    }
    Edit::Set(settings)
}

fn payload<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Setting {
    policy.only(element, &["contentType", "variablePrefix", "variableSuffix"], &[]);
    let (prefix, suffix) = (element.attribute("variablePrefix"), element.attribute("variableSuffix"));
    if prefix.is_some_and(str::is_empty) || suffix.is_some_and(str::is_empty) {
        policy.problem(element, "InvalidPayload", "variablePrefix and variableSuffix may not be empty");
    }
    let body = policy.template_with(
        element,
        element.text(),
        prefix.filter(|text| !text.is_empty()).unwrap_or("{"),
        suffix.filter(|text| !text.is_empty()).unwrap_or("}"),
    );
    let content_type = element.attribute("contentType").map(|kind| policy.template(element, kind));
    Setting::Payload { content_type, body }
}

fn check_status(policy: &mut Blueprint<'_>, at: &Element, value: &Template) {
    if let Some(text) = value.as_literal()
        && !text.parse().is_ok_and(|status: u16| (200..=599).contains(&status))
    {
        policy.problem(at, "InvalidStatusCode", format!("'{text}' is not a status from 200 to 599"));
    }
}

fn assignment<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<Assignment> {
    policy.only(element, &[], &["Name", "Ref", "Value", "Template", "ResourceURL", "PropertySetRef"]);
    let Some(name) = element.child("Name") else {
        policy.problem(element, "InvalidVariableName", "AssignVariable needs a Name");
        return None;
    };
    let name = policy.variable(name, name.text())?;
    let reference = element.child("Ref").filter(|r| !r.text().is_empty());
    let reference = reference.and_then(|reference| policy.variable(reference, reference.text()));
    let (mut template, mut template_reference) = (None, None);
    if let Some(child) = element.child("Template") {
        policy.only(child, &["ref"], &[]);
        if let Some(variable) = child.attribute("ref") {
            template_reference = policy.variable(child, variable);
        }
        if !child.text().is_empty() {
            template = Some(policy.template(child, child.text()));
        }
    }
    let mut value = element.child("Value").map(|value| value.text().into());
    if let Some(url) = element.child("ResourceURL") {
        value = policy.resource(url, url.text()).map(Into::into).or(value);
    }
    let property = element.child("PropertySetRef").and_then(|child| property(policy, child));
    Some(Assignment { name, reference, template, template_reference, property, value })
}

/// What names a property: `<set>.<key>`, variables allowed.
fn property<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<Template> {
    policy.only(element, &[], &[]);
    let template = policy.template(element, element.text());
    let names_both = template
        .as_literal()
        .is_none_or(|name| name.split_once('.').is_some_and(|(set, key)| !set.is_empty() && !key.is_empty()));
    if !names_both {
        let message = format!("PropertySetRef '{}' is not <set>.<key>", element.text());
        policy.problem(element, "InvalidPropertySetRef", message);
        return None;
    }
    Some(template)
}

/// The name of a header or parameter, with `.2` at its end meaning the second value.
fn indexed_name<'d>(policy: &mut Blueprint<'d>, item: &'d Element) -> Option<(&'d str, Which)> {
    let Some(name) = item.attribute("name").map(str::trim).filter(|name| !name.is_empty()) else {
        policy.problem(item, "NameIsMissing", format!("{} needs a name", item.name));
        return None;
    };
    match name.rsplit_once('.') {
        Some((base, digits))
            if !base.is_empty() && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) =>
        {
            match digits.parse() {
                Ok(index @ 1..=1000) => Some((base, Which::Nth(index))),
                _ => {
                    policy.problem(
                        item,
                        "InvalidIndex",
                        format!("the index of '{name}' is not from 1 to 1000"),
                    );
                    None
                }
            }
        }
        _ => Some((name, Which::First)),
    }
}

fn header_name(policy: &mut Blueprint<'_>, item: &Element, name: &str) -> Option<HeaderName> {
    let parsed = HeaderName::from_bytes(name.as_bytes()).ok();
    if parsed.is_none() {
        policy.problem(item, "InvalidHeaderName", format!("'{name}' is not the name of a header"));
    }
    parsed
}

fn note_body(policy: &mut Blueprint<'_>, message: &str) {
    if let Some(name) = MessageName::of(message) {
        policy.reads.note_message(name);
    }
}
