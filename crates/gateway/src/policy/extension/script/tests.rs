use crate::compile::{World, compile};
use crate::testing::*;

const XML: &str = "<Script timeLimit='200'><ResourceURL>py://sign.py</ResourceURL></Script>";

fn python(text: &str) -> Bench {
    Bench::new(&design().resource("py", "sign.py", text).step(XML))
}

#[test]
fn python_reads_and_sets_variables_and_headers() {
    let text = "import base64\n\nparts = flow.getVariable('request.header.authorization').split(' ')\nif len(parts) == 2 and parts[0] == 'Basic':\n\tuser, password = base64.b64decode(parts[1]).split(':')\n\tflow.setVariable('user', user)\n\trequest.setVariable('header.x-user', user.upper())\nflow.setVariable('n', 7 / 2)\nprint 'done'\n";
    let sent = python(text).send(request(
        http::Method::GET,
        "/p",
        &[("authorization", "Basic YWxpY2U6c2VjcmV0")],
        "",
    ));
    assert_eq!(
        (sent.var("user"), sent.header("x-user"), sent.var("n")),
        ("alice".into(), "ALICE".into(), "3".into())
    );
}

#[test]
fn python_includes_come_first_and_lines_are_those_of_the_file() {
    let design = design()
        .resource("py", "lib.py", "def twice(x):\n    return x * 2\n")
        .resource("py", "main.py", "flow.setVariable('out', twice('a'))\n\nflow.setVariable('x', nobody)\n")
        .step("<Script><IncludeURL>py://lib.py</IncludeURL><ResourceURL>py://main.py</ResourceURL></Script>");
    let sent = Bench::new(&design).get("/p");
    assert_eq!(sent.var("out"), "aa");
    assert_eq!((sent.status(), sent.code()), (500, "steps.script.ScriptEvaluationFailed".into()));
    assert!(
        sent.body().contains("name 'nobody' is not defined") && sent.body().contains("main.py:3"),
        "{}",
        sent.body()
    );
}

#[test]
fn fault_script_evaluation_failed_for_what_is_raised_and_for_a_loop_without_end() {
    for (text, part) in [
        ("raise ValueError('no')", "no"),
        ("1 / 0", "division"),
        ("while True: pass", "exceeded limit of 200ms"),
    ] {
        let sent = python(text).get("/p");
        assert_eq!(
            (sent.status(), sent.code()),
            (500, "steps.script.ScriptEvaluationFailed".into()),
            "{text}"
        );
        assert!(sent.body().contains(part), "{}", sent.body());
        assert_eq!(sent.var("script.s0.failed"), "true");
    }
}

#[test]
fn python_reads_a_body_that_it_names() {
    let bench = python(
        "import json\nd = json.loads(flow.getVariable('request.content'))\nd['b'] = [1.5, None, True]\nflow.setVariable('request.content', json.dumps(d))",
    );
    let sent = bench.send(request(http::Method::POST, "/p", &[], "{\"a\": 1}"));
    let body = String::from_utf8_lossy(sent.cx.request.body.bytes()).into_owned();
    assert_eq!(body, "{\"a\": 1, \"b\": [1.5, null, true]}");
}

#[test]
fn python_beyond_what_is_understood_degrades_the_proxy_and_names_the_line() {
    for (text, part) in [
        ("x = 1\nimport os", "line 2: Python's module os"),
        ("class A: pass", "line 1: Python's class"),
        ("x = (", "line 1: "),
    ] {
        let design = design().resource("py", "sign.py", text).step(XML);
        let proxy = compiled(&design);
        assert!(proxy.is_degraded());
        let reason = &proxy.degradations[0].reason;
        assert!(reason.contains(part) && reason.contains("jsc://sign.py.js"), "{reason}");
        let sent = Bench::new(&design).get("/p");
        assert_eq!((sent.status(), sent.var("script.s0.failed").as_str()), (501, "true"));
    }
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
        ("<Script><ResourceURL>py://none.py</ResourceURL></Script>", "NoResourceForURL"),
    ] {
        assert_eq!(problem_of(xml), rule, "{xml}");
    }
    let xml = "<Script><Source>x</Source><ResourceURL>py://a.py</ResourceURL></Script>";
    assert_eq!(problems(&design().resource("py", "a.py", "pass").policy("X", xml))[0].rule, "UnknownElement");
}
