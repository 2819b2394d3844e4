//! From a design to a proxy that runs.
//!
//! Every mistake is found here, all in one go, so that a bad revision never becomes a [`CompiledProxy`] and
//! therefore never replaces a good one. What an original runs and this gateway does not is no mistake: the
//! proxy is deployed degraded and says where ([`Degradation`]).

mod attachments;
mod balancer;
mod base_path;
mod destination;
mod endpoints;
mod flows;
mod plan;
mod policies;
mod problem;
mod properties;
mod shared_flow;
mod url;
mod world;

use std::sync::Arc;

use ahash::{AHashMap, AHashSet};

use crate::design::{FileResource, PolicyText, ProxyDesign, ProxyEndpoint};
use crate::policy::{MessageReads, OPEN_CONNECTORS};
use crate::property_set::PropertySets;

pub(crate) use balancer::{HealthPlan, HttpProbePlan, turns_by_weight};
pub(crate) use destination::asks_for_itself;
pub(crate) use flows::Attached;
pub use plan::{BodyReads, CompiledProxy, ProxyPlan, TargetPlan};
pub(crate) use plan::{
    CompiledPolicy, Compression, DestinationPlan, FaultRulePlan, FlowPlan, FlowsPlan, LocalPlan, Retained,
    RoutePlan, StepPlan, SuccessCodes,
};
pub use problem::{CompileProblem, Degradation, DesignPart};
pub use shared_flow::{CompiledSharedFlow, compile_shared_flow};
pub(crate) use shared_flow::{SharedCall, reads_of};
pub(crate) use url::{TargetUrl, UrlPlan};
pub use world::{
    Coming, Endpoint, Http2, HubPlace, Limits, OpenConnectorsProvider, Provider, ProviderKind, TargetServer,
    TargetTimeouts, World,
};

/// What compiling found, whether or not the design can be deployed.
#[derive(Debug)]
pub struct Examined {
    /// The proxy, or every mistake in the order of the design.
    pub result: Result<CompiledProxy, Vec<CompileProblem>>,
    /// What is odd and does no harm: it is said and not refused.
    pub warnings: Vec<CompileProblem>,
    /// What cannot run here.
    pub degradations: Vec<Degradation>,
}

/// Compiles one revision of a proxy. On failure every problem found is reported, in the order of the design.
pub fn compile(
    design: &ProxyDesign,
    revision: &str,
    world: &World,
) -> Result<CompiledProxy, Vec<CompileProblem>> {
    examine(design, revision, world).result
}

/// The same with everything that was found besides, also about a design that does not compile.
pub fn examine(design: &ProxyDesign, revision: &str, world: &World) -> Examined {
    let mut compiler = Compiler::new(&design.name, &design.policies, &design.resources, world);
    if design.name.trim().is_empty() {
        compiler.problem(&DesignPart::Proxy, "NameIsMissing", "an API proxy needs a name");
    }
    compiler.compile_policies(&DesignPart::Proxy);
    let mut targets = compiler.targets(design);
    let endpoints = compiler.proxy_endpoints(design, &mut targets);
    if compiler.open_connectors_steps > 1 {
        compiler.problem(
            &DesignPart::Proxy,
            "OpenConnectorsOnce",
            "a policy of kind OpenConnectors may be attached only once",
        );
    }
    compiler.attachments(design);
    compiler.mark_attached(&design.proxy_endpoints);
    let Compiler { problems, warnings, degradations, initial_entries, .. } = compiler;
    let result = if problems.is_empty() {
        Ok(CompiledProxy {
            name: design.name.as_str().into(),
            revision: revision.into(),
            dialect: world.dialect,
            endpoints,
            targets: targets.into_iter().map(|(plan, _)| plan).collect(),
            initial_entries,
            degradations: degradations.clone(),
            warnings: warnings.clone(),
            buffered_body_bytes: world.limits.buffered_body_bytes,
            property_sets: PropertySets::of(&design.resources, &world.property_sets),
        })
    } else {
        Err(problems)
    };
    Examined { result, warnings, degradations }
}

/// A compilation under way.
struct Compiler<'d> {
    name: &'d str,
    texts: &'d [PolicyText],
    resources: Vec<&'d FileResource>,
    world: &'d World,
    problems: Vec<CompileProblem>,
    warnings: Vec<CompileProblem>,
    degradations: Vec<Degradation>,
    policies: AHashMap<&'d str, Usable>,
    /// Policies that some step names.
    used: AHashSet<String>,
    initial_entries: Vec<(crate::ports::KvmAddress, String)>,
    open_connectors_steps: usize,
}

/// The files that a design's policies may name: its own, and of the others each that no earlier one hides.
fn in_reach<'d>(own: &'d [FileResource], around: &'d [FileResource]) -> Vec<&'d FileResource> {
    let mut all: Vec<&FileResource> = own.iter().collect();
    for file in around {
        if !all.iter().any(|known| (&known.kind, &known.name) == (&file.kind, &file.name)) {
            all.push(file);
        }
    }
    all
}

/// A policy that steps may name. One that did not compile is here too, so that steps naming it are not
/// reported as naming nothing.
struct Usable {
    compiled: Option<Arc<CompiledPolicy>>,
    reads: MessageReads,
    kind: String,
    /// The shared flows it calls.
    calls: Vec<Arc<str>>,
}

impl Usable {
    fn is_open_connectors(&self) -> bool {
        self.kind == OPEN_CONNECTORS
    }
}

impl<'d> Compiler<'d> {
    fn new(name: &'d str, texts: &'d [PolicyText], resources: &'d [FileResource], world: &'d World) -> Self {
        Self {
            name,
            texts,
            resources: in_reach(resources, &world.resources),
            world,
            problems: Vec::new(),
            warnings: Vec::new(),
            degradations: Vec::new(),
            policies: AHashMap::new(),
            used: AHashSet::new(),
            initial_entries: Vec::new(),
            open_connectors_steps: 0,
        }
    }

    fn problem(&mut self, part: &DesignPart, rule: &'static str, message: impl Into<String>) {
        self.problem_at(part, 0, rule, message);
    }

    fn problem_at(&mut self, part: &DesignPart, line: usize, rule: &'static str, message: impl Into<String>) {
        self.problems.push(CompileProblem { part: part.clone(), line, rule, message: message.into() });
    }

    fn warning(&mut self, part: &DesignPart, rule: &'static str, message: impl Into<String>) {
        self.warnings.push(CompileProblem { part: part.clone(), line: 0, rule, message: message.into() });
    }

    fn degradation(&mut self, part: &DesignPart, line: usize, kind: &str, reason: impl Into<String>) {
        self.degradations.push(Degradation {
            part: part.clone(),
            line,
            kind: kind.to_owned(),
            reason: reason.into(),
            attached: false,
        });
    }

    /// Finds out which degradations a request can reach.
    fn mark_attached(&mut self, entrances: &[ProxyEndpoint]) {
        for degradation in &mut self.degradations {
            degradation.attached = match &degradation.part {
                DesignPart::Policy(name) => self.used.contains(name),
                DesignPart::TargetEndpoint(name) => entrances
                    .iter()
                    .flat_map(|endpoint| &endpoint.routes)
                    .any(|rule| rule.target.as_deref() == Some(name)),
                _ => true,
            };
        }
    }
}

#[cfg(test)]
mod tests;
