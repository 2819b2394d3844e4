//! `ResetQuota`: gives back some of a quota (api-management §9.4).

use std::sync::Arc;

use super::quota::DEFAULT_IDENTIFIER;
use crate::compile::{CompiledPolicy, FlowPlan, FlowsPlan};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::setting::Setting;
use crate::policy::{Blueprint, Compiled, Element, Next, Policy, PolicyRun};
use crate::state::CounterName;

/// Lowers what a Quota policy of the same proxy has counted, so that as many more messages may come.
///
/// Faults, all 500: `policies.resetquota.FailedToResolveRLPolicy` (no name), `policies.resetquota.NoRLPolicy`
/// (not attached), `policies.resetquota.InvalidRLPolicy` (not a Quota),
/// `policies.resetquota.FailedToResolveAllowCountRef`, `policies.resetquota.InvalidCount`.
/// Unsourced: that an identifier without a value is `_default`.
#[derive(Debug)]
struct ResetQuota {
    quotas: Vec<Quota>,
}

#[derive(Debug)]
struct Quota {
    name: Setting,
    identifiers: Vec<Identifier>,
}

#[derive(Debug)]
struct Identifier {
    name: Setting,
    class: Option<Setting>,
    allow: Setting,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    let root = policy.root;
    policy.only_in_root(&[], &["Quota"]);
    let quotas: Vec<Quota> = root.children("Quota").map(|element| quota(policy, element)).collect();
    if quotas.is_empty() {
        policy.problem(root, "QuotaIsMissing", "ResetQuota needs a Quota");
    }
    Some(Box::new(ResetQuota { quotas }))
}

fn quota<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Quota {
    policy.only(element, &["name", "ref"], &["Identifier"]);
    let identifiers: Vec<Identifier> =
        element.children("Identifier").map(|child| identifier(policy, child)).collect();
    if identifiers.is_empty() {
        policy.problem(element, "IdentifierIsMissing", "Quota needs an Identifier");
    }
    Quota { name: named(policy, element), identifiers }
}

/// `name`, `ref` or both.
fn named(policy: &mut Blueprint<'_>, element: &Element) -> Setting {
    let name = element.attribute("name").unwrap_or_default();
    let setting = Setting::plain_by(policy, element, "ref", name);
    if setting.is_empty() {
        policy.problem(element, "NameIsMissing", format!("{} needs a name or a ref", element.name));
    }
    setting
}

fn identifier<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Identifier {
    policy.only(element, &["name", "ref"], &["Allow", "Class"]);
    let class = element.child("Class");
    if let Some(class) = class {
        policy.only(class, &["name", "ref"], &["Allow"]);
    }
    // The original's own examples write Allow beside Class and inside it.
    let inside = class.and_then(|class| class.child("Allow"));
    let allow = match element.child("Allow").or(inside) {
        Some(allow) => {
            policy.only(allow, &["ref"], &[]);
            Setting::plain(policy, allow)
        }
        None => Setting::default(),
    };
    if allow.is_empty() {
        policy.problem(element, "AllowIsMissing", "Identifier needs an Allow with a number or a ref");
    }
    Identifier { name: named(policy, element), class: class.map(|class| named(policy, class)), allow }
}

impl Policy for ResetQuota {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        match self.resets(cx) {
            Err(fault) => PolicyRun::Done(Err(fault)),
            Ok(resets) => {
                let (state, now) = (Arc::clone(&cx.services.state), cx.now());
                for reset in &resets {
                    state.quotas.lower(reset.counter(), now, reset.by);
                }
                if !state.quotas.is_shared() {
                    return PolicyRun::Done(Ok(Next::Continue));
                }
                PolicyRun::Wait(Box::pin(async move {
                    for reset in &resets {
                        state.quotas.lower_shared(&reset.counter().to_key(), now, reset.by).await;
                    }
                    Ok(Next::Continue)
                }))
            }
        }
    }
}

/// A counter, and by how much it goes down.
struct Reset {
    proxy: Arc<str>,
    owner: Arc<str>,
    identifier: Box<str>,
    class: Box<str>,
    by: u64,
}

impl Reset {
    fn counter(&self) -> CounterName<'_> {
        let Self { proxy, owner, identifier, class, .. } = self;
        CounterName { proxy, owner, identifier, class }
    }
}

impl ResetQuota {
    /// What is to be done; nothing is when something of it cannot be.
    fn resets(&self, cx: &Exchange) -> Result<Vec<Reset>, Fault> {
        let mut resets = Vec::new();
        for quota in &self.quotas {
            let name = quota.name.filled(cx).ok_or_else(|| {
                let name = quota.name.name();
                failed("FailedToResolveRLPolicy", format!("Failed to resolve quota policy reference {name}"))
            })?;
            let policy = attached(cx, &name)
                .ok_or_else(|| failed("NoRLPolicy", format!("Quota policy {name} is not attached.")))?;
            let owner = policy
                .policy
                .counter()
                .ok_or_else(|| failed("InvalidRLPolicy", format!("Invalid rate limit policy {name}")))?;
            for identifier in &quota.identifiers {
                let who = identifier.name.filled(cx).unwrap_or(DEFAULT_IDENTIFIER.into());
                let class = identifier.class.as_ref().and_then(|class| class.filled(cx));
                let count = identifier.allow.filled(cx).ok_or_else(|| {
                    let reference = identifier.allow.name();
                    let text = format!(
                        "Failed to resolve allow count reference {reference} for identifier {who} in {name}"
                    );
                    failed("FailedToResolveAllowCountRef", text)
                })?;
                let by = count.trim().parse().map_err(|_| {
                    let text = format!("Invalid count value {count} for identifier {who} in {name}");
                    failed("InvalidCount", text)
                })?;
                let class = class.unwrap_or_default().into();
                let (proxy, owner) = (cx.proxy().name.clone(), owner.clone());
                resets.push(Reset { proxy, owner, identifier: who.into(), class, by });
            }
        }
        Ok(resets)
    }
}

/// The policy of this name that some step runs: of the proxy, else of a shared flow.
fn attached<'p>(cx: &'p Exchange, name: &str) -> Option<&'p CompiledPolicy> {
    let proxy = cx.proxy();
    let endpoints = proxy.endpoints.iter().map(|endpoint| &endpoint.flows);
    let mut flows = endpoints.chain(proxy.targets.iter().map(|target| &target.flows));
    let of_proxy = flows.find_map(|flows| step(flows, name));
    of_proxy.or_else(|| {
        let mut steps = cx.snapshot.shared_flows().flat_map(|flow| &flow.steps);
        steps.find(|step| *step.policy.name == *name).map(|step| &*step.policy)
    })
}

fn step<'p>(flows: &'p FlowsPlan, name: &str) -> Option<&'p CompiledPolicy> {
    let of_flow = |flow: &'p FlowPlan| flow.request.iter().chain(&flow.response);
    let rules = flows.fault_rules.iter().chain(&flows.default_fault_rule);
    of_flow(&flows.pre)
        .chain(flows.conditional.iter().flat_map(of_flow))
        .chain(of_flow(&flows.post))
        .chain(&flows.post_client)
        .chain(rules.flat_map(|rule| &rule.steps))
        .map(|step| &*step.policy)
        .find(|policy| *policy.name == *name)
}

fn failed(name: &str, text: String) -> Fault {
    Fault::internal(format!("policies.resetquota.{name}"), text)
}

#[cfg(test)]
mod tests;
