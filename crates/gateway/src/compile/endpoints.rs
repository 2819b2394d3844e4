//! Compiling proxy and target endpoints.

use ahash::AHashSet;

use super::flows::{Attached, Needs};
use super::{Compiler, DesignPart, DestinationPlan, ProxyPlan, RoutePlan, TargetPlan, base_path};
use crate::design::{ProxyDesign, ProxyEndpoint, TargetEndpoint};
use crate::policy::MessageReads;

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
        let (tls, unmet) = self.target_tls(part, target);
        let mut destination = unmet.unwrap_or_else(|| self.destination(part, target));
        let authentication = self.authentication(part, target, &mut destination);
        needs.bodies.request |= reads_body(&destination);
        if let Some(authentication) = &authentication {
            let mut bodies = MessageReads::default();
            authentication.each_variable(&mut |variable| bodies.note(variable));
            needs.bodies.request |= bodies.request || bodies.message;
        }
        let mut plan = TargetPlan {
            name: target.name.as_str().into(),
            destination,
            authentication,
            flows,
            trust_all: tls.trust_all,
            tls: tls.plan,
            ..TargetPlan::default()
        };
        self.target_properties(part, &target.properties, &mut plan);
        if !plan.http11 {
            // HTTP/1.0 has no chunks: the length must be known before the first byte.
            needs.bodies.request = true;
        }
        (plan, needs)
    }

    /// The proxy endpoints; `targets` are all that routes may lead to.
    pub(super) fn proxy_endpoints(
        &mut self,
        design: &ProxyDesign,
        targets: &mut Vec<(TargetPlan, Needs)>,
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
        targets: &mut Vec<(TargetPlan, Needs)>,
    ) -> ProxyPlan {
        let (flows, mut needs) = self.flows(part, &endpoint.flows);
        let mut routes = Vec::with_capacity(endpoint.routes.len());
        for rule in &endpoint.routes {
            let at = format!("route rule {}", rule.name);
            let condition = self.condition(part, &at, &rule.condition);
            needs.note(condition.as_ref(), Attached::Request);
            let target = match (&rule.target, &rule.url) {
                (None, None) => None,
                // A target endpoint without flows, made for this route.
                (None, Some(url)) => {
                    let destination = self.url(part, url);
                    let name = rule.name.as_str().into();
                    let mut needs = Needs::default();
                    needs.bodies.request = reads_body(&destination);
                    targets.push((TargetPlan { name, destination, ..TargetPlan::default() }, needs));
                    Some(targets.len() - 1)
                }
                (Some(name), _) => {
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
            compression: None,
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

/// Whether finding the destination needs the request's body.
fn reads_body(destination: &DestinationPlan) -> bool {
    if let DestinationPlan::Script { reads_body, .. } = destination {
        return *reads_body;
    }
    let mut bodies = MessageReads::default();
    if let Some(template) = destination.template() {
        template.each_variable(&mut |variable| bodies.note(variable));
    }
    bodies.request || bodies.message
}
