//! Conditions that cannot hold, whatever the request: for checks of designs, not for running them.

use super::{Condition, Expression, Lookup, Operand, Operator};
use crate::variable::{Value, Variable};

/// Variables that steps hardly ever change between a flow's condition and those of its steps.
const STEADY: &[&str] = &["request.verb", "proxy.pathsuffix", "fault.name"];

impl Condition {
    /// Whether the condition contradicts itself: `x = "a" and x = "b"`, `request.verb = "GET" and false`. Not
    /// every contradiction is found.
    pub fn never_holds(&self) -> bool {
        never(&conjuncts(&self.expression), &|_| true)
    }

    /// Whether it contradicts the condition of the flow or rule around it. Only what is said of the verb, the
    /// path suffix and the fault's name counts: steps may change the rest on the way.
    pub fn never_holds_within(&self, around: &Self) -> bool {
        let mut both = conjuncts(&around.expression);
        both.extend(conjuncts(&self.expression));
        never(&both, &|variable| STEADY.contains(&variable.name()))
    }
}

/// The parts that must all hold.
fn conjuncts(expression: &Expression) -> Vec<&Expression> {
    match expression {
        Expression::All(all) => all.iter().flat_map(conjuncts).collect(),
        one => vec![one],
    }
}

fn never(all: &[&Expression], counts: &dyn Fn(&Variable) -> bool) -> bool {
    all.iter().any(|one| match one {
        Expression::Constant(value) => !value,
        Expression::Any(any) => any.iter().all(|branch| never(&conjuncts(branch), counts)),
        Expression::Compare(variable, Operator::Equals, operand)
            if counts(variable) && !matches!(operand, Operand::Variable(_)) =>
        {
            let known = Known { variable, operand };
            all.iter().any(|other| is_only_about(other, variable) && !other.holds(&known))
        }
        _ => false,
    })
}

fn is_only_about(expression: &Expression, variable: &Variable) -> bool {
    let mut only = true;
    expression.each_variable(&mut |read| only &= read.name() == variable.name());
    only
}

/// The one variable whose value is known.
struct Known<'c> {
    variable: &'c Variable,
    operand: &'c Operand,
}

impl Lookup for Known<'_> {
    fn value<'a>(&'a self, variable: &'a Variable) -> Value<'a> {
        if variable.name() == self.variable.name() { self.operand.value(&Nothing) } else { Value::Null }
    }
}

struct Nothing;

impl Lookup for Nothing {
    fn value<'a>(&'a self, _: &'a Variable) -> Value<'a> {
        Value::Null
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Condition {
        Condition::parse(text).unwrap().unwrap()
    }

    #[test]
    fn contradictions_are_found() {
        for never in [
            "false",
            "request.verb = \"GET\" and request.verb = \"POST\"",
            "x = null and x = \"a\"",
            "proxy.pathsuffix MatchesPath \"/a/**\" and proxy.pathsuffix = \"/b\"",
            "(x = \"a\" and x = \"b\") or false",
            "x = \"a\" and not (x = \"a\")",
            "x = 1 and x > 2",
            "a = b and x = \"a\" and (x = \"b\" or x = \"c\")",
        ] {
            assert!(parse(never).never_holds(), "{never}");
        }
    }

    #[test]
    fn what_may_hold_is_left_alone() {
        for may in [
            "request.verb = \"GET\" or request.verb = \"POST\"",
            "x = \"400\" and x = 400",
            "x = \"a\" and y = \"b\"",
            "x = y and x = \"a\"",
            "x != \"a\" and x != \"b\"",
            "(x = \"a\" or y = \"b\") and x = \"b\"",
        ] {
            assert!(!parse(may).never_holds(), "{may}");
        }
    }

    #[test]
    fn a_step_is_held_against_its_flow_by_what_does_not_change() {
        let flow = parse("(proxy.pathsuffix MatchesPath \"/a\") and (request.verb = \"GET\")");
        assert!(parse("request.verb = \"POST\"").never_holds_within(&flow));
        assert!(!parse("request.verb = \"GET\"").never_holds_within(&flow));
        assert!(!parse("mine = \"b\"").never_holds_within(&parse("mine = \"a\"")));
    }
}
