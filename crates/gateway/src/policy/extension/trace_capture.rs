//! `TraceCapture`: more variables for traces (Apigee X; api-management §9.1).

use std::sync::Arc;

use crate::analytics::{Collected, CollectedValue, MAX_TEXT};
use crate::condition::Lookup;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::{Compiled, Element, Next, Policy, PolicyRun};
use crate::variable::Variable;

/// Adds variables to what is recorded about an exchange.
///
/// Faults, both 500: `steps.tracecapture.UnresolvedVariable`, `steps.tracecapture.ValueLimitExceeded` (only
/// with `ThrowExceptionOnLimit`; else text is cut). Unsourced: the codes.
#[derive(Debug)]
pub(super) struct TraceCapture {
    name: Arc<str>,
    lenient: bool,
    strict_limit: bool,
    variables: Box<[Captured]>,
}

#[derive(Debug)]
struct Captured {
    name: Arc<str>,
    variable: Variable,
    default: Option<Box<str>>,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["Variables", "IgnoreUnresolvedVariables", "ThrowExceptionOnLimit"]);
    let lenient = policy.flag_child(policy.root, "IgnoreUnresolvedVariables", true);
    let strict_limit = policy.flag_child(policy.root, "ThrowExceptionOnLimit", false);
    let Some(list) = policy.root.child("Variables") else {
        policy.problem(policy.root, "VariablesAreMissing", "TraceCapture needs Variables");
        return None;
    };
    policy.only(list, &[], &["Variable"]);
    let variables: Vec<Captured> =
        list.children("Variable").filter_map(|element| captured(policy, element)).collect();
    let name = policy.name.clone();
    Some(Box::new(TraceCapture { name, lenient, strict_limit, variables: variables.into() }))
}

fn captured<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<Captured> {
    policy.only(element, &["name", "ref"], &[]);
    let (name, reference) = (element.attribute("name"), element.attribute("ref"));
    let (Some(name), Some(reference)) = (name, reference) else {
        policy.problem(element, "NameIsMissing", "a Variable needs a name and a ref");
        return None;
    };
    let variable = policy.variable(element, reference)?;
    if variable.is_private() {
        policy.problem(element, "PrivateVariable", format!("'{variable}' is never traced"));
    }
    let default = (!element.text().is_empty()).then(|| element.text().into());
    Some(Captured { name: name.into(), variable, default })
}

impl Policy for TraceCapture {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.capture(cx).map(|()| Next::Continue))
    }
}

impl TraceCapture {
    fn capture(&self, cx: &mut Exchange) -> Result<(), Fault> {
        let mut values = Vec::with_capacity(self.variables.len());
        for captured in &self.variables {
            let Some(text) = cx
                .value(&captured.variable)
                .into_text()
                .or_else(|| captured.default.as_deref().map(Into::into))
            else {
                if self.lenient {
                    continue;
                }
                let text =
                    format!("TraceCapture[{}]: Unresolved variable : {}", self.name, captured.variable);
                return Err(Fault::internal("steps.tracecapture.UnresolvedVariable", text));
            };
            if self.strict_limit && text.chars().count() > MAX_TEXT {
                let text =
                    format!("TraceCapture[{}]: {} is longer than {MAX_TEXT}", self.name, captured.variable);
                return Err(Fault::internal("steps.tracecapture.ValueLimitExceeded", text));
            }
            let value = CollectedValue::of(crate::variable::Value::Text(text));
            values.extend(value.map(|value| (captured.name.clone(), value)));
        }
        cx.collect(Collected::Traced, values);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::analytics::CollectedValue;
    use crate::testing::*;

    fn run(inside: &str, path: &str) -> (Sent, Bench) {
        let bench = Bench::new(&design().step(&format!("<TraceCapture>{inside}</TraceCapture>")));
        (bench.get(path), bench)
    }

    #[test]
    fn variables_are_recorded() {
        let (sent, bench) = run(
            "<Variables><Variable name=\"v\" ref=\"request.verb\"/><Variable name=\"q\" ref=\"request.queryparam.q\">none</Variable>\
             <Variable name=\"x\" ref=\"nothing\"/></Variables>",
            "/p",
        );
        drop(sent);
        let traced = bench.analytics.records()[0].traced.clone();
        let text = |text: &str| CollectedValue::Text(text.to_owned());
        assert_eq!(traced, [("v".into(), text("GET")), ("q".into(), text("none"))]);
    }

    #[test]
    fn fault_unresolved_variable_when_not_ignored() {
        let (sent, _) = run(
            "<IgnoreUnresolvedVariables>false</IgnoreUnresolvedVariables><Variables><Variable name=\"x\" ref=\"nothing\"/></Variables>",
            "/p",
        );
        assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.tracecapture.UnresolvedVariable"));
    }

    #[test]
    fn fault_value_limit_exceeded_when_asked_for() {
        let variables = "<Variables><Variable name=\"q\" ref=\"request.queryparam.q\"/></Variables>";
        let path = format!("/p?q={}", "x".repeat(1001));
        let (sent, _) =
            run(&format!("<ThrowExceptionOnLimit>true</ThrowExceptionOnLimit>{variables}"), &path);
        assert_eq!(sent.code(), "steps.tracecapture.ValueLimitExceeded");
        let (sent, bench) = run(variables, &path);
        drop(sent);
        assert_eq!(bench.analytics.records()[0].traced[0].1, CollectedValue::Text("x".repeat(1000)));
    }

    #[test]
    fn mistakes_are_found_at_deploy() {
        for (inside, rule) in [
            ("", "VariablesAreMissing"),
            ("<Variables><Variable name=\"x\"/></Variables>", "NameIsMissing"),
            ("<Variables><Variable name=\"x\" ref=\"private.a\"/></Variables>", "PrivateVariable"),
        ] {
            assert_eq!(problem_of(&format!("<TraceCapture>{inside}</TraceCapture>")), rule, "{inside}");
        }
    }
}
