//! Stories told to real servers, held against the catalogue's exchanges; `RECORD=1` writes those anew.
//!
//! `PIERHEAD_TEST_WEBDAV_URL`, `_USER` and `_PASSWORD` name a WebDAV server, as `cargo xtask test` sets them.

use base64::Engine as _;
use pierhead_egress::{Egress, EgressSettings, SystemResolver};

use super::exchange::{Recorder, Story, VENDOR, tell};
use super::*;

/// The whole hub, for vendors that know items by their path.
const BY_PATH: Story = &[
    ("ping", "GET /ping", None, None),
    (
        "upload with missing parents",
        "POST /files?path=/story/in/a b.txt",
        Some("form:x.txt:text/plain:hello"),
        None,
    ),
    (
        "upload again is a conflict",
        "POST /files?path=/story/in/a b.txt",
        Some("form:x.txt:text/plain:again"),
        None,
    ),
    (
        "overwrite",
        "POST /files?path=/story/in/a b.txt&overwrite=true",
        Some("form:x.txt:text/plain:hello again"),
        None,
    ),
    ("new content", "PUT /files?path=/story/in/a b.txt", Some("form:x.txt:text/plain:third"), None),
    ("an empty file", "POST /files?path=/story/in/empty.bin", Some("form:x::"), None),
    ("metadata by path", "GET /files/metadata?path=/story/in/a b.txt", None, None),
    ("metadata by id", "GET /files/{id:metadata by path}/metadata", None, None),
    ("download by path", "GET /files?path=/story/in/a b.txt", None, None),
    ("download by id", "GET /files/{id:metadata by path}", None, None),
    ("a part of a file", "GET /files?path=/story/in/a b.txt", None, Some(("range", "bytes=1-3"))),
    ("a range outside", "GET /files?path=/story/in/a b.txt", None, Some(("range", "bytes=100-"))),
    ("make a folder", "POST /folders", Some(r#"{"path": "/story/in/sub"}"#), None),
    ("make it again", "POST /folders", Some(r#"{"path": "/story/in/sub"}"#), None),
    ("folder metadata", "GET /folders/metadata?path=/story/in/sub", None, None),
    ("contents, page one", "GET /folders/contents?path=/story/in&pageSize=2&orderBy=name", None, None),
    (
        "contents, page two",
        "GET /folders/contents?path=/story/in&pageSize=2&orderBy=name&nextPage={next}",
        None,
        None,
    ),
    (
        "contents, filtered",
        "GET /folders/contents?path=/story/in&where=name like 'a%' and directory = false",
        None,
        None,
    ),
    ("contents past the end", "GET /folders/contents?path=/story/in&page=9&pageSize=2", None, None),
    ("a bad query", "GET /folders/contents?path=/story/in&where=name ~ 1", None, None),
    ("copy a file", "POST /files/copy?path=/story/in/a b.txt", Some(r#"{"path": "/story/out/c.txt"}"#), None),
    (
        "copy onto something",
        "POST /files/copy?path=/story/in/a b.txt",
        Some(r#"{"path": "/story/out/c.txt"}"#),
        None,
    ),
    (
        "copy over something",
        "POST /files/copy?path=/story/in/empty.bin&overwrite=true",
        Some(r#"{"path": "/story/out/c.txt"}"#),
        None,
    ),
    ("copy a folder", "POST /folders/copy?path=/story/in", Some(r#"{"path": "/story/twin"}"#), None),
    ("rename", "PATCH /files/metadata?path=/story/in/a b.txt", Some(r#"{"name": "ä&b.txt"}"#), None),
    (
        "move",
        "PATCH /files/metadata?path=/story/in/ä%26b.txt",
        Some(r#"{"path": "/story/moved/b.txt"}"#),
        None,
    ),
    (
        "move onto something",
        "PATCH /files/metadata?path=/story/moved/b.txt",
        Some(r#"{"path": "/story/out/c.txt"}"#),
        None,
    ),
    ("move a folder", "PATCH /folders/metadata?path=/story/moved", Some(r#"{"path": "/story/away"}"#), None),
    ("links", "GET /files/links?path=/story/away/b.txt", None, None),
    ("search by text", "GET /search?path=/story&text=b.txt", None, None),
    ("search by path", "GET /search?path=/story/away", None, None),
    ("not found", "GET /files?path=/story/nothing", None, None),
    ("a folder is no file", "GET /files?path=/story/in", None, None),
    ("delete a file", "DELETE /files?path=/story/away/b.txt", None, None),
    ("it is gone", "GET /files?path=/story/away/b.txt", None, None),
    ("delete a folder", "DELETE /folders?path=/story", None, None),
];

pub(super) fn egress() -> Arc<Egress> {
    let settings =
        EgressSettings { allow: vec!["127.0.0.0/8".parse().unwrap()], ..EgressSettings::default() };
    Arc::new(Egress::new(&settings, Arc::new(SystemResolver)).unwrap())
}

const RECORDED_ON: &str = "2026-11-21";

/// The server that `PIERHEAD_TEST_WEBDAV_URL` names, with an empty folder of its own for the story; none
/// where the variable is absent.
async fn webdav_server() -> Option<([String; 3], String)> {
    let variable = |name: &str| std::env::var(format!("PIERHEAD_TEST_WEBDAV_{name}"));
    let (url, user, password) =
        (variable("URL").ok()?, variable("USER").unwrap(), variable("PASSWORD").unwrap());
    let url = format!("{}/story-root", url.trim_end_matches('/'));
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    let (egress, mut server) = (egress(), String::new());
    for method in ["DELETE", "MKCOL"] {
        let request =
            Request::builder().method(method).uri(&url).header("authorization", format!("Basic {basic}"));
        let sent = egress.send(request.body(empty_body()).unwrap(), pierhead_egress::CallLimits::default());
        let answer = sent.await.unwrap();
        server =
            answer.headers().get("server").map_or_else(String::new, |name| name.to_str().unwrap().to_owned());
        assert!(method == "DELETE" || answer.status() == 201, "{method}: {}", answer.status());
    }
    Some(([url, user, password], server))
}

#[tokio::test]
async fn a_real_webdav_server_tells_the_recorded_story() {
    let Some(([url, user, password], server)) = webdav_server().await else { return };
    let settings = [("base.url", url.as_str()), ("username", &user), ("password", &password)];
    let origin = url::Url::parse(&url).unwrap().origin().ascii_serialization();
    let recorder = Arc::new(Recorder { inner: egress(), origin: origin.clone(), log: Mutex::default() });
    let head = format!(
        "origin: real-server\nsource: {}\nrecorded_on: {RECORDED_ON}\nsettings: {}\n",
        serde_json::json!(server),
        serde_json::json!({"base.url": url.replace(&origin, VENDOR), "username": "u", "password": "p"})
    );
    let as_it_is = |text| text;

    let connection = TestConnection::new("webdav", &settings);
    let file = "webdav/exchanges/documents.yaml";
    tell(file, &head, recorder.clone(), &connection, BY_PATH, as_it_is).await;
    let story: Story = &[("space", "GET /storage", None, None)];
    tell("webdav/exchanges/storage.yaml", &head, recorder.clone(), &connection, story, as_it_is).await;
    let connection = TestConnection::new("webdav", &[settings[0], settings[1], ("password", "wrong")]);
    let story: Story = &[("wrong password", "GET /ping", None, None)];
    tell("webdav/exchanges/refused.yaml", &head, recorder, &connection, story, as_it_is).await;
}

#[tokio::test]
async fn a_real_directory_tells_the_recorded_story() {
    let directory = tempfile::tempdir().unwrap();
    let connection = TestConnection::new("folder", &[("root.path", directory.path().to_str().unwrap())]);
    let recorder =
        Arc::new(Recorder { inner: Arc::new(Nowhere), origin: "none".to_owned(), log: Mutex::default() });
    let head = format!(
        "origin: real-server\nsource: a directory of this machine, through the file driver\nrecorded_on: {RECORDED_ON}\nsettings: {{}}\n"
    );
    let file = "folder/exchanges/documents.yaml";
    tell(file, &head, recorder, &connection, BY_PATH, without_times).await;
}

/// A directory's times differ from run to run.
fn without_times(text: String) -> String {
    let kept = text.split('\n').map(|line| {
        let Some(json) = line.strip_prefix("    answer: ") else { return line.to_owned() };
        let mut json: Value = serde_json::from_str(json).unwrap();
        forget_times(&mut json);
        format!("    answer: {json}")
    });
    kept.collect::<Vec<_>>().join("\n")
}

fn forget_times(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !matches!(name.as_str(), "createdDate" | "modifiedDate"));
            members.values_mut().for_each(forget_times);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_times),
        _ => {}
    }
}
