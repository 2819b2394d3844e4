//! `AssertCondition`: evaluates a condition and remembers the result (Apigee X; api-management §9.5).

use std::sync::Arc;

use crate::condition::Condition;
use crate::exchange::Exchange;
use crate::policy::blueprint::Blueprint;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::variable::Stored;

/// Sets `assertcondition.<policy>.truthValue`; that a condition does not hold is no fault.
#[derive(Debug)]
pub(super) struct AssertCondition {
    /// `None` always holds.
    condition: Option<Condition>,
    variable: Arc<str>,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["Condition"]);
    let Some(element) = policy.root.child("Condition").filter(|element| !element.text().is_empty()) else {
        policy.problem(policy.root, "ConditionIsMissing", "AssertCondition needs a Condition");
        return None;
    };
    policy.only(element, &[], &[]);
    let condition = match Condition::parse(element.text()) {
        Ok(condition) => condition,
        Err(bad) => {
            policy.problem(element, "BadCondition", bad.to_string());
            return None;
        }
    };
    if let Some(condition) = &condition {
        condition.each_variable(&mut |variable| policy.reads.note(variable));
    }
    let variable = format!("assertcondition.{}.truthValue", policy.name).into();
    Some(Box::new(AssertCondition { condition, variable }))
}

impl Policy for AssertCondition {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        let holds = self.condition.as_ref().is_none_or(|condition| condition.holds(cx));
        cx.variables.set(&self.variable, Stored::Boolean(holds));
        PolicyRun::Done(Ok(Next::Continue))
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use crate::testing::*;

    #[test]
    fn the_truth_of_the_condition_is_remembered() {
        let condition = "(request.queryparam.n != null) and (request.queryparam.n GreaterThan 5)";
        let proxy =
            design().step(&format!("<AssertCondition><Condition>{condition}</Condition></AssertCondition>"));
        let bench = Bench::new(&proxy);
        for (path, truth) in [("/p?n=6", "true"), ("/p?n=5", "false"), ("/p", "false")] {
            let sent = bench.get(path);
            assert!(!sent.is_answered());
            assert_eq!(sent.var("assertcondition.s0.truthValue"), truth, "{path}");
        }
    }

    #[test]
    fn a_condition_on_the_body_has_it() {
        let proxy = design()
            .step("<AssertCondition><Condition>request.content = \"x\"</Condition></AssertCondition>");
        assert!(compiled(&proxy).endpoints[0].reads.request);
        let sent = Bench::new(&proxy).send(request(Method::POST, "/p", &[], "x"));
        assert_eq!(sent.var("assertcondition.s0.truthValue"), "true");
    }

    #[test]
    fn mistakes_are_found_at_deploy() {
        for (inside, rule) in [
            ("", "ConditionIsMissing"),
            ("<Condition/>", "ConditionIsMissing"),
            ("<Condition>a = </Condition>", "BadCondition"),
            ("<Condition>a</Condition><Nope/>", "UnknownElement"),
        ] {
            assert_eq!(problem_of(&format!("<AssertCondition>{inside}</AssertCondition>")), rule, "{inside}");
        }
    }
}
