use http::StatusCode;

use crate::testing::{ADMIN, TestHub};

#[tokio::test]
async fn the_catalogue_is_readable_without_credentials_by_key_and_by_id() {
    let hub = TestHub::start().await;
    for path in ["/elements/things", "/elements/99001"] {
        let element = hub.get(path, "").await;
        assert_eq!(element.status, StatusCode::OK, "{path}");
        assert_eq!(element.json["key"], "things");
        assert_eq!(element.json["authentication"]["type"], "oauth2");
        assert_eq!(element.json["typeOauth"], true);
        assert_eq!(element.json["image"], "http://hub.example/elements/api-v2/elements/things/icon.svg");
        let settings = element.json["configuration"].as_array().unwrap();
        let secret = settings.iter().find(|setting| setting["key"] == "oauth.api.secret").unwrap();
        assert_eq!((secret["type"].as_str(), secret["required"].as_bool()), (Some("PASSWORD"), Some(true)));
        assert!(element.json["resources"].as_array().is_some_and(|resources| !resources.is_empty()));
    }
    let icon = hub.get("/elements/things/icon.svg", "").await;
    assert_eq!((icon.header("content-type"), icon.text.as_str()), ("image/svg+xml", "<svg/>"));
    assert_eq!(hub.get("/elements/things/metadata", "").await.json["hub"], "general");
    assert_eq!(hub.get("/elements/things/configuration/colour", "").await.json["defaultValue"], "red");
}

#[tokio::test]
async fn unknown_elements_are_404_in_the_hubs_dialect() {
    let hub = TestHub::start().await;
    for path in ["/elements/nothing", "/elements/77/metadata", "/elements/nothing/configuration"] {
        let answer = hub.get(path, "").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.json["requestId"].as_str().map(str::len), Some(24), "{}", answer.text);
        assert_eq!(answer.header("elements-request-id"), answer.json["requestId"]);
        assert!(answer.message().contains("No element found"), "{}", answer.text);
    }
}

#[tokio::test]
async fn the_list_is_filtered_shortened_and_paged() {
    let hub = TestHub::start().await;
    let keys = async |query: &str| {
        let answer = hub.get(&format!("/elements?{query}"), "").await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text);
        let list = answer.json.as_array().unwrap().clone();
        list.iter().map(|element| element["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = keys("").await;
    assert!(
        all.is_sorted() && ["desk", "folder", "things"].iter().all(|key| all.iter().any(|a| a == key)),
        "{all:?}"
    );
    assert_eq!(hub.get("/elements/keys", "").await.json, serde_json::json!(all));
    assert_eq!(keys("key=shelf").await, ["shelf"]);
    assert_eq!(keys("where=key%20in%20('desk','things')%20AND%20private='false'").await, ["desk", "things"]);
    assert_eq!(keys("where=key='desk'%20AND%20abridged='true'").await, ["desk"]);

    let short = hub.get("/elements?abridged=true&pageSize=2", "").await;
    assert!(short.json[0].get("configuration").is_none() && short.json[0].get("abridged").is_none());
    let total = all.len().to_string();
    assert_eq!(
        (short.header("elements-returned-count"), short.header("elements-total-count")),
        ("2", &*total)
    );
    let next = short.header("elements-next-page-token");
    let rest = hub.get(&format!("/elements?pageSize=2&nextPage={next}"), "").await;
    assert_eq!(rest.json[0]["key"], *all[2]);
    let last = hub.get(&format!("/elements?pageSize={total}"), "").await;
    assert_eq!(last.header("elements-next-page-token"), "");

    let none = hub.get("/elements?where=key='x'", "").await;
    assert_eq!((none.status, none.message()), (StatusCode::NOT_FOUND, "No elements found"));
    let bad = hub.get("/elements?where=key%20=", "").await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    assert!(bad.message().starts_with("Error parsing query"), "{}", bad.text);
    assert_eq!(hub.get("/elements?pageSize=201", "").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn hubs_are_listed_for_callers_only() {
    let hub = TestHub::start().await;
    assert_eq!(hub.get("/hubs", "").await.status, StatusCode::UNAUTHORIZED);
    let all = hub.get("/hubs", ADMIN).await;
    assert_eq!(
        (all.json[0]["key"].as_str(), all.json[0]["active"].as_bool()),
        (Some("documents"), Some(true))
    );
    assert_eq!(hub.get("/hubs/keys", ADMIN).await.json[1], "crm");
    assert_eq!(hub.get("/hubs/helpdesk/elements", ADMIN).await.json[0]["key"], "desk");
    assert_eq!(hub.get("/hubs/nonsense", ADMIN).await.status, StatusCode::NOT_FOUND);
    assert_eq!(hub.get("/hubs/crm/elements", ADMIN).await.message(), "No elements found");
}

#[tokio::test]
async fn a_known_path_with_another_method_is_405() {
    let hub = TestHub::start().await;
    let answer = hub.call("POST", "/elements/things/metadata", ADMIN, None).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(answer.json["requestId"].is_string(), "{}", answer.text);
    assert_eq!(hub.get("/organizations/nothing", ADMIN).await.status, StatusCode::NOT_FOUND);
}
