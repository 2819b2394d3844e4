//! Several nodes on one database, and a node without its database.

use std::time::Duration;

use http::Method;
use pierhead_testkit::{Admin, Answer, Pierhead, Request};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Asks again and again until it is so.
async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !so().await {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), asking).await.is_ok(), "{what}");
}

async fn apigee(node: &Pierhead, admin: &Admin, method: Method, path: &str, body: Option<Value>) -> Answer {
    let url = node.control(&format!("/v1/organizations/default{path}"));
    let request = Request::new(method, url).header("authorization", &format!("Bearer {}", admin.bearer));
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    node.client.send(request).await
}

/// A proxy at `/<name>` without a target that runs `request` on the way in and `response` on the way out.
async fn publish(admin: &Admin, name: &str, request: &str, response: Option<&str>) {
    let step = |policy: &str| json!({"steps": [{"policy_name": policy, "condition": "", "sequence": 1}]});
    let mut policies = vec![json!({"name": "In", "policy_content": request})];
    let mut endpoint = json!({
        "name": "default", "isDefault": true, "base_path": format!("/{name}"),
        "preFlow": {"request": step("In")}, "routeRules": [{"name": "none", "sequence": 1}],
    });
    if let Some(response) = response {
        policies.push(json!({"name": "Out", "policy_content": response}));
        endpoint["postFlow"] = json!({"response": step("Out")});
    }
    let proxy = json!({
        "name": name, "title": name, "service_code": "REST", "provider_name": "NONE",
        "proxyEndPoints": [endpoint],
        "targetEndPoints": [{"name": "default", "provider_id": "NONE", "relativePath": "/"}],
        "policies": policies,
    });
    admin.manage(Method::POST, "/APIProxies", Some(&proxy)).await.expect_status(201);
    admin.deploy(name).await;
}

const READ: &str = "<KeyValueMapOperations mapIdentifier=\"m\"><Scope>environment</Scope>\
    <Get assignTo=\"got\"><Key><Parameter>k</Parameter></Key></Get></KeyValueMapOperations>";
const SHOW: &str = "<AssignMessage><Set><Headers><Header name=\"x-got\">{got}</Header></Headers></Set>\
    <AssignTo createNew=\"false\" type=\"response\"/></AssignMessage>";

/// A map with the value `v1` and a proxy `/shown` that shows it in a header.
async fn publish_shown(admin: &Admin) {
    let map = json!({"name": "m", "scope": "ENV", "encrypted": false});
    admin.manage(Method::POST, "/KeyMapEntries", Some(&map)).await.expect_status(201);
    let entry = json!({"name": "k", "map_name": "m", "value": "v1"});
    admin.manage(Method::POST, "/KeyMapEntryValues", Some(&entry)).await.expect_status(201);
    publish(admin, "shown", READ, Some(SHOW)).await;
}

async fn shows(node: &Pierhead, value: &str) -> bool {
    let answer = node.client.get(node.gateway("/shown")).await;
    answer.status == 200 && answer.header("x-got") == value
}

async fn answers(node: &Pierhead, path: &str, status: u16) -> bool {
    node.client.get(node.gateway(path)).await.status == status
}

#[tokio::test]
async fn what_one_node_acknowledges_is_soon_live_on_the_other() {
    let Some(database) = pierhead_testkit::postgres().await else { return };
    let one = Pierhead::start_with(vec![("database.url", database.clone().into())]).await;
    let key_file = one.data_dir().join("pierhead.key").display().to_string();
    let other =
        Pierhead::start_with(vec![("database.url", database.into()), ("keys.file", key_file.into())]).await;
    let admin = one.admin().await;

    publish_shown(&admin).await;
    let at_once = one.client.get(one.gateway("/shown")).await.expect_status(200);
    assert_eq!(at_once.header("x-got"), "v1", "at once where it was changed");
    until("a deploy and a map", async || shows(&other, "v1").await).await;

    let value = json!({"name": "k", "map_name": "m", "value": "v2"});
    let entry = "/KeyMapEntryValues(map_name='m',name='k')";
    let changed = admin.manage(Method::PUT, entry, Some(&value)).await;
    assert!(changed.status.is_success(), "{}", changed.text());
    until("another value", async || shows(&other, "v2").await).await;

    publish(&admin, "keyed", "<VerifyAPIKey><APIKey ref=\"request.queryparam.key\"/></VerifyAPIKey>", None)
        .await;
    until("a second deploy", async || answers(&other, "/keyed", 401).await).await;
    let product = json!({"name": "all", "displayName": "all", "approvalType": "auto", "proxies": []});
    apigee(&one, &admin, Method::POST, "/apiproducts", Some(product)).await.expect_status(201);
    let developer = json!({"email": "dev@example.com", "firstName": "D", "lastName": "V", "userName": "dev"});
    apigee(&one, &admin, Method::POST, "/developers", Some(developer)).await.expect_status(201);
    let app = json!({"name": "app", "apiProducts": ["all"]});
    let path = "/developers/dev@example.com/apps";
    let app = apigee(&one, &admin, Method::POST, path, Some(app)).await.expect_status(201).json();
    let key = app["credentials"][0]["consumerKey"].as_str().unwrap().to_owned();
    let keyed = format!("/keyed?key={key}");
    until("an app with its key", async || answers(&other, &keyed, 200).await).await;
    apigee(&one, &admin, Method::DELETE, "/developers/dev@example.com/apps/app", None)
        .await
        .expect_status(200);
    until("an app that is gone", async || answers(&other, &keyed, 401).await).await;

    let undeployed = admin.manage(Method::POST, "/APIProxies('shown')/Undeploy", None).await;
    assert!(undeployed.status.is_success(), "{}", undeployed.text());
    until("a proxy that is stopped", async || answers(&other, "/shown", 404).await).await;

    // And the other way round.
    let there = other.admin().await;
    there.deploy("shown").await;
    until("a deploy of the other node", async || shows(&one, "v2").await).await;
}

/// A way to a database that can be cut.
struct Bridge {
    url: String,
    open: watch::Sender<bool>,
}

impl Bridge {
    async fn to(database: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (head, rest) = database.split_once('@').unwrap();
        let (address, name) = rest.split_once('/').unwrap();
        let url = format!("{head}@{}/{name}", listener.local_addr().unwrap());
        let (open, is_open) = watch::channel(true);
        let address = address.to_owned();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (mut is_open, address) = (is_open.clone(), address.clone());
                tokio::spawn(async move {
                    if !*is_open.borrow() {
                        return;
                    }
                    let mut far = TcpStream::connect(address).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = is_open.wait_for(|open| !open) => {}
                    }
                });
            }
        });
        Self { url, open }
    }
}

#[tokio::test]
async fn a_node_starts_without_its_database_and_finds_it_again() {
    let Some(database) = pierhead_testkit::postgres().await else { return };
    let bridge = Bridge::to(&database).await;
    let mut node = Pierhead::start_with(vec![("database.url", bridge.url.clone().into())]).await;
    publish_shown(&node.admin().await).await;

    bridge.open.send(false).unwrap();
    node.restart().await;

    let served = node.client.get(node.gateway("/shown")).await.expect_status(200);
    assert_eq!(served.header("x-got"), "v1", "what was deployed, with the values of its map");
    assert!(answers(&node, "/nothing", 404).await);
    let ready = node.client.get(node.control("/readyz")).await;
    assert_eq!(ready.status, 503, "{}", ready.text());

    bridge.open.send(true).unwrap();
    until("the database is found again", async || {
        node.client.get(node.control("/readyz")).await.status == 200
    })
    .await;
    let admin = node.admin().await;
    let value = json!({"name": "k", "map_name": "m", "value": "v2"});
    let entry = "/KeyMapEntryValues(map_name='m',name='k')";
    let changed = admin.manage(Method::PUT, entry, Some(&value)).await;
    assert!(changed.status.is_success(), "{}", changed.text());
    assert!(shows(&node, "v2").await);
}

#[tokio::test]
async fn doctor_says_whether_a_start_without_the_database_would_do() {
    let node = Pierhead::start().await;
    let data = node.data_dir();
    let doctor = || {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_pierhead"))
            .args(["doctor", "--gateway", "127.0.0.1:0", "--control", "127.0.0.1:0", "--data-dir"])
            .arg(&data)
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), out.lines().find(|line| line.contains("last good")).unwrap().to_owned())
    };

    let (good, line) = doctor();
    assert!(good && line.contains("opens"), "{line}");
    std::fs::write(data.join("last-good"), "nonsense\n").unwrap();
    let (good, line) = doctor();
    assert!(!good && line.starts_with("FAIL") && line.contains("no last good snapshot"), "{line}");
}
