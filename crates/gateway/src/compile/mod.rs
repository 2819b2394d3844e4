//! From a design to a proxy that runs.
//!
//! Every mistake is found here, all in one go, so that a bad revision never becomes a [`CompiledProxy`] and
//! therefore never replaces a good one.

mod base_path;
mod endpoints;
mod flows;
mod plan;
mod policies;
mod problem;
mod properties;
mod world;

use std::sync::Arc;

use ahash::AHashMap;

use crate::design::ProxyDesign;
use crate::policy::{MessageReads, OPEN_CONNECTORS};

pub use plan::{BodyReads, CompiledProxy, ProxyPlan, TargetPlan};
pub(crate) use plan::{
    CompiledPolicy, DestinationPlan, FaultRulePlan, FlowPlan, FlowsPlan, RoutePlan, StepPlan, SuccessCodes,
};
pub use problem::CompileProblem;
pub use world::{
    Endpoint, HubPlace, Limits, OpenConnectorsProvider, Provider, ProviderKind, TargetTimeouts, World,
};

/// Compiles one revision of a proxy. On failure every problem found is reported, in the order of the design.
pub fn compile(
    design: &ProxyDesign,
    revision: &str,
    world: &World,
) -> Result<CompiledProxy, Vec<CompileProblem>> {
    let mut compiler = Compiler {
        design,
        world,
        problems: Vec::new(),
        policies: AHashMap::new(),
        initial_entries: Vec::new(),
        open_connectors_steps: 0,
    };
    if design.name.trim().is_empty() {
        compiler.problem("API proxy", "NameIsMissing", "an API proxy needs a name");
    }
    compiler.compile_policies();
    let targets = compiler.targets();
    let endpoints = compiler.proxy_endpoints(&targets);
    if compiler.open_connectors_steps > 1 {
        compiler.problem(
            "API proxy",
            "OpenConnectorsOnce",
            "a policy of kind OpenConnectors may be attached only once",
        );
    }
    if !compiler.problems.is_empty() {
        return Err(compiler.problems);
    }
    Ok(CompiledProxy {
        name: design.name.as_str().into(),
        revision: revision.into(),
        dialect: world.dialect,
        endpoints,
        targets: targets.into_iter().map(|(plan, _)| plan).collect(),
        initial_entries: compiler.initial_entries,
        buffered_body_bytes: world.limits.buffered_body_bytes,
    })
}

/// A compilation under way.
struct Compiler<'d> {
    design: &'d ProxyDesign,
    world: &'d World,
    problems: Vec<CompileProblem>,
    policies: AHashMap<&'d str, Usable>,
    initial_entries: Vec<(crate::ports::KvmAddress, String)>,
    open_connectors_steps: usize,
}

/// A policy that steps may name. One that did not compile is here too, so that steps naming it are not
/// reported as naming nothing.
struct Usable {
    compiled: Option<Arc<CompiledPolicy>>,
    reads: MessageReads,
    kind: String,
}

impl Usable {
    fn is_open_connectors(&self) -> bool {
        self.kind == OPEN_CONNECTORS
    }
}

impl Compiler<'_> {
    fn problem(&mut self, file: impl Into<String>, rule: &'static str, message: impl Into<String>) {
        self.problems.push(CompileProblem { file: file.into(), line: 0, rule, message: message.into() });
    }
}

#[cfg(test)]
mod tests;
