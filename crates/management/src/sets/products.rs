//! `APIProducts`: what keys give access to, as far as proxies show them. Made by Apigee's calls.

use pierhead_store::management::StoredProduct;
use serde_json::{Value, json};

use crate::odata::{Entity, EntitySet, Property};

use super::{HISTORY, life_cycle};

pub(crate) static SET: EntitySet = EntitySet {
    name: "APIProducts",
    type_name: "APIProduct",
    title: "API product",
    properties: &[
        Property::key("name"),
        Property::text("title"),
        Property::text("description"),
        Property::text("status_code"),
        Property::text("scope"),
        Property::text("quotaCount"),
        Property::text("quotaInterval"),
        Property::text("quotaTimeUnit"),
        Property::flag("isPublished"),
        Property::complex("life_cycle", &HISTORY),
    ],
    navigation: &[],
};

pub(crate) fn entity(product: &StoredProduct) -> Entity {
    let document = document(product);
    let scopes: Vec<&str> =
        document["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    Entity::new(
        &SET,
        json!({
            "name": product.name,
            "title": document["displayName"],
            "description": document["description"],
            "status_code": "PUBLISHED",
            "scope": scopes.join(","),
            "quotaCount": document["quota"],
            "quotaInterval": document["quotaInterval"],
            "quotaTimeUnit": document["quotaTimeUnit"],
            "isPublished": true,
            "life_cycle": life_cycle(&product.stamp),
        }),
    )
}

/// Whether the product gives access to a proxy.
pub(crate) fn holds_proxy(product: &StoredProduct, proxy: &str) -> bool {
    let document = document(product);
    document["proxies"]
        .as_array()
        .is_some_and(|proxies| proxies.iter().any(|name| name.as_str() == Some(proxy)))
}

fn document(product: &StoredProduct) -> Value {
    serde_json::from_str(&product.document).unwrap_or_default()
}
