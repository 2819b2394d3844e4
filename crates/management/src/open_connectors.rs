//! The fixed policy of a proxy against a provider of type Open Connectors (api-management §9.2; seed 1,
//! step 3): it comes with the provider, goes with it, and nobody edits, moves or detaches it.

use axum::http::StatusCode;
use pierhead_gateway::design::{Destination, EndpointFlows, PolicyText, ProxyDesign, Step};
use pierhead_store::management::MapKey;

use crate::odata::ODataError;

/// Name and type of the policy.
pub(crate) const POLICY: &str = "OpenConnectors";
/// Name of the map that holds the instance token.
pub(crate) const MAP: &str = "apim.oc.instance.token";

/// The map of a proxy.
pub(crate) fn map_of(proxy: &str) -> MapKey {
    MapKey { scope: "APIPROXY".into(), scope_id: proxy.into(), name: MAP.into() }
}

/// The policy for a target endpoint: the key of the instance token is the endpoint's name.
fn policy_for(target: &str) -> PolicyText {
    let xml = format!(
        "<OpenConnectors async=\"false\" continueOnError=\"false\" enabled=\"true\" xmlns=\"http://www.sap.com/apimgmt\">\n    <InstanceSecret kvm-map-name=\"{MAP}\" kvm-key-name=\"{target}\"/>\n</OpenConnectors>\n"
    );
    PolicyText { name: POLICY.into(), kind: POLICY.into(), xml, fixed: true }
}

/// Names of the target endpoints whose provider `is_hub` says is an Open Connectors hub.
fn hub_targets(design: &ProxyDesign, is_hub: &dyn Fn(&str) -> bool) -> Vec<String> {
    let leads =
        |destination: &Destination| matches!(destination, Destination::Provider { name, .. } if is_hub(name));
    design
        .target_endpoints
        .iter()
        .filter(|target| leads(&target.destination))
        .map(|target| target.name.clone())
        .collect()
}

/// Makes the policy fit the design after an edit. `before` is the state that the edit began from.
pub(crate) fn settle(
    before: Option<&ProxyDesign>,
    design: &mut ProxyDesign,
    is_hub: &dyn Fn(&str) -> bool,
) -> Result<(), ODataError> {
    let targets = hub_targets(design, is_hub);
    let target = match targets.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        _ => {
            return Err(fixed(
                "a proxy may have one target endpoint with a provider of type Open Connectors only",
            ));
        }
    };
    let held = before.and_then(|before| {
        let policy = before.policies.iter().find(|policy| policy.fixed)?;
        Some((policy.clone(), place(before)))
    });
    let wanted = target.as_deref().map(policy_for);
    if let (Some((policy, places)), Some(wanted)) = (&held, &wanted)
        && policy == wanted
    {
        let kept = design.policies.iter().any(|now| now.name == POLICY && now.xml == policy.xml);
        let added = design.policies.iter().any(|now| now.kind == POLICY && now.name != POLICY);
        if !kept || added || place(design) != *places {
            return Err(fixed(
                "the policy 'OpenConnectors' belongs to the provider's type: it cannot be edited, moved or removed, and there is one only",
            ));
        }
        mark(design, policy);
        return Ok(());
    }
    // The provider's type or the endpoint changed, or the proxy is new.
    let own = |policy: &PolicyText| {
        policy.fixed
            || held.as_ref().is_some_and(|(held, _)| held.xml == policy.xml)
            || wanted.as_ref().is_some_and(|wanted| wanted.name == policy.name && wanted.xml == policy.xml)
    };
    if design.policies.iter().any(|policy| (policy.kind == POLICY || policy.name == POLICY) && !own(policy)) {
        return Err(fixed(
            "a policy of type OpenConnectors is made with the proxy and cannot be added; use a provider of type Open Connectors",
        ));
    }
    detach(design);
    if let (Some(target), Some(policy)) = (target, wanted) {
        if let Some(endpoint) = design.target_endpoints.iter_mut().find(|endpoint| endpoint.name == target) {
            endpoint.flows.post.request.push(Step { policy: POLICY.into(), condition: String::new() });
        }
        design.policies.push(policy);
    }
    Ok(())
}

/// Says again which policy is fixed: a body does not carry that.
fn mark(design: &mut ProxyDesign, policy: &PolicyText) {
    if let Some(now) = design.policies.iter_mut().find(|now| now.name == POLICY) {
        now.clone_from(policy);
    }
}

/// Gives the policy of an imported design its own form and place again: a bundle may carry it under another
/// name or written otherwise. One that reads another map or key than ours stays, and is refused then.
pub(crate) fn adopt(design: &mut ProxyDesign, is_hub: &dyn Fn(&str) -> bool) {
    let [target] = hub_targets(design, is_hub).try_into().unwrap_or_default();
    if target.is_empty() {
        return;
    }
    let reads = |policy: &PolicyText, what: &str| policy.xml.contains(&format!("\"{what}\""));
    let ours = |policy: &PolicyText| policy.kind == POLICY && reads(policy, MAP) && reads(policy, &target);
    let names: Vec<String> =
        design.policies.iter().filter(|policy| ours(policy)).map(|policy| policy.name.clone()).collect();
    names.iter().for_each(|name| detach_named(design, name));
}

fn detach(design: &mut ProxyDesign) {
    detach_named(design, POLICY);
}

fn detach_named(design: &mut ProxyDesign, name: &str) {
    design.policies.retain(|policy| policy.name != name);
    let proxies = design.proxy_endpoints.iter_mut().map(|endpoint| &mut endpoint.flows);
    let targets = design.target_endpoints.iter_mut().map(|endpoint| &mut endpoint.flows);
    for flows in proxies.chain(targets) {
        for (_, steps) in steps_of(flows) {
            steps.retain(|step| step.policy != name);
        }
    }
}

/// Where the policy is attached: endpoint, stream and condition of each step.
fn place(design: &ProxyDesign) -> Vec<(String, String, String)> {
    let mut copy = design.clone();
    let mut places = Vec::new();
    let proxies = copy
        .proxy_endpoints
        .iter_mut()
        .map(|endpoint| (format!("proxy {}", endpoint.name), &mut endpoint.flows));
    let targets = copy
        .target_endpoints
        .iter_mut()
        .map(|endpoint| (format!("target {}", endpoint.name), &mut endpoint.flows));
    for (endpoint, flows) in proxies.chain(targets) {
        for (stream, steps) in steps_of(flows) {
            let attached = steps.iter().filter(|step| step.policy == POLICY);
            places.extend(attached.map(|step| (endpoint.clone(), stream.clone(), step.condition.clone())));
        }
    }
    places
}

/// Every list of steps of an endpoint, with a name.
fn steps_of(flows: &mut EndpointFlows) -> Vec<(String, &mut Vec<Step>)> {
    let mut all = Vec::new();
    let EndpointFlows { pre, conditional, post, post_client, fault_rules, default_fault_rule, event } = flows;
    for (name, flow) in [("pre", pre), ("post", post)] {
        all.push((format!("{name} request"), &mut flow.request));
        all.push((format!("{name} response"), &mut flow.response));
    }
    for flow in conditional {
        all.push((format!("{} request", flow.name), &mut flow.request));
        all.push((format!("{} response", flow.name), &mut flow.response));
    }
    all.push(("post client".into(), post_client));
    all.extend(event.iter_mut().map(|event| ("event".to_owned(), &mut event.response)));
    for rule in fault_rules.iter_mut().chain(default_fault_rule) {
        all.push((format!("fault rule {}", rule.name), &mut rule.steps));
    }
    all
}

fn fixed(rule: &str) -> ODataError {
    ODataError::coded(StatusCode::BAD_REQUEST, "OPEN_CONNECTORS_POLICY_FIXED", rule)
}

#[cfg(test)]
mod tests {
    use pierhead_gateway::design::TargetEndpoint;

    use super::*;

    fn target(name: &str, provider: &str) -> TargetEndpoint {
        TargetEndpoint {
            name: name.into(),
            destination: Destination::Provider { name: provider.into(), relative_path: "/".into() },
            ..TargetEndpoint::default()
        }
    }

    fn is_hub(name: &str) -> bool {
        name == "oc"
    }

    fn settled(provider: &str) -> ProxyDesign {
        let mut design =
            ProxyDesign { target_endpoints: vec![target("default", provider)], ..ProxyDesign::default() };
        settle(None, &mut design, &is_hub).unwrap();
        design
    }

    #[test]
    fn the_policy_comes_with_the_provider_and_goes_with_it() {
        let with = settled("oc");
        assert_eq!(with.policies, [policy_for("default")]);
        assert_eq!(place(&with), [("target default".into(), "post request".into(), String::new())]);

        let mut without = with.clone();
        without.target_endpoints[0] =
            TargetEndpoint { flows: with.target_endpoints[0].flows.clone(), ..target("default", "web") };
        settle(Some(&with), &mut without, &is_hub).unwrap();
        assert!(without.policies.is_empty() && place(&without).is_empty());

        let mut again = without.clone();
        again.target_endpoints[0] = target("default", "oc");
        settle(Some(&without), &mut again, &is_hub).unwrap();
        assert_eq!(again, with);
    }

    #[test]
    fn it_cannot_be_edited_moved_removed_or_added() {
        let with = settled("oc");
        let edits: [fn(&mut ProxyDesign); 5] = [
            |design| design.policies.clear(),
            |design| design.policies[0].xml.push(' '),
            |design| design.target_endpoints[0].flows.post.request.clear(),
            |design| design.target_endpoints[0].flows.post.request[0].condition = "false".into(),
            |design| {
                design.target_endpoints[0]
                    .flows
                    .pre
                    .request
                    .push(Step { policy: POLICY.into(), condition: String::new() })
            },
        ];
        for edit in edits {
            let mut edited = with.clone();
            edit(&mut edited);
            assert!(settle(Some(&with), &mut edited, &is_hub).is_err());
        }
        let mut added = settled("web");
        added.policies.push(PolicyText { kind: POLICY.into(), name: "mine".into(), ..PolicyText::default() });
        assert!(settle(Some(&settled("web")), &mut added, &is_hub).is_err());
    }

    #[test]
    fn two_hubs_in_one_proxy_are_refused() {
        let mut design = ProxyDesign {
            target_endpoints: vec![target("a", "oc"), target("b", "oc")],
            ..ProxyDesign::default()
        };
        assert!(settle(None, &mut design, &is_hub).unwrap_err().to_string().contains("one target endpoint"));
    }

    #[test]
    fn other_steps_may_be_added_around_it() {
        let with = settled("oc");
        let mut edited = with.clone();
        edited.target_endpoints[0]
            .flows
            .post
            .request
            .insert(0, Step { policy: "x".into(), condition: String::new() });
        settle(Some(&with), &mut edited, &is_hub).unwrap();
        assert!(edited.policies[0].fixed);
    }
}
