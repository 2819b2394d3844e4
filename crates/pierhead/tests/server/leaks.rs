//! No secret shows: in no log line at the chattiest level, in no byte of the database, in no error body.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use pierhead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Admin, Answer, Drive, Request, Site};
use serde_json::{Value, json};

use crate::process::{Home, Process};

/// What must not show, by what it is.
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn keep(&mut self, what: &'static str, value: impl Into<String>) {
        let value = value.into();
        assert!(value.len() >= 5, "{what} is too short to be looked for");
        self.0.push((what, value));
    }

    /// The first secret in `text`, as it is or as it travels in headers, URLs and JSON.
    fn found_in(&self, text: &[u8]) -> Option<&'static str> {
        self.0
            .iter()
            .find(|(_, secret)| spellings(secret).iter().any(|spelling| holds(text, spelling)))
            .map(|(what, _)| *what)
    }
}

fn spellings(secret: &str) -> Vec<String> {
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    vec![secret.to_owned(), STANDARD.encode(secret), encoded]
}

fn holds(text: &[u8], wanted: &str) -> bool {
    memmem(text, wanted.as_bytes())
}

fn memmem(text: &[u8], wanted: &[u8]) -> bool {
    let Some((first, rest)) = wanted.split_first() else { return true };
    let mut at = 0;
    while let Some(step) = text[at..].iter().position(|byte| byte == first) {
        at += step + 1;
        if text[at..].starts_with(rest) {
            return true;
        }
    }
    false
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no '{field}' in {value}")).to_owned()
}

/// The story with everything that has a secret in it; gives all of them.
async fn the_story(site: &Site, drive: &Drive, root: &Path) -> Secrets {
    let admin = site.admin().await;
    let mut secrets = Secrets(Vec::new());
    // Of the vendor's tokens the double knows only beginnings that no other text has.
    for (what, start) in [("a vendor's access token", "ya29.a0"), ("a vendor's refresh token", "1//0g")] {
        secrets.keep(what, start);
    }
    secrets.keep("the administrator's password", ADMIN_PASSWORD);
    secrets.keep("Basic credentials", STANDARD.encode(format!("{ADMIN_EMAIL}:{ADMIN_PASSWORD}")));
    secrets.keep("the user secret", &admin.user);
    secrets.keep("the organization secret", &admin.organization);
    secrets.keep("the login token", &admin.bearer);
    secrets.keep("the OAuth client's secret", drive.client_secret().expose());

    let came_back = drive.came_back(&admin.consent_url(drive, Some("state-of-ada")).await, true);
    secrets.keep("the consent's code", text(&came_back, "code"));
    let body = admin.drive_instance(drive, &came_back);
    let made = admin.call(Method::POST, "/instances", Some(&body)).await.expect_status(200).json();
    let drive_token = text(&made, "token");
    secrets.keep("the Drive instance's token", &drive_token);
    let folder_token = admin.connect_folder(root).await;
    secrets.keep("the folder instance's token", &folder_token);
    let upload = Request::post(site.hub("/hubs/documents/files?path=/a.txt"))
        .header("authorization", &admin.element(&drive_token))
        .file("a.txt", "text/plain", b"tide table");
    site.client.send(upload).await.expect_status(200);
    admin.publish("Googledrive", "/googledrive", &drive_token).await;
    site.client.get(site.gateway("/googledrive/files?path=/a.txt")).await.expect_status(200);
    drive.expire_access_tokens();
    site.client.get(site.gateway("/googledrive/files?path=/a.txt")).await.expect_status(200);
    let links = admin.hub_get(&drive_token, "/files/links?path=/a.txt").await.expect_status(200).json();
    let link = text(&links, "cloudElementsLink");
    site.client.get(&link).await.expect_status(200);
    secrets.keep("a download link's key", link.rsplit(['/', '=']).next().unwrap());

    secrets.keep("a map's value", "kvm-value-4711");
    let map = json!({
        "name": "m", "encrypted": true, "scope": "ENV",
        "keyMapEntryValues": [{"name": "k", "map_name": "m", "value": "kvm-value-4711"}],
    });
    admin.manage(Method::POST, "/KeyMapEntries", Some(&map)).await.expect_status(201);

    secrets.keep("another user's password", "Ferry-Master-8");
    let finn = admin.another_account("finn").await;
    secrets.keep("another user's secret", &finn.user);
    secrets.keep("a new password", "Ferry-Master-9");
    let change = json!({"password": "Ferry-Master-9"});
    finn.call(Method::POST, "/authentication/passwords", Some(&change)).await.expect_status(200);

    a_service_key(site, &admin, &mut secrets).await;
    secrets
}

async fn a_service_key(site: &Site, admin: &Admin, secrets: &mut Secrets) {
    let bearer = format!("Bearer {}", admin.bearer);
    let create = Request::post(site.control("/api/v1/service-keys"))
        .header("authorization", &bearer)
        .json(&json!({"name": "pipeline"}));
    let key = site.client.send(create).await.expect_status(201).json();
    let (id, secret) = (text(&key, "clientId"), text(&key, "clientSecret"));
    secrets.keep("a service key's secret", &secret);
    // Also by GET with Basic, as one of the original's clients does, and with the secret in the form.
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let by_form = Request::post(site.control("/oauth/token")).body("application/x-www-form-urlencoded", form);
    let token = text(&site.client.send(by_form).await.expect_status(200).json(), "access_token");
    secrets.keep("an access token", &token);
    let read =
        Request::get(site.management("/APIProxies")).header("authorization", &format!("Bearer {token}"));
    site.client.send(read.header("accept", "application/json")).await.expect_status(200);
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    secrets.keep("Basic credentials of a service key", &basic["Basic ".len()..]);
    let by_get = Request::get(site.control("/oauth/token?grant_type=client_credentials&response_type=token"))
        .header("authorization", &basic);
    let token = text(&site.client.send(by_get).await.expect_status(200).json(), "access_token");
    secrets.keep("another access token", &token);
}

/// Calls that fail with a secret in them; all their answers.
async fn failures(site: &Site, drive: &Drive, secrets: &mut Secrets) -> Vec<Answer> {
    let admin = site.admin().await;
    secrets.keep("a wrong secret", "wrong-secret-1");
    secrets.keep("a wrong password", "wrong-password-2");
    secrets.keep("a WebDAV password", "webdav-password-3");
    secrets.keep("a wrong client secret", "client-secret-4");
    secrets.keep("a refresh token", "refresh-token-5");
    secrets.keep("a refused value", "refused-value-6");
    let mut answers = Vec::new();
    for authorization in [
        "User wrong-secret-1, Organization wrong-secret-1",
        "User wrong-secret-1, Element wrong-secret-1",
        "wrong-secret-1",
        "User wrong-secret-1 Organization",
        "Bearer wrong-secret-1",
        "Basic wrong-secret-1",
    ] {
        for url in [site.hub("/instances"), site.hub("/files"), site.management("/APIProxies")] {
            answers.push(site.client.send(Request::get(url).header("authorization", authorization)).await);
        }
    }
    let login = json!({"username": ADMIN_EMAIL, "password": "wrong-password-2"});
    answers.push(site.client.send(Request::post(site.hub("/authentication")).json(&login)).await);
    let broken = format!("{{\"username\": \"x\", \"password\": \"wrong-password-2\" {ADMIN_EMAIL}");
    answers.push(
        site.client.send(Request::post(site.hub("/authentication")).body("application/json", broken)).await,
    );
    let webdav = json!({
        "name": "d", "element": {"key": "webdav"},
        "configuration": {"base.url": "http://127.0.0.1:9/", "username": "u", "password": "webdav-password-3"},
    });
    answers.push(admin.call(Method::POST, "/instances", Some(&webdav)).await);
    let mut instance = admin.drive_instance(drive, &json!({"code": "4/0Amade-up"}));
    answers.push(admin.call(Method::POST, "/instances", Some(&instance)).await);
    instance["configuration"]["oauth.api.secret"] = "client-secret-4".into();
    answers.push(admin.call(Method::POST, "/instances", Some(&instance)).await);
    instance["providerData"] = json!({"refresh_token": "refresh-token-5"});
    answers.push(admin.call(Method::POST, "/instances", Some(&instance)).await);
    let form = "grant_type=client_credentials&client_id=x&client_secret=client-secret-4";
    let token = Request::post(site.control("/oauth/token")).body("application/x-www-form-urlencoded", form);
    answers.push(site.client.send(token).await);
    for value in [json!(["refused-value-6"]), json!("refused-value-6\0"), json!({"refused-value-6": 1})] {
        let entry = json!({"name": "k2", "map_name": "m", "value": value});
        answers.push(admin.manage(Method::POST, "/KeyMapEntryValues", Some(&entry)).await);
    }
    let provider = json!({
        "name": "p", "destType": "OPENCONNECTORS", "host": "", "organizationSecret": "refused-value-6 ",
        "userSecret": "refused-value-6,",
    });
    answers.push(admin.manage(Method::POST, "/APIProviders", Some(&provider)).await);
    drive.revoke_all();
    answers.push(site.client.get(site.gateway("/googledrive/files?path=/a.txt")).await);
    answers
}

/// What shows settings again: masks only.
async fn read_back(site: &Site) -> Vec<Answer> {
    let admin = site.admin().await;
    let mut answers = Vec::new();
    for path in [
        "/APIProviders",
        "/KeyMapEntries('m')?$expand=keyMapEntryValues",
        "/GenericKeyMapEntries?$expand=genericKeyMapEntryValues",
        "/APIProxies?$expand=policies,proxyEndPoints,targetEndPoints",
    ] {
        answers.push(admin.manage(Method::GET, path, None).await.expect_status(200));
    }
    for path in ["/accounts", "/users", "/elements/googledrive", "/elements/webdav"] {
        answers.push(admin.call(Method::GET, path, None).await.expect_status(200));
    }
    answers.push(site.client.get(site.control("/metrics")).await.expect_status(200));
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_shows_a_secret() {
    let (home, folder) = (Home::embedded(), tempfile::tempdir().unwrap());
    let (log, root) = (folder.path().join("log"), folder.path().join("files"));
    fs::create_dir(&root).unwrap();
    let drive = Drive::start().await;
    let process = Process::start_logging_all(&home, &log);

    let mut secrets = the_story(&process, &drive, &root).await;
    let answers = failures(&process, &drive, &mut secrets).await;
    let shown = read_back(&process).await;
    process.kill();

    for (what, secret) in &secrets.0 {
        let line = format!("{{\"a\": \"{secret}\"}}");
        assert!(secrets.found_in(line.as_bytes()).is_some(), "{what} would not be seen");
    }
    for answer in &answers {
        assert!(!answer.status.is_success(), "{} {}", answer.status, answer.text());
    }
    for answer in answers.iter().chain(&shown) {
        let headers = format!("{:?}", answer.headers);
        for place in [&answer.bytes[..], headers.as_bytes()] {
            let found = secrets.found_in(place);
            assert_eq!(found, None, "{found:?} in {headers} {}", answer.text());
        }
    }
    let lines = fs::read_to_string(&log).unwrap();
    let of = |what: &str| lines.lines().filter(|line| line.contains(what)).count();
    assert!(
        of(" TRACE ") > 20 && of(" DEBUG pierhead") > 2,
        "the log says too little to prove anything: {lines}"
    );
    for line in lines.lines() {
        let found = secrets.found_in(line.as_bytes());
        assert_eq!(found, None, "{found:?} in the log line {line}");
    }
    let mut bytes = 0;
    for name in ["pierhead.db", "pierhead.db-wal"] {
        let stored = fs::read(home.data().join(name)).unwrap_or_default();
        bytes += stored.len();
        let found = secrets.found_in(&stored);
        assert_eq!(found, None, "{found:?} in {name}");
    }
    assert!(bytes > 50_000, "there is hardly a database to look at: {bytes} bytes");
}
