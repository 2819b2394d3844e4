//! `POST …/copy`: files, and folders with all they hold.

use serde_json::json;

use super::hub::{Hub, both};
use super::shape::expect_item;

on_every_vendor! {
    async fn a_file_is_copied_by_path_and_by_id(hub: &Hub) {
        let file = hub.upload("/a/file.txt", b"content").await;
        for (target, number) in both("files", &file, "/copy").into_iter().zip(0..) {
            let to = format!("/copies/new/{number}.txt");
            let copy = hub.call("POST", &target, Some(&json!({"path": to}))).await.expect_status(200).json();
            expect_item(&copy, &to, false);
            assert_ne!(copy["id"], file["id"]);
            assert_eq!(hub.get(&both("files", &copy, "")[1]).await.expect_status(200).text(), "content");

            hub.refused(409, "POST", &target, Some(&json!({"path": to}))).await;
            let named = json!({"path": to, "name": format!("named {number}.txt")});
            let named = hub.call("POST", &target, Some(&named)).await.expect_status(200).json();
            expect_item(&named, &format!("/copies/new/named {number}.txt"), false);
        }
        assert_eq!(hub.get("/files?path=/a/file.txt").await.text(), "content");
        assert_eq!(hub.names("/copies/new").await, ["0.txt", "1.txt", "named 0.txt", "named 1.txt"]);
    }

    async fn a_copy_replaces_only_when_asked(hub: &Hub) {
        let file = hub.upload("/file.txt", b"new").await;
        hub.upload("/there.txt", b"old").await;
        for target in both("files", &file, "/copy") {
            hub.refused(409, "POST", &target, Some(&json!({"path": "/there.txt"}))).await;
            hub.refused(409, "POST", &format!("{target}&overwrite=true"), Some(&json!({"path": "/file.txt"}))).await;
        }
        assert_eq!(hub.get("/files?path=/there.txt").await.text(), "old");
        let target = format!("{}&overwrite=true", both("files", &file, "/copy")[0]);
        hub.call("POST", &target, Some(&json!({"path": "/there.txt"}))).await.expect_status(200);
        assert_eq!(hub.get("/files?path=/there.txt").await.text(), "new");
        assert_eq!(hub.names("/").await.iter().filter(|name| *name == "there.txt").count(), 1);
    }

    async fn a_folder_is_copied_with_all_it_holds(hub: &Hub) {
        hub.upload("/tree/leaf.txt", b"leaf").await;
        hub.upload("/tree/branch/twig/bud.txt", b"bud").await;
        hub.make_folder("/tree/empty").await;
        let tree = hub.json("/folders/metadata?path=/tree").await;
        for (target, number) in both("folders", &tree, "/copy").into_iter().zip(0..) {
            let to = format!("/forest/{number}");
            let copy = hub.call("POST", &target, Some(&json!({"path": to}))).await.expect_status(200).json();
            expect_item(&copy, &to, true);
            assert_eq!(hub.names(&to).await, ["branch", "empty", "leaf.txt"]);
            let bud = hub.get(&format!("/files?path={to}/branch/twig/bud.txt")).await;
            assert_eq!(bud.expect_status(200).text(), "bud");
            hub.refused(409, "POST", &target, Some(&json!({"path": to}))).await;
            hub.refused(400, "POST", &target, Some(&json!({"path": "/tree/inside"}))).await;
        }
    }

    async fn a_copy_that_makes_no_sense_is_refused(hub: &Hub) {
        let file = hub.upload("/file.txt", b"x").await;
        for target in both("files", &file, "/copy") {
            for body in [
                json!({}), json!({"path": 7}), json!({"path": "x"}), json!({"path": "/"}),
                json!({"path": "/x", "name": "a/b"}),
            ] {
                hub.refused(400, "POST", &target, Some(&body)).await;
            }
        }
        let to = json!({"path": "/to.txt"});
        hub.refused(404, "POST", "/files/copy?path=/nothing.txt", Some(&to)).await;
        hub.refused(404, "POST", "/files/no-such-id/copy", Some(&to)).await;
        hub.refused(400, "POST", "/files/copy", Some(&to)).await;
        for target in both("folders", &file, "/copy") {
            hub.refused(404, "POST", &target, Some(&to)).await;
        }
        hub.refused(404, "GET", "/files?path=/to.txt", None).await;
    }
}
