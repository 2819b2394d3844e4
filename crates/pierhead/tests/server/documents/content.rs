//! `GET /files` and `GET /files/{id}`: a file's bytes, whole and in parts.

use http::Method;

use super::hub::{Hub, Vendor, both, encode};

const TEXT: &[u8] = b"tide table: high water 04:12\n";

on_every_vendor! {
    /// By path and by id, through both doors.
    async fn a_file_comes_whole_and_in_parts(hub: &Hub) {
        let item = hub.upload("/in/tide.txt", TEXT).await;
        let length = TEXT.len().to_string();
        for target in both("files", &item, "") {
            let whole = hub.get(&target).await.expect_status(200);
            assert_eq!(whole.bytes, TEXT);
            assert!(whole.header("content-type").starts_with("text/plain"), "{}", whole.header("content-type"));
            assert_eq!(whole.header("content-length"), length);
            let disposition = whole.header("content-disposition");
            assert!(disposition.starts_with("attachment; filename=\"tide.txt\""), "{disposition}");
            assert_eq!(whole.header("x-content-type-options"), "nosniff");

            let total = TEXT.len();
            for (range, part, told) in [
                ("bytes=5-9", &TEXT[5..10], format!("bytes 5-9/{total}")),
                ("bytes=20-", &TEXT[20..], format!("bytes 20-{}/{total}", total - 1)),
                ("bytes=-4", &TEXT[total - 4..], format!("bytes {}-{}/{total}", total - 4, total - 1)),
                ("bytes=0-999", TEXT, format!("bytes 0-{}/{total}", total - 1)),
            ] {
                let answer = hub.get_with(&target, &[("range", range)]).await.expect_status(206);
                assert_eq!(answer.bytes, part, "{range}");
                assert_eq!(answer.header("content-range"), told);
                assert_eq!(answer.header("content-length"), part.len().to_string(), "{range}");
            }
            let outside = hub.get_with(&target, &[("range", "bytes=1000-")]).await.expect_status(416);
            // WebDAV servers need not say it.
            if !matches!(hub.vendor, Vendor::WebDav) {
                assert_eq!(outside.header("content-range"), format!("bytes */{total}"));
            }

            let head = hub.send(hub.request(Method::HEAD, &target)).await.expect_status(200);
            assert!(head.bytes.is_empty());
            assert_eq!(head.header("content-length"), length);
            assert!(head.header("content-disposition").contains("tide.txt"));
        }
    }

    async fn an_empty_file_is_a_file(hub: &Hub) {
        let item = hub.upload("/empty.bin", b"").await;
        for target in both("files", &item, "") {
            let answer = hub.get(&target).await.expect_status(200);
            assert!(answer.bytes.is_empty());
            assert_eq!(answer.header("content-length"), "0");
        }
        assert_eq!(hub.json("/files/metadata?path=/empty.bin").await["size"], 0);
    }

    async fn what_is_not_there_is_404_and_what_makes_no_sense_400(hub: &Hub) {
        let file = hub.upload("/in/a.txt", b"a").await;
        let folder = hub.json("/folders/metadata?path=/in").await;
        for tail in ["", "/metadata", "/links"] {
            hub.refused(404, "GET", &format!("/files{tail}?path=/in/nothing.txt"), None).await;
            hub.refused(404, "GET", &format!("/files{tail}?path=/nowhere/a.txt"), None).await;
            hub.refused(404, "GET", &format!("/files{tail}?path=/in/a.txt/a.txt"), None).await;
            hub.refused(404, "GET", &format!("/files/no-such-id{tail}"), None).await;
            // `GET /folders` itself is no route.
            let folders = if tail.is_empty() { vec![] } else { both("folders", &file, tail).to_vec() };
            for target in both("files", &folder, tail) {
                hub.refused(404, "GET", &target, None).await;
            }
            for target in folders {
                hub.refused(404, "GET", &target, None).await;
            }
            let long = format!("/{}", "x".repeat(300));
            let deep = "/x".repeat(2100);
            for path in ["in/a.txt", "", "/in/../in/a.txt", "/./in/a.txt", "/a\0b", "/a\r\nb", &long, &deep] {
                hub.refused(400, "GET", &format!("/files{tail}?path={}", encode(path)), None).await;
            }
            if !tail.is_empty() {
                hub.refused(400, "GET", &format!("/files{tail}"), None).await;
            }
        }
        hub.refused(400, "GET", "/files", None).await;
        let head = hub.send(hub.request(Method::HEAD, "/files?path=/in/nothing.txt")).await.expect_status(404);
        assert!(head.bytes.is_empty());
    }
}
