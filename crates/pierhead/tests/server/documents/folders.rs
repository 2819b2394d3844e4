//! `POST /folders`, folder metadata, and `DELETE` of files and folders.

use http::Method;
use serde_json::json;

use super::hub::{Hub, both};
use super::shape::expect_item;

on_every_vendor! {
    async fn a_folder_is_made_once_with_its_parents(hub: &Hub) {
        let made = hub.make_folder("/a/b/c").await;
        assert_eq!((&made["directory"], &made["size"]), (&json!(true), &json!(0)));
        for target in both("folders", &made, "/metadata") {
            let shown = hub.json(&target).await;
            expect_item(&shown, "/a/b/c", true);
            assert_eq!(shown["id"], made["id"]);
        }
        hub.refused(409, "POST", "/folders", Some(&json!({"path": "/a/b/c"}))).await;
        hub.refused(409, "POST", "/folders", Some(&json!({"path": "/"}))).await;
        // As clients send back what they were given.
        let full = json!({"path": "/a/d", "name": "d", "directory": true, "tags": []});
        let made = hub.call("POST", "/folders", Some(&full)).await.expect_status(200);
        expect_item(&made.json(), "/a/d", true);
        hub.upload("/a/file.txt", b"x").await;
        hub.refused(409, "POST", "/folders", Some(&json!({"path": "/a/file.txt"}))).await;
        hub.refused(409, "POST", "/folders", Some(&json!({"path": "/a/file.txt/below"}))).await;
        assert_eq!(hub.names("/a").await, ["b", "d", "file.txt"]);
    }

    async fn a_folder_request_that_makes_no_sense_is_refused(hub: &Hub) {
        for body in [json!({}), json!({"path": 7}), json!({"path": "a"}), json!({"path": "/../x"}), json!([])] {
            hub.refused(400, "POST", "/folders", Some(&body)).await;
        }
        let post = |kind: &str, body: &'static str| {
            hub.send(hub.request(Method::POST, "/folders").body(kind, body))
        };
        post("application/json", "{not json").await.expect_status(400);
        post("text/plain", "/a").await.expect_status(415);
        let large = "x".repeat(2 << 20);
        let large = hub.call("POST", "/folders", Some(&json!({"path": large}))).await;
        large.expect_status(413);
        assert_eq!(hub.call("PUT", "/folders", Some(&json!({"path": "/a"}))).await.status, 405);
    }

    async fn the_root_is_a_folder_that_stays(hub: &Hub) {
        let root = hub.json("/folders/root/metadata").await;
        assert_eq!((&root["path"], &root["directory"]), (&json!("/"), &json!(true)));
        assert_eq!(hub.json("/folders/metadata?path=/").await["id"], root["id"]);
        for target in ["/folders/root".to_owned(), "/folders?path=/".to_owned(), both("folders", &root, "")[1].clone()] {
            hub.refused(403, "DELETE", &target, None).await;
        }
        let renamed = hub.call("PATCH", "/folders/root/metadata", Some(&json!({"name": "x"}))).await;
        renamed.expect_status(400);
    }

    async fn what_is_deleted_is_gone(hub: &Hub) {
        for emptied in ["", "&emptyTrash=true"] {
            for form in 0..2 {
                let file = hub.upload("/bin/keep/file.txt", b"x").await;
                let folder = hub.json("/folders/metadata?path=/bin/keep").await;

                let target = format!("{}{emptied}", both("files", &file, "")[form]);
                hub.call("DELETE", &target, None).await.expect_status(200);
                hub.refused(404, "DELETE", &target, None).await;
                hub.refused(404, "GET", "/files?path=/bin/keep/file.txt", None).await;

                hub.upload("/bin/keep/deep/er.txt", b"x").await;
                let target = format!("{}{emptied}", both("folders", &folder, "")[form]);
                hub.call("DELETE", &target, None).await.expect_status(200);
                hub.refused(404, "DELETE", &target, None).await;
                hub.refused(404, "GET", "/folders/metadata?path=/bin/keep", None).await;
                hub.refused(404, "GET", "/files?path=/bin/keep/deep/er.txt", None).await;
            }
        }
        let file = hub.upload("/file.txt", b"x").await;
        let folder = hub.make_folder("/folder").await;
        for target in both("folders", &file, "").into_iter().chain(both("files", &folder, "")) {
            hub.refused(404, "DELETE", &target, None).await;
        }
        assert!(hub.names("/").await.contains(&"file.txt".to_owned()));
    }
}
