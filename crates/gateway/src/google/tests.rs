use std::sync::Arc;
use std::time::Duration;

use pierhead_vault::jose::{Key, PublicKey, SignatureAlgorithm, Signed, verify};
use serde_json::{Value, json};

use crate::compile::{World, compile};
use crate::fault::EngineFault;
use crate::google::GoogleAccount;
use crate::snapshot::Snapshot;
use crate::testing::*;

const RSA: &str = include_str!("../../../vault/src/jose/fixtures/rsa.pem");
const RSA_PUBLIC: &str = include_str!("../../../vault/src/jose/fixtures/rsa.pub");
const EMAIL: &str = "robot@p.iam.gserviceaccount.com";
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

fn key(token_uri: &str) -> String {
    let key = json!({
        "type": "service_account", "project_id": "p", "private_key_id": "k-7", "private_key": RSA,
        "client_email": EMAIL, "token_uri": token_uri,
    });
    key.to_string()
}

fn account() -> Option<Arc<GoogleAccount>> {
    Some(Arc::new(GoogleAccount::service(&key(TOKEN_URI)).unwrap()))
}

fn with_account(design: &crate::design::ProxyDesign) -> Bench {
    let world = World { google: account(), ..world() };
    let proxy = compile(design, "1", &world).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert!(!proxy.is_degraded());
    Bench::on(Snapshot::empty("acme", "test").with_proxy(proxy).unwrap())
}

fn target(inside: &str) -> crate::design::ProxyDesign {
    let mut design = design();
    design.target().authentication = format!("<Authentication>{inside}</Authentication>");
    design
}

const ACCESS: &str =
    "<GoogleAccessToken><Scopes><Scope>a</Scope><Scope>b</Scope></Scopes></GoogleAccessToken>";

fn lay(bench: &Bench, status: u16, body: &Value) {
    bench.outside.answers.borrow_mut().push(Ok(response(status, &[], &body.to_string())));
}

fn token(text: &str, seconds: u64) -> Value {
    json!({"access_token": text, "expires_in": seconds, "token_type": "Bearer"})
}

/// The claims of the last assertion, once its signature was checked.
fn assertion(bench: &Bench) -> Value {
    let called = bench.outside.called.borrow();
    let call = called.last().unwrap();
    let form: Vec<(String, String)> =
        form_urlencoded::parse(call.request.body.bytes()).into_owned().collect();
    assert_eq!(form[0].1, "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let token = Signed::parse(&form[1].1).unwrap();
    assert_eq!((&token.header["alg"], &token.header["kid"]), (&json!("RS256"), &json!("k-7")));
    let public = Key::Public(PublicKey::read(RSA_PUBLIC).unwrap());
    let algorithm = SignatureAlgorithm::named("RS256").unwrap();
    verify(algorithm, &public, token.signing_input.as_bytes(), &token.signature).unwrap();
    serde_json::from_slice(&token.payload).unwrap()
}

#[test]
fn an_access_token_is_fetched_once_and_renewed_before_it_expires() {
    let bench = with_account(&target(ACCESS));
    lay(&bench, 200, &token("t-1", 3600));

    let first = bench.send_waiting(get("/p"));
    let second = bench.send_waiting(get("/p"));

    assert_eq!(
        (first.header("authorization"), second.header("authorization")),
        ("Bearer t-1".into(), "Bearer t-1".into())
    );
    assert_eq!(bench.outside.called.borrow().len(), 1, "the second request finds it kept");
    let (sent, now) = (assertion(&bench), NOW.seconds());
    let wanted = json!({"iss": EMAIL, "scope": "a b", "aud": TOKEN_URI, "iat": now, "exp": now + 3600});
    assert_eq!(sent, wanted);
    {
        let called = bench.outside.called.borrow();
        let (endpoint, head) = (&called[0].endpoint, called[0].request.as_request().unwrap());
        assert_eq!(
            (&*endpoint.host, endpoint.tls, head.method.as_str()),
            ("oauth2.googleapis.com", true, "POST")
        );
        assert_eq!(called[0].request.headers["content-type"], "application/x-www-form-urlencoded");
    }

    lay(&bench, 200, &token("t-2", 3600));
    bench.clock.advance(Duration::from_secs(3600 - 250));
    let during = bench.send_waiting(get("/p"));
    assert_eq!(during.header("authorization"), "Bearer t-1", "nobody waits for the renewal");
    bench.clock.advance(Duration::from_secs(300));
    let after = bench.send_waiting(get("/p"));
    assert_eq!(after.header("authorization"), "Bearer t-2");
    assert_eq!(bench.outside.called.borrow().len(), 2);
}

#[test]
fn a_shorter_lifetime_is_kept() {
    let inside = ACCESS.replace("</Scopes>", "</Scopes><LifetimeInSeconds>60</LifetimeInSeconds>");
    let bench = with_account(&target(&inside));
    lay(&bench, 200, &token("t-1", 3600));
    lay(&bench, 200, &token("t-2", 3600));
    bench.send_waiting(get("/p"));
    bench.clock.advance(Duration::from_secs(61));
    assert_eq!(bench.send_waiting(get("/p")).header("authorization"), "Bearer t-2");
}

#[test]
fn an_identity_token_is_for_an_audience() {
    for (audience, wanted) in [
        ("<Audience>https://a.run.app/{request.queryparam.x}</Audience>", "https://a.run.app/1"),
        ("<Audience ref=\"request.queryparam.x\">other</Audience>", "1"),
        ("<Audience ref=\"request.queryparam.none\">other</Audience>", "other"),
        ("<Audience useTargetUrl=\"true\"/>", "https://backend.example/api/rest"),
    ] {
        let bench = with_account(&target(&format!(
            "<HeaderName>x-serverless</HeaderName><GoogleIDToken>{audience}<IncludeEmail>true</IncludeEmail></GoogleIDToken>"
        )));
        lay(&bench, 200, &json!({"id_token": "aaa.bbb.ccc"}));
        let sent = bench.send_waiting(get("/p/rest?x=1"));
        assert_eq!(
            (sent.header("x-serverless"), sent.header("authorization")),
            ("Bearer aaa.bbb.ccc".into(), String::new()),
            "{audience}"
        );
        assert_eq!(assertion(&bench)["target_audience"], wanted, "{audience}");
    }
}

#[test]
fn fault_google_token_generation_failure_when_there_is_no_token() {
    for (status, body) in
        [(400, json!({"error": "invalid_grant"})), (200, json!({"id_token": "x"})), (200, json!(1))]
    {
        let bench = with_account(&target(ACCESS));
        lay(&bench, status, &body);
        let sent = bench.send_waiting(get("/p"));
        let code = "messaging.adaptors.http.filter.GoogleTokenGenerationFailure";
        assert_eq!((sent.status(), &*sent.code()), (500, code), "{body}");
        // For a moment nothing is asked for; then it is.
        assert_eq!(bench.send_waiting(get("/p")).status(), 500);
        assert_eq!(bench.outside.called.borrow().len(), 1);
        lay(&bench, 200, &token("t", 10));
        bench.clock.advance(Duration::from_secs(6));
        assert_eq!(bench.send_waiting(get("/p")).header("authorization"), "Bearer t");
    }
}

#[test]
fn a_token_that_is_still_good_outlives_a_failed_renewal() {
    let bench = with_account(&target(ACCESS));
    lay(&bench, 200, &token("t-1", 3600));
    bench.outside.answers.borrow_mut().push(Err(EngineFault::ServiceUnavailable));
    bench.send_waiting(get("/p"));
    bench.clock.advance(Duration::from_secs(3400));
    bench.send_waiting(get("/p"));
    assert_eq!(bench.send_waiting(get("/p")).header("authorization"), "Bearer t-1");
    bench.clock.advance(Duration::from_secs(201));
    assert_eq!(bench.send_waiting(get("/p")).status(), 500);
}

#[test]
fn a_callout_carries_a_token_and_degrades_without_a_key() {
    let xml = format!(
        "<ServiceCallout><Response>r</Response><HTTPTargetConnection><Authentication>{ACCESS}</Authentication><URL>http://a.example/x</URL></HTTPTargetConnection></ServiceCallout>"
    );
    let design = design().step(&xml);
    let bench = with_account(&design);
    lay(&bench, 200, &token("t-1", 3600));
    lay(&bench, 200, &json!("done"));

    let sent = bench.send_waiting(get("/p"));

    assert_eq!(sent.var("r.content"), "\"done\"");
    assert_eq!(bench.outside.called.borrow()[1].request.headers["authorization"], "Bearer t-1");
    assert_eq!(sent.header("authorization"), "", "it is the callout's alone");
    assert!(compiled(&design).degradations[0].reason.contains("gateway.google_service_account"));
    let failed = with_account(&design).send_waiting(get("/p"));
    assert_eq!(failed.code(), "steps.servicecallout.ExecutionFailed");
}

#[test]
fn assign_message_puts_a_token_into_a_header() {
    let xml = "<AssignMessage><Set><Authentication><HeaderName>X-Serverless-Authorization</HeaderName><GoogleIDToken><Audience>aud</Audience></GoogleIDToken></Authentication></Set></AssignMessage>";
    let design = design().step(xml);
    let bench = with_account(&design);
    lay(&bench, 200, &json!({"id_token": "i-1"}));
    assert_eq!(bench.send_waiting(get("/p")).header("x-serverless-authorization"), "Bearer i-1");
    assert!(compiled(&design).is_degraded());
    let failed = with_account(&design).send_waiting(get("/p"));
    assert_eq!(failed.var("fault.name"), "GoogleTokenGenerationFailure");
}

#[test]
fn given_tokens_are_sent_as_they_are() {
    let google = Some(Arc::new(GoogleAccount::given("a".into(), "i".into())));
    let proxy = compile(&target(ACCESS), "1", &World { google, ..world() }).unwrap();
    let bench = Bench::on(Snapshot::empty("acme", "test").with_proxy(proxy).unwrap());
    let sent = bench.get("/p");
    assert_eq!(sent.header("authorization"), "Bearer a");
    assert!(sent.cx.request.headers["authorization"].is_sensitive());
}

#[test]
fn mistakes_in_the_element_are_found_at_deploy() {
    let with = |inside: &str| {
        let world = World { google: account(), ..world() };
        compile(&target(inside), "1", &world)
            .err()
            .unwrap_or_default()
            .first()
            .map_or("", |problem| problem.rule)
    };
    for (inside, rule) in [
        ("", "AuthenticationIsMissing"),
        ("<Other/>", "UnknownElement"),
        ("<GoogleAccessToken/>", "ScopeIsMissing"),
        ("<GoogleAccessToken><Scopes><Scope/></Scopes></GoogleAccessToken>", "ScopeIsMissing"),
        (
            "<GoogleAccessToken><Scopes><Scope>a</Scope></Scopes><LifetimeInSeconds>0</LifetimeInSeconds></GoogleAccessToken>",
            "InvalidLifetime",
        ),
        ("<GoogleIDToken/>", "AudienceIsMissing"),
        ("<GoogleIDToken><Audience/></GoogleIDToken>", "InvalidAudience"),
        ("<GoogleIDToken><Audience x=\"1\">a</Audience></GoogleIDToken>", "UnknownAttribute"),
        (
            "<HeaderName>a b</HeaderName><GoogleIDToken><Audience>a</Audience></GoogleIDToken>",
            "InvalidHeaderName",
        ),
    ] {
        assert_eq!(with(inside), rule, "{inside}");
    }
    let long = ACCESS.replace("</Scopes>", "</Scopes><LifetimeInSeconds>7200</LifetimeInSeconds>");
    let world = World { google: account(), ..world() };
    assert!(compile(&target(&long), "1", &world).unwrap().is_degraded());
}

#[test]
fn a_key_is_read_and_never_shown() {
    let shown = format!("{:?}", account());
    assert!(shown.contains(EMAIL) && !shown.contains("PRIVATE"), "{shown}");
    for (document, part) in [
        ("x".to_owned(), "JSON"),
        ("{}".to_owned(), "type"),
        (key(TOKEN_URI).replace(EMAIL, ""), "client_email"),
        (
            json!({"type": "service_account", "client_email": "e", "private_key": "s3cret"}).to_string(),
            "private_key",
        ),
        (key("http://evil.example/token"), "token_uri"),
        (key("ftp://x"), "token_uri"),
    ] {
        let said = GoogleAccount::service(&document).unwrap_err().to_string();
        assert!(said.contains(part) && !said.contains("s3cret"), "{said}");
    }
    assert!(GoogleAccount::service(&key("http://127.0.0.1:99/token")).is_ok());
}
