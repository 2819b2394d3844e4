//! `DataCapture`: values for reports by data collector (Apigee X; api-management §9.5).

use std::sync::Arc;

use crate::analytics::{Collected, CollectedValue, MAX_TEXT};
use crate::condition::Lookup;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::{Compiled, Element, Next, Policy, PolicyRun};
use crate::variable::{Value, Variable};

/// Captures values of variables.
///
/// What is extracted from payloads, parameters or paths here is refused: an ExtractVariables before it does
/// that. Faults, both 500: `steps.datacapture.UnresolvedVariable`,
/// `steps.datacapture.VariableValueLimitExceeded` (only with `ThrowExceptionOnLimit`; else text is cut).
/// Unsourced: the codes.
#[derive(Debug)]
pub(super) struct DataCapture {
    name: Arc<str>,
    lenient: bool,
    strict_limit: bool,
    captures: Box<[Capture]>,
}

#[derive(Debug)]
struct Capture {
    collector: Arc<str>,
    variable: Variable,
    default: Option<Box<str>>,
}

const EXTRACTING: &[&str] =
    &["Source", "URIPath", "QueryParam", "Header", "FormParam", "JSONPayload", "XMLPayload"];

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["Capture", "IgnoreUnresolvedVariables", "ThrowExceptionOnLimit"]);
    let lenient = policy.flag_child(policy.root, "IgnoreUnresolvedVariables", false);
    let strict_limit = policy.flag_child(policy.root, "ThrowExceptionOnLimit", false);
    let root = policy.root;
    if root.child("Capture").is_none() {
        policy.problem(root, "CaptureIsMissing", "DataCapture needs a Capture");
    }
    let mut captures = Vec::new();
    for element in root.children("Capture") {
        policy.only(element, &[], &["Collect", "DataCollector"]);
        let extracts = element.child("Collect").and_then(|collect| {
            collect.children.iter().find(|child| EXTRACTING.contains(&child.name.as_str()))
        });
        if let Some(extracts) = extracts {
            let reason = format!("{} in Collect is not built; extract a variable before it", extracts.name);
            return policy.degrade(extracts, reason);
        }
        captures.extend(capture(policy, element));
    }
    let name = policy.name.clone();
    Some(Box::new(DataCapture { name, lenient, strict_limit, captures: captures.into() }))
}

fn capture<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<Capture> {
    let Some(collector) = element.child("DataCollector").filter(|name| !name.text().is_empty()) else {
        policy.problem(element, "DataCollectorIsMissing", "a Capture needs a DataCollector");
        return None;
    };
    policy.only(collector, &["scope"], &[]);
    let Some(collect) = element.child("Collect") else {
        policy.problem(element, "CollectIsMissing", "a Capture needs a Collect");
        return None;
    };
    policy.only(collect, &["ref", "default"], &[]);
    let Some(reference) = collect.attribute("ref") else {
        policy.problem(collect, "CollectIsMissing", "Collect needs a ref");
        return None;
    };
    let variable = policy.variable(collect, reference)?;
    let default = collect.attribute("default").map(Into::into);
    Some(Capture { collector: collector.text().into(), variable, default })
}

impl Policy for DataCapture {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.capture(cx).map(|()| Next::Continue))
    }
}

impl DataCapture {
    fn capture(&self, cx: &mut Exchange) -> Result<(), Fault> {
        let mut values = Vec::with_capacity(self.captures.len());
        for capture in &self.captures {
            let value = match (cx.value(&capture.variable), &capture.default) {
                (Value::Null, Some(default)) => Value::text(default),
                (Value::Null, None) if self.lenient => continue,
                (Value::Null, None) => {
                    let text =
                        format!("DataCapture[{}]: Unresolved variable : {}", self.name, capture.variable);
                    return Err(Fault::internal("steps.datacapture.UnresolvedVariable", text));
                }
                (value, _) => value,
            };
            if self.strict_limit && matches!(&value, Value::Text(text) if text.chars().count() > MAX_TEXT) {
                let text =
                    format!("DataCapture[{}]: {} is longer than {MAX_TEXT}", self.name, capture.variable);
                return Err(Fault::internal("steps.datacapture.VariableValueLimitExceeded", text));
            }
            values.extend(CollectedValue::of(value).map(|value| (capture.collector.clone(), value)));
        }
        cx.collect(Collected::Captured, values);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::analytics::CollectedValue;
    use crate::testing::*;

    fn capture(collect: &str, collector: &str) -> String {
        format!("<Capture><Collect {collect}/><DataCollector>{collector}</DataCollector></Capture>")
    }

    fn run(inside: &str, path: &str) -> (Sent, Bench) {
        let bench = Bench::new(&design().step(&format!("<DataCapture>{inside}</DataCapture>")));
        (bench.get(path), bench)
    }

    fn captured(inside: &str, path: &str) -> Vec<(String, CollectedValue)> {
        let (sent, bench) = run(inside, path);
        assert!(!sent.is_answered(), "{}", sent.body());
        drop(sent);
        let record = bench.analytics.records().remove(0);
        assert!(!record.message_id.is_empty());
        record.captured.iter().map(|(name, value)| (name.to_string(), value.clone())).collect()
    }

    #[test]
    fn variables_are_captured_by_collector() {
        let inside = [
            capture("ref=\"request.queryparam.n\" default=\"0\"", "dc_n"),
            capture("ref=\"request.queryparam.none\" default=\"0\"", "dc_default"),
            "<Capture><DataCollector scope=\"environment\">dc_port</DataCollector><Collect ref=\"client.port\"/></Capture>".into(),
            capture("ref=\"request.verb\"", "dc_n2"),
            capture("ref=\"request.queryparam.n\"", "dc_n2"),
        ]
        .concat();
        let text = |text: &str| CollectedValue::Text(text.to_owned());
        let expected = [
            ("dc_n", text("5")),
            ("dc_default", text("0")),
            ("dc_port", CollectedValue::Whole(4711)),
            ("dc_n2", text("5")),
        ];
        assert_eq!(captured(&inside, "/p?n=5"), expected.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn fault_unresolved_variable_unless_ignored() {
        let inside = capture("ref=\"none\"", "dc");
        let (sent, _) = run(&inside, "/p");
        assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.datacapture.UnresolvedVariable"));
        assert_eq!(sent.var("datacapture.s0.failed"), "true");
        let lenient = format!("{inside}<IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>");
        assert_eq!(captured(&lenient, "/p"), []);
    }

    #[test]
    fn fault_variable_value_limit_exceeded_when_asked_for() {
        let inside = capture("ref=\"request.queryparam.q\"", "dc");
        let path = format!("/p?q={}", "x".repeat(1001));
        let (sent, _) = run(&format!("<ThrowExceptionOnLimit>true</ThrowExceptionOnLimit>{inside}"), &path);
        assert_eq!(sent.code(), "steps.datacapture.VariableValueLimitExceeded");
        assert_eq!(captured(&inside, &path), [("dc".to_owned(), CollectedValue::Text("x".repeat(1000)))]);
    }

    #[test]
    fn extracting_is_named_as_what_cannot_run() {
        let xml = "<DataCapture><Capture><DataCollector>d</DataCollector><Collect><URIPath><Pattern>/{$}</Pattern></URIPath></Collect></Capture></DataCapture>";
        let proxy = compiled(&design().step(xml));
        assert_eq!(proxy.degradations.len(), 1);
        assert!(proxy.degradations[0].reason.contains("URIPath"));
    }

    #[test]
    fn mistakes_are_found_at_deploy() {
        for (inside, rule) in [
            (String::new(), "CaptureIsMissing"),
            ("<Capture><Collect ref=\"a\"/></Capture>".into(), "DataCollectorIsMissing"),
            ("<Capture><DataCollector>d</DataCollector></Capture>".into(), "CollectIsMissing"),
            (capture("default=\"a\"", "d"), "CollectIsMissing"),
            (capture("ref=\"a\" x=\"b\"", "d"), "UnknownAttribute"),
        ] {
            assert_eq!(problem_of(&format!("<DataCapture>{inside}</DataCapture>")), rule, "{inside}");
        }
    }
}
