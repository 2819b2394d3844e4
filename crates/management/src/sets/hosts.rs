//! `VirtualHosts`: where proxies are reached. The operator's settings, read only.

use serde_json::json;

use crate::odata::{Entity, EntitySet, Property};
use crate::settings::HostSetting;

pub(crate) static SET: EntitySet = EntitySet {
    name: "VirtualHosts",
    type_name: "VirtualHost",
    title: "virtual host",
    properties: &[
        Property::key("id"),
        Property::text("name"),
        Property::text("virtual_host"),
        Property::number("virtual_port"),
        Property::flag("isDefault"),
        Property::flag("isSSL"),
        Property::flag("isForCustomDomain"),
        Property::flag("isClientAuthEnabled"),
        Property::text("keyStoreName"),
        Property::text("keyStoreAlias"),
        Property::text("trustStore"),
        Property::text("projectPath"),
    ],
    navigation: &[],
};

pub(crate) fn entity(host: &HostSetting) -> Entity {
    Entity::new(
        &SET,
        json!({
            "id": host.name,
            "name": host.name,
            "virtual_host": host.host,
            "virtual_port": host.port,
            "isDefault": host.is_default,
            "isSSL": host.tls,
            "isForCustomDomain": false,
            "isClientAuthEnabled": false,
        }),
    )
}
