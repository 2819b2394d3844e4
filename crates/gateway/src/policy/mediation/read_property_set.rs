//! `ReadPropertySet`: properties into variables (Apigee X; api-management §9.5).

use std::borrow::Cow;
use std::sync::Arc;

use crate::condition::Lookup;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::{Compiled, Element, Next, Policy, PolicyRun};
use crate::variable::{Stored, Variable};

/// Sets variables to properties whose names may come from variables.
///
/// Faults, both 500: `steps.readpropertyset.UnresolvedVariable` (no such property and no default),
/// `steps.readpropertyset.SetVariableFailed`. Unsourced: the codes.
#[derive(Debug)]
pub(super) struct ReadPropertySet {
    name: Arc<str>,
    lenient: bool,
    reads: Box<[Read]>,
}

#[derive(Debug)]
struct Read {
    set: Name,
    key: Name,
    to: Variable,
    default: Option<Box<str>>,
}

/// A reference that wins when it has a value, and a literal.
#[derive(Debug)]
struct Name {
    reference: Option<Variable>,
    literal: Box<str>,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["Read", "IgnoreUnresolvedVariables"]);
    let lenient = policy.flag_child(policy.root, "IgnoreUnresolvedVariables", false);
    let root = policy.root;
    let reads: Vec<Read> = root.children("Read").filter_map(|element| read(policy, element)).collect();
    if root.child("Read").is_none() {
        policy.problem(root, "ReadIsMissing", "ReadPropertySet needs a Read");
    }
    Some(Box::new(ReadPropertySet { name: policy.name.clone(), lenient, reads: reads.into() }))
}

fn read<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<Read> {
    policy.only(element, &[], &["Name", "Key", "AssignTo", "DefaultValue"]);
    let (set, key) = (name(policy, element, "Name"), name(policy, element, "Key"));
    let Some(to) = element.child("AssignTo").filter(|to| !to.text().is_empty()) else {
        policy.problem(element, "AssignToIsMissing", "Read needs an AssignTo");
        return None;
    };
    let default = element.child("DefaultValue").map(|value| value.text().into());
    Some(Read { set: set?, key: key?, to: policy.variable(to, to.text())?, default })
}

fn name<'d>(policy: &mut Blueprint<'d>, element: &'d Element, child: &str) -> Option<Name> {
    let Some(name) = element.child(child) else {
        policy.problem(element, "NameIsMissing", format!("Read needs a {child}"));
        return None;
    };
    policy.only(name, &["ref"], &[]);
    let reference = name.attribute("ref").and_then(|reference| policy.variable(name, reference));
    if reference.is_none() && name.text().is_empty() {
        policy.problem(name, "NameIsMissing", format!("{child} is empty"));
    }
    Some(Name { reference, literal: name.text().into() })
}

impl Policy for ReadPropertySet {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.reads.iter().try_for_each(|read| self.read(cx, read)).map(|()| Next::Continue))
    }
}

impl ReadPropertySet {
    fn read(&self, cx: &mut Exchange, read: &Read) -> Result<(), Fault> {
        let (set, key) = (read.set.value(cx), read.key.value(cx));
        let found = cx.property(|sets| sets.get(&set, &key)).map(Stored::from);
        let Some(value) = found.or_else(|| read.default.as_deref().map(Stored::from)) else {
            if self.lenient {
                return Ok(());
            }
            let text =
                format!("ReadPropertySet[{}]: Unresolved variable : propertyset.{set}.{key}", self.name);
            return Err(Fault::internal("steps.readpropertyset.UnresolvedVariable", text));
        };
        cx.set(&read.to, Some(value)).map_err(|why| {
            let text = format!("ReadPropertySet[{}]: Failed to set variable {}: {why}", self.name, read.to);
            Fault::internal("steps.readpropertyset.SetVariableFailed", text)
        })
    }
}

impl Name {
    fn value(&self, cx: &Exchange) -> String {
        let referred = self.reference.as_ref().and_then(|reference| cx.value(reference).into_text());
        referred.map_or_else(|| self.literal.to_string(), Cow::into_owned)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::design::{FileResource, ProxyDesign};
    use crate::property_set::{PropertySet, PropertySets};
    use crate::snapshot::Snapshot;
    use crate::testing::*;

    fn with_properties(mut design: ProxyDesign) -> ProxyDesign {
        design.resources.push(FileResource {
            name: "mine.properties".into(),
            kind: "properties".into(),
            content: "foo=bar\nn = 5\n".into(),
            binary: false,
        });
        design
    }

    fn run(inside: &str, path: &str) -> Sent {
        let proxy = design().step(&format!("<ReadPropertySet>{inside}</ReadPropertySet>"));
        Bench::new(&with_properties(proxy)).get(path)
    }

    #[test]
    fn properties_are_put_into_variables() {
        let sent = run(
            "<Read><Name>mine</Name><Key>foo</Key><AssignTo>flow.x</AssignTo></Read>\
             <Read><Name ref=\"request.queryparam.set\">none</Name><Key ref=\"request.queryparam.key\">none</Key><AssignTo>flow.y</AssignTo></Read>\
             <Read><Name ref=\"nothing\">mine</Name><Key>n</Key><AssignTo>flow.z</AssignTo></Read>",
            "/p?set=mine&key=n",
        );
        assert_eq!([sent.var("flow.x"), sent.var("flow.y"), sent.var("flow.z")], ["bar", "5", "5"]);
    }

    #[test]
    fn a_default_stands_in() {
        let sent = run(
            "<Read><Name>mine</Name><Key>no</Key><AssignTo>x</AssignTo><DefaultValue>d</DefaultValue></Read>",
            "/p",
        );
        assert_eq!(sent.var("x"), "d");
    }

    #[test]
    fn fault_unresolved_variable_unless_ignored() {
        let read = "<Read><Name>mine</Name><Key>no</Key><AssignTo>x</AssignTo></Read>";
        let sent = run(read, "/p");
        assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.readpropertyset.UnresolvedVariable"));
        assert!(sent.body().contains("propertyset.mine.no"), "{}", sent.body());
        assert_eq!(sent.var("readpropertyset.s0.failed"), "true");
        let sent = run(&format!("{read}<IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>"), "/p");
        assert!(!sent.is_answered());
        assert_eq!(sent.var("x"), "null");
    }

    #[test]
    fn fault_set_variable_failed() {
        let sent = run("<Read><Name>mine</Name><Key>foo</Key><AssignTo>proxy.name</AssignTo></Read>", "/p");
        assert_eq!(sent.code(), "steps.readpropertyset.SetVariableFailed");
    }

    #[test]
    fn properties_are_variables() {
        let proxy = with_properties(design().step(
            "<AssignMessage><AssignVariable><Name>x</Name><Template>{propertyset.mine.foo}-{propertyset.mine.no}</Template></AssignVariable>\
             <IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables></AssignMessage>",
        ));
        let mut world = world_on(Snapshot::empty("acme", "test"));
        let set = |text: &str| PropertySet::parse(text);
        world.property_sets =
            PropertySets::default().with("mine", set("foo=hidden")).with("env", set("a.b=c"));
        let compiled = crate::compile::compile(&proxy, "1", &world).unwrap();
        let sent = Bench::on(Snapshot::empty("acme", "test").with_proxy(compiled).unwrap()).get("/p");
        assert_eq!(sent.var("x"), "bar-");
        for (name, value) in
            [("propertyset.mine.n", "5"), ("propertyset.env.a.b", "c"), ("propertyset.env.x", "null")]
        {
            assert_eq!(sent.var(name), value, "{name}");
        }
        let mut cx = sent.cx;
        assert!(cx.set(&crate::variable::Variable::new("propertyset.mine.foo"), Some("x".into())).is_err());
    }

    #[test]
    fn a_shared_flow_reads_its_own_properties_first() {
        let mut flow = crate::design::SharedFlowDesign { name: "sf".into(), ..Default::default() };
        let xml = "<AssignMessage><AssignVariable><Name>x</Name><Template>{propertyset.mine.foo}{propertyset.mine.n}</Template></AssignVariable>\
                   <IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables></AssignMessage>";
        flow.policies.push(crate::design::PolicyText {
            name: "a".into(),
            kind: "AssignMessage".into(),
            xml: xml.into(),
            fixed: false,
        });
        flow.steps.push(step("a"));
        flow.resources.push(FileResource {
            name: "mine.properties".into(),
            kind: "properties".into(),
            content: "foo=own".into(),
            binary: false,
        });
        let running = Snapshot::empty("acme", "test");
        let compiled = crate::compile::compile_shared_flow(&flow, "1", &world_on(running.clone())).unwrap();
        let running = running.with_shared_flow(compiled);
        let proxy = with_properties(
            design().step("<FlowCallout><SharedFlowBundle>sf</SharedFlowBundle></FlowCallout>"),
        );
        let world = crate::compile::World { running: Arc::new(running.clone()), ..world() };
        let proxy = crate::compile::compile(&proxy, "1", &world).unwrap();
        let sent = Bench::on(running.with_proxy(proxy).unwrap()).get("/p");
        assert_eq!(sent.var("x"), "own5");
    }

    #[test]
    fn mistakes_are_found_at_deploy() {
        for (inside, rule) in [
            ("", "ReadIsMissing"),
            ("<Read><Key>k</Key><AssignTo>x</AssignTo></Read>", "NameIsMissing"),
            ("<Read><Name/><Key>k</Key><AssignTo>x</AssignTo></Read>", "NameIsMissing"),
            ("<Read><Name>n</Name><AssignTo>x</AssignTo></Read>", "NameIsMissing"),
            ("<Read><Name>n</Name><Key>k</Key></Read>", "AssignToIsMissing"),
            ("<Read><Name>n</Name><Key>k</Key><AssignTo>a b</AssignTo></Read>", "InvalidVariableName"),
        ] {
            assert_eq!(problem_of(&format!("<ReadPropertySet>{inside}</ReadPropertySet>")), rule, "{inside}");
        }
    }
}
