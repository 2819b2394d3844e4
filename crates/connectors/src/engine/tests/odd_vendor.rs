//! Vendors that answer wrongly, slowly, or in pages of every kind.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::definition::DefinitionFiles;

type Script = Box<dyn Fn(usize, &Request<Body>) -> Response<Body> + Send + Sync>;

/// A vendor made of a function of the request and its number.
struct Vendor(AtomicUsize, Script);

impl std::fmt::Debug for Vendor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vendor")
    }
}

impl Outbound for Vendor {
    fn send(
        &self,
        request: Request<Body>,
        _: CallTimes,
    ) -> BoxFuture<'_, Result<Response<Body>, OutboundProblem>> {
        Box::pin(async move { Ok((self.1)(self.0.fetch_add(1, Ordering::SeqCst), &request)) })
    }
}

pub(super) fn answers(status: u16, kind: &str, body: impl Into<bytes::Bytes>) -> Response<Body> {
    Response::builder().status(status).header("content-type", kind).body(full_body(body)).unwrap()
}

pub(super) fn things(extra: &str) -> Arc<Connector> {
    let yaml = format!(
        r#"
format: 1
connector: {{key: things, id: 7, hub: crm, name: Things, description: A test.}}
auth:
  - scheme: bearer
    apply: {{headers: {{authorization: "Bearer {{credential.access_token}}"}}}}
transport: {{base_url: "http://v.test/api", max_answer: 1KiB}}
errors:
  message: .error.text
  rules:
    - {{status: [403], test: '.error.code == "slow"', answer: 429, retryable: true}}
pagination:
{extra}
resources:
  /things:
    fields:
      id: .id
      size: {{vendor: .size, as: integer}}
      state: {{vendor: .st, values: {{open: "O", closed: "C"}}}}
      mail: {{vendor: ".mails[] | select(.main).text", write: "{{mails: [{{text: $value, main: true}}]}}"}}
    list: {{get: /things, records: ".items[]", pagination: p}}
    get: {{get: "/things/{{key}}"}}
    create:
      before: [{{as: owner, request: {{get: /me}}}}]
      post: /things
      json: '$fields + {{owner: $owner.id}}'
"#
    );
    let files = DefinitionFiles { name: "things".into(), yaml, ..DefinitionFiles::default() };
    Arc::new(Connector::read(&files).unwrap_or_else(|bad| panic!("{}", list(&bad))))
}

pub(super) async fn ask(
    connector: &Arc<Connector>,
    line: &str,
    script: impl Fn(usize, &Request<Body>) -> Response<Body> + Send + Sync + 'static,
) -> (Seen, usize) {
    let vendor = Arc::new(Vendor(AtomicUsize::new(0), Box::new(script)));
    let connection = TestConnection::of(connector.clone(), &[]);
    let body = line.starts_with("POST").then(|| {
        (
            "application/json",
            json!({"size": 3, "state": "open", "mail": "m", "unknown": 1}).to_string().into_bytes(),
        )
    });
    let seen = run(&engine(vendor.clone(), vec![]), &connection, call(line, body)).await;
    (seen, vendor.0.load(Ordering::SeqCst))
}

pub(super) const PLAIN: &str = "  p: {kind: none}";

#[tokio::test]
async fn a_wrong_answer_is_a_bad_gateway_with_a_clear_text() {
    let things = things(PLAIN);
    for (kind, body, expected) in [
        ("text/html", "<html>sign in</html>".to_owned(), "web page"),
        ("application/json", "{\"items\": [".to_owned(), "a part of it"),
        ("application/json", format!("[{}]", "1,".repeat(2000)), "larger than 1024 bytes"),
        ("application/json", "[".repeat(500), "a part of it"),
        ("application/json", "\"text\"".to_owned(), "unexpected shape"),
    ] {
        let (seen, _) = ask(&things, "GET /things", move |_, _| answers(200, kind, body.clone())).await;
        assert_eq!(seen.status, 502, "{expected}");
        assert!(seen.json()["message"].as_str().unwrap().contains(expected), "{}", seen.json());
    }
}

#[tokio::test]
async fn a_refused_token_is_refreshed_once_and_only_once() {
    let things = things(PLAIN);
    let (seen, calls) = ask(&things, "GET /things/1", |_, request| match request.headers()["authorization"]
        .to_str()
        .unwrap()
    {
        "Bearer token-2" => answers(200, "application/json", r#"{"id": 1, "st": "C"}"#),
        _ => answers(401, "application/json", "{}"),
    })
    .await;
    assert_eq!((seen.status, seen.json()["state"].clone(), calls), (200, json!("closed"), 2));

    let (seen, calls) = ask(&things, "GET /things/1", |_, _| answers(401, "application/json", "{}")).await;
    assert_eq!((seen.status, calls), (401, 2));
}

#[tokio::test]
async fn what_was_not_carried_out_is_tried_again_and_what_may_have_been_is_not() {
    let things = things(PLAIN);
    let flaky = |failures, status, body: &'static str| {
        move |number, _: &Request<Body>| match number < failures {
            true => answers(status, "application/json", body),
            false => answers(200, "application/json", r#"{"id": 1}"#),
        }
    };
    assert_eq!(ask(&things, "GET /things/1", flaky(2, 503, "{}")).await.0.status, 200);
    let (seen, calls) = ask(&things, "GET /things/1", flaky(9, 503, "{}")).await;
    assert_eq!((seen.status, calls), (502, 3));
    let slow = r#"{"error": {"code": "slow", "text": "wait"}}"#;
    assert_eq!(ask(&things, "GET /things/1", flaky(1, 403, slow)).await.0.status, 200);
    let (seen, calls) = ask(&things, "POST /things", move |number, _| match number {
        0 => answers(200, "application/json", r#"{"id": 9}"#),
        _ => answers(503, "application/json", "{}"),
    })
    .await;
    assert_eq!((seen.status, calls), (502, 2), "the create itself was sent once");
    let (seen, calls) = ask(&things, "GET /things/1", move |_, _| {
        let mut answer = answers(429, "application/json", slow);
        answer.headers_mut().insert("retry-after", "3600".parse().unwrap());
        answer
    })
    .await;
    assert_eq!((seen.status, calls), (429, 1), "too long a wait is the caller's");
    assert_eq!(seen.json()["providerMessage"], "wait");
}

#[tokio::test]
async fn a_create_maps_its_fields_and_uses_its_chain() {
    let things = things(PLAIN);
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let kept = bodies.clone();
    let (seen, _) = ask(&things, "POST /things", move |number, request| {
        kept.lock().unwrap().push((request.uri().path().to_owned(), request.method().clone()));
        match number {
            0 => answers(200, "application/json", r#"{"id": "me"}"#),
            _ => answers(
                200,
                "application/json",
                r#"{"id": 1, "size": "4", "mails": [{"text": "m", "main": true}]}"#,
            ),
        }
    })
    .await;
    assert_eq!(seen.json(), json!({"id": 1, "size": 4, "mail": "m"}));
    let paths: Vec<String> =
        bodies.lock().unwrap().iter().map(|(path, method)| format!("{method} {path}")).collect();
    assert_eq!(paths, ["GET /api/me", "POST /api/things"]);
}

/// Eleven records, in pages of at most three, whatever the kind.
fn paged(kind: &'static str) -> impl Fn(usize, &Request<Body>) -> Response<Body> + Send + Sync {
    move |_, request| {
        let query: BTreeMap<String, String> =
            form_urlencoded::parse(request.uri().query().unwrap_or("").as_bytes()).into_owned().collect();
        let size: usize = query.get("size").map_or(3, |size| size.parse().unwrap());
        assert!(size <= 3);
        let given = |name: &str| query.get(name).map_or(0, |text| text.parse().unwrap());
        let from: usize = match kind {
            "page" => (given("at") - 1) * size,
            _ => given("at"),
        };
        let items: Vec<Value> = (from..(from + size).min(11)).map(|id| json!({"id": id})).collect();
        let next = from + items.len();
        let url = format!("http://v.test/api/things?at={next}&size={size}");
        let mut body = json!({"items": items});
        let mut link = None;
        if next < 11 {
            match kind {
                "cursor" => body["next"] = next.to_string().into(),
                "next_url" => body["next"] = url.into(),
                "link_header" => link = Some(format!("<{url}>; rel=\"next\"")),
                _ => {}
            }
        }
        let mut answer = answers(200, "application/json", body.to_string());
        if let Some(link) = link {
            answer.headers_mut().insert("link", link.parse().unwrap());
        }
        answer
    }
}

#[tokio::test]
async fn every_kind_of_pagination_obeys_the_laws() {
    for (kind, block) in [
        ("page", "  p: {kind: page, param: at, start: 1, size: {param: size, max: 3}}"),
        ("offset", "  p: {kind: offset, param: at, size: {param: size, max: 3}}"),
        ("cursor", "  p: {kind: cursor, param: at, next: .next, size: {param: size, max: 3}}"),
        ("next_url", "  p: {kind: next_url, next: .next, size: {param: size, max: 3}}"),
        ("link_header", "  p: {kind: link_header, size: {param: size, max: 3}}"),
    ] {
        let things = things(block);
        for size in [1, 2, 3, 4, 5, 11, 20] {
            let (mut walked, mut token) = (Vec::new(), String::new());
            loop {
                let line = format!("GET /things?pageSize={size}&nextPage={token}");
                let (page, _) = ask(&things, &line, paged(kind)).await;
                assert_eq!(page.status, 200, "{kind}: {}", page.json());
                let items = page.json().as_array().unwrap().clone();
                assert!(items.len() <= size);
                walked.extend(items.iter().map(|item| item["id"].as_u64().unwrap()));
                match page.next {
                    Some(next) => token = next,
                    None => break,
                }
            }
            assert_eq!(walked, (0..11).collect::<Vec<_>>(), "{kind} by {size}");
        }
        let ids = async |line: &str| {
            let json = ask(&things, line, paged(kind)).await.0.json();
            json.as_array().unwrap().iter().map(|item| item["id"].as_u64().unwrap()).collect::<Vec<_>>()
        };
        let joined =
            [ids("GET /things?page=1&pageSize=4").await, ids("GET /things?page=2&pageSize=4").await].concat();
        assert_eq!(joined, ids("GET /things?page=1&pageSize=8").await, "{kind}");
        assert!(ids("GET /things?page=9&pageSize=4").await.is_empty(), "{kind}");
        assert_eq!(ids("GET /things?where=id >= 4 and id < 7&orderBy=id desc").await, [6, 5, 4], "{kind}");
        let (counted, _) =
            ask(&things, "GET /things?pageSize=2&returnCount=true&where=id < 7", paged(kind)).await;
        assert_eq!(counted.total, Some(7), "{kind}");
    }
}

#[tokio::test]
async fn a_page_that_leads_to_another_server_is_not_followed() {
    let things = things("  p: {kind: next_url, next: .next}");
    let (seen, calls) = ask(&things, "GET /things?page=2", |_, _| {
        answers(200, "application/json", r#"{"items": [{"id": 1}], "next": "http://169.254.169.254/x"}"#)
    })
    .await;
    assert_eq!((seen.status, calls), (502, 1));
}

#[tokio::test]
async fn an_id_cannot_change_the_path() {
    let things = things(PLAIN);
    let (seen, _) = ask(&things, "GET /things/a%2F..%2Fb%3Fx", |_, request| {
        assert_eq!(request.uri().path(), "/api/things/a%2F..%2Fb%3Fx");
        answers(200, "application/json", "{}")
    })
    .await;
    assert_eq!(seen.status, 200);
    assert_eq!(
        ask(&things, "GET /things/%2e%2e", |_, _| answers(200, "application/json", "{}")).await.0.status,
        400
    );
}
