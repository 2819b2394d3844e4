//! Shared flows: steps that proxies and flow hooks call by name (api-management §3, §9.6).

use std::sync::Arc;

use super::flows::{Attached, Needs};
use super::{BodyReads, CompileProblem, Compiler, Degradation, DesignPart, StepPlan, World};
use crate::design::SharedFlowDesign;
use crate::ports::KvmAddress;
use crate::property_set::PropertySets;

/// A shared flow ready to run. Only [`compile_shared_flow`] makes one.
#[derive(Debug)]
pub struct CompiledSharedFlow {
    /// `sharedflow.name`; unique in the environment.
    pub name: Arc<str>,
    /// `sharedflow.revision`.
    pub revision: Arc<str>,
    /// As in [`super::CompiledProxy::initial_entries`].
    pub initial_entries: Vec<(KvmAddress, String)>,
    /// As in [`super::CompiledProxy::degradations`].
    pub degradations: Vec<Degradation>,
    pub(crate) steps: Vec<StepPlan>,
    pub(crate) property_sets: PropertySets,
    /// What its own steps need when it is called on the way in, on the way out, and in the error flow.
    needs: [Needs; 3],
}

impl CompiledSharedFlow {
    pub(crate) const fn needs(&self, attached: Attached) -> &Needs {
        &self.needs[attached as usize]
    }
}

/// A call of a shared flow; what the called one reads is found in the snapshot, since it may be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SharedCall {
    pub(crate) attached: Attached,
    pub(crate) flow: Arc<str>,
}

/// Compiles one revision of a shared flow. On failure every problem found is reported.
pub fn compile_shared_flow(
    design: &SharedFlowDesign,
    revision: &str,
    world: &World,
) -> Result<CompiledSharedFlow, Vec<CompileProblem>> {
    let mut compiler = Compiler::new(&design.name, &design.policies, &design.resources, world);
    let whole = DesignPart::SharedFlow;
    if design.name.trim().is_empty() {
        compiler.problem(&whole, "NameIsMissing", "a shared flow needs a name");
    }
    compiler.compile_policies(&whole);
    let mut needs = Needs::default();
    let steps = compiler.steps(&whole, "shared flow", &design.steps, Attached::Request, &mut needs);
    if compiler.open_connectors_steps > 0 {
        let message = "a policy of kind OpenConnectors belongs into a target endpoint";
        compiler.problem(&whole, "OpenConnectorsOnce", message);
    }
    if needs.calls.iter().any(|call| *call.flow == *design.name) {
        compiler.problem(&whole, "SharedFlowCallsItself", "a shared flow cannot call itself");
    }
    compiler.mark_attached(&[]);
    if !compiler.problems.is_empty() {
        return Err(compiler.problems);
    }
    let needs = [Attached::Request, Attached::Response, Attached::Fault].map(|attached| {
        let mut needs = Needs::default();
        compiler.add_needs(&steps, attached, &mut needs);
        needs
    });
    let Compiler { degradations, initial_entries, .. } = compiler;
    let (name, revision) = (design.name.as_str().into(), revision.into());
    let property_sets = PropertySets::of(&design.resources, &world.property_sets);
    Ok(CompiledSharedFlow { name, revision, initial_entries, degradations, steps, property_sets, needs })
}

/// What a step and everything it calls reads; flows that call each other in a circle are visited once.
pub(crate) fn reads_of<'f>(
    call: &SharedCall,
    find: &impl Fn(&str) -> Option<&'f CompiledSharedFlow>,
    seen: &mut Vec<SharedCall>,
) -> BodyReads {
    if seen.contains(call) {
        return BodyReads::default();
    }
    seen.push(call.clone());
    let Some(flow) = find(&call.flow) else { return BodyReads::default() };
    let needs = flow.needs(call.attached);
    needs.calls.iter().fold(needs.bodies, |reads, inner| reads | reads_of(inner, find, seen))
}
