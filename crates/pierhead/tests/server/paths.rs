//! Requests whose line or headers are tricks, byte by byte, on both listeners: 4xx and nothing else.

use pierhead_testkit::{Pierhead, raw, raw_get};

const TRICKS: &[&str] = &[
    "/..",
    "/../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2fetc%2fpasswd",
    "/%252e%252e/x",
    "/x/%00",
    "/x%0d%0aSet-Cookie:%20a=b",
    "/%c0%ae%c0%ae/x",
    "/%ff",
    "/%",
    "/%zz",
    "/x\\..\\y",
    "//evil.example/x",
    "/;/x",
    "/x;jsessionid=1",
];

const FACES: &[&str] = &[
    "",
    "/elements/api-v2",
    "/elements/api-v2/files",
    "/elements/api-v2/instances",
    "/elements/api-v2/elements",
    "/apiportal/api/1.0/Management.svc",
    "/apiportal/api/1.0/Management.svc/APIProxies",
    "/api/v1",
    "/oauth",
    "/console/assets",
];

#[tokio::test]
async fn no_path_trick_gets_more_than_a_client_error_from_the_control_listener() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let token = admin.connect_folder(&pierhead.folder("files")).await;
    let anonymous = String::new();
    let signed = format!("Authorization: {}, Element {token}\r\n", admin.platform());
    for face in FACES {
        for trick in TRICKS {
            for headers in [&anonymous, &signed] {
                let path = format!("{face}{trick}");
                let answer = raw_get(&pierhead.control(""), &path, headers).await;
                // The console sends whoever is not logged in to its login page.
                let login =
                    answer.status == 303 && answer.text.to_lowercase().contains("location: /console/login");
                assert!((400..500).contains(&answer.status) || login, "{path}: {}", answer.text);
                assert!(!answer.text.contains("root:"), "{path}");
                assert!(!answer.text.to_lowercase().contains("\r\nset-cookie: a=b"), "{path}");
                assert!(!answer.text.contains(&admin.user), "{path}");
            }
        }
    }
}

#[tokio::test]
async fn no_path_trick_gets_more_than_a_client_error_from_the_gateway() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let token = admin.connect_folder(&pierhead.folder("files")).await;
    admin.publish("Folder", "/folder", &token).await;
    for base in ["", "/folder", "/folder/files", "/other"] {
        for trick in TRICKS {
            let path = format!("{base}{trick}");
            let answer = raw_get(&pierhead.gateway(""), &path, "").await;
            assert!((400..500).contains(&answer.status), "{path}: {}", answer.text);
            assert!(!answer.text.contains("root:"), "{path}");
        }
    }
}

#[tokio::test]
async fn ten_kilobytes_of_path_are_refused_on_both_listeners() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let root = pierhead.folder("files");
    let token = admin.connect_folder(&root).await;
    admin.publish("Folder", "/folder", &token).await;
    let long = "x".repeat(10_000);
    let signed = format!("Authorization: {}, Element {token}\r\n", admin.platform());

    for path in [format!("/folder/files/{long}"), format!("/folder/files?path=/{long}"), format!("/{long}")] {
        let answer = raw_get(&pierhead.gateway(""), &path, "").await;
        assert_eq!(answer.status, 414, "{}: {}", &path[..30], answer.text);
        assert!(answer.text.contains("protocol.http.TooBigLine"), "{}", answer.text);
    }
    for path in [
        format!("/elements/api-v2/files/{long}"),
        format!("/elements/api-v2/files?path=/{long}"),
        format!("/elements/api-v2/instances/{long}"),
        format!("/elements/api-v2/elements/{long}"),
        format!("/apiportal/api/1.0/Management.svc/APIProxies('{long}')"),
        format!("/{long}"),
    ] {
        let answer = raw_get(&pierhead.control(""), &path, &signed).await;
        assert!((400..500).contains(&answer.status), "{}: {}", &path[..40], answer.text);
    }
}

#[tokio::test]
async fn headers_beyond_their_limits_are_431_on_both_listeners() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let token = admin.connect_folder(&pierhead.folder("files")).await;
    admin.publish("Folder", "/folder", &token).await;
    let signed = format!("Authorization: {}, Element {token}\r\n", admin.platform());
    let many: String = (0..500).map(|index| format!("X-{index}: 1\r\n")).collect();
    for (what, headers) in [("one", format!("X-Long: {}\r\n", "x".repeat(100_000))), ("many", many)] {
        let gateway = raw_get(&pierhead.gateway(""), "/folder/folders/contents?path=/", &headers).await;
        assert_eq!(gateway.status, 431, "{what}: {}", gateway.text);
        let path = "/elements/api-v2/folders/contents?path=/";
        let control = raw_get(&pierhead.control(""), path, &format!("{signed}{headers}")).await;
        assert_eq!(control.status, 431, "{what}: {}", control.text);
    }
}

#[tokio::test]
async fn a_file_that_is_announced_as_larger_than_the_limit_is_refused_before_it_comes() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let root = pierhead.folder("files");
    let token = admin.connect_folder(&root).await;
    admin.publish("Folder", "/folder", &token).await;
    let announced = |path: &str, headers: &str| {
        let length = (6_u64 << 30) + 1;
        format!(
            "POST {path}/files?path=/big.bin HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\
             Content-Type: application/octet-stream\r\nContent-Length: {length}\r\n{headers}\r\nthe first bytes"
        )
    };
    let signed = format!("Authorization: {}\r\n", admin.element(&token));
    for (listener, request) in [
        (pierhead.control(""), announced("/elements/api-v2", &signed)),
        (pierhead.gateway(""), announced("/folder", "")),
    ] {
        let answer = raw(&listener, request.as_bytes()).await;
        // The original's answer to its streaming limits (open-connectors §8.4).
        assert_eq!(answer.status, 429, "{}", answer.text);
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 0, "something was left behind");
    }
}

#[tokio::test]
async fn framing_and_header_tricks_are_refused_by_the_gateway_and_the_connection_ends() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let token = admin.connect_folder(&pierhead.folder("files")).await;
    admin.publish("Folder", "/folder", &token).await;
    let start = "POST /folder/files?path=/x HTTP/1.1\r\nHost: g\r\n";
    for (what, request) in [
        ("both lengths", format!("{start}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        ("two lengths", format!("{start}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd")),
        ("a signed length", format!("{start}Content-Length: +4\r\n\r\nabcd")),
        ("bare line feeds", "GET /folder/files HTTP/1.1\nHost: g\n\n".into()),
        ("a blank before the colon", format!("{start}X-A : b\r\nContent-Length: 0\r\n\r\n")),
        ("a folded header", format!("{start}X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n")),
        ("NUL in a value", format!("{start}X-A: b\0c\r\nContent-Length: 0\r\n\r\n")),
        ("two hosts", "GET /folder/files HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".into()),
        ("no host", "GET /folder/files HTTP/1.1\r\n\r\n".into()),
        ("NUL in the path", "GET /folder/\0 HTTP/1.1\r\nHost: g\r\n\r\n".into()),
    ] {
        // Without `Connection: close`: the server itself must hang up, or this waits in vain.
        let answer = raw(&pierhead.gateway(""), request.as_bytes()).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.text);
        assert_eq!(
            answer.text.matches("HTTP/1.1 400").count(),
            1,
            "{what}: a second answer: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_client_cannot_bring_its_own_secrets_or_take_the_proxys() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let root = pierhead.folder("files");
    std::fs::write(root.join("a.txt"), "tide table").unwrap();
    let token = admin.connect_folder(&root).await;
    let other_root = pierhead.folder("other");
    std::fs::write(other_root.join("a.txt"), "somebody else's").unwrap();
    let other = admin.connect_folder(&other_root).await;
    admin.publish("Folder", "/folder", &token).await;

    for headers in [
        format!("Authorization: {}\r\n", admin.element(&other)),
        format!("Authorization: User x, Organization y, Element {other}\r\n"),
        "Connection: Authorization\r\n".to_owned(),
        "Connection: close, authorization, host\r\n".to_owned(),
        "X-Forwarded-For: 10.0.0.1\r\nX-HTTP-Method-Override: DELETE\r\n".to_owned(),
    ] {
        let answer = raw_get(&pierhead.gateway(""), "/folder/files?path=/a.txt", &headers).await;
        assert_eq!(answer.status, 200, "{headers}: {}", answer.text);
        assert!(answer.text.contains("tide table"), "{headers}: {}", answer.text);
        for secret in [&admin.user, &admin.organization, &token] {
            assert!(!answer.text.contains(secret.as_str()), "{headers}");
        }
    }
    assert!(root.join("a.txt").exists());
}
