//! `Policies` of a proxy.

use pierhead_gateway::design::PolicyText;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::json;

use crate::names::check_name;
use crate::odata::{Entity, EntitySet, Navigation, ODataError, Parsed, Property};

pub(crate) static SET: EntitySet = EntitySet {
    name: "Policies",
    type_name: "Policy",
    title: "policy",
    properties: &[
        Property::key("id").up_to(2048),
        Property::text("name").up_to(255),
        Property::text("policy_type"),
        Property::text("policy_content").up_to(1024 * 1024),
        Property::flag("readOnly"),
    ],
    navigation: &[Navigation::one("apiProxy", "APIProxies")],
};

pub(crate) fn id(proxy: &str, policy: &str) -> String {
    format!("{proxy}:policy:{policy}")
}

pub(crate) fn entity(proxy: &str, policy: &PolicyText) -> Entity {
    let values = json!({
        "id": id(proxy, &policy.name), "name": policy.name, "policy_type": policy.kind,
        "policy_content": policy.xml, "readOnly": policy.fixed,
    });
    Entity::new(&SET, values)
}

/// A policy from a body. Its type is the root element; a `policy_type` that says otherwise is refused.
pub(crate) fn read(body: &Parsed) -> Result<PolicyText, ODataError> {
    let name = body.required("name")?;
    check_name("Policies.name", name, 255)?;
    with_content(name, body)
}

/// The same with new content under the old name.
pub(crate) fn changed(old: &PolicyText, body: &Parsed, merge: bool) -> Result<PolicyText, ODataError> {
    if body.text("name").is_some_and(|name| name != old.name) {
        return Err(ODataError::bad("Policies.name cannot be changed; make another policy"));
    }
    if merge && body.text("policy_content").is_none() {
        return Ok(old.clone());
    }
    with_content(&old.name, body)
}

fn with_content(name: &str, body: &Parsed) -> Result<PolicyText, ODataError> {
    let xml = body.required("policy_content")?;
    let kind = root_element(xml)
        .ok_or_else(|| ODataError::bad(format!("Policies.policy_content of '{name}' is no XML document")))?;
    if body.text("policy_type").is_some_and(|said| !said.is_empty() && said != kind) {
        return Err(ODataError::bad(format!(
            "Policies.policy_type of '{name}' must be the root element of policy_content, '{kind}'"
        )));
    }
    Ok(PolicyText { name: name.into(), kind, xml: xml.into(), fixed: false })
}

/// The name of the root element; none when the text is no XML document.
pub(crate) fn root_element(xml: &str) -> Option<String> {
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event().ok()? {
            Event::Start(element) | Event::Empty(element) => {
                return Some(element.local_name().as_ref().to_owned());
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::root_element;

    #[test]
    fn the_type_is_the_root_element() {
        let xml = "<?xml version='1.0'?><!-- c --><x:RaiseFault xmlns:x='u'/>";
        assert_eq!(root_element(xml).as_deref(), Some("RaiseFault"));
        assert_eq!(root_element("no xml"), None);
        assert_eq!(root_element(""), None);
    }
}
