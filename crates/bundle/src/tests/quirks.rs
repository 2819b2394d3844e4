//! The quirks of real bundles (api-management §1–3).

use pierhead_gateway::design::{Destination, HealthProbe};
use pierhead_gateway::dialect::Dialect;

use super::*;

const SAP_ROOT: &str = "<APIProxy><name>Orders</name><title>T</title><description>&lt;p&gt;a &amp;amp; b&lt;/p&gt;</description><service_code>ODATA</service_code><life_cycle><created_by>I</created_by></life_cycle></APIProxy>";

fn steps(steps: &[pierhead_gateway::design::Step]) -> Vec<&str> {
    steps.iter().map(|step| step.policy.as_str()).collect()
}

fn sap(endpoint: &str, target: &str) -> Bundle {
    bundle(&[
        ("APIProxy/Orders.xml", SAP_ROOT),
        ("APIProxy/APIProxyEndPoint/default.xml", endpoint),
        ("APIProxy/APITargetEndPoint/default.xml", target),
    ])
}

#[test]
fn steps_rules_and_flows_are_ordered_by_their_sequence() {
    let read = sap(
        "<ns:ProxyEndPoint xmlns:ns=\"http://www.sap.com/apimgmt\" default=\"true\"><ns:name>default</ns:name><base_path>/o</base_path>
         <routeRules>
           <routeRule><name>last</name><targetEndPointName>default</targetEndPointName><sequence>2</sequence><faultRules/></routeRule>
           <routeRule><name>null</name><conditions>request.verb = \"OPTIONS\"</conditions><sequence>1</sequence></routeRule>
         </routeRules>
         <preFlow><name>PreFlow</name><request><isRequest>true</isRequest><steps>
           <step><policy_name>c</policy_name><condition/><sequence>10</sequence></step>
           <step><policy_name>a</policy_name><condition> </condition><sequence>1</sequence></step>
           <step><policy_name>b</policy_name><condition> x = \"1\" </condition><sequence>2</sequence></step>
         </steps></request></preFlow>
         <conditionalFlows>
           <conditionalFlow><name>two</name><conditions>(a)AND(b)</conditions><sequence>2</sequence></conditionalFlow>
           <conditionalFlow><name>one</name><conditions>a</conditions><sequence>1</sequence></conditionalFlow>
         </conditionalFlows></ns:ProxyEndPoint>",
        "<TargetEndPoint><name>default</name><url>https://a.test/x</url><provider_id>NONE</provider_id><isDefault>true</isDefault></TargetEndPoint>",
    );

    let endpoint = &proxy(&read).proxy_endpoints[0];

    assert_eq!(steps(&endpoint.flows.pre.request), ["a", "b", "c"]);
    assert_eq!(endpoint.flows.pre.request[1].condition, "x = \"1\"");
    assert_eq!(endpoint.routes[0].target, None, "a rule without a target is the null route");
    assert_eq!(endpoint.routes.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["null", "last"]);
    assert_eq!(
        endpoint.flows.conditional.iter().map(|flow| flow.name.as_str()).collect::<Vec<_>>(),
        ["one", "two"]
    );
    assert_eq!(endpoint.flows.conditional[1].condition, "(a)AND(b)");
    assert_eq!(proxy(&read).target_endpoints[0].destination, Destination::Url("https://a.test/x".into()));
    assert_eq!(proxy(&read).description, "<p>a &amp; b</p>");
    assert_eq!(said(&read), []);
}

#[test]
fn a_step_may_name_the_file_of_a_policy() {
    let read = bundle(&[
        ("apiproxy/o.xml", "<APIProxy name=\"o\"/>"),
        ("apiproxy/policies/Key-1.xml", "<VerifyAPIKey name=\"Key\"/>"),
        ("apiproxy/policies/Say.xml", "<RaiseFault name=\"Say\"/>"),
        (
            "apiproxy/proxies/default.xml",
            "<ProxyEndpoint name=\"default\"><PreFlow><Request><Step><Name>Key-1</Name></Step><Step><Name>Nobody</Name></Step></Request></PreFlow><FaultRules><FaultRule name=\"f\"><Step><Name>Say.xml</Name></Step></FaultRule></FaultRules></ProxyEndpoint>",
        ),
    ]);

    let flows = &proxy(&read).proxy_endpoints[0].flows;

    assert_eq!(steps(&flows.pre.request), ["Key", "Nobody"]);
    assert_eq!(steps(&flows.fault_rules[0].steps), ["Say"]);
    let rules: Vec<_> = said(&read).into_iter().map(|(rule, ..)| rule).collect();
    assert_eq!(rules, ["FileNameDiffers", "StepNamesFile", "StepNamesFile"]);
}

#[test]
fn the_direction_is_the_elements_name_and_not_is_request() {
    let read = sap(
        "<ProxyEndPoint><name>default</name><base_path>/o</base_path><postFlow><name>PostFlow</name><response><isRequest>true</isRequest>
           <steps><step><policy_name>a</policy_name><sequence>1</sequence></step></steps></response></postFlow>
           <postClientFlow><name>PostClientFlow</name><response><isRequest>false</isRequest><steps><step><policy_name>log</policy_name><sequence>1</sequence></step></steps></response></postClientFlow></ProxyEndPoint>",
        "<TargetEndPoint><name>default</name></TargetEndPoint>",
    );
    let flows = &proxy(&read).proxy_endpoints[0].flows;
    assert_eq!((steps(&flows.post.request), steps(&flows.post.response)), (vec![], vec!["a"]));
    assert_eq!(steps(&flows.post_client), ["log"]);
}

#[test]
fn the_default_fault_flow_is_the_last() {
    let read = sap(
        "<ProxyEndPoint><name>default</name><base_path>/o</base_path><conditionalFlows>
           <conditionalFlow><name>DefaultFaultFlow</name><conditions>a</conditions><readOnly>true</readOnly><sequence>1</sequence></conditionalFlow>
           <conditionalFlow><name>get</name><conditions>b</conditions><sequence>2</sequence></conditionalFlow>
         </conditionalFlows></ProxyEndPoint>",
        "<TargetEndPoint><name>default</name></TargetEndPoint>",
    );
    let flows = &proxy(&read).proxy_endpoints[0].flows.conditional;
    assert_eq!(flows.iter().map(|flow| flow.name.as_str()).collect::<Vec<_>>(), ["get", "DefaultFaultFlow"]);
    assert_eq!(said(&read), [("FlowMoved", "APIProxy/APIProxyEndPoint/default.xml", 2)]);
}

#[test]
fn load_balancing_is_read_with_its_misspelt_weights() {
    let read = sap(
        "<ProxyEndPoint><name>default</name><base_path>/o</base_path></ProxyEndPoint>",
        "<TargetEndPoint><name>default</name><provider_id>one</provider_id><relativePath>/p</relativePath>
          <additionalAPIProviders><provider_id>two</provider_id><provider_id>three</provider_id></additionalAPIProviders>
          <loadBalancerConfigurations><maxFailures>5</maxFailures><fallBackServer>three</fallBackServer><algorithm>Weighted</algorithm>
           <serverUnhealthyResponseCode>500, 503</serverUnhealthyResponseCode><isRetry>true</isRetry><weigths>2,1,1</weigths>
           <healthMonitor><intervalInSec>3</intervalInSec><isEnabled>true</isEnabled><httpMonitor>{\"request\":{\"connectTimeoutInSec\":18,\"socketReadTimeoutInSec\":30,\"port\":443,\"verb\":\"GET\",\"path\":\"/health\"},\"successResponse\":{\"responseCode\":201}}</httpMonitor></healthMonitor>
          </loadBalancerConfigurations></TargetEndPoint>",
    );
    let Destination::Balanced(balancer) = &proxy(&read).target_endpoints[0].destination else { panic!() };
    let servers: Vec<_> = balancer.servers.iter().map(|s| (s.name.as_str(), s.weight, s.fallback)).collect();
    assert_eq!(servers, [("one", Some(2), false), ("two", Some(1), false), ("three", Some(1), true)]);
    assert_eq!((balancer.max_failures, balancer.retry, balancer.path.as_str()), (5, Some(true), "/p"));
    assert_eq!(balancer.unhealthy_statuses, [500, 503]);
    let health = balancer.health.as_ref().unwrap();
    let HealthProbe::Http(probe) = &health.probe else { panic!() };
    assert_eq!((health.interval_seconds, probe.port, probe.path.as_str()), (3, Some(443), "/health"));
    assert_eq!(
        (probe.connect_timeout_seconds, probe.read_timeout_seconds, &*probe.success_statuses),
        (18, 30, &[201][..])
    );
}

#[test]
fn sap_names_a_policy_after_its_file_and_apigee_after_its_attribute() {
    let sap = bundle(&[
        ("APIProxy/APIProxyEndPoint/default.xml", "<ProxyEndPoint/>"),
        ("APIProxy/Policy/limit.xml", "<Quota name=\"other\" xmlns=\"http://www.sap.com/apimgmt\"/>"),
        ("APIProxy/FileResource/a.js", "1"),
    ]);
    assert_eq!(
        (proxy(&sap).policies[0].name.as_str(), proxy(&sap).policies[0].kind.as_str()),
        ("limit", "Quota")
    );
    assert_eq!(
        (proxy(&sap).resources[0].kind.as_str(), proxy(&sap).resources[0].name.as_str()),
        ("jsc", "a.js")
    );
    let apigee = bundle(&[
        ("apiproxy/proxies/default.xml", "<ProxyEndpoint name=\"p\"/>"),
        ("apiproxy/policies/limit.xml", "<Quota name=\"other\"/>"),
        ("apiproxy/resources/node/lib/a.js", "1"),
        ("apiproxy/manifests/manifest.xml", "<Manifest/>"),
    ]);
    assert_eq!(proxy(&apigee).policies[0].name, "other");
    assert_eq!((proxy(&apigee).name.as_str(), apigee.dialect), ("given", Dialect::Apigee));
    assert_eq!(
        (proxy(&apigee).resources[0].kind.as_str(), proxy(&apigee).resources[0].name.as_str()),
        ("node", "lib/a.js")
    );
    assert_eq!(proxy(&apigee).enclosures[0].path, "manifests/manifest.xml");
    assert_eq!(
        said(&apigee),
        [("NoRootDocument", "apiproxy", 0), ("FileNameDiffers", "apiproxy/policies/limit.xml", 1)]
    );
}

#[test]
fn a_shared_flow_is_a_list_of_steps() {
    let read = bundle(&[
        (
            "sharedflowbundle/Security.xml",
            "<SharedFlowBundle name=\"Security\" revision=\"2\"><DisplayName>S</DisplayName></SharedFlowBundle>",
        ),
        (
            "sharedflowbundle/sharedflows/default.xml",
            "<SharedFlow name=\"default\">\n<Step><Name>a</Name></Step>\n<Step><Condition>x</Condition><Name>b</Name></Step></SharedFlow>",
        ),
        ("sharedflowbundle/policies/a.xml", "<Quota name=\"a\"/>"),
    ]);
    let flow = shared_flow(&read);
    assert_eq!(
        (flow.name.as_str(), flow.title.as_str(), steps(&flow.steps)),
        ("Security", "S", vec!["a", "b"])
    );
    assert_eq!(flow.annotations[0].name, "@revision");
}

#[test]
fn what_cannot_be_run_is_kept_word_for_word() {
    let script = "<ScriptTarget name=\"x\">\n   <ResourceURL>node://server.js</ResourceURL>\n</ScriptTarget>";
    let read = bundle(&[
        ("apiproxy/a.xml", "<APIProxy name=\"a\"/>"),
        ("apiproxy/proxies/default.xml", "<ProxyEndpoint name=\"default\"/>"),
        (
            "apiproxy/targets/default.xml",
            &format!("<TargetEndpoint name=\"default\">{script}</TargetEndpoint>"),
        ),
    ]);
    let expected = Destination::Foreign { kind: "ScriptTarget".into(), xml: script.into() };
    assert_eq!(proxy(&read).target_endpoints[0].destination, expected);
}

#[test]
fn what_is_not_read_is_reported_with_file_and_line() {
    let read = bundle(&[
        ("apiproxy/a.xml", "<APIProxy name=\"a\"/>"),
        (
            "apiproxy/proxies/default.xml",
            "<ProxyEndpoint name=\"default\">\n<Surprise>x</Surprise>\n<PreFlow>\n<Request><Step>\n<Condition/></Step><Step><Name>s</Name><FaultRules><FaultRule/></FaultRules></Step></Request></PreFlow></ProxyEndpoint>",
        ),
        ("apiproxy/proxies/torn.xml", "<ProxyEndpoint>\n<PreFlow></ProxyEndpoint>"),
        ("apiproxy/policies/torn.xml", "<Quota>\n\n</Quot>"),
    ]);
    assert_eq!(
        said(&read),
        [
            ("BadXml", "apiproxy/policies/torn.xml", 3),
            ("UnknownElement", "apiproxy/proxies/default.xml", 2),
            ("StepWithoutName", "apiproxy/proxies/default.xml", 4),
            ("BadXml", "apiproxy/proxies/torn.xml", 2),
        ]
    );
    assert!(read.is_broken());
}

#[test]
fn a_template_holds_flows_in_its_text() {
    let read = bundle(&[
        ("PolicyTemplateContainer/CORS.xml", "<PolicyTemplateContainer><name>CORS</name><version>1</version>
            <proxyEndPointxml>&lt;preFlow&gt;&lt;request&gt;&lt;steps&gt;&lt;step&gt;&lt;policy_name&gt;a&lt;/policy_name&gt;&lt;/step&gt;&lt;/steps&gt;&lt;/request&gt;&lt;/preFlow&gt;</proxyEndPointxml>
            <targetEndPointxml/></PolicyTemplateContainer>"),
        ("PolicyTemplateContainer/Policy/a.xml", "<RaiseFault/>"),
        ("PolicyTemplateContainer/MANIFEST.MF", "Version: 1"),
    ]);
    let Content::Template(template) = &read.content else { panic!() };
    assert_eq!(steps(&template.proxy_flows.pre.request), ["a"]);
    let alone = template.alone(Destination::Url("http://a.test".into()));
    assert_eq!(
        (alone.proxy_endpoints[0].base_path.as_str(), alone.policies[0].name.as_str()),
        ("/cors", "a")
    );
    assert_eq!(steps(&alone.proxy_endpoints[0].flows.pre.request), ["a"]);
}
