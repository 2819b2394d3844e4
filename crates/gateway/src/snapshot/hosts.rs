//! Virtual hosts, each with its own table of base paths.

use std::sync::Arc;

use ahash::AHashMap;

use super::BasePathTaken;
use super::routes::{Route, RouteTable};
use crate::compile::CompiledProxy;

/// A virtual host: names under which a set of proxies is reached.
#[derive(Debug, Clone)]
pub struct VirtualHost {
    /// `virtualhost.name`.
    pub name: Arc<str>,
    /// Host names in lower case, without a port.
    pub aliases: Vec<Arc<str>>,
    /// Serves every host name that no other has, and proxies that name no virtual host.
    pub is_default: bool,
    /// `virtualhost.ssl.enabled`.
    pub tls: bool,
}

impl Default for VirtualHost {
    fn default() -> Self {
        Self { name: "default".into(), aliases: Vec::new(), is_default: true, tls: false }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    hosts: Vec<(Arc<VirtualHost>, RouteTable)>,
    by_alias: AHashMap<Arc<str>, usize>,
    default: Option<usize>,
}

impl Hosts {
    pub(crate) fn new(hosts: impl IntoIterator<Item = VirtualHost>) -> Self {
        let hosts: Vec<_> = hosts.into_iter().map(|host| (Arc::new(host), RouteTable::default())).collect();
        let by_alias = hosts
            .iter()
            .enumerate()
            .flat_map(|(index, (host, _))| host.aliases.iter().map(move |alias| (alias.clone(), index)))
            .collect();
        let default = hosts.iter().position(|(host, _)| host.is_default);
        Self { hosts, by_alias, default }
    }

    /// The virtual host for a Host header.
    pub(crate) fn find(&self, host: &str) -> Option<usize> {
        if self.by_alias.is_empty() {
            return self.default;
        }
        let name = without_port(host);
        let exact = self.by_alias.get(name).copied();
        let found = match exact {
            None if name.bytes().any(|b| b.is_ascii_uppercase()) => {
                self.by_alias.get(&*name.to_ascii_lowercase()).copied()
            }
            exact => exact,
        };
        found.or(self.default)
    }

    pub(crate) fn get(&self, index: usize) -> Option<&VirtualHost> {
        self.hosts.get(index).map(|(host, _)| host.as_ref())
    }

    pub(crate) fn routes(&self, index: usize) -> Option<&RouteTable> {
        self.hosts.get(index).map(|(_, routes)| routes)
    }

    /// The virtual host of this name; the empty name is the default one.
    pub(crate) fn named(&self, name: &str) -> Option<usize> {
        if name.is_empty() {
            return self.default;
        }
        self.hosts.iter().position(|(host, _)| &*host.name == name)
    }

    /// Whether all base paths of `proxy` are free, or held by the one of the same name that it replaces.
    pub(crate) fn are_free_for(&self, proxy: &CompiledProxy) -> Result<(), BasePathTaken> {
        let mut own: Vec<(usize, &str)> = Vec::with_capacity(proxy.endpoints.len());
        for plan in &proxy.endpoints {
            for host in self.hosts_of(&plan.virtual_hosts) {
                let (virtual_host, routes) = &self.hosts[host];
                let at = (host, &*plan.base_path);
                let other = routes.exact(at.1).map(|route| &route.proxy.name);
                let owner = if own.contains(&at) {
                    Some(&proxy.name)
                } else {
                    other.filter(|name| **name != proxy.name)
                };
                if let Some(owner) = owner {
                    return Err(BasePathTaken {
                        host: virtual_host.name.to_string(),
                        base_path: plan.base_path.to_string(),
                        proxy: owner.to_string(),
                    });
                }
                own.push(at);
            }
        }
        Ok(())
    }

    /// Routes the base paths of `proxy`, which are free, to it.
    pub(crate) fn serve(&mut self, proxy: &Arc<CompiledProxy>) {
        for (endpoint, plan) in proxy.endpoints.iter().enumerate() {
            for host in self.hosts_of(&plan.virtual_hosts) {
                self.hosts[host].1.insert(&plan.base_path, Route { proxy: proxy.clone(), endpoint });
            }
        }
    }

    pub(crate) fn stop(&mut self, proxy: &CompiledProxy) {
        for plan in &proxy.endpoints {
            for host in self.hosts_of(&plan.virtual_hosts) {
                self.hosts[host].1.remove(&plan.base_path);
            }
        }
    }

    fn hosts_of(&self, names: &[Arc<str>]) -> Vec<usize> {
        if names.is_empty() {
            return self.default.into_iter().collect();
        }
        let mut hosts: Vec<usize> = names.iter().filter_map(|name| self.named(name)).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }
}

/// `host:port` without the port; brackets of an IPv6 address stay.
fn without_port(host: &str) -> &str {
    match host.rfind(':') {
        Some(colon) if !host[colon..].contains(']') => &host[..colon],
        _ => host,
    }
}
