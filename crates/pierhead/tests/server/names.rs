//! Names that are too long or lead out of their place.

use http::Method;
use pierhead_testkit::{Admin, Pierhead, Request};
use serde_json::{Value, json};

#[track_caller]
fn assert_names(answer: &pierhead_testkit::Answer, field: &str, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {}", answer.text());
    assert!(answer.text().contains(field), "{what}: {}", answer.text());
    assert!(answer.bytes.len() < 2000, "{what}: the answer repeats what was sent");
}

fn long(bytes: usize) -> String {
    "x".repeat(bytes)
}

#[tokio::test]
async fn over_long_names_of_the_management_service_are_named() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    admin.create_open_connectors_provider("oc").await;
    let map = json!({"name": "m", "scope": "ENV", "encrypted": true});
    admin.manage(Method::POST, "/KeyMapEntries", Some(&map)).await.expect_status(201);
    let proxy = |name: &str, base_path: &str, endpoint: &str| {
        json!({
            "name": name, "title": "t", "service_code": "REST", "provider_name": "oc",
            "proxyEndPoints": [{"name": endpoint, "isDefault": true, "base_path": base_path}],
            "targetEndPoints": [{"name": "default", "provider_id": "oc", "relativePath": "/elements/api-v2/"}],
        })
    };
    let provider = |name: &str, host: &str, title: &str| json!({"name": name, "title": title, "destType": "Internet", "host": host});
    for (path, body, field) in [
        ("/APIProviders", provider(&long(256), "h", "t"), "APIProviders.name"),
        ("/APIProviders", provider("a/b", "h", "t"), "APIProviders.name"),
        ("/APIProviders", provider("..", "h", "t"), "APIProviders.name"),
        ("/APIProviders", provider("DEST_CI", "h", "t"), "APIProviders.name"),
        ("/APIProviders", provider("p", &long(254), "t"), "APIProviders.host"),
        ("/APIProviders", provider("p", "h", &long(100_000)), "APIProviders.title"),
        ("/APIProxies", proxy(&long(256), "/x", "default"), "APIProxies.name"),
        ("/APIProxies", proxy("a:b", "/x", "default"), "APIProxies.name"),
        ("/APIProxies", proxy("p", &format!("/{}", long(10_000)), "default"), "base_path"),
        ("/APIProxies", proxy("p", "/a/../b", "default"), "base_path"),
        ("/APIProxies", proxy("p", "/a%2fb", "default"), "base_path"),
        ("/APIProxies", proxy("p", "/x", &long(256)), "APIProxyEndPoints.name"),
        ("/KeyMapEntries", json!({"name": long(256), "scope": "ENV"}), "KeyMapEntries.name"),
        ("/KeyMapEntryValues", json!({"map_name": "m", "name": long(2049), "value": "v"}), "name"),
        ("/KeyMapEntryValues", json!({"map_name": "m", "name": "k", "value": long(10_241)}), "value"),
        ("/KeyMapEntryValues", json!({"map_name": "m", "name": "a//b", "value": "v"}), "name"),
        ("/KeyMapEntryValues", json!({"map_name": "m", "name": "a ", "value": "v"}), "name"),
        ("/KeyMapEntryValues", json!({"map_name": "m", "name": "a\u{0}b", "value": "v"}), "name"),
    ] {
        let answer = admin.manage(Method::POST, path, Some(&body)).await;
        assert_names(&answer, field, path);
    }
    let count = admin.manage(Method::GET, "/APIProviders/$count", None).await.expect_status(200);
    assert_eq!(count.text(), "1");
    let entries = admin.manage(Method::GET, "/KeyMapEntries('m')/keyMapEntryValues", None).await;
    assert_eq!(entries.expect_status(200).json()["d"]["results"], json!([]));
    let whole = json!({"map_name": "m", "name": long(2048), "value": long(10_240)});
    admin.manage(Method::POST, "/KeyMapEntryValues", Some(&whole)).await.expect_status(201);
}

#[tokio::test]
async fn over_long_names_of_the_hub_are_named() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let root = pierhead.folder("files").display().to_string();
    let instance = |name: &str, tag: &str| {
        json!({
            "name": name, "tags": [tag], "element": {"key": "folder"}, "configuration": {"root.path": root},
        })
    };
    let user = |email: &str, first: &str| json!({"email": email, "firstName": first, "lastName": "l", "password": "Ferry-Master-8"});
    for (path, body, field) in [
        ("/instances", instance(&long(256), "t"), "name"),
        ("/instances", instance("n", &long(256)), "tags"),
        ("/instances", instance("<b></b>", "t"), "name"),
        ("/accounts", json!({"externalId": long(256)}), "externalId"),
        ("/accounts", json!({"externalId": "e", "description": long(2001)}), "description"),
        ("/users", user(&format!("{}@example.com", long(250)), "f"), "email"),
        ("/users", user("b@example.com", &long(256)), "firstName"),
        ("/users", user("b@example.com", "a\u{0}b"), "firstName"),
    ] {
        let answer = admin.call(Method::POST, path, Some(&body)).await;
        assert_names(&answer, field, path);
    }
    let password = json!({"username": pierhead_testkit::ADMIN_EMAIL, "password": long(1025)});
    assert_names(&admin.call(Method::POST, "/authentication", Some(&password)).await, "password", "login");
    admin.call(Method::GET, "/instances", None).await.expect_status(404);
    let users = admin.call(Method::GET, "/users", None).await.expect_status(200).json();
    assert_eq!(users.as_array().unwrap().len(), 1);
}

async fn folder(pierhead: &Pierhead) -> (Admin, String) {
    let admin = pierhead.admin().await;
    let root = pierhead.folder("jail");
    std::fs::write(root.join("a.txt"), "tide table").unwrap();
    std::fs::write(pierhead.folder("outside").join("secret.txt"), "the harbour master's key").unwrap();
    std::os::unix::fs::symlink(pierhead.folder("outside"), root.join("way-out")).unwrap();
    std::os::unix::fs::symlink("../outside/secret.txt", root.join("peep.txt")).unwrap();
    let token = admin.connect_folder(&root).await;
    (admin, token)
}

const WAYS_OUT: &[&str] = &[
    "/../outside/secret.txt",
    "/%2e%2e/outside/secret.txt",
    "/..%2foutside%2fsecret.txt",
    "/%2e%2e%2foutside%2fsecret.txt",
    "/a/../../outside/secret.txt",
    "/./a.txt",
    "/way-out/secret.txt",
    "/peep.txt",
    "/a.txt%00.pdf",
    "/a.txt%0d%0aX-Evil:1",
    "../outside/secret.txt",
    "outside/secret.txt",
    "",
    "/%ff%fe",
];

#[tokio::test]
async fn no_path_parameter_leads_out_of_the_folder() {
    let pierhead = Pierhead::start().await;
    let (admin, token) = folder(&pierhead).await;
    admin.publish("Folder", "/folder", &token).await;
    let everything = || {
        let mut found: Vec<_> = walk(&pierhead.folder(".")).collect();
        found.retain(|path| !path.contains("/data/"));
        found.sort();
        found
    };
    let before = everything();
    for path in WAYS_OUT {
        for route in ["/files", "/files/metadata", "/folders/contents", "/folders/metadata", "/files/links"] {
            for base in [pierhead.hub(""), pierhead.gateway("/folder")] {
                let request = Request::get(format!("{base}{route}?path={path}"))
                    .header("authorization", &admin.element(&token));
                let answer = pierhead.client.send(request).await;
                assert!(
                    answer.status.is_client_error(),
                    "{route} {path}: {} {}",
                    answer.status,
                    answer.text()
                );
                assert!(!answer.text().contains("harbour master"), "{route} {path}");
                assert!(answer.json()["message"].is_string(), "{route} {path}");
            }
        }
        for (method, route) in
            [(Method::POST, "/files"), (Method::DELETE, "/files"), (Method::DELETE, "/folders")]
        {
            let request = Request::new(method.clone(), pierhead.hub(&format!("{route}?path={path}")))
                .header("authorization", &admin.element(&token));
            let request = match method {
                Method::POST => request.file("x.txt", "text/plain", b"overwritten"),
                _ => request,
            };
            let answer = pierhead.client.send(request).await;
            assert!(
                answer.status.is_client_error(),
                "{method} {route} {path}: {} {}",
                answer.status,
                answer.text()
            );
        }
        let body = json!({"path": percent_decoded(path)});
        // JSON has no way to write what is no UTF-8.
        if body["path"].as_str().unwrap().contains(char::REPLACEMENT_CHARACTER) {
            continue;
        }
        for route in ["/files/copy?path=/a.txt", "/files/metadata?path=/a.txt", "/folders"] {
            let method = if route.contains("metadata") { Method::PATCH } else { Method::POST };
            let request = Request::new(method, pierhead.hub(route))
                .header("authorization", &admin.element(&token))
                .json(&body);
            let answer = pierhead.client.send(request).await;
            assert!(
                answer.status.is_client_error(),
                "{route} to {path}: {} {}",
                answer.status,
                answer.text()
            );
        }
    }
    assert_eq!(everything(), before, "something was made, moved or deleted");
    assert_eq!(admin.hub_get(&token, "/files?path=/a.txt").await.expect_status(200).text(), "tide table");
}

#[tokio::test]
async fn ids_that_were_not_given_out_are_unknown() {
    let pierhead = Pierhead::start().await;
    let (admin, token) = folder(&pierhead).await;
    // URL-safe base64 of paths, as an inquisitive client would guess from the ids it has.
    for id in
        ["Ly4uL291dHNpZGUvc2VjcmV0LnR4dA", "L3dheS1vdXQvc2VjcmV0LnR4dA", "Li4v", "%2e%2e", "..%2f..", "x"]
    {
        for route in ["/files/{id}", "/files/{id}/metadata", "/folders/{id}/contents"] {
            let answer = admin.hub_get(&token, &route.replace("{id}", id)).await;
            assert!(answer.status.is_client_error(), "{route} {id}: {} {}", answer.status, answer.text());
            assert!(!answer.text().contains("harbour master"), "{route} {id}");
        }
    }
}

#[tokio::test]
async fn over_long_paths_are_named_and_whole_ones_work() {
    let pierhead = Pierhead::start().await;
    let (admin, token) = folder(&pierhead).await;
    for path in [format!("/{}", long(256)), format!("/{}", long(4097)), "/d".repeat(101)] {
        let upload = Request::post(pierhead.hub(&format!("/files?path={path}")))
            .header("authorization", &admin.element(&token))
            .file("x", "text/plain", b"x");
        let answer = pierhead.client.send(upload).await;
        assert_names(&answer, "path", &path[..20]);
    }
    let whole = format!("/{}", long(255));
    let upload = Request::post(pierhead.hub(&format!("/files?path={whole}")))
        .header("authorization", &admin.element(&token))
        .file("x", "text/plain", b"x");
    pierhead.client.send(upload).await.expect_status(200);
}

#[tokio::test]
async fn a_file_name_cannot_break_the_answers_headers() {
    let pierhead = Pierhead::start().await;
    let (admin, token) = folder(&pierhead).await;
    let odd = "a\"; filename=evil.exe; x=\\ é 漢.txt";
    std::fs::write(pierhead.folder("jail").join(odd), "odd").unwrap();
    let path: String = url::form_urlencoded::byte_serialize(format!("/{odd}").as_bytes()).collect();

    let answer = admin.hub_get(&token, &format!("/files?path={path}")).await.expect_status(200);

    assert_eq!(answer.text(), "odd");
    let disposition = answer.headers["content-disposition"].to_str().expect("ASCII").to_owned();
    assert!(disposition.starts_with("attachment"), "{disposition}");
    assert!(!disposition.contains("\"; filename=evil"), "the quote is not escaped: {disposition}");
    assert!(disposition.contains("filename*=UTF-8''"), "{disposition}");
}

fn percent_decoded(text: &str) -> Value {
    let pair = format!("x={text}");
    let (_, value) = url::form_urlencoded::parse(pair.as_bytes()).next().unwrap();
    value.into_owned().into()
}

/// Every path below `folder` with its size, links not followed.
fn walk(folder: &std::path::Path) -> Box<dyn Iterator<Item = String>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    Box::new(entries.collect::<Vec<_>>().into_iter().flat_map(|entry| {
        let path = entry.path();
        let size = entry.metadata().unwrap().len();
        let below = if path.is_dir() && !path.is_symlink() { walk(&path).collect() } else { Vec::new() };
        std::iter::once(format!("{} {size}", path.display())).chain(below)
    }))
}
