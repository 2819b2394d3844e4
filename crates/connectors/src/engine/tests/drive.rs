//! The whole hub over the Google Drive double, every request judged by the vendor's own description.
//!
//! `RECORD=1` writes the exchanges into the catalogue; `PIERHEAD_DRIVE_DESCRIPTION=…/drive.v3.json` names the
//! description (it comes with Google's Python client).

use pierhead_domain::{EpochMillis, StoppedClock};
use pierhead_sandbox::check::Description;
use pierhead_sandbox::google::{Fault, FaultKind, GoogleDrive, GoogleDriveOptions, RunningGoogleDrive};
use serde_json::json;

use super::exchange::{Recorder, Story, VENDOR, tell};
use super::live::egress;
use super::*;

const BY_ID: Story = &[
    ("ping", "GET /ping", None, None),
    ("me", "GET /me", None, None),
    ("storage", "GET /storage", None, None),
    (
        "upload with missing parents",
        "POST /files?path=/story/in/it's.txt&tags[]=red,blue&description=first",
        Some("form:x.txt:text/plain:hello"),
        None,
    ),
    (
        "upload again is a conflict",
        "POST /files?path=/story/in/it's.txt",
        Some("form:x.txt:text/plain:again"),
        None,
    ),
    (
        "overwrite",
        "POST /files?path=/story/in/it's.txt&overwrite=true",
        Some("form:x.txt:text/plain:hello again"),
        None,
    ),
    ("new content by id", "PUT /files/{id:overwrite}", Some("form:x.txt:text/plain:third"), None),
    ("an empty file", "POST /files?path=/story/in/empty.bin", Some("form:x::"), None),
    ("metadata by path", "GET /files/metadata?path=/story/in/it's.txt", None, None),
    ("metadata by id", "GET /files/{id:overwrite}/metadata?raw=true", None, None),
    ("metadata without path", "GET /files/{id:overwrite}/metadata?calculateFolderPath=false", None, None),
    ("download by path", "GET /files?path=/story/in/it's.txt", None, None),
    ("download by id", "GET /files/{id:overwrite}", None, None),
    ("a part of a file", "GET /files/{id:overwrite}", None, Some(("range", "bytes=1-3"))),
    ("a range outside", "GET /files/{id:overwrite}", None, Some(("range", "bytes=100-"))),
    ("export with the default type", "GET /files?path=/Harbour board/Berths", None, None),
    ("export as text", "GET /files?path=/Harbour board/Minutes&mediaType=text/plain", None, None),
    (
        "export to a type it has not",
        "GET /files?path=/Harbour board/Minutes&mediaType=audio/mpeg",
        None,
        None,
    ),
    ("make a folder", "POST /folders", Some(r#"{"path": "/story/in/sub"}"#), None),
    ("make it again", "POST /folders", Some(r#"{"path": "/story/in/sub"}"#), None),
    ("folder metadata", "GET /folders/{id:make a folder}/metadata", None, None),
    ("root contents", "GET /folders/root/contents", None, None),
    ("contents, page one", "GET /folders/contents?path=/story/in&pageSize=2&orderBy=name", None, None),
    (
        "contents, page two",
        "GET /folders/contents?path=/story/in&pageSize=2&orderBy=name&nextPage={next}",
        None,
        None,
    ),
    (
        "contents, second page by number",
        "GET /folders/contents?path=/story/in&pageSize=2&page=2&orderBy=name",
        None,
        None,
    ),
    (
        "contents, filtered by the vendor",
        "GET /folders/contents?path=/story/in&where=name = 'it''s.txt' and modifiedDate > '2020-01-01T00:00:00Z'",
        None,
        None,
    ),
    (
        "contents, filtered here, too",
        "GET /folders/contents?path=/story/in&where=name like 'it%' and directory = false",
        None,
        None,
    ),
    ("contents past the end", "GET /folders/contents?path=/story/in&page=9&pageSize=2", None, None),
    ("a bad query", "GET /folders/contents?path=/story/in&where=name ~ 1", None, None),
    ("copy a file", "POST /files/{id:overwrite}/copy", Some(r#"{"path": "/story/out/c.txt"}"#), None),
    ("copy onto something", "POST /files/{id:overwrite}/copy", Some(r#"{"path": "/story/out/c.txt"}"#), None),
    (
        "copy over something",
        "POST /files/copy?path=/story/in/empty.bin&overwrite=true",
        Some(r#"{"path": "/story/out/c.txt"}"#),
        None,
    ),
    ("copy a folder", "POST /folders/copy?path=/story/in", Some(r#"{"path": "/story/twin"}"#), None),
    (
        "rename",
        "PATCH /files/{id:overwrite}/metadata",
        Some(r#"{"name": "ä&b.txt", "tags": ["red", "green"]}"#),
        None,
    ),
    (
        "move",
        "PATCH /files/metadata?path=/story/in/ä%26b.txt",
        Some(r#"{"path": "/story/moved/b.txt"}"#),
        None,
    ),
    (
        "move onto something",
        "PATCH /files/{id:overwrite}/metadata",
        Some(r#"{"path": "/story/out/c.txt"}"#),
        None,
    ),
    ("move a folder", "PATCH /folders/metadata?path=/story/moved", Some(r#"{"path": "/story/away"}"#), None),
    ("move to the root", "PATCH /folders/metadata?path=/story/twin", Some(r#"{"path": "/twin"}"#), None),
    (
        "custom properties",
        "PATCH /files/{id:overwrite}/metadata/properties",
        Some(r#"{"properties": {"k": "v"}}"#),
        None,
    ),
    ("links", "GET /files/{id:overwrite}/links", None, None),
    ("search by text", "GET /search?text=berth", None, None),
    ("search by tag and kind", "GET /search?tags[]=green&mimeType=text/plain", None, None),
    ("search by path", "GET /search?path=/story/away", None, None),
    ("search without paths", "GET /search?extension=txt&calculateFolderPath=false&orderBy=name", None, None),
    ("comment", "POST /files/{id:overwrite}/comments", Some(r#"{"comment": "good"}"#), None),
    ("comments", "GET /files/{id:overwrite}/comments", None, None),
    ("a comment", "GET /files/{id:overwrite}/comments/{id:comment}", None, None),
    (
        "change a comment",
        "PATCH /files/{id:overwrite}/comments/{id:comment}",
        Some(r#"{"comment": "better"}"#),
        None,
    ),
    ("delete a comment", "DELETE /files/{id:overwrite}/comments/{id:comment}", None, None),
    (
        "share",
        "POST /files/{id:overwrite}/permissions",
        Some(r#"{"type": "anyone", "role": "reader"}"#),
        None,
    ),
    ("permissions by path", "GET /files/permissions?path=/story/away/b.txt", None, None),
    (
        "change a permission",
        "PATCH /files/{id:overwrite}/permissions/{id:share}",
        Some(r#"{"role": "writer"}"#),
        None,
    ),
    ("a permission", "GET /files/{id:overwrite}/permissions/{id:share}", None, None),
    ("withdraw a permission", "DELETE /files/{id:overwrite}/permissions/{id:share}", None, None),
    ("revisions", "GET /files/{id:overwrite}/revisions", None, None),
    ("team drives", "GET /team-drives", None, None),
    ("not found", "GET /files?path=/story/nothing", None, None),
    ("no such id", "GET /files/nope", None, None),
    ("a folder is no file", "GET /files?path=/story/in", None, None),
    ("delete a file to the trash", "DELETE /files/{id:overwrite}", None, None),
    ("it is gone", "GET /files?path=/story/away/b.txt", None, None),
    ("delete a folder for good", "DELETE /folders?path=/story&emptyTrash=true", None, None),
    ("the root stays", "DELETE /folders/root", None, None),
];

async fn double() -> RunningGoogleDrive {
    let clock = Arc::new(StoppedClock::at(EpochMillis::new(1_795_000_000_000)));
    let drive = GoogleDrive::new(GoogleDriveOptions::default(), clock, Arc::new(SeededRng::new(3))).unwrap();
    drive.start(tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap()
}

/// The whole OAuth dance by the definition, pointed at the double by the reserved settings.
async fn connected(drive: &RunningGoogleDrive) -> (TestConnection, Tokens) {
    let base = drive.base_url();
    let settings: BTreeMap<String, String> = [
        ("base.url", base.clone()),
        ("oauth.authorization.url", format!("{base}/o/oauth2/v2/auth")),
        ("oauth.token.url", format!("{base}/token")),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    let find = |key: &str| settings.get(key).cloned();
    let connector = TestConnection::new("googledrive", &[]).connector;
    let oauth = OAuth::of(&connector).unwrap();
    let (callback, verifier) = ("http://127.0.0.1/callback", "v".repeat(50));
    let ask = AuthorizeAsk {
        client_id: drive.client_id(),
        redirect_uri: callback,
        scope: None,
        state: "s",
        verifier: Some(&verifier),
    };
    let url = oauth.authorize_url(&find, &ask).unwrap();
    let back = url::Url::parse(&drive.consent(url.as_str(), true, None).unwrap()).unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let client =
        OAuthClient { id: drive.client_id().to_owned(), secret: Some(drive.client_secret().clone()) };
    let grant = Grant::Code { code: &code, redirect_uri: callback, verifier: Some(&verifier) };
    let request = oauth.token_request(&find, &client, &grant).unwrap().map(full_body);
    let response = egress().send(request, pierhead_egress::CallLimits::default()).await.unwrap();
    let status = response.status();
    let body = answer::collect(response.into_body(), 1 << 20).await.unwrap();
    let tokens = oauth.read_tokens(status, &body).unwrap();
    let settings = [("base.url", base.as_str()), ("access_token", tokens.access_token.expose())];
    (TestConnection::of(connector.clone(), &settings), tokens)
}

/// Holds every request so far, at least `least` of them, against the vendor's description where one is given.
fn check_requests(drive: &RunningGoogleDrive, least: usize) {
    let Ok(path) = std::env::var("PIERHEAD_DRIVE_DESCRIPTION") else { return };
    let description = Description::load(path).unwrap();
    let requests = drive.requests();
    let violations: Vec<String> =
        requests.iter().flat_map(|request| description.violations(request)).collect();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
    assert!(requests.len() >= least, "only {} requests", requests.len());
}

#[tokio::test]
async fn the_whole_hub_works_over_the_double_by_valid_requests() {
    let drive = double().await;
    let (connection, tokens) = connected(&drive).await;
    assert!(tokens.refresh_token.is_some());
    let recorder = Arc::new(Recorder { inner: egress(), origin: drive.base_url(), log: Mutex::default() });
    let head = format!(
        "origin: checked-double\nsource: >-\n  The Google Drive double of Pierhead, which Google's own Python client \
         is tested against; every request is valid by\n  the discovery document drive.v3.json\nrecorded_on: \
         2026-11-21\nsettings: {}\n",
        json!({"base.url": VENDOR, "access_token": "t"})
    );
    tell("googledrive/exchanges/documents.yaml", &head, recorder, &connection, BY_ID, |text| text).await;
    check_requests(&drive, 100);
    drive.stop().await;
}

#[tokio::test]
async fn a_large_upload_goes_in_chunks_and_comes_back_whole() {
    let drive = double().await;
    let (connection, _) = connected(&drive).await;
    let engine = engine(egress(), vec![]);
    let eight = 8 << 20;
    for size in [eight - 1, eight, eight + 1, 2 * eight + 5] {
        let content: Vec<u8> = (0..size).map(|n: usize| (n * 7 + n / 251) as u8).collect();
        let upload = call(
            &format!("POST /files?path=/big-{size}"),
            Some(form("b", "application/octet-stream", &content)),
        );
        let made = run(&engine, &connection, upload).await;
        assert_eq!((made.status, &made.json()["size"]), (200, &json!(size)), "{}", made.json());
        let back = run(&engine, &connection, call(&format!("GET /files?path=/big-{size}"), None)).await;
        assert!(back.bytes == content, "{size}");
    }
    drive.stop().await;
}

/// The puts of upload sessions: their statuses.
fn puts(drive: &RunningGoogleDrive) -> Vec<u16> {
    drive.requests().iter().filter(|request| request.method == "PUT").map(|request| request.status).collect()
}

#[tokio::test]
async fn an_upload_goes_on_from_where_the_vendor_says_after_a_failure() {
    let drive = double().await;
    let (connection, _) = connected(&drive).await;
    let engine = engine(egress(), vec![]);
    let content: Vec<u8> = (0..(9usize << 20)).map(|n| (n * 5 + n / 509) as u8).collect();
    let upload = |path: &str, content: &[u8]| {
        call(&format!("POST /files?path={path}"), Some(form("b", "application/octet-stream", content)))
    };
    let put = |kind, count| Fault { method: Some("PUT".to_owned()), ..Fault::next(kind, count) };

    // The first chunk is refused, the question answered, the chunk sent again, then the last one.
    drive.inject(put(FaultKind::Unavailable, 1));
    let made = run(&engine, &connection, upload("/a", &content)).await;
    assert_eq!((made.status, &made.json()["size"]), (200, &json!(content.len())), "{}", made.json());
    assert_eq!(puts(&drive), [503, 308, 308, 200]);
    assert!(run(&engine, &connection, call("GET /files?path=/a", None)).await.bytes == content);

    // The answer to the last chunk is lost on its way: asked again, the session tells it.
    drive.clear_requests();
    drive.inject(put(FaultKind::Truncated, 1));
    let made = run(&engine, &connection, upload("/b", b"short")).await;
    assert_eq!((made.status, &made.json()["size"]), (200, &json!(5)), "{}", made.json());
    assert_eq!(puts(&drive), [200, 200]);

    // A vendor that stays away ends it, and nothing is there.
    drive.inject(put(FaultKind::Unavailable, 100));
    let made = run(&engine, &connection, upload("/c", b"never")).await;
    assert_eq!(made.status, 502, "{}", made.json());
    drive.clear_faults();
    assert_eq!(run(&engine, &connection, call("GET /files?path=/c", None)).await.status, 404);
    check_requests(&drive, 10);
    drive.stop().await;
}

#[tokio::test]
async fn an_expired_token_is_asked_for_anew_once() {
    let drive = double().await;
    let (connection, _) = connected(&drive).await;
    drive.expire_access_tokens();
    let seen = run(&engine(egress(), vec![]), &connection, call("GET /ping", None)).await;
    assert_eq!(seen.status, 401, "the test connection has no other token");
    assert_eq!(drive.requests().iter().filter(|request| request.path.contains("/about")).count(), 2);
    drive.stop().await;
}
