//! Import, export, import gives the same.

use pierhead_gateway::design::{Destination, ProxyDesign, SharedFlowDesign};
use pierhead_gateway::dialect::Dialect;
use proptest::prelude::*;

use super::arbitrary::{Flavour, proxies, shared_flows, templates};
use super::*;
use crate::xml::Node;
use crate::{export, read_zip, write_archive};

fn there_and_back(content: &Content, dialect: Dialect) -> Bundle {
    let exported = export(content, dialect).unwrap();
    let bytes = write_archive(&exported.files).unwrap();
    read_zip(&bytes, "given", &Limits::default()).unwrap()
}

fn there_and_back_again(design: &ProxyDesign, dialect: Dialect) -> ProxyDesign {
    let read = there_and_back(&Content::Proxy(Box::new(design.clone())), dialect);
    assert_eq!(read.dialect, dialect);
    proxy(&read).clone()
}

/// A document without its places.
fn bare(node: &Node) -> String {
    let children: Vec<String> = node.children.iter().map(bare).collect();
    format!("{}{:?}{:?}{children:?}", node.name, node.attributes, node.whole_text())
}

/// What both dialects have a notion of; policies by what they say, not by how their start tag is written.
fn common(design: &ProxyDesign) -> (ProxyDesign, Vec<(String, String)>) {
    let mut design = design.clone();
    let parsed = |xml: &str| {
        let mut node = Node::parse(xml, &Limits::default()).unwrap();
        node.attributes.retain(|(name, _)| name != "name");
        bare(&node)
    };
    let policies =
        design.policies.drain(..).map(|policy| (policy.name.clone(), parsed(&policy.xml))).collect();
    design.service_code.clear();
    design.annotations.clear();
    for target in &mut design.target_endpoints {
        if let Destination::Balanced(balancer) = &target.destination
            && let [one] = balancer.servers.as_slice()
        {
            target.destination =
                Destination::Provider { name: one.name.clone(), relative_path: balancer.path.clone() };
        }
    }
    (design, policies)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn apigee_proxies_come_back_as_they_went(design in proxies(Flavour::Apigee)) {
        prop_assert_eq!(there_and_back_again(&design, Dialect::Apigee), design);
    }

    #[test]
    fn sap_proxies_come_back_as_they_went(design in proxies(Flavour::Sap)) {
        prop_assert_eq!(there_and_back_again(&design, Dialect::Sap), design);
    }

    #[test]
    fn shared_flows_come_back_as_they_went(design in shared_flows()) {
        let read = there_and_back(&Content::SharedFlow(Box::new(design.clone())), Dialect::Apigee);
        let read: &SharedFlowDesign = shared_flow(&read);
        prop_assert_eq!(read, &design);
    }

    #[test]
    fn templates_come_back_as_they_went(template in templates()) {
        let content = Content::Template(Box::new(template));
        let read = there_and_back(&content, Dialect::Sap);
        prop_assert_eq!(&read.content, &content);
    }

    #[test]
    fn what_both_dialects_have_survives_the_way_over_the_other(design in proxies(Flavour::Common)) {
        let sap = there_and_back_again(&design, Dialect::Sap);
        let apigee = there_and_back_again(&sap, Dialect::Apigee);
        prop_assert_eq!(common(&apigee), common(&design));
        let back = there_and_back_again(&apigee, Dialect::Sap);
        prop_assert_eq!(common(&back), common(&design));
        prop_assert_eq!(back.annotations, design.annotations);
    }

    #[test]
    fn an_export_is_the_same_every_time(design in proxies(Flavour::Common)) {
        let content = Content::Proxy(Box::new(design));
        let one = export(&content, Dialect::Sap).unwrap().files;
        prop_assert_eq!(write_archive(&one).unwrap(), write_archive(&export(&content, Dialect::Sap).unwrap().files).unwrap());
    }
}

#[test]
fn what_the_other_dialect_lacks_is_said() {
    let read = bundle(&[
        ("apiproxy/a.xml", "<APIProxy name=\"a\" revision=\"2\"/>"),
        (
            "apiproxy/proxies/default.xml",
            "<ProxyEndpoint name=\"default\"><HTTPProxyConnection><BasePath>/a</BasePath><VirtualHost>secure</VirtualHost></HTTPProxyConnection></ProxyEndpoint>",
        ),
        (
            "apiproxy/targets/default.xml",
            "<TargetEndpoint name=\"default\"><HTTPTargetConnection><SSLInfo><Enabled>true</Enabled></SSLInfo><URL>http://a.test</URL></HTTPTargetConnection></TargetEndpoint>",
        ),
        ("apiproxy/resources/java/a.jar", "PK"),
        ("apiproxy/manifests/manifest.xml", "<Manifest/>"),
    ]);
    let exported = export(&read.content, Dialect::Sap).unwrap();
    let lost: Vec<_> = exported.findings.iter().map(|finding| finding.message.as_str()).collect();
    for part in ["@revision", "secure", "SSLInfo", "java://a.jar", "no place for it"] {
        assert!(lost.iter().any(|message| message.contains(part)), "{part}: {lost:?}");
    }
}

#[test]
fn a_name_cannot_leave_the_export() {
    for name in ["../../x", "a/b", "", "a\\b", "a\0b"] {
        let design = ProxyDesign { name: name.into(), ..ProxyDesign::default() };
        let refused = export(&Content::Proxy(Box::new(design)), Dialect::Apigee).unwrap_err();
        assert!(matches!(refused, crate::CannotExport::UnusableName { .. }), "{name}: {refused}");
    }
}
