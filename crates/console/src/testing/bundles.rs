//! Small bundles for tests.

use pierhead_bundle::{Files, write_archive};

fn proxy(steps: &str, policies: &[(&str, &str)]) -> Vec<u8> {
    let mut files = Files::default();
    files.insert("apiproxy/Hello.xml", "<APIProxy name=\"Hello\" revision=\"1\"/>");
    files.insert(
        "apiproxy/proxies/default.xml",
        format!(
            "<ProxyEndpoint name=\"default\"><PreFlow name=\"PreFlow\"><Request>{steps}</Request></PreFlow>\
             <Flows><Flow name=\"Reads\"><Condition>request.verb = \"GET\"</Condition><Request/><Response/></Flow></Flows>\
             <HTTPProxyConnection><BasePath>/hello</BasePath></HTTPProxyConnection>\
             <RouteRule name=\"none\"/></ProxyEndpoint>"
        ),
    );
    for (name, xml) in policies {
        files.insert(format!("apiproxy/policies/{name}.xml"), *xml);
    }
    write_archive(&files).unwrap()
}

const STEP: &str = "<Step><Name>Greet</Name><Condition>request.verb = \"GET\"</Condition></Step>";

/// A proxy that runs; `value` tells one from another.
pub(crate) fn hello(value: &str) -> Vec<u8> {
    let xml = format!(
        "<AssignMessage name=\"Greet\">\n<AssignVariable><Name>a</Name><Value>{value}</Value></AssignVariable>\n</AssignMessage>"
    );
    proxy(STEP, &[("Greet", &xml)])
}

/// One whose policy has an element that it may not have, in line 2.
pub(crate) fn broken() -> Vec<u8> {
    proxy(STEP, &[("Greet", "<AssignMessage name=\"Greet\">\n<Colour/>\n</AssignMessage>")])
}

/// One with a step that does not run here.
pub(crate) fn degraded() -> Vec<u8> {
    let java = "<JavaCallout name=\"Greet\"><ClassName>a.B</ClassName><ResourceURL>java://a.jar</ResourceURL></JavaCallout>";
    proxy(STEP, &[("Greet", java)])
}

/// A shared flow with one step.
pub(crate) fn guard() -> Vec<u8> {
    let mut files = Files::default();
    files.insert("sharedflowbundle/Guard.xml", "<SharedFlowBundle name=\"Guard\" revision=\"1\"/>");
    files.insert(
        "sharedflowbundle/sharedflows/default.xml",
        "<SharedFlow name=\"default\"><Step><Name>Stop</Name></Step></SharedFlow>",
    );
    files.insert("sharedflowbundle/policies/Stop.xml", "<RaiseFault name=\"Stop\"/>");
    write_archive(&files).unwrap()
}

/// A proxy with every part: two targets, conditions, fault rules, a script.
pub(crate) fn whole() -> Vec<u8> {
    let mut files = Files::default();
    let step = |name: &str| format!("<Step><Name>{name}</Name></Step>");
    files.insert("apiproxy/Whole.xml", "<APIProxy name=\"Whole\" revision=\"1\"/>");
    let proxy = format!(
        "<ProxyEndpoint name=\"default\">\n<PreFlow name=\"PreFlow\"><Request>{}</Request></PreFlow>\n\
         <Flows><Flow name=\"Reads\"><Condition>request.verb = \"GET\"</Condition><Request>{}</Request></Flow></Flows>\n\
         <PostClientFlow><Response>{}</Response></PostClientFlow>\n\
         <FaultRules><FaultRule name=\"Slow\"><Condition>fault.name = \"SpikeArrestViolation\"</Condition>{}</FaultRule></FaultRules>\n\
         <HTTPProxyConnection><BasePath>/whole</BasePath></HTTPProxyConnection>\n\
         <RouteRule name=\"special\"><Condition>target.header = 1</Condition><TargetEndpoint>other</TargetEndpoint></RouteRule>\n\
         <RouteRule name=\"usual\"><TargetEndpoint>default</TargetEndpoint></RouteRule></ProxyEndpoint>",
        step("Verify"),
        step("Script"),
        step("Log"),
        step("Stop"),
    );
    files.insert("apiproxy/proxies/default.xml", proxy);
    for (name, host) in [("default", "backend.example"), ("other", "other.example")] {
        let xml = format!(
            "<TargetEndpoint name=\"{name}\"><HTTPTargetConnection><URL>https://{host}/v1</URL></HTTPTargetConnection></TargetEndpoint>"
        );
        files.insert(format!("apiproxy/targets/{name}.xml"), xml);
    }
    for (name, xml) in [
        ("Verify", "<VerifyAPIKey name=\"Verify\"><APIKey ref=\"request.header.apikey\"/></VerifyAPIKey>"),
        ("Script", "<Javascript name=\"Script\"><ResourceURL>jsc://a.js</ResourceURL></Javascript>"),
        (
            "Log",
            "<MessageLogging name=\"Log\"><Syslog><Message>{request.verb}</Message><Host>logs.example</Host><Port>514</Port></Syslog></MessageLogging>",
        ),
        ("Stop", "<RaiseFault name=\"Stop\"/>"),
        ("Spare", "<RaiseFault name=\"Spare\"/>"),
    ] {
        files.insert(format!("apiproxy/policies/{name}.xml"), xml);
    }
    files.insert("apiproxy/resources/jsc/a.js", "var a = 1;");
    write_archive(&files).unwrap()
}
