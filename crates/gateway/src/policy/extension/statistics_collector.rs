//! `StatisticsCollector`: values for reports (api-management §9.6).

use std::sync::Arc;

use crate::analytics::{Collected, CollectedValue};
use crate::condition::Lookup;
use crate::dialect::Dialect;
use crate::exchange::Exchange;
use crate::policy::blueprint::Blueprint;
use crate::policy::{Compiled, Element, Next, Policy, PolicyRun};
use crate::variable::{Fact, Variable};

/// Collects values of variables; of several in an exchange the last one that runs decides.
///
/// A value that is not of its type, or a variable without value and default, is left out. In SAP's dialect
/// names get the prefix `custom_`. It raises no fault.
#[derive(Debug)]
pub(super) struct StatisticsCollector {
    statistics: Box<[Statistic]>,
}

#[derive(Debug)]
struct Statistic {
    name: Arc<str>,
    sap_name: Arc<str>,
    variable: Variable,
    kind: Kind,
    default: Option<Box<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Whole,
    Decimal,
    Boolean,
    /// That of the variable.
    Own,
}

/// Names that reports have themselves. Unsourced: all but `organization` and `environment`.
const RESERVED: &[&str] = &[
    "organization",
    "environment",
    "apiproxy",
    "apiproduct",
    "developer",
    "developer_app",
    "client_id",
    "request_uri",
    "response_status_code",
    "message_count",
];

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["Statistics"]);
    let Some(list) = policy.root.child("Statistics") else {
        policy.problem(policy.root, "StatisticsAreMissing", "StatisticsCollector needs Statistics");
        return None;
    };
    policy.only(list, &[], &["Statistic"]);
    let statistics: Vec<Statistic> =
        list.children("Statistic").filter_map(|element| statistic(policy, element)).collect();
    if list.child("Statistic").is_none() {
        policy.problem(list, "StatisticsAreMissing", "Statistics needs a Statistic");
    }
    Some(Box::new(StatisticsCollector { statistics: statistics.into() }))
}

fn statistic<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<Statistic> {
    policy.only(element, &["name", "ref", "type"], &[]);
    let name = element.attribute("name").unwrap_or_default().trim();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name || RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
        let message = format!(
            "'{name}' cannot be the name of a statistic: letters and digits, and none of reports' own"
        );
        policy.problem(element, "InvalidName", message);
    }
    let Some(reference) = element.attribute("ref").filter(|reference| !reference.trim().is_empty()) else {
        policy.problem(element, "RefIsMissing", "a Statistic needs a ref");
        return None;
    };
    let variable = policy.variable(element, reference)?;
    let kind = match element.attribute("type").map(str::to_ascii_lowercase).as_deref() {
        Some("string") => Kind::Text,
        Some("integer" | "long") => Kind::Whole,
        Some("float" | "double") => Kind::Decimal,
        Some("boolean") => Kind::Boolean,
        // Predefined variables have a type.
        None if Fact::named(variable.name()).is_some() || variable.is_of_message() => Kind::Own,
        None => {
            policy.problem(element, "DatatypeMissing", format!("the type of '{variable}' is not known"));
            return None;
        }
        Some(other) => {
            policy.problem(element, "UnsupportedDatatype", format!("there is no type '{other}'"));
            return None;
        }
    };
    let default = (!element.text().is_empty()).then(|| element.text().into());
    let sap_name = if name.starts_with("custom_") { name.into() } else { format!("custom_{name}").into() };
    Some(Statistic { name: name.into(), sap_name, variable, kind, default })
}

impl Policy for StatisticsCollector {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        let sap = cx.proxy().dialect == Dialect::Sap;
        let values = self.statistics.iter().filter_map(|statistic| {
            let name = if sap { &statistic.sap_name } else { &statistic.name };
            Some((name.clone(), statistic.value(cx)?))
        });
        let values = values.collect();
        cx.collect(Collected::Statistic, values);
        PolicyRun::Done(Ok(Next::Continue))
    }
}

impl Statistic {
    fn value(&self, cx: &Exchange) -> Option<CollectedValue> {
        let own = cx.value(&self.variable);
        if self.kind == Kind::Own && !own.is_null() {
            return CollectedValue::of(own);
        }
        let text = own.into_text().or_else(|| self.default.as_deref().map(Into::into))?;
        match self.kind {
            Kind::Whole => text.trim().parse().ok().map(CollectedValue::Whole),
            Kind::Decimal => text.trim().parse().ok().map(CollectedValue::Decimal),
            Kind::Boolean => text.trim().to_ascii_lowercase().parse().ok().map(CollectedValue::Boolean),
            Kind::Text | Kind::Own => CollectedValue::of(crate::variable::Value::Text(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analytics::CollectedValue::{Boolean, Decimal, Text, Whole};
    use crate::testing::*;

    fn collector(statistics: &str) -> String {
        format!("<StatisticsCollector><Statistics>{statistics}</Statistics></StatisticsCollector>")
    }

    fn collected(dialect: Dialect, steps: &[String], path: &str) -> Vec<(String, CollectedValue)> {
        let proxy = steps.iter().fold(design(), |design, xml| design.step(xml));
        let mut world = world();
        world.dialect = dialect;
        let compiled = crate::compile::compile(&proxy, "3", &world).unwrap_or_else(|bad| panic!("{bad:#?}"));
        let bench = Bench::on(crate::snapshot::Snapshot::empty("acme", "test").with_proxy(compiled).unwrap());
        let sent = bench.get(path);
        assert!(!sent.is_answered() && bench.analytics.records().is_empty(), "only the end records");
        drop(sent);
        let records = bench.analytics.records();
        assert_eq!(records.len(), 1);
        assert_eq!((&*records[0].proxy, &*records[0].revision, records[0].received), ("P", "3", NOW));
        records[0].statistics.iter().map(|(name, value)| (name.to_string(), value.clone())).collect()
    }

    #[test]
    fn values_of_variables_are_collected_with_their_type() {
        let values = collected(
            Dialect::Apigee,
            &[collector(
                "<Statistic name=\"productID\" ref=\"request.queryparam.id\" type=\"string\">999999</Statistic>\
                 <Statistic name=\"price\" ref=\"request.queryparam.price\" type=\"Double\">0</Statistic>\
                 <Statistic name=\"count\" ref=\"request.queryparam.count\" type=\"integer\">7</Statistic>\
                 <Statistic name=\"flag\" ref=\"request.queryparam.flag\" type=\"boolean\"/>\
                 <Statistic name=\"wrong\" ref=\"request.queryparam.id\" type=\"long\"/>\
                 <Statistic name=\"absent\" ref=\"request.queryparam.none\" type=\"string\"/>\
                 <Statistic name=\"port\" ref=\"client.port\"/>",
            )],
            "/p?id=x1&price=2.5&flag=True",
        );
        let expected = [
            ("productID", Text("x1".into())),
            ("price", Decimal(2.5)),
            ("count", Whole(7)),
            ("flag", Boolean(true)),
            ("port", Whole(4711)),
        ];
        assert_eq!(values, expected.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn the_last_one_that_runs_decides() {
        let one = |name: &str| {
            collector(&format!("<Statistic name=\"{name}\" ref=\"request.verb\" type=\"string\"/>"))
        };
        let values = collected(Dialect::Apigee, &[one("a"), one("b")], "/p");
        assert_eq!(values, [("b".to_owned(), Text("GET".into()))]);
    }

    #[test]
    fn sap_prefixes_names_and_long_texts_are_cut() {
        let step = collector("<Statistic name=\"clientIP\" ref=\"request.queryparam.x\" type=\"string\"/>");
        let values = collected(Dialect::Sap, &[step], &format!("/p?x={}", "é".repeat(2000)));
        assert_eq!(values, [("custom_clientIP".to_owned(), Text("é".repeat(1000)))]);
    }

    #[test]
    fn mistakes_are_found_at_deploy() {
        let one = |attributes: &str| collector(&format!("<Statistic {attributes}/>"));
        for (xml, rule) in [
            ("<StatisticsCollector/>".to_owned(), "StatisticsAreMissing"),
            (collector(""), "StatisticsAreMissing"),
            (one("name=\"a b\" ref=\"x\" type=\"string\""), "InvalidName"),
            (one("name=\"environment\" ref=\"x\" type=\"string\""), "InvalidName"),
            (one("name=\"a\" type=\"string\""), "RefIsMissing"),
            (one("name=\"a\" ref=\"x\""), "DatatypeMissing"),
            (one("name=\"a\" ref=\"x\" type=\"date\""), "UnsupportedDatatype"),
        ] {
            assert_eq!(problem_of(&xml), rule, "{xml}");
        }
    }
}
