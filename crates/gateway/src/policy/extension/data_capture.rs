//! `DataCapture`: values for reports by data collector (Apigee X; api-management §9.5).

mod collect;

use std::fmt;
use std::sync::Arc;

use self::collect::Part;

use crate::analytics::{Collected, CollectedValue, MAX_TEXT};
use crate::condition::Lookup;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::{Compiled, Element, Next, Policy, PolicyRun};
use crate::variable::{Value, Variable};

/// Captures values of variables.
///
/// A value is a variable, or a part of a message: of its path, parameters, headers or payload. Faults, both 500: `steps.datacapture.UnresolvedVariable`,
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
    of: Of,
    default: Option<Box<str>>,
}

#[derive(Debug)]
enum Of {
    Variable(Variable),
    Part(Part),
}

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(variable) => variable.fmt(f),
            Self::Part(_) => f.write_str("what Collect extracts"),
        }
    }
}

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
    policy.only(collect, &["ref", "default"], &[&["Source"], collect::PLACES].concat());
    let extracts = collect.children.iter().any(|child| collect::PLACES.contains(&child.name.as_str()));
    let of = match collect.attribute("ref") {
        Some(_) if extracts => {
            policy.problem(collect, "RepeatedElement", "Collect has a ref or a place, not both");
            return None;
        }
        Some(reference) => Of::Variable(policy.variable(collect, reference)?),
        None if extracts => Of::Part(collect::read(policy, collect)?),
        None => {
            policy.problem(
                collect,
                "CollectIsMissing",
                "Collect needs a ref, or a place to take the value from",
            );
            return None;
        }
    };
    let default = collect.attribute("default").map(Into::into);
    Some(Capture { collector: collector.text().into(), of, default })
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
            let found = match &capture.of {
                Of::Variable(variable) => cx.value(variable),
                Of::Part(part) => part.value(cx).map_or(Value::Null, Value::owned),
            };
            let value = match (found, &capture.default) {
                (Value::Null, Some(default)) => Value::text(default),
                (Value::Null, None) if self.lenient => continue,
                (Value::Null, None) => {
                    let text = format!("DataCapture[{}]: Unresolved variable : {}", self.name, capture.of);
                    return Err(Fault::internal("steps.datacapture.UnresolvedVariable", text));
                }
                (value, _) => value,
            };
            if self.strict_limit && matches!(&value, Value::Text(text) if text.chars().count() > MAX_TEXT) {
                let text = format!("DataCapture[{}]: {} is longer than {MAX_TEXT}", self.name, capture.of);
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

    fn collecting(place: &str) -> String {
        format!("<Capture><Collect>{place}</Collect><DataCollector>d</DataCollector></Capture>")
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

    fn extracted(collect: &str, message: crate::exchange::Message) -> Option<String> {
        let xml = format!(
            "<DataCapture><IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables><Capture><Collect>{collect}</Collect><DataCollector>dc</DataCollector></Capture></DataCapture>"
        );
        let bench = Bench::new(&design().step(&xml));
        let sent = bench.send(message);
        assert!(!sent.is_answered(), "{}", sent.body());
        drop(sent);
        let records = bench.analytics.records();
        let captured = records.first().and_then(|record| record.captured.first().cloned());
        captured.map(|(_, value)| match value {
            CollectedValue::Text(text) => text,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn values_are_taken_from_path_parameters_and_headers() {
        let headers =
            [("authorization", "Bearer abc"), ("content-type", "application/x-www-form-urlencoded")];
        for (collect, value) in [
            ("<URIPath><Pattern>/{$}/x</Pattern><Pattern>/orders/{$}/*</Pattern></URIPath>", Some("7")),
            ("<URIPath><Pattern ignoreCase=\"true\">/ORDERS/{$}/lines</Pattern></URIPath>", Some("7")),
            ("<URIPath><Pattern>/ORDERS/{$}/lines</Pattern></URIPath>", None),
            (
                "<Source>request</Source><QueryParam name=\"code\"><Pattern>DB{$}</Pattern></QueryParam>",
                Some("42"),
            ),
            ("<QueryParam name=\"none\"><Pattern>{$}</Pattern></QueryParam>", None),
            ("<Header name=\"Authorization\"><Pattern>Bearer {$}</Pattern></Header>", Some("abc")),
            ("<FormParam name=\"greeting\"><Pattern>hello {$}</Pattern></FormParam>", Some("you")),
        ] {
            let message =
                request(http::Method::POST, "/p/orders/7/lines?code=DB42", &headers, "greeting=hello+you");
            assert_eq!(extracted(collect, message).as_deref(), value, "{collect}");
        }
    }

    #[test]
    fn values_are_taken_from_payloads() {
        let json = "{\"book\": [{\"title\": \"a\"}], \"n\": 5}";
        let xml = "<a:o xmlns:a=\"urn:a\"><a:n>7</a:n></a:o>";
        for (collect, body, value) in [
            ("<JSONPayload><JSONPath>$.book[0].title</JSONPath></JSONPayload>", json, Some("a")),
            ("<JSONPayload><JSONPath>$.n</JSONPath></JSONPayload>", json, Some("5")),
            ("<JSONPayload><JSONPath>$.none</JSONPath></JSONPayload>", json, None),
            ("<JSONPayload><JSONPath>$.n</JSONPath></JSONPayload>", "{", None),
            (
                "<XMLPayload><Namespaces><Namespace prefix=\"p\">urn:a</Namespace></Namespaces><XPath>/p:o/p:n</XPath></XMLPayload>",
                xml,
                Some("7"),
            ),
            ("<XMLPayload><XPath>/none</XPath></XMLPayload>", xml, None),
        ] {
            let message = request(http::Method::POST, "/p", &[], body);
            assert_eq!(extracted(collect, message).as_deref(), value, "{collect}");
        }
    }

    #[test]
    fn a_place_without_a_value_has_the_default_or_is_a_fault() {
        let of = |attributes: &str| {
            format!(
                "<Capture><Collect {attributes}><URIPath><Pattern>/none/{{$}}</Pattern></URIPath></Collect><DataCollector>dc</DataCollector></Capture>"
            )
        };
        assert_eq!(
            captured(&of("default=\"d\""), "/p"),
            [("dc".to_owned(), CollectedValue::Text("d".into()))]
        );
        assert_eq!(run(&of(""), "/p").0.code(), "steps.datacapture.UnresolvedVariable");
    }

    #[test]
    fn mistakes_are_found_at_deploy() {
        for (inside, rule) in [
            (String::new(), "CaptureIsMissing"),
            ("<Capture><Collect ref=\"a\"/></Capture>".into(), "DataCollectorIsMissing"),
            ("<Capture><DataCollector>d</DataCollector></Capture>".into(), "CollectIsMissing"),
            (capture("default=\"a\"", "d"), "CollectIsMissing"),
            (capture("ref=\"a\" x=\"b\"", "d"), "UnknownAttribute"),
            (collecting("<URIPath><Pattern>/a</Pattern></URIPath>"), "PatternWithoutVariable"),
            (collecting("<URIPath/>"), "NoPattern"),
            (collecting("<Header><Pattern>{$}</Pattern></Header>"), "MissingName"),
            (collecting("<JSONPayload/>"), "NoJSONPathsToEvaluate"),
            (collecting("<JSONPayload><JSONPath>$[</JSONPath></JSONPayload>"), "JSONPathCompilationFailed"),
            (collecting("<XMLPayload/>"), "NoXPathsToEvaluate"),
            (
                collecting(
                    "<URIPath><Pattern>{$}</Pattern></URIPath><URIPath><Pattern>{$}</Pattern></URIPath>",
                ),
                "RepeatedElement",
            ),
        ] {
            assert_eq!(problem_of(&format!("<DataCapture>{inside}</DataCapture>")), rule, "{inside}");
        }
    }
}
