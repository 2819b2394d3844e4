//! Debug sessions over the wire: start, watch, read, export, import, replay with differences, masks.

use http::Method;
use pierhead_testkit::{Admin, Answer, Pierhead, Request};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A backend that answers `{"price":7,"path":"…"}` in chunks, as many do, and counts.
struct Backend {
    port: u16,
    asked: std::sync::Arc<std::sync::atomic::AtomicUsize>,
    task: JoinHandle<()>,
}

impl Backend {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
        let counter = std::sync::Arc::clone(&asked);
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let counter = std::sync::Arc::clone(&counter);
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    let mut part = [0; 4096];
                    while !head.ends_with(b"}") && !head.ends_with(b"\r\n\r\n") {
                        match stream.read(&mut part).await {
                            Ok(0) | Err(_) => return,
                            Ok(read) => head.extend_from_slice(&part[..read]),
                        }
                    }
                    counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Origin: erp\r\n\
                                  Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
                                  8\r\n{\"price\"\r\na\r\n:7,\"ok\":1}\r\n0\r\n\r\n";
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self { port, asked, task }
    }

    fn asked(&self) -> usize {
        self.asked.load(std::sync::atomic::Ordering::SeqCst)
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

const GREET: &str = "<AssignMessage xmlns=\"http://www.sap.com/apimgmt\"><AssignVariable><Name>who</Name>\
    <Ref>request.queryparam.who</Ref></AssignVariable><AssignVariable><Name>private.pin</Name>\
    <Value>geheim-9</Value></AssignVariable><Set><Headers><Header name=\"x-who\">{who}</Header></Headers></Set>\
    </AssignMessage>";

/// A proxy `Shop` at `/shop` that runs one policy when `who` is given.
async fn publish(admin: &Admin, port: u16) {
    let provider = json!({
        "name": "erp", "title": "erp", "destType": "Internet", "host": "127.0.0.1", "port": port, "useSSL": false,
    });
    admin.manage(Method::POST, "/APIProviders", Some(&provider)).await.expect_status(201);
    let proxy = json!({
        "name": "Shop", "title": "Shop", "service_code": "REST", "provider_name": "erp",
        "proxyEndPoints": [{
            "name": "default", "isDefault": true, "base_path": "/shop",
            "preFlow": {"request": {"steps": [
                {"policy_name": "Greet", "condition": "request.queryparam.who != null", "sequence": 1}]}},
        }],
        "targetEndPoints": [{"name": "default", "provider_id": "erp", "relativePath": "/"}],
        "policies": [{"name": "Greet", "policy_content": GREET}],
    });
    admin.manage(Method::POST, "/APIProxies", Some(&proxy)).await.expect_status(201);
    admin.deploy("Shop").await;
}

pub(crate) struct Traced {
    pub(crate) pierhead: Pierhead,
    admin: Admin,
    backend: Backend,
}

const SESSIONS: &str = "/environments/default/apis/Shop/revisions/1/debugsessions";

impl Traced {
    pub(crate) async fn start() -> Self {
        let (pierhead, backend) = (Pierhead::start().await, Backend::start().await);
        let admin = pierhead.admin().await;
        publish(&admin, backend.port).await;
        Self { pierhead, admin, backend }
    }

    async fn apigee(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let url = self.pierhead.control(&format!("/v1/organizations/default{path}"));
        let request =
            Request::new(method, url).header("authorization", &format!("Bearer {}", self.admin.bearer));
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.pierhead.client.send(request).await
    }

    async fn get(&self, path: &str) -> Value {
        self.apigee(Method::GET, &format!("{SESSIONS}{path}"), None).await.expect_status(200).json()
    }

    async fn session(&self, query: &str) -> Value {
        let path = format!("{SESSIONS}?session=s&{query}");
        self.apigee(Method::POST, &path, None).await.expect_status(201).json()
    }

    pub(crate) async fn ask(&self, path: &str, body: &str) -> Answer {
        let request = Request::post(self.pierhead.gateway(path))
            .header("authorization", "Bearer top-secret")
            .header("x-kind", "a")
            .body("application/json", body.to_owned());
        self.pierhead.client.send(request).await
    }

    /// The ids of what was recorded, once there are so many: a client may have its answer a moment earlier.
    pub(crate) async fn recorded(&self, count: usize) -> Vec<String> {
        let wait = async {
            loop {
                let ids: Vec<String> = serde_json::from_value(self.get("/s/data").await).unwrap();
                if ids.len() >= count {
                    return ids;
                }
                tokio::task::yield_now().await;
            }
        };
        let patience = std::time::Duration::from_secs(60);
        tokio::time::timeout(patience, wait).await.expect("the transactions are recorded")
    }
}

#[tokio::test]
async fn a_session_records_what_it_is_asked_to_and_shows_it_in_apigees_form() {
    let traced = Traced::start().await;
    let made = traced.session("timeout=60&header_x-kind=a&qparam_who=kim").await;
    assert_eq!(
        (&made["name"], &made["timeout"], &made["recording"]),
        (&json!("s"), &json!("60"), &json!(true))
    );
    assert_eq!(traced.get("").await, json!(["s"]));

    traced.ask("/shop/1?who=ann", "{}").await.expect_status(200);
    let answer = traced.ask("/shop/2?who=kim", "{\"want\":1}").await.expect_status(200);
    let ids = traced.recorded(1).await;

    assert_eq!(ids, [answer.header("x-request-id")], "only the one that fits");
    let data = traced.get(&format!("/s/data/{}", ids[0])).await;
    assert_eq!(data["completed"], true, "{data}");
    let points = data["point"].as_array().unwrap();
    let of = |id: &str| points.iter().filter(|point| point["id"] == id).collect::<Vec<_>>();
    assert_eq!(of("StateChange")[0]["results"][0]["ActionResult"], "DebugInfo");
    assert_eq!(of("Condition").len(), 1, "{data}");
    let execution = of("Execution")[0];
    let named = |name: &str, value: &str| json!({"name": name, "value": value});
    let properties = execution["results"][0]["properties"]["property"].as_array().unwrap();
    assert!(properties.contains(&named("stepDefinition-name", "Greet")), "{execution}");
    assert!(properties.contains(&named("type", "AssignMessageExecution")), "{execution}");
    let access = execution["results"][1]["accessList"].as_array().unwrap();
    assert!(
        access.contains(&json!({"Set": {"name": "who", "success": true, "value": "kim"}})),
        "{execution}"
    );
    let messages: Vec<&Value> = points
        .iter()
        .flat_map(|point| point["results"].as_array().unwrap())
        .filter(|result| result["ActionResult"].as_str().unwrap().ends_with("Message"))
        .collect();
    assert_eq!((&messages[0]["verb"], &messages[0]["uRI"]), (&json!("POST"), &json!("/shop/2?who=kim")));
    assert_eq!(messages[0]["content"], "{\"want\":1}", "the body that passed by");
    let last = messages.last().unwrap();
    assert_eq!((&last["statusCode"], &last["content"]), (&json!("200"), &json!("{\"price\":7,\"ok\":1}")));
    for secret in ["top-secret", "geheim-9"] {
        assert!(!data.to_string().contains(secret), "{secret} in {data}");
    }

    traced.apigee(Method::DELETE, &format!("{SESSIONS}/s"), None).await.expect_status(200);
    traced.apigee(Method::GET, &format!("{SESSIONS}/s"), None).await.expect_status(404);
    assert_eq!(traced.get("").await, json!([]));
}

#[tokio::test]
async fn a_session_ends_by_itself_and_by_command_and_keeps_what_it_has() {
    let traced = Traced::start().await;
    traced.session("").await;
    traced.ask("/shop/1", "{}").await.expect_status(200);
    traced.recorded(1).await;

    traced.pierhead.advance(std::time::Duration::from_secs(601));
    traced.ask("/shop/2", "{}").await.expect_status(200);
    let session = traced.get("/s").await;
    assert_eq!((&session["recording"], &session["transactions"]), (&json!(false), &json!(1)));

    let other = format!("{SESSIONS}?session=t");
    traced
        .apigee(Method::POST, &other, Some(&json!({"timeout": "5", "filter": "request.verb = \"GET\""})))
        .await
        .expect_status(201);
    traced.apigee(Method::POST, &other, None).await.expect_status(409);
    let stopped = traced.apigee(Method::POST, &format!("{SESSIONS}/t?action=stop"), None).await;
    assert_eq!(stopped.expect_status(200).json()["recording"], false);
}

#[tokio::test]
async fn an_exported_session_can_be_shown_again_after_a_restart_and_replayed() {
    let mut traced = Traced::start().await;
    traced.session("").await;
    traced.ask("/shop/1?who=kim", "{}").await.expect_status(200);
    let id = traced.recorded(1).await.remove(0);
    let file =
        traced.apigee(Method::GET, &format!("{SESSIONS}/s?format=export"), None).await.expect_status(200);
    assert!(file.header("content-disposition").contains("s.trace.json"));
    let har = traced.get("/s?format=har").await;
    assert_eq!(har["log"]["entries"][0]["response"]["content"]["text"], "{\"price\":7,\"ok\":1}", "{har}");
    assert!(!file.text().contains("top-secret") && !har.to_string().contains("top-secret"));
    let before = traced.get(&format!("/s/data/{id}?format=pierhead")).await;

    traced.pierhead.restart().await;
    traced.admin = traced.pierhead.admin().await;
    assert_eq!(traced.get("").await, json!([]), "sessions live in memory");
    let path = format!("{SESSIONS}?session=again&action=import");
    traced.apigee(Method::POST, &path, Some(&file.json())).await.expect_status(201);

    assert_eq!(traced.get(&format!("/again/data/{id}?format=pierhead")).await, before);
    let path = format!("{SESSIONS}/again/data/{id}/replay");
    let replay = traced.apigee(Method::POST, &path, None).await.expect_status(200).json();
    assert_eq!((&replay["same"], &replay["differences"]), (&json!(true), &json!([])), "{replay}");
    assert_eq!(traced.backend.asked(), 1, "nobody was called again");
}

#[tokio::test]
async fn a_recorded_call_is_replayed_through_a_changed_design_and_the_differences_are_named() {
    let traced = Traced::start().await;
    traced.session("").await;
    traced.ask("/shop/1?who=kim", "{\"want\":1}").await.expect_status(200);
    let id = traced.recorded(1).await.remove(0);
    let changed = GREET.replace("{who}", "Dr {who}");
    let policy = json!({"name": "Greet", "policy_content": changed});
    traced
        .admin
        .manage(Method::PUT, "/Policies('Shop:policy:Greet')", Some(&policy))
        .await
        .expect_status(204);
    let replay = |query: &str| {
        let path = format!("{SESSIONS}/s/data/{id}/replay?{query}");
        let traced = &traced;
        async move { traced.apigee(Method::POST, &path, None).await }
    };

    let same = replay("revision=1").await.expect_status(200).json();
    let drafted = replay("revision=draft").await.expect_status(200).json();
    let live = replay("revision=draft&targets=live").await.expect_status(200).json();

    assert_eq!((&same["same"], &same["targets"]), (&json!(true), &json!("recorded")), "{same}");
    let difference =
        json!({"part": "target_header", "name": "x-who", "recorded": "kim", "replayed": "Dr kim"});
    assert_eq!(drafted["differences"], json!([difference]), "{drafted}");
    assert_eq!(live["differences"], json!([difference]), "{live}");
    assert_eq!(drafted["replayed"]["status"], 200);
    assert!(!drafted.to_string().contains("top-secret"), "the credential was sent and is not shown");
    assert_eq!(traced.backend.asked(), 2, "the client's call and the live replay");
    let live = traced.pierhead.client.get(traced.pierhead.gateway("/shop/1")).await;
    live.expect_status(200);
    assert_eq!(traced.recorded(2).await.len(), 2, "replays are no traffic");
}

#[tokio::test]
async fn mask_configs_hide_parts_of_bodies_and_variables() {
    let traced = Traced::start().await;
    let ours = json!({"name": "default", "variables": ["who"], "jSONPathsRequest": ["$.card.number"]});
    traced.apigee(Method::POST, "/maskconfigs", Some(&ours)).await.expect_status(201);
    let own = json!({"jSONPathsResponse": ["$.price"], "xPathsRequest": ["/s:a/s:b"],
        "namespaces": [{"prefix": "s", "value": "urn:s"}]});
    traced.apigee(Method::POST, "/apis/Shop/maskconfigs/default", Some(&own)).await.expect_status(200);
    let names = traced.apigee(Method::GET, "/maskconfigs", None).await.expect_status(200).json();
    assert_eq!(names, json!(["default"]));
    traced.session("").await;

    traced
        .ask("/shop/1?who=Kimberly", "{\"card\":{\"number\":\"4111\",\"name\":\"K\"}}")
        .await
        .expect_status(200);
    let id = traced.recorded(1).await.remove(0);

    let shown = traced.get(&format!("/s/data/{id}?format=pierhead")).await.to_string();
    for secret in ["4111", "Kimberly", "\\\"price\\\":7"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains(r#"{\"card\":{\"number\":\"***\",\"name\":\"K\"}}"#), "{shown}");
    assert!(shown.contains(r#"{\"price\":\"***\",\"ok\":1}"#), "{shown}");

    for (body, word) in [
        (json!({"jSONPathsRequest": ["$.a["]}), "$.a["),
        (json!({"xPathsFault": ["//x:a"]}), "//x:a"),
        (json!({"variables": "a"}), "variables"),
        (json!({"colour": []}), "colour"),
        (json!({"namespaces": [{"prefix": "p"}]}), "namespaces"),
    ] {
        let refused =
            traced.apigee(Method::PUT, "/maskconfigs/default", Some(&body)).await.expect_status(400);
        assert!(refused.text().contains(word), "{}", refused.text());
    }
    traced.apigee(Method::DELETE, "/apis/Shop/maskconfigs/default", None).await.expect_status(200);
    traced.apigee(Method::GET, "/apis/Shop/maskconfigs/default", None).await.expect_status(404);
}

#[tokio::test]
async fn bad_input_is_named_and_sessions_are_for_designers_only() {
    let traced = Traced::start().await;
    for (query, word) in [
        ("session=a/b", "session"),
        ("session=x&timeout=soon", "timeout"),
        ("session=x&timeout=0", "timeout"),
        ("session=x&filter=request.verb%20%3D%20(", "filter"),
        ("session=x&action=import", "exported session"),
    ] {
        let path = format!("{SESSIONS}?{query}");
        let refused = traced.apigee(Method::POST, &path, None).await.expect_status(400);
        assert!(refused.text().contains(word), "{query}: {}", refused.text());
    }
    traced.session("").await;
    for (method, path, status) in [
        (Method::GET, "/nobody", 404),
        (Method::GET, "/s/data/nothing", 404),
        (Method::POST, "/s/data/nothing/replay", 404),
        (Method::GET, "/s?format=pdf", 400),
        (Method::POST, "/s?action=pause", 400),
        (Method::PUT, "/s", 405),
        (Method::GET, "/s/else/where", 404),
    ] {
        traced.apigee(method, &format!("{SESSIONS}{path}"), None).await.expect_status(status);
    }
    let other = traced.admin.another_account("visitors").await;
    let url = traced.pierhead.control(&format!("/v1/organizations/default{SESSIONS}"));
    let asked = Request::get(url).header("authorization", &format!("Bearer {}", other.bearer));
    traced.pierhead.client.send(asked).await.expect_status(403);
}
