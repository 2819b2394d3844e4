//! What every connector answers (open-connectors §9), the storage, nulls, and what a connector was proven by.

use http::Method;
use pierhead_testkit::Request;
use serde_json::json;

use super::hub::{Hub, Vendor};

on_every_vendor! {
    async fn ping_and_objects_answer(hub: &Hub) {
        let key = match hub.vendor {
            Vendor::Folder => "folder",
            Vendor::GoogleDrive => "googledrive",
            Vendor::WebDav => "webdav",
        };
        let ping = hub.json("/ping").await;
        assert_eq!((&ping["endpoint"], &ping["valid"]), (&json!(key), &json!(true)));
        assert!(ping["dateTime"].is_string());
        assert_eq!(ping.as_object().unwrap().len(), 3);
        let objects = hub.json("/objects").await;
        for name in ["files", "folders"] {
            assert!(objects.as_array().unwrap().contains(&json!(name)), "{objects}");
            let fields = hub.json(&format!("/objects/{name}/metadata")).await;
            let name_field = fields["fields"].as_array().unwrap().iter().find(|field| field["vendorPath"] == "name");
            assert_eq!(name_field.unwrap()["filterable"], true, "{fields}");
        }
        let rich = hub.get_with("/objects", &[("elements-version", "Helium")]).await.json();
        assert!(rich.as_array().unwrap().iter().all(|object| object["name"].is_string() && object["type"] == "vendor"));
        hub.refused(404, "GET", "/objects/nothing/metadata", None).await;
    }

    async fn the_storage_is_told_in_numbers(hub: &Hub) {
        hub.upload("/a.bin", &[7; 4096]).await;
        // The disk is not ours alone: asked twice, it answers twice.
        let storage = hub.call("GET", "/storage", None).await.expect_status(200).json();
        let names: Vec<&String> = storage.as_object().unwrap().keys().collect();
        assert_eq!(names.len(), 3, "{storage}");
        let number = |name: &str| storage[name].as_u64().unwrap_or_else(|| panic!("{name}: {storage}"));
        assert!(number("used") >= 4096 && number("total") >= number("used"), "{storage}");
        number("shared");
    }

    /// `filter.response.nulls` strips members without a value unless it is `false`.
    async fn nulls_are_left_out_unless_the_instance_keeps_them(hub: &Hub) {
        let bare = hub.json("/folders/root/metadata").await;
        assert!(bare.as_object().unwrap().values().all(|value| !value.is_null()), "{bare}");
        assert!(bare.get("parentFolderId").is_none(), "{bare}");
        let id = hub.admin.call(Method::GET, "/instances", None).await.json()[0]["id"].clone();
        let keep = json!({"configuration": {"filter.response.nulls": "false"}});
        hub.admin.call(Method::PATCH, &format!("/instances/{id}"), Some(&keep)).await.expect_status(200);
        let full = hub.json("/folders/root/metadata").await;
        assert_eq!(full.get("parentFolderId"), Some(&json!(null)), "{full}");
    }

    async fn raw_shows_the_vendors_own_record(hub: &Hub) {
        hub.upload("/a.txt", b"x").await;
        for target in ["/files/metadata?path=/a.txt", "/folders/root/metadata?"] {
            assert!(hub.json(target).await.get("raw").is_none());
            let shown = hub.json(&format!("{target}&raw=true")).await;
            let member = match hub.vendor {
                Vendor::Folder => "modified",
                Vendor::GoogleDrive => "mimeType",
                Vendor::WebDav => "href",
            };
            assert!(shown["raw"][member].is_string(), "{shown}");
            let bare = hub.json(&format!("{target}&calculateFolderPath=false")).await;
            assert!(bare.get("path").is_none(), "{bare}");
        }
    }

    /// Any of the accepted forms; and what is refused how.
    async fn a_call_needs_its_user_and_its_element(hub: &Hub) {
        hub.upload("/a.txt", b"x").await;
        let (user, organization) = (&hub.admin.user, &hub.admin.organization);
        let token = &hub.token;
        let ask = async |authorization: &str| {
            let request = Request::get(hub.pierhead.hub("/files?path=/a.txt"));
            hub.send(request.header("authorization", authorization)).await.status.as_u16()
        };
        for good in [
            format!("User {user}, Element {token}"),
            format!("Element {token}, User {user}"),
            format!("Element {token},User {user}, Organization {organization}"),
            format!("User {user}, Organization {organization}, Element {token}"),
        ] {
            assert_eq!(ask(&good).await, 200, "{good}");
        }
        for bad in [
            format!("User {user}"),
            format!("Element {token}"),
            format!("User {user}, Organization {organization}"),
            format!("User {user}, Element {user}"),
            format!("User {token}, Element {token}"),
            format!("User {user}, Element {token}, Organization wrong"),
            "Basic YTpi".to_owned(),
        ] {
            assert_eq!(ask(&bad).await, 401, "{bad}");
        }
        hub.send(Request::get(hub.pierhead.hub("/files?path=/a.txt"))).await.expect_status(401);
        for unknown in ["/nothing", "/files/x/y/z", "/hubs/documents/nothing"] {
            hub.refused(404, "GET", unknown, None).await;
        }
    }

    async fn the_connector_shows_what_it_was_proven_by(hub: &Hub) {
        let key = hub.json("/ping").await["endpoint"].as_str().unwrap().to_owned();
        let metadata = hub.pierhead.client.get(hub.pierhead.hub(&format!("/elements/{key}/metadata"))).await;
        let exchanges = metadata.expect_status(200).json()["exchanges"].clone();
        let count = |origin: &str| exchanges[origin].as_u64().unwrap_or_else(|| panic!("{origin}: {exchanges}"));
        assert_eq!(count("verified"), count("live") + count("real-server"));
        let proven = if hub.vendor == Vendor::GoogleDrive { "checked-double" } else { "real-server" };
        assert!(count(proven) > 30, "{exchanges}");
        assert_eq!(count("vendor-description") + count("documentation"), 0, "{exchanges}");
    }
}
