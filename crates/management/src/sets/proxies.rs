//! `APIProxies` (api-management §8.7): the root of a design's tree.

use std::collections::BTreeMap;

use pierhead_gateway::design::{Destination, ProxyDesign, RouteRule, TargetEndpoint};
use pierhead_store::management::{BasePath, StoredProxy};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::names::check_name;
use crate::odata::{Entity, EntitySet, Expand, Navigation, ODataError, Parsed, Property};
use crate::settings::HostSetting;

use super::endpoints::{self, NO_PROVIDER};
use super::resources::{self, Described};
use super::{HISTORY, files, life_cycle, policies};

pub(crate) static SET: EntitySet = EntitySet {
    name: "APIProxies",
    type_name: "APIProxy",
    title: "API proxy",
    properties: &[
        Property::key("name"),
        Property::text("title"),
        Property::text("description").up_to(64 * 1024),
        Property::text("version"),
        Property::text("state"),
        Property::text("service_code"),
        Property::text("status_code"),
        Property::text("provider_name"),
        Property::flag("hasChanges"),
        Property::flag("isVersioned"),
        Property::flag("isPublished"),
        Property::flag("isUnmanaged"),
        Property::flag("isCopy"),
        Property::text("apiVersionGroup"),
        Property::text("releaseStatus"),
        Property::text("releaseMetadata").up_to(64 * 1024),
        Property::text("cfBindingId"),
        Property::complex("life_cycle", &HISTORY),
    ],
    navigation: &[
        Navigation::many("proxyEndPoints", "APIProxyEndPoints"),
        Navigation::many("targetEndPoints", "APITargetEndPoints"),
        Navigation::many("policies", "Policies"),
        Navigation::many("fileResources", "FileResources"),
        Navigation::many("apiProducts", "APIProducts"),
    ],
};

/// Properties that clients set and the gateway does not look at.
const KEPT: &[(&str, &str)] = &[
    ("version", "1"),
    ("status_code", "REGISTERED"),
    ("apiVersionGroup", ""),
    ("releaseStatus", "Active"),
    ("releaseMetadata", "{\"reason\":\"\"}"),
    ("cfBindingId", ""),
];
const KEPT_FLAGS: &[&str] = &["isVersioned", "isPublished", "isUnmanaged", "isCopy"];

/// A proxy in work: its row, its design, and what the wire carries beside the design.
#[derive(Debug, Clone)]
pub(crate) struct ProxyDraft {
    pub(crate) stored: StoredProxy,
    pub(crate) design: ProxyDesign,
    settings: ProxySettings,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct ProxySettings {
    values: Map<String, Value>,
    described: Described,
}

impl ProxyDraft {
    /// From its row.
    pub(crate) fn open(stored: StoredProxy) -> Result<Self, ODataError> {
        let design = serde_json::from_str(&stored.design).map_err(ODataError::internal)?;
        let settings = serde_json::from_str(&stored.settings).map_err(ODataError::internal)?;
        Ok(Self { stored, design, settings })
    }

    /// Puts design and settings back into the row.
    pub(crate) fn close(mut self) -> Result<StoredProxy, ODataError> {
        self.stored.design = serde_json::to_string(&self.design).map_err(ODataError::internal)?;
        self.stored.settings = serde_json::to_string(&self.settings).map_err(ODataError::internal)?;
        Ok(self.stored)
    }

    /// A new proxy from a deep insert.
    pub(crate) fn create(
        stored: StoredProxy,
        body: &Parsed,
        hosts: &[HostSetting],
    ) -> Result<Self, ODataError> {
        let mut draft = Self { stored, design: ProxyDesign::default(), settings: ProxySettings::default() };
        draft.design.name = body.required("name")?.into();
        check_name("APIProxies.name", &draft.design.name, 255)?;
        draft.take(body, false, hosts)?;
        let provider = body.text("provider_name").filter(|name| !name.is_empty() && *name != NO_PROVIDER);
        if let (Some(provider), true) = (provider, draft.design.target_endpoints.is_empty()) {
            let destination = Destination::Provider { name: provider.into(), relative_path: "/".into() };
            draft.design.target_endpoints =
                vec![TargetEndpoint { name: "default".into(), destination, ..TargetEndpoint::default() }];
        }
        if let Some(first) = draft.design.target_endpoints.first().map(|target| target.name.clone()) {
            for endpoint in &mut draft.design.proxy_endpoints {
                if endpoint.routes.is_empty() {
                    let target = Some(first.clone());
                    endpoint.routes =
                        vec![RouteRule { name: "default".into(), target, ..RouteRule::default() }];
                }
            }
        }
        Ok(draft)
    }

    /// A new proxy from a design that came in whole.
    pub(crate) fn of_design(stored: StoredProxy, design: ProxyDesign) -> Self {
        Self { stored, design, settings: ProxySettings::default() }
    }

    /// Takes the properties and inline entities of a body. Lists that it holds replace those of the design;
    /// lists that it leaves out stay.
    pub(crate) fn take(
        &mut self,
        body: &Parsed,
        merge: bool,
        hosts: &[HostSetting],
    ) -> Result<(), ODataError> {
        if body.text("name").is_some_and(|name| name != self.design.name) {
            return Err(ODataError::bad("APIProxies.name cannot be changed"));
        }
        let text = |name: &str, old: &str| match body.values.get(name) {
            None if merge => old.to_owned(),
            value => value.and_then(Value::as_str).unwrap_or_default().to_owned(),
        };
        self.design.title = text("title", &self.design.title);
        self.design.description = text("description", &self.design.description);
        self.design.service_code = text("service_code", &self.design.service_code);
        if self.design.service_code.is_empty() {
            self.design.service_code = "REST".into();
        }
        if !matches!(self.design.service_code.as_str(), "REST" | "ODATA" | "SOAP") {
            return Err(ODataError::bad("APIProxies.service_code must be REST, ODATA or SOAP"));
        }
        if !merge {
            self.settings.values.clear();
        }
        let kept = KEPT.iter().map(|(name, _)| *name).chain(KEPT_FLAGS.iter().copied());
        for name in kept {
            if let Some(value) = body.values.get(name).filter(|value| !value.is_null()) {
                self.settings.values.insert(name.into(), value.clone());
            }
        }
        self.take_related(body, hosts)
    }

    fn take_related(&mut self, body: &Parsed, hosts: &[HostSetting]) -> Result<(), ODataError> {
        if let Some(bodies) = body.nested("proxyEndPoints") {
            self.settings.described.clear();
            self.design.proxy_endpoints.clear();
            for body in default_first(bodies) {
                let endpoint = endpoints::read_proxy_endpoint(body, None, false, hosts)?;
                self.describe(&endpoint.name, body)?;
                self.design.proxy_endpoints.push(endpoint);
            }
        }
        if let Some(bodies) = body.nested("targetEndPoints") {
            let targets =
                default_first(bodies).map(|body| endpoints::read_target_endpoint(body, None, false));
            self.design.target_endpoints = targets.collect::<Result<_, _>>()?;
        }
        if let Some(bodies) = body.nested("policies") {
            self.design.policies = bodies.iter().map(policies::read).collect::<Result<_, _>>()?;
        }
        if let Some(bodies) = body.nested("fileResources") {
            let files = bodies.iter().map(|body| files::read(body, None, false));
            self.design.resources = files.collect::<Result<_, _>>()?;
        }
        Ok(())
    }

    /// Keeps the described resources that the body of a proxy endpoint holds.
    pub(crate) fn describe(&mut self, endpoint: &str, body: &Parsed) -> Result<(), ODataError> {
        if let Some(bodies) = body.nested("apiResources") {
            self.settings.described.insert(endpoint.into(), resources::read(bodies)?);
        }
        Ok(())
    }

    /// Whether the design holds together by itself.
    pub(crate) fn check(&self) -> Result<(), ODataError> {
        let design = &self.design;
        if design.proxy_endpoints.is_empty() {
            return Err(ODataError::bad("APIProxies.proxyEndPoints must have at least one endpoint"));
        }
        unique("APIProxyEndPoints.name", design.proxy_endpoints.iter().map(|endpoint| &endpoint.name))?;
        unique("APITargetEndPoints.name", design.target_endpoints.iter().map(|endpoint| &endpoint.name))?;
        unique("Policies.name", design.policies.iter().map(|policy| &policy.name))?;
        let files: Vec<String> =
            design.resources.iter().map(|file| format!("{}://{}", file.kind, file.name)).collect();
        unique("FileResources.name", files.iter())?;
        for endpoint in &design.proxy_endpoints {
            for target in endpoint.routes.iter().filter_map(|route| route.target.as_ref()) {
                if design.target_endpoints.iter().all(|known| known.name != *target) {
                    return Err(ODataError::bad(format!(
                        "RouteRules.targetEndPointName: there is no target endpoint '{target}'"
                    )));
                }
            }
        }
        Ok(())
    }

    /// The base paths that the design claims.
    pub(crate) fn base_paths(&self, hosts: &[HostSetting]) -> Vec<BasePath> {
        let mut paths: Vec<BasePath> = Vec::new();
        for endpoint in &self.design.proxy_endpoints {
            let default = || hosts.iter().filter(|host| host.is_default).map(|host| host.name.clone());
            let names: Vec<String> = match endpoint.virtual_hosts.as_slice() {
                [] => default().collect(),
                names => names.to_vec(),
            };
            paths.extend(names.into_iter().map(|host| BasePath { host, path: endpoint.base_path.clone() }));
        }
        paths
    }

    /// The proxy with what `expand` asks for.
    pub(crate) fn entity(&self, hosts: &[HostSetting], expand: &Expand) -> Entity {
        let design = &self.design;
        let name = &design.name;
        let values = self.values();
        Entity::new(&SET, values)
            .with(expand, "proxyEndPoints", |below| {
                let nothing = Vec::new();
                let entity = |(at, endpoint): (usize, &pierhead_gateway::design::ProxyEndpoint)| {
                    let described = self.settings.described.get(&endpoint.name).unwrap_or(&nothing);
                    let entity = endpoints::proxy_endpoint(name, endpoint, at == 0, described, hosts, below);
                    entity.with(below, "apiProxy", |below| vec![self.entity(hosts, below)])
                };
                design.proxy_endpoints.iter().enumerate().map(entity).collect()
            })
            .with(expand, "targetEndPoints", |below| {
                let entity = |(at, endpoint): (usize, &TargetEndpoint)| {
                    let entity = endpoints::target_endpoint(name, endpoint, at == 0, below);
                    entity.with(below, "apiProxy", |below| vec![self.entity(hosts, below)])
                };
                design.target_endpoints.iter().enumerate().map(entity).collect()
            })
            .with(expand, "policies", |below| {
                let entity = |policy| {
                    let entity = policies::entity(name, policy);
                    entity.with(below, "apiProxy", |below| vec![self.entity(hosts, below)])
                };
                design.policies.iter().map(entity).collect()
            })
            .with(expand, "fileResources", |below| {
                let entity = |file| {
                    let entity = files::entity(name, file);
                    entity.with(below, "apiProxy", |below| vec![self.entity(hosts, below)])
                };
                design.resources.iter().map(entity).collect()
            })
    }

    fn values(&self) -> Value {
        let (stored, design) = (&self.stored, &self.design);
        let mut values = Map::new();
        for (name, default) in KEPT {
            let kept = self.settings.values.get(*name).cloned();
            values.insert((*name).into(), kept.unwrap_or_else(|| (*default).into()));
        }
        for name in KEPT_FLAGS {
            values.insert(
                (*name).into(),
                self.settings.values.get(*name).cloned().unwrap_or(Value::Bool(false)),
            );
        }
        let unmanaged = values.get("isUnmanaged") == Some(&Value::Bool(true));
        let state = match stored.live_revision {
            _ if unmanaged => "EXTERNAL",
            Some(_) => "DEPLOYED",
            None => "UNDEPLOYED",
        };
        let provider = design.target_endpoints.iter().find_map(|target| match &target.destination {
            Destination::Provider { name, .. } => Some(name.as_str()),
            _ => None,
        });
        let own = json!({
            "name": design.name, "title": design.title, "description": design.description,
            "service_code": design.service_code, "state": state,
            "hasChanges": stored.live_revision.is_some_and(|live| live != stored.revision),
            "provider_name": provider.unwrap_or(NO_PROVIDER),
            "life_cycle": life_cycle(&stored.stamp),
        });
        if let Value::Object(own) = own {
            values.extend(own);
        }
        Value::Object(values)
    }

    /// Names of the providers that the design uses, in targets and in callouts, sorted.
    pub(crate) fn providers(design: &ProxyDesign) -> Vec<String> {
        let mut names = Self::target_providers(design);
        names.extend(design.callout_providers());
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Names of the providers of its target endpoints, sorted.
    pub(crate) fn target_providers(design: &ProxyDesign) -> Vec<String> {
        let names = design.target_endpoints.iter().filter_map(|target| match &target.destination {
            Destination::Provider { name, .. } => Some((name.clone(), ())),
            _ => None,
        });
        names.collect::<BTreeMap<_, _>>().into_keys().collect()
    }
}

/// The endpoint that says `isDefault` goes first; the others keep their order.
fn default_first(bodies: &[Parsed]) -> impl Iterator<Item = &Parsed> {
    let is_default = |body: &&Parsed| body.flag("isDefault") == Some(true);
    bodies.iter().filter(is_default).chain(bodies.iter().filter(move |body| !is_default(body)))
}

fn unique<'n>(field: &str, names: impl Iterator<Item = &'n String>) -> Result<(), ODataError> {
    let mut seen: Vec<&String> = Vec::new();
    for name in names {
        if seen.contains(&name) {
            return Err(ODataError::bad(format!("{field}: '{name}' stands twice")));
        }
        seen.push(name);
    }
    Ok(())
}
