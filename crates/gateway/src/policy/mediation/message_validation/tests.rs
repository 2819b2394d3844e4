use http::Method;

use crate::design::ProxyDesign;
use crate::testing::*;

const XSD: &str = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' targetNamespace='u' elementFormDefault='qualified'>
<xs:element name='order'><xs:complexType><xs:sequence><xs:element name='n' type='xs:int'/></xs:sequence></xs:complexType></xs:element><xs:element name='note' type='xs:string'/></xs:schema>";

const WSDL: &str = "<definitions xmlns='http://schemas.xmlsoap.org/wsdl/' xmlns:t='u' targetNamespace='u'><types><xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:import namespace='u' schemaLocation='o.xsd'/></xs:schema></types><message name='in'><part name='p' element='t:order'/></message><portType name='P'><operation name='op'><input message='t:in'/></operation></portType></definitions>";

const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";

fn proxy(inside: &str) -> ProxyDesign {
    let policy = format!("<MessageValidation>{inside}</MessageValidation>");
    design().step(&policy).resource("xsd", "o.xsd", XSD).resource("wsdl", "s.wsdl", WSDL)
}

fn run(inside: &str, kind: &str, body: &str) -> Sent {
    Bench::new(&proxy(inside)).send(request(
        Method::POST,
        "/p",
        &[("content-type", kind), ("accept", "application/json")],
        body,
    ))
}

/// Why a message is refused; empty when it passes.
fn refused(inside: &str, body: &str) -> String {
    let sent = run(inside, "text/xml", body);
    if !sent.is_answered() {
        return String::new();
    }
    assert_eq!(
        (sent.status(), sent.code().as_str()),
        (500, "steps.messagevalidation.Failed"),
        "{}",
        sent.body()
    );
    assert_eq!(sent.var("messagevalidation.s0.failed"), "true");
    let body: serde_json::Value = serde_json::from_str(&sent.body()).unwrap();
    let text = body["fault"]["faultstring"].as_str().unwrap();
    let prefix = "MessageValidation[s0]: Failed with reason: \"";
    text.strip_prefix(prefix).unwrap_or_else(|| panic!("{text}")).trim_end_matches('"').to_owned()
}

fn soap(namespace: &str, body: &str) -> String {
    format!("<e:Envelope xmlns:e='{namespace}'><e:Body>{body}</e:Body></e:Envelope>")
}

const ORDER: &str = "<order xmlns='u'><n>1</n></order>";

#[test]
fn a_schema_checks_the_whole_payload() {
    let with = "<ResourceURL>xsd://o.xsd</ResourceURL>";
    assert_eq!(refused(with, ORDER), "");
    assert_eq!(
        refused(with, "<order xmlns='u'>\n<n>x</n></order>"),
        "line 2: the value of n is not of type Int"
    );
    assert_eq!(refused(with, "<order xmlns='u'/>"), "line 1: in order: element n is missing");
    assert_eq!(refused(with, "<other/>"), "line 1: the element other is not declared");
    assert!(refused(with, "<order").starts_with("line 1: "));
    assert!(refused(with, "<!DOCTYPE order><order xmlns='u'><n>1</n></order>").contains("document type"));
    assert_eq!(
        run(with, "application/json", "{}").code(),
        "steps.messagevalidation.Failed",
        "a resource is for XML"
    );
}

#[test]
fn the_payload_may_be_named() {
    let with = "<ResourceURL>xsd://o.xsd</ResourceURL><Element namespace='u'>order</Element>";
    assert_eq!(refused(with, ORDER), "");
    assert_eq!(refused(with, "<note xmlns='u'/>"), "line 1: note is none of the elements of the policy");
    let several = format!("{with}<Element namespace='u'>note</Element>");
    assert_eq!(
        (refused(&several, ORDER), refused(&several, "<note xmlns='u'/>")),
        (String::new(), String::new())
    );
    assert_eq!(refused("<Element>a</Element>", "<a/>"), "");
    assert!(refused("<Element>a</Element>", "<b/>").contains("none of the elements"));
}

#[test]
fn envelopes_are_checked_by_version() {
    let with = |version: &str| format!("<SOAPMessage version='{version}'/>");
    for (version, valid, other) in [("1.1", SOAP_11, SOAP_12), ("1.2", SOAP_12, SOAP_11)] {
        assert_eq!(refused(&with(version), &soap(valid, "<a/>")), "");
        assert!(refused(&with(version), &soap(other, "")).contains("no SOAP envelope"));
    }
    for namespace in [SOAP_11, SOAP_12] {
        assert_eq!(refused(&with("1.1/1.2"), &soap(namespace, "")), "");
        assert_eq!(refused("<SOAPMessage/>", &soap(namespace, "")), "");
    }
    assert!(refused("<SOAPMessage/>", "<a/>").contains("no SOAP envelope"));
    let schema = format!("{}<ResourceURL>xsd://o.xsd</ResourceURL>", with("1.1"));
    assert_eq!(refused(&schema, &soap(SOAP_11, ORDER)), "");
    assert!(refused(&schema, &soap(SOAP_11, "<order xmlns='u'/>")).contains("n is missing"));
}

#[test]
fn a_service_checks_its_messages() {
    let with = "<ResourceURL>wsdl://s.wsdl</ResourceURL>";
    assert_eq!(refused(with, &soap(SOAP_11, ORDER)), "");
    assert_eq!(refused(with, &soap(SOAP_12, ORDER)), "");
    assert_eq!(refused(with, &soap(SOAP_11, "<e:Fault/>")), "");
    assert!(refused(with, &soap(SOAP_11, "<note xmlns='u'/>")).contains("note is no message of the service"));
    assert!(refused(with, &soap(SOAP_11, "<order xmlns='u'><n>x</n></order>")).contains("value of n"));
    assert!(refused(with, ORDER).contains("no SOAP envelope"));
    assert_eq!(refused(&format!("{with}<Element namespace='u'>order</Element>"), &soap(SOAP_11, ORDER)), "");
}

#[test]
fn fault_no_elements() {
    for inside in
        ["<ResourceURL>wsdl://s.wsdl</ResourceURL>", "<SOAPMessage/><ResourceURL>xsd://o.xsd</ResourceURL>"]
    {
        let sent = run(inside, "text/xml", &soap(SOAP_11, ""));
        assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.messagevalidation.NoElements"));
    }
}

#[test]
fn without_a_resource_the_form_is_checked_by_content_type() {
    for (kind, good, bad) in [
        ("text/xml", "<a/>", "<a>"),
        ("application/soap+xml", "<a/>", ""),
        ("application/json; charset=utf-8", "{\"a\":1}", "{a:1}"),
    ] {
        assert!(!run("", kind, good).is_answered(), "{kind}");
        assert_eq!(run("", kind, bad).code(), "steps.messagevalidation.Failed", "{kind}");
    }
    assert!(!run("", "text/plain", "<a>").is_answered());
}

#[test]
fn a_response_can_be_the_source() {
    let mut design = design()
        .policy("v", "<MessageValidation><Source>response</Source><ResourceURL>xsd://o.xsd</ResourceURL></MessageValidation>")
        .resource("xsd", "o.xsd", XSD);
    design.proxy().flows.post.response.push(step("v"));
    let sent = Bench::new(&design).get("/p").receive(response(
        200,
        &[("content-type", "text/xml")],
        "<order xmlns='u'/>",
    ));
    assert_eq!(sent.code(), "steps.messagevalidation.Failed");
}

#[test]
fn fault_source_message_not_available_and_non_message_variable() {
    for (source, code) in [
        ("response", "SourceMessageNotAvailable"),
        ("nothing", "SourceMessageNotAvailable"),
        ("request.verb", "NonMessageVariable"),
    ] {
        let sent = run(&format!("<Source>{source}</Source>"), "text/xml", "<a/>");
        assert_eq!(
            (sent.status(), sent.code()),
            (500, format!("steps.messagevalidation.{code}")),
            "{source}"
        );
    }
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        ("<ResourceURL>xsl://a.xsl</ResourceURL>", "InvalidResourceType"),
        ("<ResourceURL>o.xsd</ResourceURL>", "InvalidResourceType"),
        ("<ResourceURL>xsd://none.xsd</ResourceURL>", "NoResourceForURL"),
        ("<ResourceURL>xsd://o.xsd</ResourceURL><Element/>", "RootElementNameUnspecified"),
        ("<ResourceURL>xsd://o.xsd</ResourceURL><Element>order</Element>", "InvalidRootElementName"),
        (
            "<ResourceURL>wsdl://s.wsdl</ResourceURL><Element namespace='u'>none</Element>",
            "InvalidRootElementName",
        ),
        ("<Element>a b</Element>", "InvalidRootElementName"),
        ("<SOAPMessage version='1.3'/>", "InvalidSOAPVersion"),
        ("<SOAPMessage mode='x'/>", "UnknownAttribute"),
        ("<Other/>", "UnknownElement"),
    ] {
        let problems = problems(&proxy(inside));
        assert_eq!(problems.iter().map(|problem| problem.rule).collect::<Vec<_>>(), [rule], "{inside}");
    }
}

#[test]
fn a_resource_that_does_not_compile_is_refused_with_its_line() {
    let broken = |kind: &str, content: &str| {
        let policy =
            format!("<MessageValidation><ResourceURL>{kind}://b.{kind}</ResourceURL></MessageValidation>");
        let problems = problems(&design().step(&policy).resource(kind, &format!("b.{kind}"), content));
        assert_eq!(problems.len(), 1, "{problems:#?}");
        (problems[0].part.to_string(), problems[0].line, problems[0].rule)
    };
    let unknown = XSD.replace("xs:int", "xs:none");
    assert_eq!(broken("xsd", &unknown), ("resource xsd://b.xsd".into(), 2, "ResourceCompileFailed"));
    assert_eq!(broken("wsdl", WSDL), ("resource wsdl://b.wsdl".into(), 1, "ResourceCompileFailed"));
}
