//! `FileResources`: scripts and documents of a proxy.

use pierhead_gateway::design::FileResource;
use serde_json::json;

use crate::names::check_name;
use crate::odata::{Entity, EntitySet, Navigation, ODataError, Parsed, Property};

/// The bundle's types (api-management §1) and what the design calls them.
const TYPES: &[(&str, &str)] =
    &[("js", "jsc"), ("py", "py"), ("xsl", "xsl"), ("xsd", "xsd"), ("wsdl", "wsdl")];

pub(crate) static SET: EntitySet = EntitySet {
    name: "FileResources",
    type_name: "FileResource",
    title: "file resource",
    properties: &[
        Property::key("id").up_to(2048),
        Property::text("name").up_to(255),
        Property::text("type"),
        Property::text("content").up_to(15 * 1024 * 1024),
    ],
    navigation: &[Navigation::one("apiProxy", "APIProxies")],
};

pub(crate) fn id(proxy: &str, file: &str) -> String {
    format!("{proxy}:file:{file}")
}

pub(crate) fn entity(proxy: &str, file: &FileResource) -> Entity {
    let kind = TYPES.iter().find(|(_, kind)| *kind == file.kind).map_or(file.kind.as_str(), |(name, _)| name);
    let values =
        json!({"id": id(proxy, &file.name), "name": file.name, "type": kind, "content": file.content});
    Entity::new(&SET, values)
}

/// A file from a body; with `old`, its new state under the same name.
pub(crate) fn read(
    body: &Parsed,
    old: Option<&FileResource>,
    merge: bool,
) -> Result<FileResource, ODataError> {
    let name = match old {
        Some(old) if body.text("name").is_none_or(|name| name == old.name) => old.name.as_str(),
        Some(_) => return Err(ODataError::bad("FileResources.name cannot be changed; make another file")),
        None => body.required("name")?,
    };
    check_name("FileResources.name", name, 255)?;
    let kept = old.filter(|_| merge);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let said = body.text("type").filter(|said| !said.is_empty()).unwrap_or(extension);
    let kind = match (TYPES.iter().find(|(type_name, kind)| *type_name == said || *kind == said), kept) {
        (Some((_, kind)), _) => (*kind).to_owned(),
        (None, Some(old)) if body.text("type").is_none() => old.kind.clone(),
        _ => return Err(ODataError::bad("FileResources.type must be js, py, xsl, xsd or wsdl")),
    };
    let content =
        body.text("content").or(kept.map(|old| old.content.as_str())).unwrap_or_default().to_owned();
    Ok(FileResource { name: name.into(), kind, content, binary: false })
}
