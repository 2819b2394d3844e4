//! `GET …/links`, and what a link gives.

use std::time::Duration;

use http::Method;
use pierhead_testkit::Request;
use serde_json::json;

use super::hub::{Hub, Vendor, both};

on_every_vendor! {
    async fn a_link_gives_its_file_without_authorization_until_it_expires(hub: &Hub) {
        let file = hub.upload("/in/f'ile ä.txt", b"linked content").await;
        for target in both("files", &file, "/links") {
            let links = hub.json(&target).await;
            let known = ["cloudElementsLink", "providerLink", "providerViewLink", "expires"];
            assert!(links.as_object().unwrap().iter().all(|(name, link)| known.contains(&name.as_str()) && link.is_string()), "{links}");
            let vendors = links["providerLink"].is_string() && links["providerViewLink"].is_string();
            assert_eq!(vendors, hub.vendor == Vendor::GoogleDrive, "{links}");
            assert!(links["expires"].as_str().unwrap().ends_with('Z'), "{links}");
            let raw = hub.json(&format!("{target}&raw=true")).await;
            assert!(raw["raw"].is_object(), "{raw}");
        }
        let link = hub.json(&both("files", &file, "/links")[0]).await["cloudElementsLink"].as_str().unwrap().to_owned();

        let client = &hub.pierhead.client;
        let answer = client.get(link.as_str()).await.expect_status(200);
        assert_eq!(answer.bytes, b"linked content"[..]);
        assert!(answer.header("content-disposition").starts_with("attachment"));
        let part = client.send(Request::get(link.as_str()).header("range", "bytes=0-5")).await.expect_status(206);
        assert_eq!(part.text(), "linked");
        let head = client.send(Request::new(Method::HEAD, link.as_str())).await.expect_status(200);
        assert!(head.bytes.is_empty() && head.header("content-length") == "14");
        // Secrets sent along are neither needed nor looked at.
        let odd = Request::get(link.as_str()).header("authorization", "Element nonsense");
        client.send(odd).await.expect_status(200);

        let mut changed = link.clone();
        let last = changed.pop().unwrap();
        changed.push(if last == 'A' { 'B' } else { 'A' });
        client.get(changed).await.expect_status(404);

        hub.pierhead.advance(Duration::from_secs(8 * 24 * 3600));
        let refused = client.get(link.as_str()).await.expect_status(403);
        assert!(refused.text().contains("expired"), "{}", refused.text());
    }

    async fn a_link_dies_with_its_file_and_sleeps_with_its_instance(hub: &Hub) {
        let file = hub.upload("/file.txt", b"x").await;
        let link = hub.json(&both("files", &file, "/links")[1]).await["cloudElementsLink"].as_str().unwrap().to_owned();
        let id = hub.admin.call(Method::GET, "/instances", None).await.json()[0]["id"].clone();
        let enabled = format!("/instances/{id}/enabled");

        hub.admin.call(Method::DELETE, &enabled, None).await.expect_status(200);
        hub.pierhead.client.get(link.as_str()).await.expect_status(403);
        hub.admin.call(Method::PUT, &enabled, None).await.expect_status(200);
        hub.pierhead.client.get(link.as_str()).await.expect_status(200);

        hub.call("DELETE", "/files?path=/file.txt&emptyTrash=true", None).await.expect_status(200);
        hub.pierhead.client.get(link.as_str()).await.expect_status(404);
    }

    async fn a_folder_has_the_vendors_links_only(hub: &Hub) {
        let folder = hub.make_folder("/folder").await;
        for target in both("folders", &folder, "/links") {
            let links = hub.json(&target).await;
            assert!(links.get("cloudElementsLink").is_none(), "{links}");
            assert_eq!(links["providerViewLink"].is_string(), hub.vendor == Vendor::GoogleDrive, "{links}");
        }
        assert_eq!(hub.call("POST", "/files/links?path=/x", Some(&json!({}))).await.status, 405);
    }
}
