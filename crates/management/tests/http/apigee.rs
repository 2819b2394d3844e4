//! Products, developers, apps and keys by Apigee's calls (reference 8.10), live in the snapshot.

use axum::body::Body;
use axum::http::Request;
use pierhead_gateway::snapshot::Standing;
use serde_json::{Value, json};

use crate::client::{Answer, Portal, basic};

async fn send(portal: &Portal, method: &str, path: &str, body: Option<Value>) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("/v1/organizations/acme{path}"))
        .header("authorization", basic("admin"))
        .header("content-type", "application/json")
        .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
        .unwrap();
    portal.raw(request).await
}

const APP: &str = "/developers/ann@example.com/apps/app";

/// A product, a developer and an app; answers the app.
async fn with_app(portal: &Portal) -> Value {
    let product = json!({"name": "gold", "displayName": "Gold", "approvalType": "auto", "proxies": ["Googledrive"],
        "apiResources": ["/files/**"], "quota": "10", "quotaInterval": "1", "quotaTimeUnit": "minute",
        "attributes": [{"name": "tier", "value": "1"}]});
    send(portal, "POST", "/apiproducts", Some(product)).await.expect(201);
    let developer =
        json!({"email": "Ann@example.com", "userName": "ann", "firstName": "Ann", "lastName": "A"});
    send(portal, "POST", "/developers", Some(developer)).await.expect(201);
    let app = json!({"name": "app", "apiProducts": ["gold"], "callbackUrl": "https://example.com/cb"});
    send(portal, "POST", "/developers/ann@example.com/apps", Some(app)).await.expect(201).json()
}

fn key_of(app: &Value) -> String {
    app["credentials"][0]["consumerKey"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_live_at_once_with_everything_it_leads_to() {
    let portal = Portal::start().await;
    let app = with_app(&portal).await;
    let key = key_of(&app);

    for snapshots in [portal.snapshots.clone(), portal.restart().await] {
        let snapshot = snapshots.load();
        let live = snapshot.keys().find(&key).expect("the key is live");
        assert_eq!(live.standing, Standing::Approved);
        assert_eq!(&*live.app.name, "app");
        assert_eq!(&*live.app.developer.as_ref().unwrap().email, "ann@example.com");
        let (product, standing) = &live.products[0];
        assert_eq!((&*product.name, *standing), ("gold", Standing::Approved));
        assert!(product.gives_access("prod", "Googledrive", "/files/1", "GET"));
        assert!(!product.gives_access("prod", "Googledrive", "/folders", "GET"));
        assert_eq!(live.secret.as_ref().unwrap().expose(), app["credentials"][0]["consumerSecret"]);
        assert!(snapshot.keys().find("another").is_none());
    }
    let stored = portal.store.designs().keys(crate::client::ACME).await.unwrap();
    assert!(!stored[0].hash.contains(&key) && !String::from_utf8_lossy(&stored[0].sealed).contains(&key));
}

#[tokio::test]
async fn keys_apps_products_and_developers_are_approved_and_revoked() {
    let portal = Portal::start().await;
    let key = key_of(&with_app(&portal).await);
    let live = || portal.snapshots.load().keys().find(&key).cloned().unwrap();
    let act = |path: String| {
        let portal = &portal;
        async move { send(portal, "POST", &path, None).await.expect(204) }
    };

    act(format!("{APP}/keys/{key}?action=revoke")).await;
    assert_eq!(live().standing, Standing::Revoked);
    act(format!("{APP}/keys/{key}?action=approve")).await;
    assert_eq!(live().standing, Standing::Approved);
    act(format!("{APP}/keys/{key}/apiproducts/gold?action=revoke")).await;
    assert_eq!(live().products[0].1, Standing::Revoked);
    act(format!("{APP}?action=revoke")).await;
    assert_eq!(live().app.standing, Standing::Revoked);
    act("/developers/ann@example.com?action=inactive".into()).await;
    assert_eq!(live().app.developer.as_ref().unwrap().standing, Standing::Revoked);

    send(&portal, "DELETE", &format!("{APP}/keys/{key}"), None).await.expect(200);
    assert!(portal.snapshots.load().keys().is_empty());
}

#[tokio::test]
async fn a_product_of_manual_approval_waits_and_own_keys_are_taken() {
    let portal = Portal::start().await;
    with_app(&portal).await;
    let silver = json!({"name": "silver", "approvalType": "manual"});
    send(&portal, "POST", "/apiproducts", Some(silver)).await.expect(201);
    let own = json!({"consumerKey": "my-key", "consumerSecret": "my-secret"});
    send(&portal, "POST", &format!("{APP}/keys/create"), Some(own.clone())).await.expect(201);
    let with = json!({"apiProducts": ["silver"]});
    let key = send(&portal, "POST", &format!("{APP}/keys/my-key"), Some(with)).await.expect(200).json();
    assert_eq!(key["apiProducts"], json!([{"apiproduct": "silver", "status": "pending"}]));
    assert_eq!(portal.snapshots.load().keys().find("my-key").unwrap().products[0].1, Standing::Pending);

    let twice = send(&portal, "POST", &format!("{APP}/keys/create"), Some(own)).await.expect(409);
    assert!(!twice.text.contains("my-key"));
    let app = send(&portal, "GET", APP, None).await.expect(200).json();
    assert_eq!(app["credentials"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn lists_reads_changes_and_deletes() {
    let portal = Portal::start().await;
    with_app(&portal).await;
    assert_eq!(send(&portal, "GET", "/apiproducts", None).await.json(), json!(["gold"]));
    assert_eq!(
        send(&portal, "GET", "/apiproducts?expand=true", None).await.json()["apiProduct"][0]["quota"],
        "10"
    );
    assert_eq!(send(&portal, "GET", "/developers", None).await.json(), json!(["ann@example.com"]));
    assert_eq!(send(&portal, "GET", "/developers/ANN@example.com/apps", None).await.json(), json!(["app"]));
    let changed = json!({"userName": "ann", "firstName": "Anna", "lastName": "A"});
    let developer =
        send(&portal, "PUT", "/developers/ann@example.com", Some(changed)).await.expect(200).json();
    assert_eq!((&developer["firstName"], &developer["apps"]), (&json!("Anna"), &json!(["app"])));
    assert_eq!(portal.get("/APIProducts").await.results()[0]["title"], "Gold");

    send(&portal, "DELETE", "/apiproducts/gold", None).await.expect(409);
    send(&portal, "DELETE", "/developers/ann@example.com", None).await.expect(200);
    assert!(portal.snapshots.load().keys().is_empty());
    send(&portal, "DELETE", "/apiproducts/gold", None).await.expect(200);
    send(&portal, "GET", "/apiproducts/gold", None).await.expect(404);
}

#[tokio::test]
async fn bad_input_is_answered_in_apigees_shape_and_changes_nothing() {
    let portal = Portal::start().await;
    with_app(&portal).await;
    for (method, path, body, status, word) in [
        ("POST", "/apiproducts", json!({}), 400, "name"),
        ("POST", "/apiproducts", json!({"name": "a/b"}), 400, "name"),
        ("POST", "/apiproducts", json!({"name": "gold"}), 409, "gold"),
        ("POST", "/apiproducts", json!({"name": "x", "proxies": "p"}), 400, "proxies"),
        ("POST", "/apiproducts", json!({"name": "x", "quota": "many"}), 400, "quota"),
        ("POST", "/apiproducts", json!({"name": "x", "quotaTimeUnit": "year"}), 400, "quotaTimeUnit"),
        ("POST", "/apiproducts", json!({"name": "x", "approvalType": "never"}), 400, "approvalType"),
        ("POST", "/apiproducts", json!({"name": "x", "attributes": [1]}), 400, "attributes"),
        ("POST", "/developers", json!({"email": "x"}), 400, "email"),
        ("POST", "/developers", json!({"email": "b@x"}), 400, "userName"),
        (
            "POST",
            "/developers",
            json!({"email": "ANN@example.com", "userName": "a", "firstName": "a", "lastName": "a"}),
            409,
            "ann",
        ),
        ("POST", "/developers/none@x/apps", json!({"name": "x"}), 404, "none@x"),
        ("POST", "/developers/ann@example.com/apps", json!({"name": "app"}), 409, "app"),
        (
            "POST",
            "/developers/ann@example.com/apps",
            json!({"name": "x", "apiProducts": ["lead"]}),
            404,
            "lead",
        ),
        ("GET", "/developers/ann@example.com/apps/app/keys/none", Value::Null, 404, "consumer key"),
        ("PATCH", "/apiproducts", Value::Null, 405, "PATCH"),
        ("GET", "/nothing", Value::Null, 404, "nothing"),
        ("POST", "/apiproducts", json!([]), 400, "JSON object"),
    ] {
        let answer = send(&portal, method, path, Some(body).filter(|body| !body.is_null()))
            .await
            .expect(status)
            .json();
        assert!(answer["message"].as_str().unwrap().contains(word), "{path}: {answer}");
        assert!(answer["code"].is_string() && answer["contexts"].is_array());
    }
    assert_eq!(send(&portal, "GET", "/apiproducts", None).await.json(), json!(["gold"]));
    let apps = send(&portal, "GET", "/developers/ann@example.com/apps", None).await.json();
    assert_eq!(apps, json!(["app"]));
}

#[tokio::test]
async fn callers_are_checked() {
    let portal = Portal::start().await;
    let with = |method: &'static str, who: Option<&'static str>, kind: &'static str, org: &'static str| {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/v1/o/{org}/apiproducts"))
            .header("content-type", kind);
        if let Some(who) = who {
            request = request.header("authorization", format!("Bearer {who}"));
        }
        portal.raw(request.body(Body::from(json!({"name": "x"}).to_string())).unwrap())
    };
    with("GET", None, "application/json", "acme").await.expect(401);
    with("GET", Some("wrong"), "application/json", "acme").await.expect(401);
    with("GET", Some("guest"), "application/json", "acme").await.expect(200);
    with("POST", Some("guest"), "application/json", "acme").await.expect(403);
    with("GET", Some("stranger"), "application/json", "acme").await.expect(403);
    with("GET", Some("admin"), "application/json", "other").await.expect(404);
    with("POST", Some("admin"), "text/plain", "acme").await.expect(400);
    with("POST", Some("admin"), "application/json", "acme").await.expect(201);
}
