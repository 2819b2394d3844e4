//! Parts of a proxy's design as entities of their own: endpoints, policies, files, route rules, flows.

use pierhead_gateway::design::{ProxyEndpoint, TargetEndpoint};

use crate::odata::{Entity, EntitySet, Expand, Key, ODataError, Parsed};
use crate::sets::proxies::ProxyDraft;
use crate::sets::{SCHEMA, endpoints, files, policies, products, proxies};

use super::{Portal, Work};

/// Navigation that leads out of a proxy's tree, or back up.
const OUTWARD: &[&str] = &["apiProxy", "apiProducts", "virtualhosts"];

impl Portal {
    /// All entities of `APIProxies` or of a set of parts.
    pub(super) async fn list_proxy_parts(
        &self,
        set: &'static EntitySet,
        expand: &Expand,
    ) -> Result<Vec<Entity>, ODataError> {
        let rows = self.parts().store.designs().proxies(self.organization()).await?;
        let hosts = &self.parts().settings.virtual_hosts;
        let tree = tree_to(&proxies::SET, set, expand);
        let mut found = Vec::new();
        for row in rows {
            let proxy = ProxyDraft::open(row)?.entity(hosts, &tree);
            gather(proxy, set, &mut found);
        }
        self.add_products(set, &mut found, expand).await?;
        Ok(found)
    }

    /// One entity of `APIProxies` or of a set of parts; the id of a part begins with its proxy's name.
    pub(super) async fn find_proxy_part(
        &self,
        set: &'static EntitySet,
        key: &Key,
        expand: &Expand,
    ) -> Result<Option<Entity>, ODataError> {
        let name = key.first().split(':').next().unwrap_or_default();
        let Some(row) = self.parts().store.designs().proxy(self.organization(), name).await? else {
            return Ok(None);
        };
        let hosts = &self.parts().settings.virtual_hosts;
        let mut found = Vec::new();
        gather(ProxyDraft::open(row)?.entity(hosts, &tree_to(&proxies::SET, set, expand)), set, &mut found);
        found.retain(|entity| entity.key() == *key);
        self.add_products(set, &mut found, expand).await?;
        Ok(found.into_iter().next())
    }

    async fn add_products(
        &self,
        set: &'static EntitySet,
        found: &mut Vec<Entity>,
        expand: &Expand,
    ) -> Result<(), ODataError> {
        if set.name != proxies::SET.name || expand.below("apiProducts").is_none() {
            return Ok(());
        }
        let all = self.parts().store.designs().products(self.organization()).await?;
        let add = |proxy: Entity| {
            let name = proxy.text("name").to_owned();
            let with_proxy = all.iter().filter(|product| products::holds_proxy(product, &name));
            proxy.with(expand, "apiProducts", |_| with_proxy.map(products::entity).collect())
        };
        *found = std::mem::take(found).into_iter().map(add).collect();
        Ok(())
    }

    /// Adds a part to the design of the proxy (or of the endpoint) it was posted to.
    pub(super) async fn create_part(
        &self,
        work: &mut Work,
        body: &Parsed,
        parent: Option<&(&'static EntitySet, Key)>,
    ) -> Result<Entity, ODataError> {
        let set = body.set;
        let above = parent
            .map(|(_, key)| key.first())
            .or_else(|| body.links("apiProxy").next().map(|link| link.key.first()));
        let above = above.ok_or_else(|| {
            ODataError::bad(format!(
                "{0} must be posted to APIProxies('…')/… or name its proxy in apiProxy",
                set.name
            ))
        })?;
        let proxy = above.split(':').next().unwrap_or_default().to_owned();
        let hosts = &self.parts().settings.virtual_hosts;
        let mut id = String::new();
        self.edit(work, &proxy, |draft| {
            id = match set.name {
                "Policies" => {
                    let policy = policies::read(body)?;
                    draft.design.policies.push(policy);
                    draft.design.policies.last().map(|policy| policies::id(&proxy, &policy.name))
                }
                "FileResources" => {
                    draft.design.resources.push(files::read(body, None, false)?);
                    draft.design.resources.last().map(|file| files::id(&proxy, &file.name))
                }
                "APIProxyEndPoints" => {
                    let endpoint = endpoints::read_proxy_endpoint(body, None, false, hosts)?;
                    draft.describe(&endpoint.name, body)?;
                    let id = endpoints::proxy_endpoint_id(&proxy, &endpoint.name);
                    draft.design.proxy_endpoints.push(endpoint);
                    Some(id)
                }
                "APITargetEndPoints" => {
                    let endpoint = endpoints::read_target_endpoint(body, None, false)?;
                    let id = endpoints::target_endpoint_id(&proxy, &endpoint.name);
                    draft.design.target_endpoints.push(endpoint);
                    Some(id)
                }
                "RouteRules" => {
                    let at = position(&draft.design.proxy_endpoints, above, |endpoint| {
                        endpoints::proxy_endpoint_id(&proxy, &endpoint.name)
                    })?;
                    let routes = &mut draft.design.proxy_endpoints[at].routes;
                    routes.push(endpoints::read_route(body, None)?);
                    Some(format!("{above}:route:{}", routes.len()))
                }
                _ => None,
            }
            .ok_or_else(|| ODataError::unsupported(format_args!("POST of {}", set.name)))?;
            Ok(())
        })
        .await?;
        let draft = self.draft(work, &proxy).await?;
        let mut found = Vec::new();
        gather(draft.entity(hosts, &tree_to(&proxies::SET, set, &Expand::default())), set, &mut found);
        let made = found.into_iter().find(|entity| entity.text("id") == id);
        made.ok_or_else(|| ODataError::not_found(format_args!("{} '{id}'", set.title)))
    }

    /// Changes a part in place.
    pub(super) async fn update_part(
        &self,
        work: &mut Work,
        id: &str,
        body: &Parsed,
        merge: bool,
    ) -> Result<(), ODataError> {
        let set = body.set;
        let proxy = id.split(':').next().unwrap_or_default().to_owned();
        let hosts = &self.parts().settings.virtual_hosts;
        if !is_editable(set) {
            return Err(ODataError::unsupported(format_args!("Changing {}", set.name)));
        }
        self.edit(work, &proxy, |draft| {
            match find_part(draft, set, id)? {
                Part::Policy(at) => {
                    let policies = &mut draft.design.policies;
                    policies[at] = policies::changed(&policies[at], body, merge)?;
                }
                Part::File(at) => {
                    let files = &mut draft.design.resources;
                    files[at] = files::read(body, Some(&files[at]), merge)?;
                }
                Part::ProxyEndpoint(at) => {
                    let endpoint = &draft.design.proxy_endpoints[at];
                    let endpoint = endpoints::read_proxy_endpoint(body, Some(endpoint), merge, hosts)?;
                    draft.describe(&endpoint.name, body)?;
                    draft.design.proxy_endpoints[at] = endpoint;
                }
                Part::TargetEndpoint(at) => {
                    let targets = &mut draft.design.target_endpoints;
                    targets[at] = endpoints::read_target_endpoint(body, Some(&targets[at]), merge)?;
                }
                Part::Route(endpoint, at) => {
                    let routes = &mut draft.design.proxy_endpoints[endpoint].routes;
                    routes[at] = endpoints::read_route(body, Some(&routes[at]))?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Removes a part. A step that names a removed policy is a mistake that deploying reports.
    pub(super) async fn delete_part(
        &self,
        work: &mut Work,
        set: &'static EntitySet,
        id: &str,
    ) -> Result<(), ODataError> {
        if !is_editable(set) {
            return Err(ODataError::unsupported(format_args!("DELETE of {}", set.name)));
        }
        let proxy = id.split(':').next().unwrap_or_default().to_owned();
        self.edit(work, &proxy, |draft| {
            match find_part(draft, set, id)? {
                Part::Policy(at) => drop(draft.design.policies.remove(at)),
                Part::File(at) => drop(draft.design.resources.remove(at)),
                Part::ProxyEndpoint(at) => drop(draft.design.proxy_endpoints.remove(at)),
                Part::TargetEndpoint(at) => drop(draft.design.target_endpoints.remove(at)),
                Part::Route(endpoint, at) => drop(draft.design.proxy_endpoints[endpoint].routes.remove(at)),
            }
            Ok(())
        })
        .await
    }
}

fn is_editable(set: &EntitySet) -> bool {
    matches!(
        set.name,
        "Policies" | "FileResources" | "APIProxyEndPoints" | "APITargetEndPoints" | "RouteRules"
    )
}

/// Where a part lies in its design.
enum Part {
    Policy(usize),
    File(usize),
    ProxyEndpoint(usize),
    TargetEndpoint(usize),
    /// Endpoint, then rule.
    Route(usize, usize),
}

fn find_part(draft: &ProxyDraft, set: &'static EntitySet, id: &str) -> Result<Part, ODataError> {
    let (design, proxy) = (&draft.design, draft.design.name.as_str());
    let endpoint_id = |endpoint: &ProxyEndpoint| endpoints::proxy_endpoint_id(proxy, &endpoint.name);
    let target_id = |endpoint: &TargetEndpoint| endpoints::target_endpoint_id(proxy, &endpoint.name);
    let found = match set.name {
        "Policies" => {
            position(&design.policies, id, |policy| policies::id(proxy, &policy.name)).map(Part::Policy)
        }
        "FileResources" => {
            position(&design.resources, id, |file| files::id(proxy, &file.name)).map(Part::File)
        }
        "APIProxyEndPoints" => position(&design.proxy_endpoints, id, endpoint_id).map(Part::ProxyEndpoint),
        "APITargetEndPoints" => position(&design.target_endpoints, id, target_id).map(Part::TargetEndpoint),
        _ => {
            let (endpoint, number) = id.rsplit_once(":route:").unwrap_or((id, ""));
            let endpoint = position(&design.proxy_endpoints, endpoint, endpoint_id)?;
            let number = number.parse::<usize>().ok().filter(|number| *number >= 1);
            match number.filter(|number| *number <= design.proxy_endpoints[endpoint].routes.len()) {
                Some(number) => Ok(Part::Route(endpoint, number - 1)),
                None => Err(ODataError::not_found(format_args!("'{id}'"))),
            }
        }
    };
    found.map_err(|_| ODataError::not_found(format_args!("{} with key '{id}'", set.type_name)))
}

fn position<T>(parts: &[T], id: &str, id_of: impl Fn(&T) -> String) -> Result<usize, ODataError> {
    parts
        .iter()
        .position(|part| id_of(part) == id)
        .ok_or_else(|| ODataError::not_found(format_args!("'{id}'")))
}

/// What to expand from `from` so that every entity of `to` is reached, each with `below`.
fn tree_to(from: &'static EntitySet, to: &'static EntitySet, below: &Expand) -> Expand {
    if from.name == to.name {
        return below.clone();
    }
    let inward = from.navigation.iter().filter(|navigation| !OUTWARD.contains(&navigation.name));
    let branch = |navigation: &'static crate::odata::Navigation| {
        let target = SCHEMA.set(navigation.target)?;
        let tree = tree_to(target, to, below);
        (target.name == to.name || tree != Expand::default()).then_some((navigation.name, tree))
    };
    Expand::of(inward.filter_map(branch).collect())
}

/// Takes every entity of `set` out of a tree.
fn gather(entity: Entity, set: &'static EntitySet, found: &mut Vec<Entity>) {
    if entity.set.name == set.name {
        found.push(entity);
        return;
    }
    for (_, related) in entity.related {
        for entity in related {
            gather(entity, set, found);
        }
    }
}
