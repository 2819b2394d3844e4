//! Names of key value maps that the environment does not have.

use std::collections::BTreeSet;

use pierhead_gateway::compile::World;
use pierhead_gateway::ports::KvmScope;

use crate::view::View;
use crate::{Finding, Severity};

pub(super) fn check(view: &View<'_>, world: &World, findings: &mut Vec<Finding>) {
    let written: BTreeSet<&str> = view
        .of_kind("KeyValueMapOperations")
        .filter(|(_, root)| root.child("Put").is_some() || root.child("InitialEntries").is_some())
        .filter_map(|(_, root)| root.attribute("mapIdentifier"))
        .collect();
    for (policy, root) in view.of_kind("KeyValueMapOperations") {
        let Some(map) = root.attribute("mapIdentifier").filter(|map| !map.is_empty()) else { continue };
        let proxy = view.proxy.map(|design| design.name.clone()).unwrap_or_default();
        let scope = match root.text_of("Scope") {
            "organization" => KvmScope::Organization,
            "apiproxy" => KvmScope::Proxy(proxy),
            // A map of the policy's own is made when it is first written.
            "policy" => continue,
            _ => KvmScope::Environment,
        };
        if world.running.kvm(&scope, map).is_none() && !written.contains(map) {
            let message = format!("there is no key value map '{map}' here: what is read from it is null");
            findings.push(policy.finding(Severity::Warning, "UnknownMap", root.line, message));
        }
    }
}
