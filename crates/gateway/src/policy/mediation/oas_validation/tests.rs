use http::Method;

use crate::testing::*;

const SPEC: &str = "\
openapi: 3.0.3
info: {title: Pets, version: '1'}
servers: [{url: 'https://a.example/other'}]
paths:
  /pets/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer, minimum: 1}}
    get:
      parameters:
        - {name: limit, in: query, required: true, schema: {type: integer, maximum: 10}}
        - {name: x-trace, in: header, schema: {type: string, maxLength: 3}}
        - {name: session, in: cookie, schema: {type: string, pattern: '^[a-z]+$'}}
      responses:
        '200':
          description: ok
          headers: {x-rate: {required: true, schema: {type: integer}}}
          content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}
    post:
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}
      responses: {default: {description: any}}
components:
  securitySchemes: {key: {type: apiKey, in: query, name: apikey}}
  schemas:
    Pet:
      type: object
      required: [name]
      additionalProperties: false
      properties: {name: {type: string}, next: {$ref: '#/components/schemas/Pet'}}
";

fn design_with(inside: &str) -> crate::design::ProxyDesign {
    design()
        .resource("oas", "spec.yaml", SPEC)
        .step(&format!("<OASValidation>{inside}<OASResource>oas://spec.yaml</OASResource></OASValidation>"))
}

fn cause(inside: &str, message: crate::exchange::Message) -> String {
    let sent = Bench::new(&design_with(inside)).send(message);
    if sent.is_answered() {
        assert_eq!(
            (sent.status(), sent.code()),
            (500, "steps.oasvalidation.Failed".into()),
            "{}",
            sent.body()
        );
        assert_eq!(sent.var("OASValidation.s0.failed"), "true");
        sent.var("OASValidation.s0.fault.cause")
    } else {
        "passes".into()
    }
}

fn asked(path: &str, headers: &[(&str, &str)]) -> String {
    cause("", request(Method::GET, path, headers, ""))
}

#[test]
fn a_request_that_the_description_knows_passes() {
    assert_eq!(
        asked("/p/pets/7?limit=10&other=1", &[("x-trace", "abc"), ("cookie", "session=ab; t=1")]),
        "passes"
    );
}

#[test]
fn fault_failed_tells_the_cause() {
    for (path, headers, part) in [
        ("/p/dogs", &[][..], "no API path matches '/dogs'"),
        ("/p/pets/x?limit=1", &[], "path parameter 'id': "),
        ("/p/pets/0?limit=1", &[], "0 is below 1"),
        ("/p/pets/1", &[], "query parameter 'limit' is missing"),
        ("/p/pets/1?limit=11", &[], "11 is above 10"),
        ("/p/pets/1?limit=1", &[("x-trace", "abcd")], "header 'x-trace'"),
        ("/p/pets/1?limit=1", &[("cookie", "session=A1")], "cookie 'session'"),
    ] {
        let said = asked(path, headers);
        assert!(said.contains(part), "{path}: {said}");
    }
    let verb = cause("", request(Method::DELETE, "/p/pets/1", &[], ""));
    assert!(verb.contains("DELETE is not allowed on path '/pets/1'"), "{verb}");
    let sent = Bench::new(&design_with("")).get("/p/dogs");
    let text = "OASValidation s0 with resource \\\"oas://spec.yaml\\\" failed with reason: ";
    assert!(sent.body().contains(text), "{}", sent.body());
}

#[test]
fn a_body_is_checked_when_that_is_asked_for() {
    const BODY: &str = "<Options><ValidateMessageBody>true</ValidateMessageBody></Options>";
    let post = |inside: &str, kind: &str, body: &str| {
        cause(inside, request(Method::POST, "/p/pets/1", &[("content-type", kind)], body))
    };
    let json = "application/json; charset=utf-8";
    assert_eq!(post("", json, "{}"), "passes");
    assert!(post("", json, "").contains("needs a body"));
    assert_eq!(post(BODY, json, "{\"name\": \"a\", \"next\": {\"name\": \"b\"}}"), "passes");
    for (body, part) in [
        ("{}", "the member 'name' is missing"),
        ("{\"name\": 1}", "[Path '/name'] a value of type string is needed, not number"),
        (
            "{\"name\": \"a\", \"next\": {\"name\": \"b\", \"x\": 1}}",
            "[Path '/next'] the member 'x' is not allowed",
        ),
        ("{", "no JSON"),
    ] {
        let said = post(BODY, json, body);
        assert!(said.contains(part), "{body}: {said}");
    }
    assert!(
        post(BODY, "text/plain", "x").contains("the content type 'text/plain' is none of [application/json]")
    );
}

#[test]
fn parameters_that_the_description_does_not_name_can_be_refused() {
    let only = |kind: &str| {
        format!(
            "<Options><AllowUnspecifiedParameters><{kind}>false</{kind}></AllowUnspecifiedParameters></Options>"
        )
    };
    let get = |kind: &str, path: &str, headers: &[(&str, &str)]| {
        cause(&only(kind), request(Method::GET, path, headers, ""))
    };
    assert_eq!(get("Query", "/p/pets/1?limit=1&apikey=k", &[("x-a", "b"), ("cookie", "t=1")]), "passes");
    assert!(
        get("Query", "/p/pets/1?limit=1&other=k", &[])
            .contains("query parameter 'other' is not in the description")
    );
    assert_eq!(get("Header", "/p/pets/1?limit=1&o=1", &[("host", "a"), ("X-Trace", "b")]), "passes");
    assert!(
        get("Header", "/p/pets/1?limit=1", &[("x-a", "b")])
            .contains("header 'x-a' is not in the description")
    );
    assert_eq!(get("Cookie", "/p/pets/1?limit=1", &[("cookie", "session=a")]), "passes");
    assert!(
        get("Cookie", "/p/pets/1?limit=1", &[("cookie", "t=1")])
            .contains("cookie 't' is not in the description")
    );
}

#[test]
fn a_response_is_checked_where_the_source_says_so() {
    let mut design = design().resource("oas", "spec.yaml", SPEC).policy(
        "V",
        "<OASValidation><Source>response</Source><Options><ValidateMessageBody>true</ValidateMessageBody></Options><OASResource>oas://spec.yaml</OASResource></OASValidation>",
    );
    design.target().flows.pre.response = vec![step("V")];
    let answered = |status: u16, headers: &[(&str, &str)], body: &str| {
        let sent = Bench::new(&design).get("/p/pets/1").receive(response(status, headers, body));
        if sent.code() == "steps.oasvalidation.Failed" {
            sent.var("OASValidation.V.fault.cause")
        } else {
            "passes".into()
        }
    };
    let good = [("content-type", "application/json"), ("x-rate", "5")];
    assert_eq!(answered(200, &good, "{\"name\": \"a\"}"), "passes");
    assert!(answered(200, &good, "[]").contains("type object is needed"));
    assert!(answered(200, &good[..1], "{\"name\": \"a\"}").contains("header 'x-rate' is missing"));
    assert!(answered(201, &good, "").contains("the status 201 is none of the responses"));
}

#[test]
fn faults_source_message_not_available_and_non_message_variable() {
    for (source, code) in [("response", "SourceMessageNotAvailable"), ("request.verb", "NonMessageVariable")]
    {
        let sent = Bench::new(&design_with(&format!("<Source>{source}</Source>"))).get("/p/pets/1?limit=1");
        assert_eq!(sent.code(), format!("steps.oasvalidation.{code}"));
    }
}

#[test]
fn mistakes_in_the_policy_and_its_description_are_found_at_deploy() {
    assert_eq!(problem_of("<OASValidation/>"), "BadResourceURL");
    assert_eq!(
        problem_of("<OASValidation><OASResource>xsd://a</OASResource></OASValidation>"),
        "BadResourceURL"
    );
    assert_eq!(
        problem_of("<OASValidation><OASResource>oas://a.json</OASResource></OASValidation>"),
        "ResourceDoesNotExist"
    );
    let with = |text: &str| {
        let xml = "<OASValidation><OASResource>oas://a</OASResource></OASValidation>";
        design().resource("oas", "a", text).step(xml)
    };
    for text in [
        "{",
        "a: 1",
        "openapi: 4.0.0",
        "openapi: 3.0.0\npaths: {/a: {get: {parameters: [{$ref: '#/none'}]}}}",
    ] {
        assert_eq!(problems(&with(text))[0].rule, "ResourceCompileFailed", "{text}");
    }
    let odd = "openapi: 3.1.0\npaths: {/a: {get: {parameters: [{name: q, in: query, schema: {unevaluatedProperties: false}}]}}}";
    let proxy = compiled(&with(odd));
    assert!(
        proxy.is_degraded() && proxy.degradations[0].reason.contains("unevaluatedProperties"),
        "what is not understood is never skipped"
    );
}
