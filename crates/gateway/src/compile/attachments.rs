//! Where a policy may be attached, for those that may not be attached anywhere.

use super::{Compiler, DesignPart};
use crate::design::{EndpointFlows, ProxyDesign, Step};
use crate::dialect::Dialect;

impl Compiler<'_> {
    /// A ResponseCache once on the way in and once on the way out; in SAP an InvalidateCache only with a condition.
    pub(super) fn attachments(&mut self, design: &ProxyDesign) {
        let flows = || {
            let endpoints = design.proxy_endpoints.iter().map(|endpoint| &endpoint.flows);
            endpoints.chain(design.target_endpoints.iter().map(|target| &target.flows))
        };
        for text in self.texts {
            let kind = self.policies.get(text.name.as_str()).map(|usable| usable.kind.as_str());
            match kind {
                Some("ResponseCache") => {
                    let ways = [requests, responses]
                        .map(|way| flows().map(|flows| named(way(flows), &text.name)).collect::<Vec<_>>());
                    let [sent, answered] = ways
                        .map(|counts| (counts.iter().sum::<usize>(), counts.iter().any(|count| *count > 1)));
                    if (sent.0 == 0) != (answered.0 == 0) || sent.0 > 1 || answered.1 {
                        self.problem(
                            &DesignPart::Policy(text.name.clone()),
                            "ResponseCacheAttachment",
                            "a ResponseCache is attached once in the request and once in the response",
                        );
                    }
                }
                Some("InvalidateCache") if self.world.dialect == Dialect::Sap => {
                    let bare = |step: &&Step| step.policy == text.name && step.condition.trim().is_empty();
                    if flows().any(|flows| requests(flows).chain(responses(flows)).any(|step| bare(&step))) {
                        self.problem(
                            &DesignPart::Policy(text.name.clone()),
                            "StepConditionMissing",
                            "a step with an InvalidateCache needs a condition",
                        );
                    }
                }
                _ => {}
            }
        }
    }
}

type Steps<'f> = Box<dyn Iterator<Item = &'f Step> + 'f>;

fn requests(flows: &EndpointFlows) -> Steps<'_> {
    let conditional = flows.conditional.iter().flat_map(|flow| &flow.request);
    Box::new(flows.pre.request.iter().chain(conditional).chain(&flows.post.request))
}

fn responses(flows: &EndpointFlows) -> Steps<'_> {
    let conditional = flows.conditional.iter().flat_map(|flow| &flow.response);
    Box::new(flows.pre.response.iter().chain(conditional).chain(&flows.post.response))
}

fn named(steps: Steps<'_>, policy: &str) -> usize {
    steps.filter(|step| step.policy == policy).count()
}
