//! Compiling flows: steps, conditions, fault rules, and which bodies they read.

use super::{BodyReads, Compiler, DesignPart, FaultRulePlan, FlowPlan, FlowsPlan, StepPlan};
use crate::condition::Condition;
use crate::design::{EndpointFlows, FaultRule, Flow, Step};
use crate::policy::MessageReads;

/// Where a step is attached; decides what `message` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attached {
    Request,
    Response,
    Fault,
}

impl Compiler<'_> {
    /// The flows of an endpoint, and what they read.
    pub(super) fn flows(&mut self, part: &DesignPart, flows: &EndpointFlows) -> (FlowsPlan, BodyReads) {
        let mut reads = BodyReads::default();
        let plan = FlowsPlan {
            pre: self.flow(part, &flows.pre, "PreFlow", &mut reads),
            conditional: flows
                .conditional
                .iter()
                .map(|flow| self.flow(part, flow, &flow.name, &mut reads))
                .collect(),
            post: self.flow(part, &flows.post, "PostFlow", &mut reads),
            post_client: self.steps(
                part,
                "PostClientFlow",
                &flows.post_client,
                Attached::Response,
                &mut reads,
            ),
            fault_rules: flows
                .fault_rules
                .iter()
                .map(|rule| self.fault_rule(part, rule, &mut reads))
                .collect(),
            default_fault_rule: flows
                .default_fault_rule
                .as_ref()
                .map(|rule| self.fault_rule(part, rule, &mut reads)),
        };
        (plan, reads)
    }

    fn flow(&mut self, part: &DesignPart, flow: &Flow, name: &str, reads: &mut BodyReads) -> FlowPlan {
        // It is asked in both directions, and `message` is another one in each.
        let condition =
            self.condition(part, &format!("flow {name}"), &flow.condition, Attached::Request, reads);
        if let Some(condition) = &condition {
            *reads = *reads | read_by(condition, Attached::Response);
        }
        FlowPlan {
            name: name.into(),
            description: flow.description.as_str().into(),
            condition,
            request: self.steps(part, name, &flow.request, Attached::Request, reads),
            response: self.steps(part, name, &flow.response, Attached::Response, reads),
        }
    }

    fn fault_rule(&mut self, part: &DesignPart, rule: &FaultRule, reads: &mut BodyReads) -> FaultRulePlan {
        let at = format!("fault rule {}", rule.name);
        FaultRulePlan {
            condition: self.condition(part, &at, &rule.condition, Attached::Fault, reads),
            always_enforce: rule.always_enforce,
            steps: self.steps(part, &at, &rule.steps, Attached::Fault, reads),
        }
    }

    fn steps(
        &mut self,
        part: &DesignPart,
        flow: &str,
        steps: &[Step],
        attached: Attached,
        reads: &mut BodyReads,
    ) -> Vec<StepPlan> {
        let mut plans = Vec::with_capacity(steps.len());
        for step in steps {
            let at = format!("{flow}, step {}", step.policy);
            let condition = self.condition(part, &at, &step.condition, attached, reads);
            let Some(usable) = self.policies.get(step.policy.as_str()) else {
                self.problem(part, "UnknownPolicy", format!("{at}: there is no policy '{}'", step.policy));
                continue;
            };
            if !self.used.contains(&step.policy) {
                self.used.insert(step.policy.clone());
            }
            self.open_connectors_steps += usize::from(usable.is_open_connectors());
            *reads = *reads | attached.bodies(usable.reads);
            // One that did not compile has been reported.
            if let Some(policy) = usable.compiled.clone() {
                plans.push(StepPlan { policy, condition });
            }
        }
        plans
    }

    /// A condition; `None` when it always holds, or does not parse and was reported.
    pub(super) fn condition(
        &mut self,
        part: &DesignPart,
        at: &str,
        text: &str,
        attached: Attached,
        reads: &mut BodyReads,
    ) -> Option<Condition> {
        let limit = self.world.limits.condition_bytes;
        if text.len() > limit {
            self.problem(part, "ConditionTooLong", format!("{at}: a condition may have {limit} bytes"));
            return None;
        }
        match Condition::parse(text) {
            Ok(condition) => {
                if let Some(condition) = &condition {
                    *reads = *reads | read_by(condition, attached);
                }
                condition
            }
            Err(bad) => {
                self.problem(part, "BadCondition", format!("{at}: {bad}"));
                None
            }
        }
    }
}

fn read_by(condition: &Condition, attached: Attached) -> BodyReads {
    let mut reads = MessageReads::default();
    condition.each_variable(&mut |variable| reads.note(variable));
    attached.bodies(reads)
}

impl Attached {
    /// The error message may be the target's answer, whose body then must be there.
    const fn bodies(self, reads: MessageReads) -> BodyReads {
        BodyReads {
            request: reads.request || (reads.message && matches!(self, Self::Request)),
            response: reads.response || reads.error || (reads.message && !matches!(self, Self::Request)),
        }
    }
}
