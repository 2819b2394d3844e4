use http::Method;

use crate::testing::*;

fn bench(inside: &str) -> Bench {
    let mut design = design().step(&format!("<CORS>{inside}</CORS>")).policy("later", "<RaiseFault/>");
    design.proxy().flows.pre.request.push(step_if("later", "request.queryparam.fail != null"));
    Bench::new(&design)
}

const HOME: &str = "https://home.example";

fn send(bench: &Bench, method: Method, path: &str, headers: &[(&str, &str)]) -> Sent {
    bench.send(request(method, path, &[&[("host", "api.example")], headers].concat(), ""))
}

fn preflight(bench: &Bench, origin: &str) -> Sent {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "x-a, x-b"),
    ];
    send(bench, Method::OPTIONS, "/p?fail", &headers)
}

fn answer(bench: &Bench, origin: &str) -> Sent {
    let given =
        response(200, &[("access-control-allow-origin", "https://target.example"), ("vary", "Accept")], "x");
    send(bench, Method::GET, "/p", &[("origin", origin)]).receive(given)
}

const ALL: &str = "<AllowOrigins>https://a.example, https://home.example</AllowOrigins><AllowMethods>GET, PUT</AllowMethods>\
     <AllowHeaders>x-a, x-b</AllowHeaders><ExposeHeaders>x-c</ExposeHeaders><MaxAge>60</MaxAge><AllowCredentials>true</AllowCredentials>";

#[test]
fn a_preflight_is_answered_without_the_target_and_without_later_steps() {
    let sent = preflight(&bench(ALL), HOME);
    assert_eq!((sent.is_answered(), sent.status(), sent.body()), (true, 200, String::new()));
    for (name, value) in [
        ("access-control-allow-origin", HOME),
        ("access-control-allow-methods", "GET, PUT"),
        ("access-control-allow-headers", "x-a, x-b"),
        ("access-control-max-age", "60"),
        ("access-control-allow-credentials", "true"),
        ("access-control-expose-headers", ""),
        ("vary", "Origin"),
    ] {
        assert_eq!(sent.response_header(name), value, "{name}");
    }
}

#[test]
fn what_is_not_said_has_its_default() {
    let sent = preflight(&bench("<AllowOrigins>*</AllowOrigins>"), HOME);
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, POST, HEAD, OPTIONS"),
        ("access-control-allow-headers", ""),
        ("access-control-max-age", "1800"),
        ("access-control-allow-credentials", ""),
        ("vary", ""),
    ] {
        assert_eq!(sent.response_header(name), value, "{name}");
    }
    let never = preflight(&bench("<AllowOrigins>*</AllowOrigins><MaxAge>-1</MaxAge>"), HOME);
    assert_eq!(never.response_header("access-control-max-age"), "-1");
}

#[test]
fn an_answer_gets_the_headers_whatever_the_target_said() {
    let sent = answer(&bench(ALL), HOME);
    for (name, value) in [
        ("access-control-allow-origin", HOME),
        ("access-control-expose-headers", "x-c"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", ""),
        ("vary", "Accept|Origin"),
    ] {
        assert_eq!(sent.response_header(name), value, "{name}");
    }
    assert_eq!(sent.body(), "x");
}

#[test]
fn an_error_gets_the_headers_too() {
    let raised = send(&bench(ALL), Method::GET, "/p?fail", &[("origin", HOME)]);
    assert_eq!((raised.status(), raised.response_header("access-control-allow-origin")), (500, HOME.into()));
    let failed = send(&bench(ALL), Method::GET, "/p", &[("origin", HOME)])
        .fail(crate::fault::EngineFault::GatewayTimeout);
    assert_eq!((failed.status(), failed.response_header("access-control-allow-origin")), (504, HOME.into()));
}

#[test]
fn another_page_gets_no_headers_of_ours() {
    let sent = preflight(&bench(ALL), "https://evil.example");
    assert_eq!((sent.status(), sent.response_header("access-control-allow-origin")), (200, String::new()));
    let sent = send(&bench(ALL), Method::GET, "/p", &[("origin", "https://home.example.evil.example")])
        .receive(response(200, &[], ""));
    assert_eq!(sent.response_header("access-control-allow-origin"), "");
    let sent = send(&bench(ALL), Method::GET, "/p", &[]).receive(response(200, &[], ""));
    assert_eq!(sent.response_header("access-control-allow-origin"), "");
}

#[test]
fn origins_can_be_a_template() {
    let echo = bench("<AllowOrigins>{request.header.origin}</AllowOrigins>");
    assert_eq!(
        answer(&echo, "https://any.example").response_header("access-control-allow-origin"),
        "https://any.example"
    );
}

#[test]
fn an_options_request_that_is_no_preflight_goes_on() {
    let sent = send(&bench(ALL), Method::OPTIONS, "/p", &[("origin", HOME)]);
    assert!(!sent.is_answered());
}

#[test]
fn without_generated_answers_variables_tell_what_was_asked() {
    let sent = preflight(
        &bench(&format!("{ALL}<GeneratePreflightResponse>false</GeneratePreflightResponse>")),
        HOME,
    );
    assert_eq!(sent.status(), 500, "the steps went on");
    for (name, value) in [
        ("request.type", "PRE_FLIGHT"),
        ("request.origin", HOME),
        ("request.method", "PUT"),
        ("request.headers", "x-a, x-b"),
        ("allow.origin", HOME),
        ("allow.origins.list", "https://a.example, https://home.example"),
        ("allow.methods", "GET, PUT"),
        ("allow.headers", "x-a, x-b"),
        ("expose.headers", "x-c"),
        ("allow.credentials", "true"),
        ("max.age", "60"),
        ("preflight.accepted", "true"),
    ] {
        assert_eq!(sent.var(&format!("cross_origin_resource_sharing.{name}")), value, "{name}");
    }
}

#[test]
fn variables_tell_what_kind_of_request_it_is() {
    let kind = |headers: &[(&str, &str)]| {
        send(&bench(ALL), Method::GET, "/p", headers).var("cross_origin_resource_sharing.request.type")
    };
    assert_eq!(kind(&[]), "NOT_CORS");
    assert_eq!(kind(&[("origin", HOME)]), "ACTUAL");
    assert_eq!(kind(&[("origin", "home")]), "INVALID_CORS");
    for (method, headers, accepted) in [("GET", "X-A", true), ("DELETE", "x-a", false), ("PUT", "x-z", false)]
    {
        let asked = [
            ("origin", HOME),
            ("access-control-request-method", method),
            ("access-control-request-headers", headers),
        ];
        let sent = send(&bench(ALL), Method::OPTIONS, "/p", &asked);
        assert_eq!(
            sent.var("cross_origin_resource_sharing.preflight.accepted"),
            accepted.to_string(),
            "{method} {headers}"
        );
    }
}

#[test]
fn fault_unresolved_variable_unless_ignored() {
    let origins = "<AllowOrigins>{none}</AllowOrigins>";
    assert!(!send(&bench(origins), Method::GET, "/p", &[("origin", HOME)]).is_answered());
    let strict = bench(&format!("{origins}<IgnoreUnresolvedVariables>false</IgnoreUnresolvedVariables>"));
    let sent = send(&strict, Method::GET, "/p", &[("origin", HOME)]);
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.cors.UnresolvedVariable"));
    assert_eq!(sent.var("cors.s0.failed"), "true");
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        ("", "AllowOriginsIsMissing"),
        ("<AllowOrigins/>", "AllowOriginsIsMissing"),
        ("<AllowOrigins>*</AllowOrigins><MaxAge>long</MaxAge>", "InvalidMaxAge"),
        ("<AllowOrigins>*</AllowOrigins><MaxAge>-2</MaxAge>", "InvalidMaxAge"),
        ("<AllowOrigins>*</AllowOrigins><AllowCredentials>maybe</AllowCredentials>", "NotABoolean"),
        ("<AllowOrigins>*</AllowOrigins><Nope/>", "UnknownElement"),
    ] {
        assert_eq!(problem_of(&format!("<CORS>{inside}</CORS>")), rule, "{inside}");
    }
}
