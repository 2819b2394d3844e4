//! A bundle as its checks look at it: every step with its place, every policy parsed.

use std::collections::BTreeMap;

use pierhead_gateway::compile::DesignPart;
use pierhead_gateway::design::{EndpointFlows, FileResource, PolicyText, ProxyDesign};

use crate::content::{Bundle, Content};
use crate::source::{Direction, Sources, steps_of};
use crate::xml::Node;
use crate::{Finding, Limits, Severity};

pub(crate) struct View<'b> {
    /// The proxy; for a template, one that does only what the template does; none for a shared flow.
    pub(crate) proxy: Option<&'b ProxyDesign>,
    pub(crate) policies: Vec<PolicyView<'b>>,
    pub(crate) resources: &'b [FileResource],
    pub(crate) steps: Vec<StepView>,
    pub(crate) sources: &'b Sources,
}

pub(crate) struct PolicyView<'b> {
    pub(crate) text: &'b PolicyText,
    /// None when it is no XML, which reading has noted.
    pub(crate) root: Option<Node>,
    pub(crate) file: &'b str,
}

/// A step and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct StepView {
    pub(crate) part: DesignPart,
    pub(crate) flow: String,
    pub(crate) direction: Direction,
    pub(crate) policy: String,
    pub(crate) condition: String,
    /// The condition of the flow or rule around it; empty when that always runs.
    pub(crate) around: String,
    pub(crate) file: String,
    pub(crate) line: usize,
}

impl<'b> View<'b> {
    /// `proxy` is the template's stand-in.
    pub(crate) fn of(bundle: &'b Bundle, proxy: Option<&'b ProxyDesign>) -> Self {
        let sources = &bundle.sources;
        let limits = Limits::default();
        let policies = bundle.content.policies().iter().map(|text| PolicyView {
            text,
            root: Node::parse(&text.xml, &limits).ok(),
            file: sources.policy(&text.name),
        });
        let mut steps = Vec::new();
        if let Content::SharedFlow(design) = &bundle.content {
            let flows = EndpointFlows { post_client: design.steps.clone(), ..EndpointFlows::default() };
            place(sources, &DesignPart::SharedFlow, &flows, &mut steps);
            for step in &mut steps {
                step.flow = "shared flow".to_owned();
                step.direction = Direction::Request;
            }
        }
        for (part, flows) in proxy.into_iter().flat_map(endpoints) {
            place(sources, &part, flows, &mut steps);
        }
        Self { proxy, policies: policies.collect(), resources: bundle.content.resources(), steps, sources }
    }

    /// How often each policy is attached.
    pub(crate) fn attached(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for step in &self.steps {
            *counts.entry(step.policy.as_str()).or_default() += 1;
        }
        counts
    }

    /// Policies of a kind that could be read.
    pub(crate) fn of_kind<'v>(
        &'v self,
        kind: &'v str,
    ) -> impl Iterator<Item = (&'v PolicyView<'b>, &'v Node)> {
        self.policies
            .iter()
            .filter(move |policy| policy.text.kind == kind)
            .filter_map(|policy| Some((policy, policy.root.as_ref()?)))
    }
}

impl PolicyView<'_> {
    pub(crate) fn finding(
        &self,
        severity: Severity,
        rule: &'static str,
        line: usize,
        message: impl Into<String>,
    ) -> Finding {
        Finding::new(severity, rule, (self.file, line), message)
    }

    pub(crate) fn line(&self) -> usize {
        self.root.as_ref().map_or(0, |root| root.line)
    }
}

impl StepView {
    pub(crate) fn finding(
        &self,
        severity: Severity,
        rule: &'static str,
        message: impl Into<String>,
    ) -> Finding {
        Finding::new(severity, rule, (&self.file, self.line), message)
    }
}

/// Every endpoint of a proxy with its flows.
pub(crate) fn endpoints(design: &ProxyDesign) -> Vec<(DesignPart, &EndpointFlows)> {
    let proxies = design
        .proxy_endpoints
        .iter()
        .map(|endpoint| (DesignPart::ProxyEndpoint(endpoint.name.clone()), &endpoint.flows));
    let targets = design
        .target_endpoints
        .iter()
        .map(|endpoint| (DesignPart::TargetEndpoint(endpoint.name.clone()), &endpoint.flows));
    proxies.chain(targets).collect()
}

/// The flows of a part of a proxy.
pub(crate) fn flows_of<'d>(design: &'d ProxyDesign, part: &DesignPart) -> Option<&'d EndpointFlows> {
    endpoints(design).into_iter().find(|(known, _)| known == part).map(|(_, flows)| flows)
}

fn place(sources: &Sources, part: &DesignPart, flows: &EndpointFlows, steps: &mut Vec<StepView>) {
    let (file, root_line) = sources.part(part);
    let lines =
        sources.endpoints.get(part).map(|endpoint| endpoint.marks.steps.as_slice()).unwrap_or_default();
    for (index, placed) in steps_of(flows).into_iter().enumerate() {
        steps.push(StepView {
            part: part.clone(),
            flow: placed.flow,
            direction: placed.direction,
            policy: placed.step.policy.clone(),
            condition: placed.step.condition.clone(),
            around: placed.around.to_owned(),
            file: file.to_owned(),
            line: lines.get(index).copied().unwrap_or(root_line),
        });
    }
}
