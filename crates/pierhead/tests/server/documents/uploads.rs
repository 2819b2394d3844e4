//! `POST /files`, `PUT` and `PATCH /files[/{id}]`.

use http::Method;
use pierhead_testkit::raw;
use serde_json::json;

use super::hub::{Hub, Vendor, both, encode};
use super::shape::expect_item;

const MIB: usize = 1 << 20;

/// A multipart body in HTTP chunks, without a Content-Length.
fn chunked(head: &str, content: &[u8]) -> Vec<u8> {
    let form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n";
    let whole = [form.as_bytes(), content, b"\r\n--b--\r\n"].concat();
    let mut request = head.as_bytes().to_vec();
    for piece in whole.chunks(100_000) {
        request.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        request.extend_from_slice(piece);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    request
}

on_every_vendor! {
    async fn an_upload_makes_its_parents_and_never_replaces_unasked(hub: &Hub) {
        let first = hub.upload("/a/b/c/file.txt", b"first").await;
        assert_eq!(hub.names("/a/b").await, ["c"]);

        let target = "/files?path=/a/b/c/file.txt";
        hub.try_upload("POST", target, b"second").await.expect_status(409);
        hub.try_upload("POST", &format!("{target}&overwrite=false"), b"second").await.expect_status(409);
        assert_eq!(hub.get(target).await.text(), "first");
        let over = hub.try_upload("POST", &format!("{target}&overwrite=true"), b"second").await;
        let over = over.expect_status(200).json();
        expect_item(&over, "/a/b/c/file.txt", false);
        assert_eq!((&over["size"], &over["id"]), (&json!(6), &first["id"]));
        assert_eq!(hub.get(target).await.text(), "second");

        // A folder is never replaced by a file, nor is a file a folder on the way.
        hub.try_upload("POST", "/files?path=/a/b&overwrite=true", b"x").await.expect_status(409);
        hub.try_upload("POST", "/files?path=/a/b/c/file.txt/d.txt", b"x").await.expect_status(409);
        assert_eq!(hub.names("/a/b/c").await, ["file.txt"]);
    }

    async fn an_upload_goes_into_a_folder_by_its_id(hub: &Hub) {
        let folder = hub.make_folder("/inbox").await;
        let id = encode(folder["id"].as_str().unwrap());
        let made = hub.try_upload("POST", &format!("/files?folderId={id}"), b"by id").await;
        let made = made.expect_status(200).json();
        expect_item(&made, "/inbox/local name.bin", false);
        assert_eq!(made["parentFolderId"], folder["id"]);
        let made = hub.try_upload("POST", "/files?folderId=root&calculateFolderPath=false", b"top").await;
        assert!(made.expect_status(200).json().get("path").is_none());
        let made = hub.try_upload("POST", "/files?path=/inbox/sub/", b"own name").await.expect_status(200);
        expect_item(&made.json(), "/inbox/sub/local name.bin", false);
        hub.try_upload("POST", "/files?folderId=no-such-id", b"x").await.expect_status(404);
    }

    async fn new_content_comes_by_path_and_by_id(hub: &Hub) {
        let item = hub.upload("/file.txt", b"old").await;
        for method in ["PUT", "PATCH"] {
            for target in both("files", &item, "") {
                let content = format!("new by {method} {target}");
                let changed = hub.try_upload(method, &target, content.as_bytes()).await.expect_status(200);
                let changed = changed.json();
                expect_item(&changed, "/file.txt", false);
                assert_eq!((&changed["id"], &changed["size"]), (&item["id"], &json!(content.len())));
                assert_eq!(hub.get("/files?path=/file.txt").await.text(), content);
            }
            hub.try_upload(method, "/files?path=/nothing.txt", b"x").await.expect_status(404);
            hub.try_upload(method, "/files/no-such-id", b"x").await.expect_status(404);
            hub.try_upload(method, "/files", b"x").await.expect_status(400);
        }
    }

    async fn what_comes_with_a_file_is_kept_or_named_as_ignored(hub: &Hub) {
        let target = "/files?path=/t.txt&tags[]=red,blue&description=a+note&size=3";
        let answer = hub.try_upload("POST", target, b"abc").await.expect_status(200);
        let item = answer.json();
        if hub.vendor == Vendor::GoogleDrive {
            assert_eq!((&item["tags"], &item["description"]), (&json!(["blue", "red"]), &json!("a note")));
            assert_eq!(answer.header("elements-error"), "");
            let again = hub.json("/files/metadata?path=/t.txt").await;
            assert_eq!((&again["tags"], &again["description"]), (&item["tags"], &item["description"]));
        } else {
            assert_eq!(item["tags"], json!([]));
            let told = answer.header("elements-error");
            assert!(told.contains("tags") && told.contains("description") && told.contains("ignored"), "{told}");
        }
        // Fields before the file count as parameters; a thumbnail is no file.
        let form = "--f\r\nContent-Disposition: form-data; name=\"overwrite\"\r\n\r\ntrue\r\n\
            --f\r\nContent-Disposition: form-data; name=\"thumbnail\"; filename=\"t.png\"\r\n\r\nPNG\r\n\
            --f\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nfrom a form\r\n--f--\r\n";
        let request = hub.request(Method::POST, "/files?path=/t.txt");
        let answer = hub.send(request.body("multipart/form-data; boundary=f", form)).await;
        assert_eq!(answer.expect_status(200).json()["size"], 11);
        assert_eq!(hub.get("/files?path=/t.txt").await.text(), "from a form");
    }

    async fn a_body_that_is_no_file_is_400(hub: &Hub) {
        let post = |kind: &str, body: &'static str| {
            hub.send(hub.request(Method::POST, "/files?path=/x.txt").body(kind, body))
        };
        let empty = "--f\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nno file\r\n--f--\r\n";
        post("multipart/form-data; boundary=f", empty).await.expect_status(400);
        post("multipart/form-data", "--f--").await.expect_status(400);
        post("multipart/form-data; boundary=f", "not a form at all").await.expect_status(400);
        for path in ["", "x.txt", "/../x.txt", "/a\0.txt"] {
            let target = format!("/files?path={}", encode(path));
            hub.try_upload("POST", &target, b"x").await.expect_status(400);
        }
        hub.try_upload("POST", "/files", b"x").await.expect_status(400);
        assert_eq!(hub.send(hub.request(Method::DELETE, "/files")).await.status, 400);
        hub.refused(404, "GET", "/files?path=/x.txt", None).await;
    }

    /// More than one chunk of a resumable session, and no length said beforehand.
    async fn a_large_upload_needs_no_content_length(hub: &Hub) {
        let content: Vec<u8> = (0..17 * MIB + 5).map(|n| (n * 7 + n / 251) as u8).collect();
        let head = format!(
            "POST /elements/api-v2/files?path=/large.bin HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\
             Authorization: {}\r\nContent-Type: multipart/form-data; boundary=b\r\n\
             Transfer-Encoding: chunked\r\n\r\n",
            hub.admin.element(&hub.token)
        );

        let answer = raw(&hub.pierhead.control(""), &chunked(&head, &content)).await;

        assert_eq!(answer.status, 200, "{}", answer.text);
        let item = hub.json("/files/metadata?path=/large.bin").await;
        assert_eq!(item["size"], content.len());
        assert!(hub.get("/files?path=/large.bin").await.bytes == content);
        let tail = format!("bytes={}-", content.len() - 3);
        let part = hub.get_with("/files?path=/large.bin", &[("range", &tail)]).await.expect_status(206);
        assert_eq!(part.bytes, content[content.len() - 3..]);
    }
}
