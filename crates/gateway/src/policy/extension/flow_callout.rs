//! `FlowCallout`: runs a shared flow in place of a step (api-management §9.6).

use std::sync::Arc;

use crate::condition::Lookup as _;
use crate::exchange::Exchange;
use crate::flow::run_shared;
use crate::policy::blueprint::Blueprint;
use crate::policy::{Compiled, Element, Policy, PolicyRun};
use crate::variable::{Place, Stored, Variable};

/// Runs the steps of a shared flow as if they stood here: its faults are this step's, and what it answers
/// early ends the request flows. The shared flow is the one of the request's snapshot.
///
/// Parameters are variables that only the shared flow sees; afterwards what had their names is back.
///
/// Faults: those of the shared flow; `steps.flowcallout.SharedFlowNotFound` 500 when it was undeployed,
/// `steps.flowcallout.TooManyNestedFlows` 500.
#[derive(Debug)]
pub(super) struct FlowCallout {
    flow: Arc<str>,
    parameters: Vec<Parameter>,
}

#[derive(Debug)]
struct Parameter {
    name: Variable,
    reference: Option<Variable>,
    literal: Option<Box<str>>,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["SharedFlowBundle", "Parameters"]);
    let parameters = policy.root.child("Parameters").map_or_else(Vec::new, |list| {
        policy.only(list, &[], &["Parameter"]);
        list.children("Parameter").filter_map(|element| parameter(policy, element)).collect()
    });
    let named = policy.root.child("SharedFlowBundle").filter(|name| !name.text().is_empty());
    let Some(named) = named else {
        let message = "FlowCallout needs a SharedFlowBundle";
        policy.problem(policy.root, "SharedFlowBundleIsMissing", message);
        return None;
    };
    policy.only(named, &[], &[]);
    let flow: Arc<str> = named.text().into();
    policy.call(named, &flow);
    Some(Box::new(FlowCallout { flow, parameters }))
}

fn parameter<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<Parameter> {
    policy.only(element, &["name", "ref"], &[]);
    let Some(name) = element.attribute("name") else {
        policy.problem(element, "ParameterNameIsMissing", "Parameter needs a name");
        return None;
    };
    let name = policy.variable(element, name)?;
    if matches!(name.place(), Place::Fact(_)) {
        policy.problem(element, "InvalidParameterName", format!("'{name}' cannot be set"));
    }
    let reference = element.attribute("ref").and_then(|name| policy.variable(element, name));
    let literal = (!element.text().is_empty()).then(|| element.text().into());
    Some(Parameter { name, reference, literal })
}

impl Policy for FlowCallout {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Wait(Box::pin(async move {
            let before = self.pass(cx);
            let ran = run_shared(cx, &self.flow).await;
            for (parameter, value) in self.parameters.iter().zip(before) {
                // What could be set can be set back.
                let _ = cx.set(&parameter.name, value);
            }
            ran
        }))
    }
}

impl FlowCallout {
    /// Sets the parameters; gives what was there before.
    fn pass(&self, cx: &mut Exchange) -> Vec<Option<Stored>> {
        let values: Vec<_> = self.parameters.iter().map(|parameter| parameter.value(cx)).collect();
        let mut before = Vec::with_capacity(values.len());
        for (parameter, value) in self.parameters.iter().zip(values) {
            before.push(cx.stored(&parameter.name));
            let _ = cx.set(&parameter.name, value);
        }
        before
    }
}

impl Parameter {
    fn value(&self, cx: &Exchange) -> Option<Stored> {
        let referred = self.reference.as_ref().and_then(|reference| cx.value(reference).into());
        referred.or_else(|| self.literal.as_deref().map(Stored::from))
    }
}

#[cfg(test)]
mod tests;
