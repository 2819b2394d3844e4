use http::StatusCode;
use serde_json::json;

use crate::testing::{ADMIN, TestHub};

/// An instance and the header that the gateway's policy builds.
async fn instance(hub: &TestHub, key: &str) -> String {
    let configuration = match key {
        "shelf" => json!({"root.path": hub.shared.path().to_str().unwrap()}),
        _ => json!({"username": "ada", "password": "good"}),
    };
    let ask = json!({"name": "n", "element": {"key": key}, "configuration": configuration});
    let made = hub.make(ADMIN, ask).await;
    format!("{ADMIN}, Element {}", made["token"].as_str().unwrap())
}

#[tokio::test]
async fn hub_calls_pass_through_the_gateways_door() {
    let hub = TestHub::start().await;
    let auth = instance(&hub, "shelf").await;
    for path in
        ["/elements/api-v2/open", "/elements/api-v2//hubs/documents/open", "//elements/api-v2/open?a=b"]
    {
        let answer = hub.in_process("GET", path, &auth).await;
        assert_eq!((answer.status, &answer.json["open"]), (StatusCode::OK, &json!(true)), "{path}");
        assert_eq!(answer.header("elements-request-id").len(), 24);
    }
    let head = hub.in_process("HEAD", "/elements/api-v2/open", &auth).await;
    assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""));
    assert_eq!(hub.in_process("GET", "/elements/api-v2/open", "").await.status, StatusCode::UNAUTHORIZED);
    let absent = hub.in_process("GET", "/elements/api-v2/nothing", &auth).await;
    assert_eq!(absent.status, StatusCode::NOT_FOUND, "{}", absent.text);
    assert_eq!(absent.json["requestId"], absent.header("elements-request-id"));
}

#[tokio::test]
async fn no_platform_path_passes_in_whatever_spelling() {
    let hub = TestHub::start().await;
    let auth = instance(&hub, "desk").await;
    let roots = [
        "/organizations/me",
        "/instances",
        "/instances/1",
        "/authentication",
        "/authentication/secrets",
        "/elements",
        "/elements/desk",
        "/hubs",
        "/hubs/keys",
        "/hubs/documents",
        "/hubs/documents/elements",
        "/formulas",
        "/accounts",
        "/accounts/1",
        "/users",
        "/users/1",
        "/customers/me",
        "/usage",
        "/jobs",
        "/docs/documents",
        "/vdrs",
        "/events",
        "/metrics",
        "/notifications",
        "/common-resources",
        "/transformations",
        "/models",
    ];
    let mut paths: Vec<String> = roots.iter().map(|root| format!("/elements/api-v2{root}")).collect();
    for trick in [
        "/elements/api-v2",
        "/elements/api-v2/",
        "/",
        "",
        "/open",
        "/elements/api-v1/open",
        "/elements/api-v2x/open",
        "/elements/api-v2/%6frganizations/me",
        "/elements/api-v2/ORGANIZATIONS/me",
        "/elements/api-v2//organizations",
        "/elements/api-v2/open/../organizations/me",
        "/elements/api-v2/open/%2e%2e/organizations/me",
        "/elements/api-v2/organizations%2fme",
        "/elements/api-v2/./organizations",
        "/elements/api-v2/instances;x",
        "/elements/api-v2/hubs/x/../../organizations",
        "/elements/api-v2/hubs%2fdocuments",
        "/elements/api-v2/%00",
        "/elements/api-v2/hubs/documents/ELEMENTS",
        "/elements/api-v2/%2e%2e/api-v2/organizations/me",
        "/elements/api-v2/instances%2F1",
        "/elements/api-v2/%c0%af",
        "/v1/organizations/o/apis",
        "/console",
    ] {
        paths.push(trick.to_owned());
    }
    for path in paths {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            let answer = hub.in_process(method, if path.is_empty() { "/" } else { &path }, &auth).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn accounts_pass_where_the_connector_has_them() {
    let hub = TestHub::start().await;
    let auth = instance(&hub, "shelf").await;
    assert_eq!(hub.in_process("GET", "/elements/api-v2/accounts/1", &auth).await.status, StatusCode::OK);
    assert_eq!(hub.in_process("GET", "/elements/api-v2/users/1", &auth).await.status, StatusCode::FORBIDDEN);
    assert_eq!(hub.get("/accounts/1", &auth).await.status, StatusCode::OK);
}

#[tokio::test]
async fn objects_are_described_from_the_definition() {
    let hub = TestHub::start().await;
    let auth = instance(&hub, "shelf").await;
    let names = hub.get("/objects", &auth).await.json;
    assert!(names.as_array().unwrap().iter().all(serde_json::Value::is_string), "{names}");
    assert_eq!(hub.get("/objects/nothing/metadata", &auth).await.status, StatusCode::NOT_FOUND);
}
