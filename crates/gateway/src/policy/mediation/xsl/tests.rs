use http::Method;

use crate::design::ProxyDesign;
use crate::testing::*;

const SHEET: &str = "<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'>
<xsl:output omit-xml-declaration='yes'/><xsl:param name='p' select=\"'default'\"/>
<xsl:template match='/'><out p='{$p}'><xsl:value-of select='/in/n'/></out></xsl:template></xsl:stylesheet>";

fn policy(inside: &str) -> String {
    format!("<XSL><ResourceURL>xsl://s.xsl</ResourceURL>{inside}</XSL>")
}

fn proxy(inside: &str, sheet: &str) -> ProxyDesign {
    design().step(&policy(inside)).resource("xsl", "s.xsl", sheet)
}

fn run(inside: &str, body: &str) -> Sent {
    let headers = [("content-type", "text/xml"), ("content-encoding", "identity"), ("x-a", "from a")];
    Bench::new(&proxy(inside, SHEET)).send(request(Method::POST, "/p", &headers, body))
}

fn body(sent: &Sent) -> String {
    sent.cx.request.content().into_owned()
}

#[test]
fn the_source_is_replaced_without_an_output_variable() {
    let sent = run("", "<in><n>1</n></in>");
    assert_eq!(body(&sent), "<out p=\"default\">1</out>");
    assert_eq!(
        (sent.header("content-type"), sent.header("content-encoding")),
        ("text/xml".into(), String::new())
    );
}

#[test]
fn an_output_variable_takes_the_result() {
    let sent = run("<Source>request</Source><OutputVariable>made</OutputVariable>", "<in><n>1</n></in>");
    assert_eq!(
        (sent.var("made"), body(&sent)),
        ("<out p=\"default\">1</out>".into(), "<in><n>1</n></in>".into())
    );
}

#[test]
fn a_response_and_a_variable_can_be_the_source() {
    let mut design =
        design().policy("x", &policy("<Source>response</Source>")).resource("xsl", "s.xsl", SHEET);
    design.proxy().flows.post.response.push(step("x"));
    let sent = Bench::new(&design).get("/p").receive(response(200, &[], "<in><n>2</n></in>"));
    assert_eq!(sent.body(), "<out p=\"default\">2</out>");

    let set = "<AssignMessage><AssignVariable><Name>v</Name><Value>&lt;in>&lt;n>3&lt;/n>&lt;/in></Value></AssignVariable></AssignMessage>";
    let design = design_with(set, "<Source>v</Source>");
    assert_eq!(Bench::new(&design).get("/p").var("v"), "<out p=\"default\">3</out>");
}

fn design_with(first: &str, inside: &str) -> ProxyDesign {
    design().step(first).step(&policy(inside)).resource("xsl", "s.xsl", SHEET)
}

#[test]
fn parameters_come_from_variables_then_literals_then_the_stylesheet() {
    let with = |parameter: &str| {
        body(&run(&format!("<Parameters ignoreUnresolvedVariables='true'>{parameter}</Parameters>"), "<in/>"))
    };
    assert_eq!(with("<Parameter name='p' ref='request.header.x-a'/>"), "<out p=\"from a\"/>");
    assert_eq!(with("<Parameter name='p' value='literal'/>"), "<out p=\"literal\"/>");
    assert_eq!(with("<Parameter name='p' ref='none' value='literal'/>"), "<out p=\"literal\"/>");
    assert_eq!(with("<Parameter name='p' ref='none'/>"), "<out p=\"default\"/>");
    assert_eq!(with("<Parameter name='unknown' value='x'/>"), "<out p=\"default\"/>");
}

#[test]
fn a_media_type_that_the_stylesheet_names_is_set() {
    let sheet = SHEET.replace("<xsl:output ", "<xsl:output media-type='application/json' ");
    let sent = Bench::new(&proxy("", &sheet)).send(request(
        Method::POST,
        "/p",
        &[("content-type", "text/xml")],
        "<in/>",
    ));
    assert_eq!(sent.header("content-type"), "application/json");
}

#[test]
fn fault_source_message_not_available() {
    let sent = run("<Source>response</Source>", "<in/>");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.xsl.XSLSourceMessageNotAvailable"));
    assert_eq!(sent.var("xsl.s0.failed"), "true");
}

#[test]
fn fault_evaluation_failed() {
    let terminates = SHEET.replace("<out", "<xsl:message terminate='yes'>over</xsl:message><out");
    let sent = Bench::new(&proxy("", &terminates)).send(request(Method::POST, "/p", &[], "<in/>"));
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.xsl.XSLEvaluationFailed"));
    assert!(
        sent.body().contains("Evaluation of XSL failed: terminated by the stylesheet: over"),
        "{}",
        sent.body()
    );
    for body in ["no xml", "", "<!DOCTYPE in [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><in>&e;</in>"] {
        let sent = run("", body);
        assert_eq!(sent.code(), "steps.xsl.XSLEvaluationFailed", "{body}");
    }
}

#[test]
fn fault_variable_resolution_failed() {
    let sent = run("<Parameters><Parameter name='p' ref='none'/></Parameters>", "<in/>");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.xsl.XSLVariableResolutionFailed"));
    assert!(sent.body().contains("Unable to resolve variable none"));
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (xml, rule) in [
        ("<XSL/>", "XSLEmptyResourceUrl"),
        ("<XSL><ResourceURL/></XSL>", "XSLEmptyResourceUrl"),
        ("<XSL><ResourceURL>jsc://a.js</ResourceURL></XSL>", "XSLInvalidResourceType"),
        ("<XSL><ResourceURL>xsl://none.xsl</ResourceURL></XSL>", "NoResourceForURL"),
    ] {
        assert_eq!(problem_of(xml), rule, "{xml}");
    }
    for (inside, rule) in [
        ("<OutputVariable>request</OutputVariable>", "InvalidOutputVariable"),
        ("<Parameters><Parameter ref='a'/></Parameters>", "MissingName"),
        ("<Parameters><Parameter name='a'/></Parameters>", "MissingValue"),
        ("<Parameters><Other/></Parameters>", "UnknownElement"),
        ("<Other/>", "UnknownElement"),
    ] {
        let problems = problems(&proxy(inside, SHEET));
        assert_eq!(problems.iter().map(|problem| problem.rule).collect::<Vec<_>>(), [rule], "{inside}");
    }
}

#[test]
fn a_stylesheet_that_is_not_supported_is_refused_with_its_line() {
    let problems = problems(&proxy("", &SHEET.replace("<xsl:output", "<xsl:import href='x'/><xsl:output")));
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!(
        (problems[0].part.to_string().as_str(), problems[0].line, problems[0].rule),
        ("resource xsl://s.xsl", 2, "XSLCompilationFailed")
    );
}
