use http::StatusCode;
use serde_json::{Value, json};

use crate::testing::{ADMIN, CLERK, NEIGHBOUR, STRANGER, TestHub, element};

fn shelf(hub: &TestHub, name: &str) -> Value {
    json!({
        "name": name,
        "element": {"key": "shelf"},
        "configuration": {"root.path": hub.shared.path().to_str().unwrap()},
    })
}

fn desk(name: &str, password: &str) -> Value {
    json!({
        "name": name,
        "element": {"key": "desk"},
        "configuration": {"username": "ada", "password": password, "unheard.of": "x", "event.objects": "a"},
    })
}

#[tokio::test]
async fn an_instance_is_made_read_used_and_deleted() {
    let hub = TestHub::start().await;
    let made = hub.make(ADMIN, shelf(&hub, "<b>my</b> shelf @home")).await;

    assert_eq!((made["name"].as_str(), made["tags"][0].as_str()), (Some("my shelf @home"), Some("home")));
    assert_eq!(made["token"].as_str().map(str::len), Some(44));
    assert_eq!((made["valid"].as_bool(), made["disabled"].as_bool()), (Some(true), Some(false)));
    assert_eq!((made["element"]["key"].as_str(), made["elementId"].as_i64()), (Some("shelf"), Some(99002)));
    assert_eq!(made["createdDate"].as_str().map(str::len), Some(20));
    assert_eq!(
        (made["user"]["id"].as_i64(), made["user"]["emailAddress"].as_str()),
        (Some(1), Some("admin@example.com"))
    );
    assert_eq!(hub.get(&format!("/instances/{}", made["id"]), ADMIN).await.json, made);
    let all_three = format!("{ADMIN}, Element {}", made["token"].as_str().unwrap());
    assert_eq!(hub.get("/instances", &all_three).await.json, made);

    let token = element("admin", &made);
    for path in ["/open", "/hubs/documents/open", "/hubs/nonsense/open", "//hubs//x//open"] {
        let answer = hub.get(path, &token).await;
        assert_eq!((answer.status, &answer.json["open"]), (StatusCode::OK, &json!(true)), "{path}");
        assert_eq!(answer.header("elements-element-instance-id"), made["id"].to_string());
    }
    let ping = hub.get("/ping", &token).await;
    assert_eq!((ping.json["endpoint"].as_str(), ping.json["valid"].as_bool()), (Some("shelf"), Some(true)));

    let gone = hub.call("DELETE", &format!("/instances/{}", made["id"]), ADMIN, None).await;
    assert_eq!(gone.status, StatusCode::OK);
    assert_eq!(hub.get("/open", &token).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(hub.get(&format!("/instances/{}", made["id"]), ADMIN).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn wrong_or_missing_secrets_are_401() {
    let hub = TestHub::start().await;
    let made = hub.make(ADMIN, desk("d", "good")).await;
    for auth in
        ["", "User admin", "User nobody, Organization o1", "User admin, Organization o2", "Basic YTpi", "x"]
    {
        let answer = hub.get("/instances", auth).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{auth}");
        assert!(answer.json["requestId"].is_string(), "{auth}");
    }
    let token = made["token"].as_str().unwrap();
    for auth in [
        String::new(),
        ADMIN.into(),
        "Bearer login-admin".into(),
        "User admin, Element nothing".into(),
        format!("User nobody, Element {token}"),
        format!("User stranger, Element {token}"),
        format!("User neighbour, Element {token}"),
        format!("User admin, Organization o2, Element {token}"),
        format!("Element {token}"),
    ] {
        assert_eq!(hub.get("/tickets/1", &auth).await.status, StatusCode::UNAUTHORIZED, "{auth}");
    }
    for auth in
        [format!("User clerk, Element {token}"), format!("Element {token}, User admin, Organization o1")]
    {
        assert_eq!(hub.get("/tickets/1", &auth).await.status, StatusCode::OK, "{auth}");
    }
    assert_eq!(hub.get("/instances", "Bearer login-admin").await.status, StatusCode::OK);
}

#[tokio::test]
async fn instances_of_others_are_invisible() {
    let hub = TestHub::start().await;
    let made = hub.make(CLERK, desk("d", "good")).await;
    let path = format!("/instances/{}", made["id"]);
    for auth in [STRANGER, NEIGHBOUR] {
        for (method, path, body) in [
            ("GET", path.clone(), None),
            ("PATCH", path.clone(), Some(json!({"name": "mine"}))),
            ("DELETE", path.clone(), None),
            ("GET", format!("{path}/configuration"), None),
            ("DELETE", format!("{path}/enabled"), None),
            ("PUT", format!("{path}/trace-logging"), None),
            ("GET", "/instances".into(), None),
            ("GET", "/instances/abc".into(), None),
        ] {
            let answer = hub.call(method, &path, auth, body).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path} {auth}");
        }
        let with_token = format!("{auth}, Element {}", made["token"].as_str().unwrap());
        assert_eq!(hub.get("/instances/configuration", &with_token).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(hub.get(&path, ADMIN).await.json["name"], "d", "an administrator sees all accounts");
}

#[tokio::test]
async fn a_disabled_instance_answers_403_and_describes_its_objects_still() {
    let hub = TestHub::start().await;
    let made = hub.make(ADMIN, desk("d", "good")).await;
    let token = element("admin", &made);
    let by_token = format!("{ADMIN}, Element {}", made["token"].as_str().unwrap());

    let disabled = hub.call("DELETE", "/instances/enabled", &by_token, None).await;

    assert_eq!(disabled.json["disabled"], true);
    assert_eq!(hub.get("/tickets/1", &token).await.status, StatusCode::FORBIDDEN);
    assert_eq!(hub.get("/ping", &token).await.status, StatusCode::FORBIDDEN);
    let objects = hub.get("/objects", &token).await;
    assert_eq!((objects.status, objects.json.is_array()), (StatusCode::OK, true));
    hub.call("PUT", &format!("/instances/{}/enabled", made["id"]), ADMIN, None).await;
    assert_eq!(hub.get("/tickets/1", &token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn only_administrators_connect_directories_and_never_the_servers_own() {
    let hub = TestHub::start().await;
    let answer = hub.call("POST", "/instances", CLERK, Some(shelf(&hub, "s"))).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);

    let inside = hub.data.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    for (path, rule) in [
        (hub.data.path().to_str().unwrap(), "data directory"),
        (inside.to_str().unwrap(), "data directory"),
        ("/", "data directory"),
        ("relative", "absolute"),
        ("/no/such/directory", "existing directory"),
        ("", "is required"),
    ] {
        let ask = json!({"name": "s", "element": {"key": "shelf"}, "configuration": {"root.path": path}});
        let answer = hub.call("POST", "/instances", ADMIN, Some(ask)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(answer.message().contains("root.path") && answer.message().contains(rule), "{}", answer.text);
    }
    assert_eq!(hub.get("/instances", ADMIN).await.message(), "No instances found");
}

#[tokio::test]
async fn a_bad_request_names_the_field_and_makes_nothing() {
    let hub = TestHub::start().await;
    for (ask, status, text) in [
        (json!({"name": "n"}), 400, "element.key"),
        (json!({"name": "n", "element": {"key": "nothing"}}), 404, "nothing"),
        (json!({"name": " <b></b>", "element": {"id": 99003}}), 400, "name"),
        (json!({"name": "x".repeat(300), "element": {"key": "desk"}}), 400, "name"),
        (json!({"name": "n", "element": {"key": "desk"}}), 400, "configuration['username']"),
        (
            json!({"name": "n", "element": {"key": "desk"}, "configuration": {"username": ["a"]}}),
            400,
            "username",
        ),
        (
            json!({"name": "n", "element": {"key": "desk"}, "configuration": {"username": "a\r\nB: c"}}),
            400,
            "control",
        ),
        (
            json!({"name": "n", "element": {"key": "desk"}, "configuration": {"password": "x".repeat(1001)}}),
            400,
            "password",
        ),
        (
            json!({"name": "n", "element": {"key": "desk"}, "configuration": {"password": "********"}}),
            400,
            "mask",
        ),
        (json!({"name": "n", "tags": "t"}), 400, "tags"),
        (desk("n", "wrong"), 400, "refused"),
    ] {
        let answer = hub.call("POST", "/instances", ADMIN, Some(ask.clone())).await;
        assert_eq!(answer.status.as_u16(), status, "{ask}: {}", answer.text);
        assert!(answer.message().contains(text), "{ask}: {}", answer.text);
    }
    let huge = hub.call("POST", "/instances", ADMIN, Some(json!({"name": "x".repeat(2 << 20)}))).await;
    assert_eq!(huge.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(hub.get("/instances", ADMIN).await.message(), "No instances found");
}

#[tokio::test]
async fn secrets_come_back_masked_and_the_mask_changes_nothing() {
    let hub = TestHub::start().await;
    let made = hub.make(ADMIN, desk("d", "good")).await;
    assert_eq!(made["configuration"]["password"], "********");
    assert_eq!(made["configuration"]["username"], "ada");
    assert_eq!(made["configuration"]["filter.response.nulls"], "true");
    assert_eq!(made["configuration"]["event.objects"], "a");
    assert!(made["configuration"].get("unheard.of").is_none());
    let path = format!("/instances/{}", made["id"]);
    let token = element("admin", &made);

    let echoed = json!({"name": "e @t", "configuration": made["configuration"]});
    let changed = hub.call("PUT", &path, ADMIN, Some(echoed)).await;

    assert_eq!((changed.json["name"].as_str(), changed.json["tags"][0].as_str()), (Some("e @t"), Some("t")));
    assert_eq!(changed.json["token"], made["token"]);
    assert_eq!(hub.get("/tickets/1", &token).await.status, StatusCode::OK);

    let wrong = json!({"configuration": {"password": "wrong"}});
    let refused = hub.call("PATCH", &path, ADMIN, Some(wrong)).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
    assert_eq!(hub.get("/tickets/1", &token).await.status, StatusCode::OK, "the good password stayed");
}

#[tokio::test]
async fn one_setting_is_read_and_changed_by_id_and_by_key() {
    let hub = TestHub::start().await;
    let made = hub.make(ADMIN, desk("d", "good")).await;
    let base = format!("/instances/{}/configuration", made["id"]);
    let all = hub.get(&base, ADMIN).await.json;
    let row =
        all.as_array().unwrap().iter().find(|row| row["key"] == "filter.response.nulls").unwrap().clone();
    assert_eq!((row["propertyValue"].as_str(), row["type"].as_str()), (Some("true"), Some("BOOLEAN")));
    let one = format!("{base}/{}", row["id"]);

    let changed = hub.call("PATCH", &one, ADMIN, Some(json!({"propertyValue": "false"}))).await;

    assert_eq!(changed.json["propertyValue"], "false", "{}", changed.text);
    assert_eq!(hub.get(&format!("{base}/filter.response.nulls"), ADMIN).await.json, changed.json);
    for (path, body, status) in [
        (one.clone(), json!({}), 400),
        (one.clone(), json!({"propertyValue": "maybe"}), 400),
        (format!("{base}/0"), json!({"propertyValue": "x"}), 404),
    ] {
        assert_eq!(hub.call("PATCH", &path, ADMIN, Some(body)).await.status.as_u16(), status, "{path}");
    }
    let mask = json!({"propertyValue": "********"});
    let masked = hub.call("PATCH", &format!("{base}/password"), ADMIN, Some(mask)).await;
    assert_eq!(masked.json["propertyValue"], "********");
    assert_eq!(hub.get("/tickets/1", &element("admin", &made)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_list_is_searched_tagged_counted_and_paged() {
    let hub = TestHub::start().await;
    for (name, tags) in [("alpha", json!(["red"])), ("beta", json!(["red", "blue"])), ("gamma", json!([]))] {
        let mut ask = desk(name, "good");
        ask["tags"] = tags;
        hub.make(ADMIN, ask).await;
    }
    hub.make(ADMIN, shelf(&hub, "delta")).await;
    let names = async |query: &str| {
        let list = hub.get(&format!("/instances?{query}"), CLERK).await;
        let list = list.json.as_array().unwrap_or_else(|| panic!("{query}: {}", list.text)).clone();
        list.iter().map(|instance| instance["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["alpha", "beta", "gamma", "delta"]);
    assert_eq!(names("tags[]=red&tags[]=blue").await, ["beta"]);
    assert_eq!(names("searchText=ET").await, ["beta"]);
    assert_eq!(names("pageSize=2&page=2").await, ["gamma", "delta"]);
    let of_element = hub.get("/elements/shelf/instances", CLERK).await;
    assert_eq!(of_element.json[0]["name"], "delta");
    let short = hub.get("/instances?hydrate=false", CLERK).await;
    assert!(short.json[0].get("configuration").is_none());
    let none = hub.get("/instances?searchText=zeta", CLERK).await;
    assert_eq!((none.status, none.message()), (StatusCode::NOT_FOUND, "No instances found"));
    let count = hub.get("/instances/count", CLERK).await;
    assert_eq!(count.json, json!({"totalInstances": 4, "elementInstances": {"desk": 3, "shelf": 1}}));
}

#[tokio::test]
async fn trace_logging_ends_by_itself() {
    let hub = TestHub::start().await;
    let made = hub.make(ADMIN, desk("d", "good")).await;
    let path = format!("/instances/{}", made["id"]);
    let traced = hub.call("PUT", &format!("{path}/trace-logging"), ADMIN, Some(json!({"duration": 5}))).await;
    assert_eq!(traced.json["traceLoggingEnabled"], true);
    hub.clock.advance(std::time::Duration::from_secs(301));
    assert_eq!(hub.get(&path, ADMIN).await.json["traceLoggingEnabled"], false);
    let bad = hub.call("PUT", &format!("{path}/trace-logging"), ADMIN, Some(json!({"duration": 0}))).await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn another_nodes_change_is_noticed_and_warm_calls_need_no_database() {
    let hub = TestHub::start().await;
    let other = hub.second_node();
    let made = hub.make(ADMIN, desk("d", "good")).await;
    let token = element("admin", &made);
    assert_eq!(other.get("/tickets/1", &token).await.status, StatusCode::OK);

    hub.call("DELETE", &format!("/instances/{}/enabled", made["id"]), ADMIN, None).await;
    other.hub.directory.drop_changed(&other.store).await.unwrap();
    assert_eq!(other.get("/tickets/1", &token).await.status, StatusCode::FORBIDDEN);

    hub.call("PUT", &format!("/instances/{}/enabled", made["id"]), ADMIN, None).await;
    assert_eq!(hub.get("/tickets/1", &token).await.status, StatusCode::OK);
    hub.store.clone().close().await.unwrap();
    assert_eq!(hub.get("/tickets/1", &token).await.status, StatusCode::OK);
    assert_eq!(
        hub.get("/tickets/1", "User admin, Element cold").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
}
