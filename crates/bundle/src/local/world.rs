//! The servers that a bundle may name.

use std::collections::BTreeSet;
use std::sync::Arc;

use pierhead_gateway::compile::{Endpoint, Provider, ProviderKind, TargetServer, World};
use pierhead_gateway::design::Destination;
use pierhead_gateway::snapshot::Snapshot;
use pierhead_gateway::{GoogleAccount, PropertySet};

use super::settings::{Server, Settings};
use crate::Limits;
use crate::content::{Bundle, Content};
use crate::xml::Node;

/// The world around `running`. With mocked targets every server that the bundle names is there.
pub(super) fn world(running: Arc<Snapshot>, settings: &Settings, mocked: Option<&Bundle>) -> World {
    let mut world = World::new(running);
    for (name, server) in &settings.servers {
        if let Some(endpoint) = endpoint(server) {
            add(&mut world, name, endpoint);
        }
    }
    for (name, set) in &settings.property_sets {
        let set = PropertySet::from_iter(set.clone());
        world.property_sets = std::mem::take(&mut world.property_sets).with(name, set);
    }
    for (replaced, script) in &settings.substitutes {
        world.substitutes.insert(replaced.clone(), script.as_str().into());
    }
    for name in mocked.map(named_servers).unwrap_or_default() {
        if !settings.servers.contains_key(&name) {
            let host: String =
                name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
            let host = format!("{}.test", host.trim_matches('-').to_ascii_lowercase()).into();
            add(&mut world, &name, Endpoint { host, ..plain() });
        }
    }
    world
}

/// Tokens for calls that nobody but the echo gets.
pub(super) fn nobody_at_google() -> Arc<GoogleAccount> {
    Arc::new(GoogleAccount::given("mocked-access-token".into(), "mocked-identity-token".into()))
}

fn add(world: &mut World, name: &str, endpoint: Endpoint) {
    let provider = Provider { name: name.into(), kind: ProviderKind::Internet(endpoint.clone()) };
    world.providers.insert(name.to_owned(), Arc::new(provider));
    world.target_servers.insert(name.to_owned(), Arc::new(TargetServer { endpoint, enabled: true }));
}

fn plain() -> Endpoint {
    Endpoint::new(false, "", 80)
}

/// Where a server of the settings listens; `None` when its URL is none.
pub(super) fn endpoint(server: &Server) -> Option<Endpoint> {
    let uri: http::Uri = server.url.parse().ok()?;
    let tls = match uri.scheme_str()? {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let host = uri.host().filter(|host| !host.is_empty())?;
    Some(Endpoint {
        trust_all: server.trust_all,
        path_prefix: uri.path().trim_end_matches('/').into(),
        ..Endpoint::new(tls, host, uri.port_u16().unwrap_or(if tls { 443 } else { 80 }))
    })
}

/// Every provider and target server that targets and callouts of a bundle name.
fn named_servers(bundle: &Bundle) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Content::Proxy(design) = &bundle.content {
        for target in &design.target_endpoints {
            match &target.destination {
                Destination::Provider { name, .. } => {
                    names.insert(name.clone());
                }
                Destination::Balanced(balancer) => {
                    names.extend(balancer.servers.iter().map(|server| server.name.clone()));
                }
                _ => {}
            }
        }
    }
    for policy in bundle.content.policies().iter().filter(|policy| policy.kind == "ServiceCallout") {
        if let Ok(root) = Node::parse(&policy.xml, &Limits::default()) {
            collect(&root, &mut names);
        }
    }
    names
}

fn collect(node: &Node, names: &mut BTreeSet<String>) {
    match node.name.as_str() {
        "Server" => names.extend(node.attribute("name").map(str::to_owned)),
        "APIProvider" => {
            names.insert(node.text().to_owned());
        }
        _ => {}
    }
    node.children.iter().for_each(|child| collect(child, names));
}
