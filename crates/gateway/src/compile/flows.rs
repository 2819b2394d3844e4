//! Compiling flows: steps, conditions, fault rules, and which bodies they read.

use super::{BodyReads, Compiler, DesignPart, FaultRulePlan, FlowPlan, FlowsPlan, SharedCall, StepPlan};
use crate::condition::Condition;
use crate::design::{EndpointFlows, EventFlow, FaultRule, Flow, Step};
use crate::policy::MessageReads;

/// Where a step is attached; decides what `message` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attached {
    Request,
    Response,
    Fault,
}

/// What must be there before steps run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Needs {
    pub(crate) bodies: BodyReads,
    pub(crate) calls: Vec<SharedCall>,
}

impl Needs {
    /// Of a condition, which is asked where it is attached.
    pub(crate) fn note(&mut self, condition: Option<&Condition>, attached: Attached) {
        if let Some(condition) = condition {
            let mut reads = MessageReads::default();
            condition.each_variable(&mut |variable| reads.note(variable));
            self.bodies = self.bodies | attached.bodies(reads);
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.bodies = self.bodies | other.bodies;
        self.calls.extend(other.calls.iter().cloned());
    }

    /// The calls, each once.
    pub(crate) fn distinct_calls(mut self) -> Vec<SharedCall> {
        self.calls.sort_by(|a, b| (&a.flow, a.attached as usize).cmp(&(&b.flow, b.attached as usize)));
        self.calls.dedup();
        self.calls
    }
}

impl Compiler<'_> {
    /// The flows of an endpoint, and what they read.
    pub(super) fn flows(&mut self, part: &DesignPart, flows: &EndpointFlows) -> (FlowsPlan, Needs) {
        let mut needs = Needs::default();
        let plan = FlowsPlan {
            pre: self.flow(part, &flows.pre, "PreFlow", &mut needs),
            conditional: flows
                .conditional
                .iter()
                .map(|flow| self.flow(part, flow, &flow.name, &mut needs))
                .collect(),
            post: self.flow(part, &flows.post, "PostFlow", &mut needs),
            post_client: self.steps(
                part,
                "PostClientFlow",
                &flows.post_client,
                Attached::Response,
                &mut needs,
            ),
            event: flows.event.as_ref().map_or_else(Vec::new, |flow| self.event_flow(part, flow, &mut needs)),
            fault_rules: flows
                .fault_rules
                .iter()
                .map(|rule| self.fault_rule(part, rule, &mut needs))
                .collect(),
            default_fault_rule: flows
                .default_fault_rule
                .as_ref()
                .map(|rule| self.fault_rule(part, rule, &mut needs)),
        };
        (plan, needs)
    }

    fn flow(&mut self, part: &DesignPart, flow: &Flow, name: &str, needs: &mut Needs) -> FlowPlan {
        let condition = self.condition(part, &format!("flow {name}"), &flow.condition);
        // It is asked in both directions, and `message` is another one in each.
        needs.note(condition.as_ref(), Attached::Request);
        needs.note(condition.as_ref(), Attached::Response);
        FlowPlan {
            name: name.into(),
            description: flow.description.as_str().into(),
            condition,
            request: self.steps(part, name, &flow.request, Attached::Request, needs),
            response: self.steps(part, name, &flow.response, Attached::Response, needs),
        }
    }

    /// The steps for single events. They see one event at a time: the response's body is never gathered for them.
    fn event_flow(&mut self, part: &DesignPart, flow: &EventFlow, needs: &mut Needs) -> Vec<StepPlan> {
        /// What Apigee lets into it, by the message of its own import.
        const ALLOWED: [&str; 6] = [
            "Javascript",
            "MessageLogging",
            "PublishMessage",
            "RaiseFault",
            "SanitizeModelResponse",
            "LLMTokenQuota",
        ];
        if !flow.content_type.eq_ignore_ascii_case("text/event-stream") {
            let message = format!("EventFlow: content-type '{}' is not text/event-stream", flow.content_type);
            self.problem(part, "InvalidEventFlow", message);
        }
        for step in &flow.response {
            let kind = self.policies.get(step.policy.as_str()).map(|usable| usable.kind.clone());
            if let Some(kind) = kind.filter(|kind| !ALLOWED.contains(&kind.as_str())) {
                let message =
                    format!("EventFlow, step {}: policies of kind {kind} cannot be in it", step.policy);
                self.problem(part, "InvalidEventFlow", message);
            }
        }
        let mut of_events = Needs::default();
        let steps = self.steps(part, "EventFlow", &flow.response, Attached::Response, &mut of_events);
        needs.bodies.request |= of_events.bodies.request;
        steps
    }

    fn fault_rule(&mut self, part: &DesignPart, rule: &FaultRule, needs: &mut Needs) -> FaultRulePlan {
        let at = format!("fault rule {}", rule.name);
        let condition = self.condition(part, &at, &rule.condition);
        needs.note(condition.as_ref(), Attached::Fault);
        FaultRulePlan {
            name: rule.name.as_str().into(),
            condition,
            always_enforce: rule.always_enforce,
            steps: self.steps(part, &at, &rule.steps, Attached::Fault, needs),
        }
    }

    pub(super) fn steps(
        &mut self,
        part: &DesignPart,
        flow: &str,
        steps: &[Step],
        attached: Attached,
        needs: &mut Needs,
    ) -> Vec<StepPlan> {
        let mut plans = Vec::with_capacity(steps.len());
        for step in steps {
            let at = format!("{flow}, step {}", step.policy);
            let condition = self.condition(part, &at, &step.condition);
            let Some(usable) = self.policies.get(step.policy.as_str()) else {
                self.problem(part, "UnknownPolicy", format!("{at}: there is no policy '{}'", step.policy));
                continue;
            };
            if !self.used.contains(&step.policy) {
                self.used.insert(step.policy.clone());
            }
            self.open_connectors_steps += usize::from(usable.is_open_connectors());
            // One that did not compile has been reported.
            if let Some(policy) = usable.compiled.clone() {
                plans.push(StepPlan { policy, condition });
            }
        }
        self.add_needs(&plans, attached, needs);
        plans
    }

    /// What steps need where they are attached.
    pub(super) fn add_needs(&self, steps: &[StepPlan], attached: Attached, needs: &mut Needs) {
        for step in steps {
            needs.note(step.condition.as_ref(), attached);
            let Some(usable) = self.policies.get(&*step.policy.name) else { continue };
            needs.bodies = needs.bodies | attached.bodies(usable.reads);
            let calls = usable.calls.iter().map(|flow| SharedCall { attached, flow: flow.clone() });
            needs.calls.extend(calls);
        }
    }

    /// A condition; `None` when it always holds, or does not parse and was reported.
    pub(super) fn condition(&mut self, part: &DesignPart, at: &str, text: &str) -> Option<Condition> {
        let limit = self.world.limits.condition_bytes;
        if text.len() > limit {
            self.problem(part, "ConditionTooLong", format!("{at}: a condition may have {limit} bytes"));
            return None;
        }
        match Condition::parse(text) {
            Ok(condition) => {
                if condition.as_ref().is_some_and(Condition::is_unclosed) {
                    let message = format!("{at}: the condition lacks a ')' at its end");
                    self.warning(part, "UnclosedParenthesis", message);
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

impl Attached {
    /// The error message may be the target's answer, whose body then must be there.
    const fn bodies(self, reads: MessageReads) -> BodyReads {
        BodyReads {
            request: reads.request || (reads.message && matches!(self, Self::Request)),
            response: reads.response || reads.error || (reads.message && !matches!(self, Self::Request)),
        }
    }
}
