//! Bodies that cannot be read, are too large or hold what they must not: 4xx that names the field, and
//! nothing changed.

use http::Method;
use pierhead_testkit::{ADMIN_EMAIL, Admin, Answer, Pierhead, Request};
use serde_json::{Value, json};

async fn send(
    pierhead: &Pierhead,
    method: Method,
    url: String,
    auth: &str,
    kind: &str,
    body: Vec<u8>,
) -> Answer {
    let request =
        Request::new(method, url).header("authorization", auth).header("accept", "application/json");
    pierhead.client.send(request.body(kind, body)).await
}

/// The texts that a client sees, whichever dialect.
fn message(answer: &Answer) -> String {
    let body = answer.json();
    let found =
        [&body["message"], &body["error"]["message"]["value"], &body["error_description"], &body["detail"]];
    found.into_iter().find_map(|text| text.as_str()).unwrap_or_else(|| panic!("no text in {body}")).to_owned()
}

/// Everything that a failed call might have made.
async fn inventory(admin: &Admin) -> Vec<String> {
    let mut found = Vec::new();
    for set in ["APIProviders", "APIProxies", "KeyMapEntries", "GenericKeyMapEntries"] {
        found
            .push(admin.manage(Method::GET, &format!("/{set}/$count"), None).await.expect_status(200).text());
    }
    for path in ["/accounts", "/users", "/instances/count"] {
        found.push(admin.call(Method::GET, path, None).await.expect_status(200).text());
    }
    found
}

fn deep(depth: usize) -> Vec<u8> {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth)).into_bytes()
}

#[tokio::test]
async fn what_is_not_json_is_400_everywhere_and_changes_nothing() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let before = inventory(&admin).await;
    let (platform, bearer) = (admin.platform(), format!("Bearer {}", admin.bearer));
    let hub = ["/instances", "/accounts", "/users", "/authentication", "/elements/folder/instances"];
    let odata =
        ["/APIProviders", "/APIProxies", "/KeyMapEntries", "/GenericKeyMapEntries", "/KeyMapEntryValues"];
    let places = (hub.iter().map(|path| (pierhead.hub(path), platform.as_str())))
        .chain(odata.iter().map(|path| (pierhead.management(path), bearer.as_str())));
    for (url, auth) in places {
        for body in [
            b"{".to_vec(),
            b"{\"name\": }".to_vec(),
            b"nonsense".to_vec(),
            b"[]".to_vec(),
            b"\"text\"".to_vec(),
            b"null".to_vec(),
            b"{\"name\": \"\xff\xfe\"}".to_vec(),
            b"{\"name\": \"\\ud800\"}".to_vec(),
            b"{\"name\": 1e999}".to_vec(),
            deep(20_000),
            format!("{{\"name\":{}}}", String::from_utf8(deep(5_000)).unwrap()).into_bytes(),
        ] {
            let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
            let answer = send(&pierhead, Method::POST, url.clone(), auth, "application/json", body).await;
            assert_eq!(answer.status, 400, "{url} {shown}: {}", answer.text());
            assert!(!message(&answer).is_empty());
        }
    }
    assert_eq!(inventory(&admin).await, before);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_and_changes_nothing() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let before = inventory(&admin).await;
    let (platform, bearer) = (admin.platform(), format!("Bearer {}", admin.bearer));
    for (url, auth, bytes) in [
        (pierhead.hub("/instances"), platform.as_str(), (1 << 20) + 1),
        (pierhead.hub("/accounts"), platform.as_str(), (64 << 10) + 1),
        (pierhead.hub("/authentication"), "", (64 << 10) + 1),
        (pierhead.management("/APIProviders"), bearer.as_str(), (16 << 20) + 1),
        (pierhead.management("/$batch"), bearer.as_str(), (16 << 20) + 1),
    ] {
        let body = format!("{{\"name\":\"{}\"}}", "x".repeat(bytes)).into_bytes();
        let request = Request::post(&url).header("accept", "application/json").body("application/json", body);
        let request = if auth.is_empty() { request } else { request.header("authorization", auth) };
        // A server that refuses early may hang up while the body is under way.
        let Some(answer) = pierhead.client.try_answer(request).await else { continue };
        assert_eq!(answer.status, 413, "{url}: {}", answer.text());
        assert!(!message(&answer).is_empty());
    }
    assert_eq!(inventory(&admin).await, before);
}

#[tokio::test]
async fn a_field_of_the_wrong_kind_is_named() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let before = inventory(&admin).await;
    let instance = |change: Value| {
        let mut body =
            json!({"name": "n", "element": {"key": "folder"}, "configuration": {"root.path": "/tmp"}});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    for (path, body, field) in [
        ("/instances", instance(json!({"name": 5})), "name"),
        ("/instances", instance(json!({"name": null})), "name"),
        ("/instances", instance(json!({"element": "folder"})), "element"),
        ("/instances", instance(json!({"element": {}})), "element.key"),
        ("/instances", instance(json!({"configuration": []})), "configuration"),
        ("/instances", instance(json!({"providerData": "x"})), "providerData"),
        ("/instances", instance(json!({"tags": "a"})), "tags"),
        ("/instances", instance(json!({"tags": [1]})), "tags"),
        ("/instances", instance(json!({"configuration": {}})), "root.path"),
        ("/instances", instance(json!({"configuration": {"root.path": ["/tmp"]}})), "root.path"),
        ("/instances", instance(json!({"configuration": {"root.path": "relative"}})), "root.path"),
        ("/instances", instance(json!({"configuration": {"root.path": "/no/such/folder"}})), "root.path"),
        ("/instances", instance(json!({"configuration": {"root.path": "/", "x\r\ny": "1"}})), ""),
        ("/accounts", json!({"name": "n"}), "externalId"),
        ("/accounts", json!({"externalId": ["x"]}), "externalId"),
        ("/users", json!({}), "email"),
        ("/users", json!({"email": "b@example.com", "firstName": "b"}), "lastName"),
        ("/users", json!({"email": "b@example.com\r\nBcc: c@example.com", "firstName": "b"}), "email"),
        (
            "/users",
            json!({"email": "b@example.com", "firstName": "b", "lastName": "c", "password": "short"}),
            "password",
        ),
        ("/authentication", json!({"password": "x"}), "username"),
        ("/authentication", json!({"username": ADMIN_EMAIL}), "password"),
        ("/authentication", json!({"username": {"$ne": ""}, "password": "x"}), "username"),
    ] {
        let answer = admin.call(Method::POST, path, Some(&body)).await;
        assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text());
        assert!(message(&answer).contains(field), "{path} {body}: {}", answer.text());
    }
    for (path, body, field) in [
        ("/APIProviders", json!({"title": "x"}), "APIProviders.name"),
        ("/APIProviders", json!({"name": "x", "destType": "Internet"}), "host"),
        ("/APIProviders", json!({"name": "x", "destType": "Pigeon", "host": "h"}), "destType"),
        ("/APIProviders", json!({"name": "x", "host": "h", "port": "many"}), "port"),
        ("/APIProviders", json!({"name": "x", "host": "h", "port": 70000}), "port"),
        ("/APIProviders", json!({"name": "x", "host": "h", "useSSL": 1}), "useSSL"),
        ("/APIProviders", json!({"name": "x", "host": "http://h/", "port": 80}), "host"),
        ("/APIProviders", json!({"name": "x", "host": "h", "colour": "red"}), "colour"),
        (
            "/APIProviders",
            json!({"name": "x", "destType": "OPENCONNECTORS", "userSecret": "u"}),
            "organizationSecret",
        ),
        ("/APIProxies", json!({"name": "x", "proxyEndPoints": "y"}), "proxyEndPoints"),
        (
            "/APIProxies",
            json!({"name": "x", "proxyEndPoints": [{"name": "default", "base_path": "no-slash"}]}),
            "base_path",
        ),
        (
            "/APIProxies",
            json!({
                "name": "x", "proxyEndPoints": [{"name": "default", "base_path": "/x"}],
                "targetEndPoints": [{"name": "default", "provider_id": "nobody", "relativePath": "/"}],
            }),
            "nobody",
        ),
        ("/KeyMapEntries", json!({"name": "x", "scope": "MOON"}), "scope"),
        ("/KeyMapEntryValues", json!({"name": "k", "value": "v"}), "map_name"),
        ("/GenericKeyMapEntries", json!({"name": "x", "scope": "APIPROXY"}), "scopeId"),
    ] {
        let answer = admin.manage(Method::POST, path, Some(&body)).await;
        assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text());
        assert!(message(&answer).contains(field), "{path} {body}: {}", answer.text());
    }
    assert_eq!(inventory(&admin).await, before);
}

#[tokio::test]
async fn no_line_break_gets_into_a_header_or_a_credential() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let before = inventory(&admin).await;
    for (name, value) in [
        ("userSecret", "u\r\nX-Evil: 1"),
        ("organizationSecret", "o\nX-Evil: 1"),
        ("userSecret", "u, Element stolen"),
        ("host", "h\r\nX-Evil: 1"),
        ("pathPrefix", "/a/../../b"),
        ("name", "a\r\nb"),
    ] {
        let mut body = json!({
            "name": "x", "title": "x", "destType": "OPENCONNECTORS", "host": "",
            "organizationSecret": "o", "userSecret": "u",
        });
        body[name] = value.into();
        let answer = admin.manage(Method::POST, "/APIProviders", Some(&body)).await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.text());
        assert!(message(&answer).contains(name), "{name}: {}", answer.text());
    }
    for (name, value) in [
        ("base.url", "http://127.0.0.1:9/\r\nX-Evil: 1"),
        ("base.url", "file:///etc/passwd"),
        ("base.url", "http://user:secret@127.0.0.1:9/"),
        ("username", "u\r\nX-Evil: 1"),
    ] {
        let mut configuration = json!({"base.url": "http://127.0.0.1:9/", "username": "u", "password": "p"});
        configuration[name] = value.into();
        let body = json!({"name": "d", "element": {"key": "webdav"}, "configuration": configuration});
        let answer = admin.call(Method::POST, "/instances", Some(&body)).await;
        assert!(answer.status.is_client_error(), "{name} {value:?}: {} {}", answer.status, answer.text());
        assert!(message(&answer).contains(name), "{name} {value:?}: {}", answer.text());
    }
    assert_eq!(inventory(&admin).await, before);
}

#[tokio::test]
async fn a_broken_upload_is_400_and_leaves_no_file() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let root = pierhead.folder("files");
    let token = admin.connect_folder(&root).await;
    let element = admin.element(&token);
    let part = "--f\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\ncontent";
    for (what, kind, body) in [
        ("no boundary", "multipart/form-data", part.to_owned()),
        ("an empty form", "multipart/form-data; boundary=f", "--f--\r\n".into()),
        ("no end", "multipart/form-data; boundary=f", part.into()),
        ("another boundary", "multipart/form-data; boundary=g", format!("{part}\r\n--f--\r\n")),
        ("no headers", "multipart/form-data; boundary=f", "--f\r\ncontent\r\n--f--\r\n".into()),
        (
            "no file",
            "multipart/form-data; boundary=f",
            "--f\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nx\r\n--f--\r\n".into(),
        ),
        (
            "a text field without an end",
            "multipart/form-data; boundary=f",
            format!("--f\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n{}", "x".repeat(100_000)),
        ),
    ] {
        let url = pierhead.hub("/files?path=/a.txt");
        let answer = send(&pierhead, Method::POST, url, &element, kind, body.into_bytes()).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        assert!(!message(&answer).is_empty());
        let left: Vec<_> =
            std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.is_empty(), "{what} left {left:?}");
    }
}

#[tokio::test]
async fn odata_that_cannot_be_read_is_400_or_404_in_its_dialect() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    for path in [
        "/APIProxies('",
        "/APIProxies(name='x'",
        "/APIProxies(name=)",
        "/APIProxies(colour='x')",
        "/APIProxies('x','y')",
        "/Nonsense",
        "/Nonsense('x')",
        "/APIProxies('x')/nonsense",
        "/KeyMapEntryValues(map_name='m')",
        "/APIProxies?$filter=name%20eq",
        "/APIProxies?$filter=name%20eq%20'x",
        "/APIProxies?$filter=colour%20eq%20'x'",
        "/APIProxies?$filter=((((((",
        "/APIProxies?$orderby=colour",
        "/APIProxies?$orderby=name%20sideways",
        "/APIProxies?$top=-1",
        "/APIProxies?$top=many",
        "/APIProxies?$skip=99999999999999999999",
        "/APIProxies?$expand=nonsense",
        "/APIProxies?$select=nonsense",
        "/APIProxies?$format=yaml",
        "/APIProxies?$inlinecount=some",
        "/APIProxies('%ff')",
        "/APIProxies('%00')",
    ] {
        let answer = admin.manage(Method::GET, path, None).await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{path}: {} {}", answer.status, answer.text());
        assert!(!message(&answer).is_empty(), "{path}");
    }
    let long = format!("/APIProxies?$filter={}", "(".repeat(4000));
    assert_eq!(admin.manage(Method::GET, &long, None).await.status, 400);
    for (kind, body) in [
        ("application/json", "{}".to_owned()),
        ("multipart/mixed", "--b--\r\n".into()),
        ("multipart/mixed; boundary=b", "--c\r\n".into()),
        ("multipart/mixed; boundary=b", "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n".into()),
        (
            "multipart/mixed; boundary=b",
            "--b\r\nContent-Type: application/http\r\n\r\nnonsense\r\n--b--\r\n".into(),
        ),
    ] {
        let url = pierhead.management("/$batch");
        let auth = format!("Bearer {}", admin.bearer);
        let answer = send(&pierhead, Method::POST, url, &auth, kind, body.clone().into_bytes()).await;
        let inner = answer.status == 202 && answer.text().contains(" 400 ");
        assert!(answer.status == 400 || inner, "{kind} {body}: {} {}", answer.status, answer.text());
    }
}

#[tokio::test]
async fn the_token_endpoint_refuses_in_the_words_of_oauth() {
    let pierhead = Pierhead::start().await;
    let form = "application/x-www-form-urlencoded";
    for (body, status, error) in [
        ("client_id=x&client_secret=y", 400, "invalid_request"),
        ("grant_type=magic&client_id=x&client_secret=y", 400, "unsupported_grant_type"),
        ("grant_type=client_credentials&client_id=x&client_secret=y&client_id=z", 400, "invalid_request"),
        ("", 401, "invalid_client"),
        ("grant_type=client_credentials", 401, "invalid_client"),
        ("grant_type=client_credentials&client_id=x&client_secret=y", 401, "invalid_client"),
    ] {
        let request = Request::post(pierhead.control("/oauth/token")).body(form, body);
        let answer = pierhead.client.send(request).await.expect_status(status);
        assert_eq!(answer.json()["error"], error, "{body}: {}", answer.text());
    }
    let in_address = "/oauth/token?grant_type=client_credentials&client_id=x&client_secret=shown-to-all";
    let answer = pierhead.client.send(Request::post(pierhead.control(in_address))).await.expect_status(400);
    assert!(!answer.text().contains("shown-to-all"), "{}", answer.text());
}
