//! `APIResources` and `Documentations`: the described resources of a proxy endpoint. The gateway does not
//! run them; they are kept beside the design as they were sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::odata::{Entity, EntitySet, Expand, Navigation, ODataError, Parsed, Property};

pub(crate) static RESOURCES: EntitySet = EntitySet {
    name: "APIResources",
    type_name: "APIResource",
    title: "API resource",
    properties: &[
        Property::key("id").up_to(2048),
        Property::text("name").up_to(255),
        Property::text("title"),
        Property::text("description").up_to(64 * 1024),
        Property::text("resource_path"),
        Property::text("proxyEndPointName"),
        Property::flag("canShowGet"),
        Property::flag("canShowPost"),
        Property::flag("canShowPut"),
        Property::flag("canShowDelete"),
        Property::flag("canShowHead"),
        Property::flag("canShowOption"),
        Property::flag("canShowPatch"),
        Property::flag("isGetChecked"),
        Property::flag("isPostChecked"),
        Property::flag("isPutChecked"),
        Property::flag("isDeleteChecked"),
        Property::flag("isHeadChecked"),
        Property::flag("isOptionChecked"),
        Property::flag("isPatchChecked"),
    ],
    navigation: &[Navigation::many("documentations", "Documentations")],
};

pub(crate) static DOCUMENTATIONS: EntitySet = EntitySet {
    name: "Documentations",
    type_name: "Documentation",
    title: "documentation",
    properties: &[
        Property::key("id").up_to(2048),
        Property::key("locale").up_to(35),
        Property::text("mime_type"),
        Property::text("content").up_to(4 * 1024 * 1024),
        Property::text("apiResourceName"),
    ],
    navigation: &[],
};

/// Described resources by proxy endpoint.
pub(crate) type Described = BTreeMap<String, Vec<StoredResource>>;

/// One described resource.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct StoredResource {
    values: Map<String, Value>,
    documentations: Vec<Map<String, Value>>,
}

pub(crate) fn entities(endpoint_id: &str, resources: &[StoredResource], expand: &Expand) -> Vec<Entity> {
    let entity = |(at, resource): (usize, &StoredResource)| {
        let id = format!("{endpoint_id}:resource:{}", at + 1);
        let mut values = resource.values.clone();
        values.insert("id".into(), id.clone().into());
        Entity::new(&RESOURCES, Value::Object(values)).with(expand, "documentations", |_| {
            resource.documentations.iter().map(|values| documentation(&id, values)).collect()
        })
    };
    resources.iter().enumerate().map(entity).collect()
}

fn documentation(id: &str, values: &Map<String, Value>) -> Entity {
    let mut values = values.clone();
    values.insert("id".into(), id.into());
    Entity::new(&DOCUMENTATIONS, Value::Object(values))
}

/// Described resources from the body of a proxy endpoint.
pub(crate) fn read(bodies: &[Parsed]) -> Result<Vec<StoredResource>, ODataError> {
    let resource = |body: &Parsed| {
        body.required("name")?;
        let documentations = body.nested("documentations").unwrap_or_default().iter();
        let documentations = documentations.map(|body| {
            let mut values = body.values.clone();
            values.entry("locale").or_insert_with(|| "en".into());
            values
        });
        Ok(StoredResource { values: body.values.clone(), documentations: documentations.collect() })
    };
    bodies.iter().map(resource).collect()
}
