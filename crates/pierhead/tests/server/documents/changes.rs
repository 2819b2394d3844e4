//! `PATCH …/metadata`: rename, move, tag; and `…/metadata/properties`.

use serde_json::json;

use super::hub::{Hub, Vendor, both};
use super::shape::expect_item;

on_every_vendor! {
    async fn an_item_is_renamed_and_moved_by_path_and_by_id(hub: &Hub) {
        for (kind, directory) in [("files", false), ("folders", true)] {
            let mut item = if directory {
                hub.upload("/from/dir/inner.txt", b"inner").await;
                hub.json("/folders/metadata?path=/from/dir").await
            } else {
                hub.upload("/from/file.txt", b"content").await
            };
            for form in 0..2 {
                let parent = item["path"].as_str().unwrap().rsplit_once('/').unwrap().0.to_owned();
                let name = format!("new näme {form}.{kind}");
                let target = &both(kind, &item, "/metadata")[form];
                let renamed = hub.call("PATCH", target, Some(&json!({"name": name}))).await;
                let renamed = renamed.expect_status(200).json();
                expect_item(&renamed, &format!("{parent}/{name}"), directory);
                hub.refused(404, "GET", &both(kind, &item, "/metadata")[0], None).await;

                let to = format!("/to/{form}/deep/{kind}");
                let target = &both(kind, &renamed, "/metadata")[form];
                let moved = hub.call("PATCH", target, Some(&json!({"path": to}))).await;
                item = moved.expect_status(200).json();
                expect_item(&item, &to, directory);
                hub.refused(404, "GET", &both(kind, &renamed, "/metadata")[0], None).await;
            }
            let content = if directory {
                hub.get("/files?path=/to/1/deep/folders/inner.txt").await.expect_status(200).text()
            } else {
                hub.get(&both("files", &item, "")[1]).await.expect_status(200).text()
            };
            assert_eq!(content, if directory { "inner" } else { "content" });

            // Back to the root, and the same again changes nothing.
            let home = json!({"path": format!("/home.{kind}")});
            let at_home = hub.call("PATCH", &both(kind, &item, "/metadata")[0], Some(&home)).await;
            let at_home = at_home.expect_status(200).json();
            expect_item(&at_home, &format!("/home.{kind}"), directory);
            let again = hub.call("PATCH", &both(kind, &at_home, "/metadata")[0], Some(&home)).await;
            assert_eq!(again.expect_status(200).json()["id"], at_home["id"]);
        }
    }

    async fn a_name_that_is_taken_is_a_conflict_unless_overwritten(hub: &Hub) {
        let mine = hub.upload("/a/mine.txt", b"mine").await;
        hub.upload("/b/theirs.txt", b"theirs").await;
        let to = json!({"path": "/b/theirs.txt"});
        for target in both("files", &mine, "/metadata") {
            hub.refused(409, "PATCH", &target, Some(&to)).await;
        }
        hub.upload("/a/other.txt", b"other").await;
        hub.refused(409, "PATCH", &both("files", &mine, "/metadata")[0], Some(&json!({"name": "other.txt"}))).await;
        assert_eq!(hub.get("/files?path=/b/theirs.txt").await.text(), "theirs");

        let target = format!("{}&overwrite=true", both("files", &mine, "/metadata")[0]);
        let moved = hub.call("PATCH", &target, Some(&to)).await.expect_status(200).json();
        expect_item(&moved, "/b/theirs.txt", false);
        assert_eq!(hub.get("/files?path=/b/theirs.txt").await.text(), "mine");
        assert_eq!((hub.names("/a").await, hub.names("/b").await), (
            vec!["other.txt".to_owned()], vec!["theirs.txt".to_owned()]
        ));
    }

    async fn a_change_that_makes_no_sense_is_refused(hub: &Hub) {
        let file = hub.upload("/d/file.txt", b"x").await;
        let folder = hub.json("/folders/metadata?path=/d").await;
        for target in both("files", &file, "/metadata") {
            for body in [
                json!({"name": "a/b"}), json!({"name": ".."}), json!({"name": 7}), json!({"path": "x"}),
                json!({"path": "/"}), json!({"path": 7}), json!({"name": "x".repeat(300)}), json!([]), json!("x"),
            ] {
                hub.refused(400, "PATCH", &target, Some(&body)).await;
            }
        }
        for target in both("folders", &folder, "/metadata") {
            hub.refused(400, "PATCH", &target, Some(&json!({"path": "/d/inside"}))).await;
        }
        hub.refused(404, "PATCH", "/files/metadata?path=/nothing", Some(&json!({"name": "x"}))).await;
        hub.refused(404, "PATCH", "/files/no-such-id/metadata", Some(&json!({"name": "x"}))).await;
        hub.refused(400, "PATCH", "/files/metadata", Some(&json!({"name": "x"}))).await;
        assert_eq!(hub.names("/d").await, ["file.txt"]);
    }

    async fn tags_and_properties_are_kept_or_refused_in_words(hub: &Hub) {
        let file = hub.upload("/file.txt", b"x").await;
        let change = json!({"tags": ["low water", "it's"], "name": "renamed.txt"});
        let answer = hub.call("PATCH", &both("files", &file, "/metadata")[1], Some(&change)).await;
        let changed = answer.clone().expect_status(200).json();
        expect_item(&changed, "/renamed.txt", false);
        for target in both("files", &changed, "/metadata/properties") {
            let properties = json!({"properties": {"berth": "7", "quay's": "\"N\""}});
            let answer = hub.call("PATCH", &target, Some(&properties)).await;
            if hub.vendor == Vendor::GoogleDrive {
                let item = answer.expect_status(200).json();
                assert_eq!((&item["properties"]["berth"], &item["properties"]["quay's"]), (&json!("7"), &json!("\"N\"")));
                hub.refused(400, "PATCH", &target, Some(&json!({}))).await;
                hub.refused(400, "PATCH", &target, Some(&json!({"properties": 7}))).await;
            } else {
                let said = answer.expect_status(404).json();
                assert_eq!(said["message"], "This API is not currently supported for this element");
            }
        }
        let shown = hub.json(&both("files", &changed, "/metadata")[0]).await;
        if hub.vendor == Vendor::GoogleDrive {
            assert_eq!(shown["tags"], json!(["it's", "low water"]));
            assert_eq!(shown["properties"]["berth"], "7");
            let fewer = hub.call("PATCH", &both("files", &changed, "/metadata")[0], Some(&json!({"tags": []}))).await;
            assert_eq!(fewer.expect_status(200).json()["tags"], json!([]));
        } else {
            assert!(answer.header("elements-error").contains("tags"), "{}", answer.header("elements-error"));
            assert_eq!(shown["tags"], json!([]));
        }
    }
}
