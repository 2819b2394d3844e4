use crate::compile::{World, compile};
use crate::testing::*;

const XML: &str = "<Script timeLimit='200'><ResourceURL>py://sign.py</ResourceURL></Script>";

#[test]
fn python_degrades_the_proxy_and_says_what_would_help() {
    let proxy = compiled(&design().resource("py", "sign.py", "print 'x'").step(XML));
    assert!(proxy.is_degraded());
    let reason = &proxy.degradations[0].reason;
    assert!(reason.contains("Python") && reason.contains("jsc://sign.py.js"), "{reason}");
    let sent = Bench::new(&design().step(XML)).get("/p");
    assert_eq!((sent.status(), sent.var("script.s0.failed").as_str()), (501, "true"));
}

#[test]
fn a_script_of_the_bundle_takes_the_place_of_python() {
    let design = design().resource("jsc", "sign.py.js", "context.setVariable('out', 'signed')").step(XML);
    assert!(!compiled(&design).is_degraded());
    assert_eq!(Bench::new(&design).get("/p").var("out"), "signed");
}

#[test]
fn a_script_of_the_operator_takes_the_place_of_python() {
    let mut world = world();
    world.substitutes.insert("sign.py".into(), "context.setVariable('out', 'given')".into());
    let proxy = compile(&design().step(XML), "1", &World { ..world }).unwrap();
    assert!(!proxy.is_degraded());
    let bench = Bench::on(crate::snapshot::Snapshot::empty("acme", "test").with_proxy(proxy).unwrap());
    assert_eq!(bench.get("/p").var("out"), "given");
}

#[test]
fn javascript_in_a_script_policy_runs_as_such() {
    let design = design()
        .resource("js", "lib.js", "function out() { return 'ran' }")
        .resource("js", "main.js", "context.setVariable('out', out())")
        .step("<Script><IncludeURL>js://lib.js</IncludeURL><ResourceURL>js://main.js</ResourceURL></Script>");
    assert_eq!(Bench::new(&design).get("/p").var("out"), "ran");
}

#[test]
fn mistakes_in_the_policy_are_told_with_their_rules() {
    for (xml, rule) in [
        ("<Script/>", "NoResourceForURL"),
        ("<Script><ResourceURL>sign.py</ResourceURL></Script>", "InvalidResourceUrlFormat"),
        ("<Script><ResourceURL>py://</ResourceURL></Script>", "InvalidResourceUrlReference"),
        ("<Script><ResourceURL>xsl://a</ResourceURL></Script>", "WrongResourceType"),
        ("<Script><ResourceURL>jsc://none.js</ResourceURL></Script>", "NoResourceForURL"),
        ("<Script><Source>x</Source><ResourceURL>py://a.py</ResourceURL></Script>", "UnknownElement"),
    ] {
        assert_eq!(problem_of(xml), rule, "{xml}");
    }
}
