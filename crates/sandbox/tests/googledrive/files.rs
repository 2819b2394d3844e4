//! Reading, moving, copying and deleting files.

use serde_json::json;

use crate::support::{Double, FOLDER};

#[tokio::test]
async fn contents_come_whole_or_in_the_range_asked_for() {
    let double = Double::start().await;
    let id = double.upload("digits", b"0123456789").await;
    let path = format!("/drive/v3/files/{id}?alt=media");

    let whole = double.get(&path).await;
    assert_eq!((whole.status.as_u16(), &whole.bytes[..]), (200, &b"0123456789"[..]));
    assert_eq!(whole.header("content-type"), "text/plain");
    assert_eq!(whole.header("content-length"), "10");
    for (range, content_range, bytes) in [
        ("bytes=2-4", "bytes 2-4/10", &b"234"[..]),
        ("bytes=8-", "bytes 8-9/10", b"89"),
        ("bytes=-1", "bytes 9-9/10", b"9"),
        ("bytes=5-500", "bytes 5-9/10", b"56789"),
    ] {
        let part = double.get_with(&path, "range", range).await;
        assert_eq!(
            (part.status.as_u16(), part.header("content-range"), &part.bytes[..]),
            (206, content_range, bytes)
        );
    }
    let outside = double.get_with(&path, "range", "bytes=10-").await;
    assert_eq!(outside.header("content-range"), "bytes */10");
    outside.refused(416, "requestedRangeNotSatisfiable");
}

#[tokio::test]
async fn google_documents_are_exported_and_nothing_else_is() {
    let double = Double::start().await;
    let found = double
        .get("/drive/v3/files?q=name='Minutes'&fields=files(id,size,exportLinks,md5Checksum)")
        .await
        .ok();
    let document = &found["files"][0];
    let id = document["id"].as_str().unwrap();
    let file = double.upload("plain.txt", b"x").await;
    let export = |id: &str, kind: &str| format!("/drive/v3/files/{id}/export?mimeType={kind}");

    let pdf = double.get(&export(id, "application/pdf")).await;
    let text = double.get(document["exportLinks"]["text/plain"].as_str().unwrap()).await;

    assert!(document["md5Checksum"].is_null(), "a document has no binary content");
    assert!(pdf.bytes.starts_with(b"%PDF-1.4"));
    assert_eq!(pdf.header("content-type"), "application/pdf");
    assert!(text.bytes.starts_with("\u{feff}Minutes".as_bytes()));
    double.get(&export(&file, "text/plain")).await.refused(403, "fileNotExportable");
    double.get(&export(id, "image/png")).await.refused(400, "badRequest");
    double.get(&format!("/drive/v3/files/{id}/export")).await.refused(400, "required");
    double.get(&format!("/drive/v3/files/{id}?alt=media")).await.refused(403, "fileNotDownloadable");
    double.get("/drive/v3/files/root?alt=media").await.refused(403, "fileNotDownloadable");
}

#[tokio::test]
async fn a_file_has_one_parent_and_moves_by_changing_it() {
    let double = Double::start().await;
    let (one, two) = (double.folder("one", "root").await, double.folder("two", "root").await);
    let body = json!({"name": "f", "parents": [one]});
    let file = double.json("POST", "/drive/v3/files", body).await.ok()["id"].as_str().unwrap().to_owned();
    let update = |id: &str, query: &str| format!("/drive/v3/files/{id}?fields=parents&{query}");
    let patch = |path: String, body| double.json("PATCH", Box::leak(path.into_boxed_str()), body);

    patch(update(&file, &format!("addParents={two}")), json!({})).await.refused(403, "cannotAddParent");
    let moved = patch(update(&file, &format!("addParents={two}&removeParents={one}")), json!({})).await.ok();
    assert_eq!(moved, json!({"parents": [two]}));
    patch(update(&two, &format!("addParents={two}&removeParents=root")), json!({}))
        .await
        .refused(400, "badRequest");
    patch(update(&file, &format!("addParents={file}&removeParents={two}")), json!({}))
        .await
        .refused(403, "parentNotAFolder");
    patch(update(&file, "addParents=nonsense"), json!({})).await.refused(404, "notFound");
    patch(update(&file, ""), json!({"parents": [one]})).await.refused(403, "fieldNotWritable");
    let body = json!({"name": "g", "parents": [one, two]});
    double.json("POST", "/drive/v3/files", body).await.refused(400, "invalid");
}

#[tokio::test]
async fn a_folder_may_hold_several_files_of_one_name() {
    let double = Double::start().await;
    let folder = double.folder("f", "root").await;
    for _ in 0..2 {
        let body = json!({"name": "same", "parents": [folder]});
        double.json("POST", "/drive/v3/files", body).await.ok();
    }
    assert_eq!(double.names(&format!("'{folder}' in parents")).await, ["same", "same"]);
}

#[tokio::test]
async fn a_copy_shares_contents_and_nothing_else() {
    let double = Double::start().await;
    let id = double.upload("original", b"abc").await;
    let path = format!("/drive/v3/files/{id}/copy?fields=*");

    let copy = double.json("POST", &path, json!({})).await.ok();
    double.json("PATCH", &format!("/drive/v3/files/{id}"), json!({"name": "renamed"})).await.ok();
    double.delete(&format!("/drive/v3/files/{id}")).await;
    let after = double.get(&format!("/drive/v3/files/{}?alt=media", copy["id"].as_str().unwrap())).await;

    assert_eq!(copy["name"], "Copy of original");
    assert_eq!(after.bytes, "abc", "the original's end leaves the copy alone");
    let body = json!({"name": "d", "mimeType": "application/vnd.google-apps.document"});
    let id = copy["id"].as_str().unwrap();
    let document = double.json("POST", &format!("/drive/v3/files/{id}/copy"), body).await.ok();
    let text = double
        .get(&format!("/drive/v3/files/{}/export?mimeType=text/plain", document["id"].as_str().unwrap()))
        .await;
    assert_eq!(text.bytes, "\u{feff}abc", "a copy can be a conversion");
}

#[tokio::test]
async fn deleting_a_folder_takes_everything_below_it() {
    let double = Double::start().await;
    let outer = double.folder("outer", "root").await;
    let inner = double.folder("inner", &outer).await;

    let deleted = double.delete(&format!("/drive/v3/files/{outer}")).await;

    assert_eq!((deleted.status.as_u16(), deleted.bytes.len()), (204, 0));
    double.get(&format!("/drive/v3/files/{inner}")).await.refused(404, "notFound");
    let missing = double.delete(&format!("/drive/v3/files/{outer}")).await.refused(404, "notFound");
    assert_eq!(missing["message"], format!("File not found: {outer}."));
    double.delete("/drive/v3/files/root").await.refused(403, "insufficientFilePermissions");
}

#[tokio::test]
async fn the_trash_is_inherited_and_emptied() {
    let double = Double::start().await;
    let folder = double.folder("f", "root").await;
    let inner = double.folder("g", &folder).await;
    let flags = "?fields=trashed,explicitlyTrashed";

    double.json("PATCH", &format!("/drive/v3/files/{folder}"), json!({"trashed": true})).await.ok();
    let seen = double.get(&format!("/drive/v3/files/{inner}{flags}")).await.ok();
    let emptied = double.delete("/drive/v3/files/trash").await;

    assert_eq!(seen, json!({"trashed": true, "explicitlyTrashed": false}));
    assert_eq!(emptied.status, 204);
    double.get(&format!("/drive/v3/files/{inner}")).await.refused(404, "notFound");
}

#[tokio::test]
async fn web_content_link_downloads_without_a_token_and_only_with_its_signature() {
    let double = Double::start().await;
    let id = double.upload("ünïcode \"name\".txt", b"abc").await;
    let file =
        double.get(&format!("/drive/v3/files/{id}?fields=webContentLink,webViewLink,iconLink")).await.ok();
    let link = file["webContentLink"].as_str().unwrap();

    let content = double.send("GET", link, &[], "").await;
    let unsigned = double.send("GET", link.split("&sig").next().unwrap(), &[], "").await;
    let view = double.send("GET", file["webViewLink"].as_str().unwrap(), &[], "").await;

    assert_eq!((content.status.as_u16(), &content.bytes[..]), (200, &b"abc"[..]));
    assert!(
        content.header("content-disposition").contains("filename*=UTF-8''%C3%BCn%C3%AFcode"),
        "{}",
        content.header("content-disposition")
    );
    let icon = double.send("GET", file["iconLink"].as_str().unwrap(), &[], "").await;
    assert_eq!(unsigned.status, 404);
    assert_eq!((view.status.as_u16(), icon.header("content-type")), (200, "image/svg+xml"));
}

#[tokio::test]
async fn metadata_is_written_cleared_and_refused_as_the_service_does() {
    let double = Double::start().await;
    let body = json!({"name": "f", "properties": {"a": "1", "b": "2"}, "folderColorRgb": "#16a765", "mimeType": FOLDER});
    let made = double.json("POST", "/drive/v3/files?fields=*", body).await.ok();
    let path = format!("/drive/v3/files/{}?fields=*", made["id"].as_str().unwrap());

    let changed =
        double.json("PATCH", &path, json!({"properties": {"a": null}, "description": "d"})).await.ok();
    let at = "2020-01-02T03:04:05.678Z";
    let dated = double.json("PATCH", &path, json!({"modifiedTime": at})).await.ok();

    assert_eq!(made["folderColorRgb"], "#16a765");
    assert_eq!(changed["properties"], json!({"b": "2"}));
    assert_eq!(changed["description"], "d");
    assert_eq!(dated["modifiedTime"], at);
    assert!(
        dated["version"].as_str().unwrap().parse::<u64>().unwrap()
            > made["version"].as_str().unwrap().parse().unwrap()
    );
    double.json("PATCH", &path, json!({"size": "1"})).await.refused(403, "fieldNotWritable");
    double.json("PATCH", &path, json!({"name": 7})).await.refused(400, "badRequest");
    let token = format!("Bearer {}", double.token);
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    double.send("PATCH", &path, &headers, "{").await.refused(400, "parseError");
}

#[tokio::test]
async fn the_app_data_folder_is_its_own_space_with_its_own_scope() {
    let double = Double::start().await;
    let scope = "https://www.googleapis.com/auth/drive.appdata https://www.googleapis.com/auth/drive.file";
    let app = double.seen_by(scope, None).await;

    let body = json!({"name": "settings.json", "parents": ["appDataFolder"]});
    let made = app.json("POST", "/drive/v3/files?fields=id,spaces", body.clone()).await.ok();
    let listed = app.get("/drive/v3/files?spaces=appDataFolder").await.ok();

    assert_eq!(made["spaces"], json!(["appDataFolder"]));
    assert_eq!(listed["files"][0]["name"], "settings.json");
    assert_eq!(app.names("trashed = false").await, Vec::<String>::new(), "it is not in the Drive");
    double.get("/drive/v3/files?spaces=appDataFolder").await.refused(403, "insufficientPermissions");
    double.json("POST", "/drive/v3/files", body).await.refused(403, "insufficientPermissions");
}
