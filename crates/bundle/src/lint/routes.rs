//! Routes, flows and targets that no request reaches, and what is missing around them.

use pierhead_gateway::compile::DesignPart;
use pierhead_gateway::design::Destination;

use crate::view::{View, endpoints};
use crate::{Finding, Severity};

pub(super) fn check(view: &View<'_>, findings: &mut Vec<Finding>) {
    let Some(design) = view.proxy else { return };
    for endpoint in &design.proxy_endpoints {
        let part = DesignPart::ProxyEndpoint(endpoint.name.clone());
        let (file, line) = view.sources.part(&part);
        let lines = view.sources.endpoints.get(&part).map(|source| source.marks.routes.as_slice());
        let always = endpoint.routes.iter().position(|rule| rule.condition.trim().is_empty());
        for (index, rule) in endpoint.routes.iter().enumerate() {
            if always.is_some_and(|always| always < index) {
                let line = lines.and_then(|lines| lines.get(index)).map_or(line, |(_, line)| *line);
                let message = format!("route rule '{}' comes after one that always holds", rule.name);
                findings.push(Finding::new(Severity::Warning, "UnreachableRoute", (file, line), message));
            }
        }
        if always.is_none() && !endpoint.routes.is_empty() {
            let message = "no route rule holds always: a request that fits none is answered 500";
            findings.push(Finding::new(Severity::Info, "NoDefaultRoute", (file, line), message));
        }
    }
    for target in &design.target_endpoints {
        let part = DesignPart::TargetEndpoint(target.name.clone());
        let place = view.sources.part(&part);
        let named = |name: &Option<String>| name.as_deref() == Some(target.name.as_str());
        if !design
            .proxy_endpoints
            .iter()
            .flat_map(|endpoint| &endpoint.routes)
            .any(|rule| named(&rule.target))
        {
            let message = format!("no route rule leads to target endpoint '{}'", target.name);
            findings.push(Finding::new(Severity::Warning, "UnusedTarget", place, message));
        }
        if target.tls.as_ref().is_some_and(|tls| tls.ignore_validation_errors) {
            let message = "any certificate of the target is accepted (IgnoreValidationErrors)";
            findings.push(Finding::new(Severity::Warning, "TlsNotVerified", place, message));
        }
        if let Destination::Url(url) = &target.destination
            && url.starts_with("http://")
            && !["http://localhost", "http://127."].iter().any(|own| url.starts_with(own))
        {
            let message = "requests go to the target unencrypted";
            findings.push(Finding::new(Severity::Info, "PlainHttpTarget", place, message));
        }
    }
    for (part, flows) in endpoints(design) {
        let (file, line) = view.sources.part(&part);
        let lines = view.sources.endpoints.get(&part).map(|source| source.marks.conditional.as_slice());
        let at = |index: usize| lines.and_then(|lines| lines.get(index)).copied().unwrap_or(line);
        let always = flows.conditional.iter().position(|flow| flow.condition.trim().is_empty());
        for (index, flow) in flows.conditional.iter().enumerate() {
            if always.is_some_and(|always| always < index) {
                let message = format!("flow '{}' comes after one that always runs", flow.name);
                findings.push(Finding::new(Severity::Warning, "UnreachableFlow", (file, at(index)), message));
            }
        }
        let is_proxy = matches!(part, DesignPart::ProxyEndpoint(_));
        if is_proxy && flows.fault_rules.is_empty() && flows.default_fault_rule.is_none() {
            let message = "no fault rule and no default fault rule: clients get the stock error message";
            findings.push(Finding::new(Severity::Info, "NoFaultRules", (file, line), message));
        }
    }
}
