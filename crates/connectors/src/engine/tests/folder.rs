//! The whole documents hub over a real directory.

use std::os::unix::fs::symlink;

use serde_json::json;
use tempfile::TempDir;

use super::*;

struct Desk {
    root: TempDir,
    engine: Engine,
    connection: TestConnection,
}

impl Desk {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let connection = TestConnection::new("folder", &[("root.path", root.path().to_str().unwrap())]);
        Self { root, engine: engine(Arc::new(Nowhere), vec![]), connection }
    }

    async fn get(&self, target: &str) -> Seen {
        self.send(&format!("GET {target}"), None).await
    }

    async fn send(&self, line: &str, body: Option<(&str, Vec<u8>)>) -> Seen {
        run(&self.engine, &self.connection, call(line, body)).await
    }

    async fn upload(&self, path: &str, content: &[u8]) -> Seen {
        self.send(
            &format!("POST /files?path={path}"),
            Some(form("x.bin", "application/octet-stream", content)),
        )
        .await
    }

    async fn json(&self, line: &str, body: Value) -> Seen {
        self.send(line, Some(("application/json", body.to_string().into_bytes()))).await
    }
}

#[tokio::test]
async fn a_file_goes_in_and_comes_out_by_path_and_by_id() {
    let desk = Desk::new();
    let content: Vec<u8> = (0..300_000u32).map(|n| n as u8).collect();

    let made = desk.upload("/a/b/ä b.txt", &content).await;
    assert_eq!(made.status, 200, "{}", made.json());
    let made = made.json();
    assert_eq!(made["path"], "/a/b/ä b.txt");
    assert_eq!((&made["size"], &made["directory"]), (&json!(300_000), &json!(false)));

    let by_path = desk.get("/files?path=/a/b/ä b.txt").await;
    let by_id = desk.get(&format!("/files/{}", made["id"].as_str().unwrap())).await;
    assert_eq!(by_path.bytes, content);
    assert_eq!(by_id.bytes, content);
    assert_eq!(by_path.header("content-type"), "text/plain");
    assert_eq!(by_path.header("content-length"), "300000");
    assert_eq!(
        by_path.header("content-disposition"),
        "attachment; filename=\"_ b.txt\"; filename*=UTF-8''%C3%A4%20b.txt"
    );
}

#[tokio::test]
async fn ranges_give_the_part_and_its_place() {
    let desk = Desk::new();
    desk.upload("/r.bin", b"0123456789").await;
    let ranged = |range: &str| {
        let mut call = call("GET /files?path=/r.bin", None);
        call.headers.insert(header::RANGE, range.parse().unwrap());
        call
    };

    let part = run(&desk.engine, &desk.connection, ranged("bytes=2-4")).await;
    assert_eq!(
        (part.status, &part.bytes[..], part.header("content-range")),
        (206, &b"234"[..], "bytes 2-4/10")
    );
    assert_eq!(run(&desk.engine, &desk.connection, ranged("bytes=99-")).await.status, 416);
}

#[tokio::test]
async fn an_existing_name_is_a_conflict_unless_overwritten() {
    let desk = Desk::new();
    assert_eq!(desk.upload("/x", b"1").await.status, 200);
    assert_eq!(desk.upload("/x", b"2").await.status, 409);
    assert_eq!(desk.upload("/x&overwrite=true", b"3").await.status, 200);
    assert_eq!(desk.get("/files?path=/x").await.bytes, &b"3"[..]);
    assert_eq!(desk.json("POST /folders", json!({"path": "/x"})).await.status, 409);
    assert_eq!(desk.upload("/x/y", b"4").await.status, 409, "a file is in the way");
    assert_eq!(desk.json("POST /folders", json!({"path": "/d"})).await.status, 200);
    assert_eq!(
        desk.upload("/d&overwrite=true", b"5").await.status,
        409,
        "a folder is never overwritten by a file"
    );
    let answer = desk.send("PUT /files?path=/x", Some(("text/plain", b"raw".to_vec()))).await;
    assert_eq!((answer.status, &answer.json()["size"]), (200, &json!(3)));
}

#[tokio::test]
async fn folders_list_their_items_in_pages_that_obey_the_laws() {
    let desk = Desk::new();
    for name in ["a.txt", "b.pdf", "c.txt", "d.txt", "e.txt"] {
        desk.upload(&format!("/l/{name}"), name.as_bytes()).await;
    }
    let two = desk.get("/folders/contents?path=/l&page=1&pageSize=2").await;
    let next = desk.get("/folders/contents?path=/l&page=2&pageSize=2").await;
    let four = desk.get("/folders/contents?path=/l&pageSize=4&returnCount=true").await;
    assert_eq!([two.names(), next.names()].concat(), four.names());
    assert_eq!(four.total, Some(5));
    assert_eq!(desk.get("/folders/contents?path=/l&page=9&pageSize=2").await.json(), json!([]));

    let (mut walked, mut token) = (Vec::new(), String::new());
    loop {
        let page = desk.get(&format!("/folders/contents?path=/l&pageSize=1&nextPage={token}")).await;
        walked.extend(page.names());
        match page.next {
            Some(next) => token = next,
            None => break,
        }
    }
    assert_eq!(walked, ["a.txt", "b.pdf", "c.txt", "d.txt", "e.txt"]);

    let filtered =
        desk.get("/folders/contents?path=/l&where=extension='txt' and name LIKE '%.txt'&pageSize=2").await;
    assert_eq!(filtered.names(), ["a.txt", "c.txt"]);
    assert_eq!(filtered.local.as_deref(), Some("extension,name"));
    assert!(filtered.next.is_some());
    let ordered = desk.get("/folders/contents?path=/l&orderBy=name desc&pageSize=2").await;
    assert_eq!(ordered.names(), ["e.txt", "d.txt"]);
    assert_eq!(desk.get("/folders/contents?path=/l&where=name ~ 1").await.status, 400);
    assert_eq!(desk.get("/folders/contents?path=/l&nextPage=junk").await.status, 400);
    assert_eq!(desk.get("/folders/root/contents").await.names(), ["l"]);
}

#[tokio::test]
async fn items_are_copied_moved_renamed_and_deleted() {
    let desk = Desk::new();
    desk.upload("/a/x.txt", b"x").await;
    let copied = desk.json("POST /files/copy?path=/a/x.txt", json!({"path": "/n/y.txt"})).await;
    assert_eq!((copied.status, copied.json()["path"].clone()), (200, json!("/n/y.txt")));
    assert_eq!(desk.json("POST /files/copy?path=/a/x.txt", json!({"path": "/n/y.txt"})).await.status, 409);

    let renamed =
        desk.json("PATCH /files/metadata?path=/a/x.txt", json!({"name": "z.txt", "tags": []})).await;
    assert_eq!((renamed.status, renamed.json()["path"].clone()), (200, json!("/a/z.txt")));
    let tagged = desk.json("PATCH /files/metadata?path=/a/z.txt", json!({"tags": ["t"]})).await;
    assert!(tagged.partial.unwrap().contains("tags"));
    let moved = desk.json("PATCH /folders/metadata?path=/a", json!({"path": "/m/inner"})).await;
    assert_eq!((moved.status, moved.json()["path"].clone()), (200, json!("/m/inner")));
    assert_eq!(desk.get("/files?path=/m/inner/z.txt").await.bytes, &b"x"[..]);
    assert_eq!(desk.json("PATCH /folders/metadata?path=/m", json!({"path": "/m/inner/m"})).await.status, 400);

    let tree = desk.json("POST /folders/copy?path=/m", json!({"path": "/copy"})).await;
    assert_eq!(tree.status, 200, "{}", tree.json());
    assert_eq!(desk.get("/files?path=/copy/inner/z.txt").await.status, 200);
    assert_eq!(desk.send("DELETE /files?path=/copy", None).await.status, 404, "a folder is no file");
    assert_eq!(desk.send("DELETE /folders?path=/copy", None).await.status, 200);
    assert_eq!(desk.get("/files?path=/copy/inner/z.txt").await.status, 404);
    assert_eq!(desk.send("DELETE /folders/root", None).await.status, 403);
    assert_eq!(desk.get("/search?text=z.TXT").await.names(), ["z.txt"]);
    assert_eq!(desk.get("/search?path=/m/inner").await.names(), ["inner"]);
    assert_eq!(desk.get("/search?path=/gone").await.json(), json!([]));
}

#[tokio::test]
async fn links_storage_and_ping_answer() {
    let desk = Desk::new();
    let id = desk.upload("/x", b"1").await.json()["id"].as_str().unwrap().to_owned();
    let links = desk.get("/files/links?path=/x").await.json();
    assert_eq!(links["cloudElementsLink"], format!("http://hub.test/link/{id}"));
    let storage = desk.get("/storage").await.json();
    assert!(storage["total"].as_u64().unwrap() >= storage["used"].as_u64().unwrap());
    assert_eq!(desk.get("/ping").await.json()["endpoint"], "folder");
    assert_eq!(desk.get("/nothing").await.status, 404);
    assert_eq!(desk.send("DELETE /storage", None).await.status, 405);
}

#[tokio::test]
async fn nothing_outside_of_the_directory_can_be_reached() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), b"s").unwrap();
    let desk = Desk::new();
    symlink(outside.path(), desk.root.path().join("out")).unwrap();
    symlink(outside.path().join("secret"), desk.root.path().join("link")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, desk.root.path().join("pipe"), 0o600.into()).unwrap();
    desk.upload("/here", b"1").await;

    assert_eq!(desk.get("/folders/contents?path=/").await.names(), ["here"]);
    for path in ["/out/secret", "/link", "/out", "/pipe", "/.pierhead-1.part", "/here/..", "/../x", "/a%00b"]
    {
        let seen = desk.get(&format!("/files?path={path}")).await;
        assert!(matches!(seen.status, 400 | 404), "{path}: {}", seen.json());
        assert!(!desk.upload(&format!("{path}/new"), b"1").await.status.eq(&200), "{path}");
    }
    for id in ["Ly4u", "..", "%2e%2e", "Ly4uL2V0Yy9wYXNzd2Q"] {
        assert!(matches!(desk.get(&format!("/files/{id}")).await.status, 400 | 404), "{id}");
    }
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn an_upload_that_stops_midway_leaves_nothing() {
    let desk = Desk::new();
    let (kind, bytes) = form("x", "text/plain", &[7; 100_000]);
    let stopped = desk.send("POST /files?path=/half.bin", Some((kind, bytes[..50_000].to_vec()))).await;
    assert_eq!(stopped.status, 400, "{}", stopped.json());
    assert_eq!(std::fs::read_dir(desk.root.path()).unwrap().count(), 0);
    for body in
        [("multipart/form-data", b"x".to_vec()), ("multipart/form-data; boundary=b", b"--b--".to_vec())]
    {
        assert_eq!(desk.send("POST /files?path=/x", Some(body)).await.status, 400);
    }
}

#[tokio::test]
async fn of_two_uploads_to_one_name_one_wins() {
    let desk = Desk::new();
    let (one, two) = tokio::join!(desk.upload("/same", b"1"), desk.upload("/same", b"2"));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

#[tokio::test]
async fn the_data_directory_is_never_served() {
    let data = tempfile::tempdir().unwrap();
    let inside = data.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    let engine = engine(Arc::new(Nowhere), vec![inside.clone()]);
    let link = data.path().join("link");
    symlink(&inside, &link).unwrap();
    for root in [
        data.path(),
        &inside,
        &link,
        std::path::Path::new("relative"),
        std::path::Path::new("/nowhere-at-all"),
    ] {
        let connection = TestConnection::new("folder", &[("root.path", root.to_str().unwrap())]);
        assert!(engine.verify(&connection).await.is_err(), "{}", root.display());
    }
}
