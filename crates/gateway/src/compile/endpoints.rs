//! Compiling proxy and target endpoints.

use ahash::AHashSet;

use super::flows::{Attached, Needs};
use super::{
    Compiler, DesignPart, DestinationPlan, ProviderKind, ProxyPlan, RoutePlan, SuccessCodes, TargetPlan,
    TargetTimeouts, base_path,
};
use crate::design::{Destination, ProxyDesign, ProxyEndpoint, TargetEndpoint};
use crate::door::HUB_ROOT;
use crate::exchange::normalise;
use crate::template::Template;

impl Compiler<'_> {
    /// The targets, each with what its flows read.
    pub(super) fn targets(&mut self, design: &ProxyDesign) -> Vec<(TargetPlan, Needs)> {
        let mut names = AHashSet::new();
        let mut targets = Vec::with_capacity(design.target_endpoints.len());
        for target in &design.target_endpoints {
            let part = DesignPart::TargetEndpoint(target.name.clone());
            if !names.insert(target.name.as_str()) {
                self.problem(&part, "DuplicateEndpoint", "there are two target endpoints of this name");
            }
            targets.push(self.target(&part, target));
        }
        targets
    }

    fn target(&mut self, part: &DesignPart, target: &TargetEndpoint) -> (TargetPlan, Needs) {
        let (flows, mut needs) = self.flows(part, &target.flows);
        let destination = if target.authentication.is_empty() {
            self.destination(part, &target.destination)
        } else {
            let reason = "credentials of Google's cloud cannot be made here; set the header in a policy";
            self.unavailable(part, "Authentication", reason)
        };
        if let DestinationPlan::Url(template) = &destination {
            let mut bodies = crate::policy::MessageReads::default();
            template.each_variable(&mut |variable| bodies.note(variable));
            needs.bodies.request |= bodies.request || bodies.message;
        }
        let mut plan = TargetPlan {
            name: target.name.as_str().into(),
            timeouts: TargetTimeouts::default(),
            http10: true,
            http11: true,
            success: SuccessCodes::default(),
            destination,
            flows,
        };
        self.target_properties(part, &target.properties, &mut plan);
        (plan, needs)
    }

    fn destination(&mut self, part: &DesignPart, destination: &Destination) -> DestinationPlan {
        match destination {
            Destination::None => DestinationPlan::None,
            Destination::Url(url) => match Template::parse(url.trim()) {
                Ok(template) => {
                    if let Some(literal) = template.as_literal()
                        && !is_http_url(literal)
                    {
                        let message = format!("'{literal}' is not an http or https URL");
                        self.problem(part, "InvalidTargetUrl", message);
                    }
                    let mut asks_for_itself = false;
                    template.each_variable(&mut |variable| {
                        asks_for_itself |= variable.name().starts_with("target.")
                    });
                    if asks_for_itself {
                        self.problem(
                            part,
                            "InvalidTargetUrl",
                            "the URL of a target cannot be made of target. variables",
                        );
                    }
                    DestinationPlan::Url(template)
                }
                Err(bad) => {
                    self.problem(part, "InvalidTargetUrl", bad.to_string());
                    DestinationPlan::None
                }
            },
            Destination::Provider { name, .. } if name.is_empty() || name == "NONE" => DestinationPlan::None,
            Destination::Provider { name, relative_path } => self.provider(part, name, relative_path),
            Destination::Balanced(_) => self.unavailable(part, "LoadBalancer", NOT_BUILT),
            Destination::LocalProxy { .. } | Destination::LocalPath(_) => {
                self.unavailable(part, "LocalTargetConnection", NOT_BUILT)
            }
            Destination::Foreign { kind, .. } => self.unavailable(part, kind, why_no_target(kind)),
        }
    }

    fn unavailable(&mut self, part: &DesignPart, kind: &str, reason: &str) -> DestinationPlan {
        self.degradation(part, 0, kind, reason);
        DestinationPlan::Unavailable { kind: kind.into(), reason: reason.into() }
    }

    fn provider(&mut self, part: &DesignPart, name: &str, relative_path: &str) -> DestinationPlan {
        let Some(provider) = self.world.providers.get(name).cloned() else {
            self.problem(part, "UnknownProvider", format!("there is no API provider '{name}'"));
            return DestinationPlan::None;
        };
        let rooted = match relative_path.trim() {
            "" => "/".to_owned(),
            path if path.starts_with('/') => path.to_owned(),
            path => format!("/{path}"),
        };
        let relative_path = match normalise(&rooted) {
            Ok(path) if !path.contains(['?', '#', ' ']) => path.into_owned(),
            Ok(_) => {
                self.problem(part, "InvalidRelativePath", "the relative path has a blank, ? or #");
                rooted.clone()
            }
            Err(bad) => {
                self.problem(part, "InvalidRelativePath", format!("relative path: {bad}"));
                rooted.clone()
            }
        };
        if matches!(provider.kind, ProviderKind::OpenConnectors(_)) && !is_below_hub_root(&relative_path) {
            let message =
                format!("the relative path towards an Open Connectors provider lies below {HUB_ROOT}");
            self.problem(part, "InvalidRelativePath", message);
        }
        DestinationPlan::Provider { provider, relative_path: relative_path.into() }
    }

    /// The proxy endpoints; `targets` are all that routes may lead to.
    pub(super) fn proxy_endpoints(
        &mut self,
        design: &ProxyDesign,
        targets: &[(TargetPlan, Needs)],
    ) -> Vec<ProxyPlan> {
        if design.proxy_endpoints.is_empty() {
            self.problem(&DesignPart::Proxy, "NoProxyEndpoint", "an API proxy needs a proxy endpoint");
        }
        let (mut names, mut served) = (AHashSet::new(), AHashSet::new());
        let mut endpoints = Vec::with_capacity(design.proxy_endpoints.len());
        for endpoint in &design.proxy_endpoints {
            let part = DesignPart::ProxyEndpoint(endpoint.name.clone());
            if !names.insert(endpoint.name.as_str()) {
                self.problem(&part, "DuplicateEndpoint", "there are two proxy endpoints of this name");
            }
            let path = self.base_path(&part, endpoint);
            let hosts: Vec<&str> = match &*endpoint.virtual_hosts {
                [] => vec![""],
                hosts => hosts.iter().map(String::as_str).collect(),
            };
            for host in hosts {
                self.check_host(&part, host, &path);
                if !served.insert((host, path.clone())) {
                    self.problem(
                        &part,
                        "DuplicateBasePath",
                        format!("base path '{path}' is served twice by this proxy"),
                    );
                }
            }
            endpoints.push(self.proxy_endpoint(&part, endpoint, &path, targets));
        }
        endpoints
    }

    fn base_path(&mut self, part: &DesignPart, endpoint: &ProxyEndpoint) -> String {
        base_path::check(&endpoint.base_path).unwrap_or_else(|why| {
            self.problem(part, "InvalidBasePath", why);
            endpoint.base_path.clone()
        })
    }

    fn check_host(&mut self, part: &DesignPart, host: &str, path: &str) {
        let running = &self.world.running;
        if !running.has_virtual_host(host) {
            self.problem(part, "UnknownVirtualHost", format!("there is no virtual host '{host}'"));
            return;
        }
        let owner = running.base_path_owner(host, path).filter(|owner| *owner != self.name);
        if let Some(owner) = owner.map(str::to_owned) {
            self.problem(
                part,
                "DuplicateBasePath",
                format!("base path '{path}' is taken by API proxy '{owner}'"),
            );
        }
    }

    fn proxy_endpoint(
        &mut self,
        part: &DesignPart,
        endpoint: &ProxyEndpoint,
        path: &str,
        targets: &[(TargetPlan, Needs)],
    ) -> ProxyPlan {
        let (flows, mut needs) = self.flows(part, &endpoint.flows);
        let mut routes = Vec::with_capacity(endpoint.routes.len());
        for rule in &endpoint.routes {
            let at = format!("route rule {}", rule.name);
            let condition = self.condition(part, &at, &rule.condition);
            needs.note(condition.as_ref(), Attached::Request);
            if rule.url.is_some() {
                let message = format!("{at}: a URL instead of a target endpoint is not supported yet");
                self.problem(part, "UnsupportedDestination", message);
            }
            let target = match &rule.target {
                None => None,
                Some(name) => {
                    let index = targets.iter().position(|(target, _)| *target.name == **name);
                    if index.is_none() {
                        self.problem(
                            part,
                            "UnknownTarget",
                            format!("{at}: there is no target endpoint '{name}'"),
                        );
                    }
                    index
                }
            };
            if let Some((_, of_target)) = target.and_then(|index| targets.get(index)) {
                needs.add(of_target);
            }
            routes.push(RoutePlan { name: rule.name.as_str().into(), condition, target });
        }
        let mut plan = ProxyPlan {
            name: endpoint.name.as_str().into(),
            base_path: path.into(),
            virtual_hosts: endpoint.virtual_hosts.iter().map(|host| host.as_str().into()).collect(),
            x_forwarded_for: false,
            api_timeout: None,
            reads: needs.bodies,
            calls: needs.distinct_calls(),
            routes,
            flows,
        };
        self.proxy_properties(part, &endpoint.properties, &mut plan);
        plan
    }
}

const NOT_BUILT: &str = "it is not built yet";

/// Why a target of an original cannot be called.
fn why_no_target(kind: &str) -> &'static str {
    match kind {
        "ScriptTarget" | "HostedTarget" => "no Node.js runs here; give the target a URL",
        "IntegrationEndpoint" => "it belongs to Google's integration service",
        _ => "this kind of target is not known",
    }
}

fn is_http_url(text: &str) -> bool {
    let uri: Result<http::Uri, _> = text.parse();
    uri.is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|h| !h.is_empty())
    })
}

fn is_below_hub_root(path: &str) -> bool {
    path.strip_prefix(HUB_ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
