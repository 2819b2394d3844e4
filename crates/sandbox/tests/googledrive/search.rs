//! files.list: queries, order, pages, partial answers.

use std::time::Duration;

use serde_json::json;

use crate::support::{BRAM, Double};

#[tokio::test]
async fn every_part_of_the_query_language_finds_what_it_should() {
    let double = Double::start().await;
    let folder = double.folder("Harbour", "root").await;
    double.clock.advance(Duration::from_secs(1800));
    let body = json!({
        "name": "It's \\ here.md", "parents": [folder], "starred": true, "mimeType": "text/markdown",
        "properties": {"berth": "3"}, "appProperties": {"secret": "s"}, "description": "lamps and cranes",
    });
    let file = double.json("POST", "/drive/v3/files", body).await.ok()["id"].as_str().unwrap().to_owned();
    double.upload("HelloWorld", b"a quay of stone").await;
    let within = format!("'{folder}' in parents");

    for (query, found) in [
        ("name = 'it\\'s \\\\ HERE.md'", vec!["It's \\ here.md"]),
        ("name contains 'Hello' and not name contains 'World'", vec!["HelloWorld"]),
        ("name contains 'World'", vec![]),
        ("fullText contains 'quay'", vec!["HelloWorld"]),
        ("fullText contains '\"quay of stone\"'", vec!["HelloWorld"]),
        ("fullText contains '\"stone of quay\"'", vec![]),
        ("fullText contains 'cranes lamps'", vec!["It's \\ here.md"]),
        ("mimeType = 'text/markdown'", vec!["It's \\ here.md"]),
        ("mimeType contains 'text/' and mimeType != 'text/plain'", vec!["It's \\ here.md"]),
        ("starred = true", vec!["It's \\ here.md"]),
        (within.as_str(), vec!["It's \\ here.md"]),
        ("properties has { key='berth' and value='3' }", vec!["It's \\ here.md"]),
        ("properties has { key='secret' and value='s' }", vec![]),
        ("appProperties has { key='secret' and value='s' }", vec!["It's \\ here.md"]),
        ("name = 'Harbour' or name = 'HelloWorld'", vec!["Harbour", "HelloWorld"]),
        (
            "(name = 'Harbour' or name = 'HelloWorld') and mimeType != 'application/vnd.google-apps.folder'",
            vec!["HelloWorld"],
        ),
        ("modifiedTime > '2026-09-21T14:30:00' and 'me' in owners", vec!["HelloWorld", "It's \\ here.md"]),
        ("sharedWithMe", vec![]),
        ("trashed = true", vec![]),
        ("visibility = 'anyoneWithLink'", vec![]),
    ] {
        assert_eq!(double.names(query).await, found, "{query}");
    }

    double.json("PATCH", &format!("/drive/v3/files/{folder}"), json!({"trashed": true})).await.ok();
    assert_eq!(double.names("trashed = true").await, ["Harbour", "It's \\ here.md"], "{file} lies in it");
}

#[tokio::test]
async fn order_and_pages_hold_while_files_come_and_go() {
    let double = Double::start().await;
    let folder = double.folder("f", "root").await;
    for name in ["10", "9", "1", "2"] {
        let body = json!({"name": name, "parents": [folder]});
        double.json("POST", "/drive/v3/files", body).await.ok();
    }
    double.folder("zz", &folder).await;
    let list = |more: String| format!("/drive/v3/files?q='{folder}'+in+parents&pageSize=2{more}");
    let names = |answer: &serde_json::Value| -> Vec<String> {
        answer["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["name"].as_str().unwrap().to_owned())
            .collect()
    };

    let first = double.get(&list("&orderBy=folder,name_natural".into())).await.ok();
    let token = first["nextPageToken"].as_str().unwrap();
    let late = json!({"name": "0", "parents": [folder]});
    double.json("POST", "/drive/v3/files", late).await.ok();
    let second = double.get(&list(format!("&orderBy=folder,name_natural&pageToken={token}"))).await.ok();
    let other = double.get(&list(format!("&orderBy=name&pageToken={token}"))).await;

    assert_eq!(names(&first), ["zz", "1"]);
    assert_eq!(names(&second), ["2", "9"], "the file that came in between shifts nothing");
    other.refused(400, "invalid");
    let all = double.get(&format!("/drive/v3/files?q='{folder}'+in+parents&orderBy=name+desc")).await.ok();
    assert_eq!(names(&all), ["zz", "9", "2", "10", "1", "0"]);
}

#[tokio::test]
async fn a_partial_answer_has_what_was_selected_and_the_default_has_four() {
    let double = Double::start().await;
    let id = double.upload("a.txt", b"abc").await;
    let path = format!("/drive/v3/files/{id}");

    let default = double.get(&path).await.ok();
    let chosen = double.get(&format!("{path}?fields=size,owners(me),capabilities/canEdit")).await.ok();
    let all = double.get(&format!("{path}?fields=*")).await.ok();
    let compact = double.get(&format!("{path}?prettyPrint=false")).await;

    assert_eq!(default, json!({"kind": "drive#file", "id": id, "name": "a.txt", "mimeType": "text/plain"}));
    assert_eq!(chosen, json!({"size": "3", "owners": [{"me": true}], "capabilities": {"canEdit": true}}));
    assert_eq!(all["md5Checksum"], "900150983cd24fb0d6963f7d28e17f72");
    assert_eq!(all["createdTime"], "2026-09-21T14:13:20.123Z");
    assert!(all["permissions"].is_array() && all["headRevisionId"].is_string());
    assert!(!compact.bytes.contains(&b'\n'));
    let refused = double.get(&format!("{path}?fields=size,colour")).await.refused(400, "invalidParameter");
    assert_eq!(refused["message"], "Invalid field selection colour");
    assert_eq!(refused["errors"][0]["location"], "fields");
}

#[tokio::test]
async fn a_parameter_of_the_wrong_form_is_refused_by_name() {
    let double = Double::start().await;
    for (query, reason, location) in [
        ("pageSize=0", "invalidParameter", "pageSize"),
        ("pageSize=1001", "invalidParameter", "pageSize"),
        ("pageSize=many", "invalidParameter", "pageSize"),
        ("q=title%3D'x'", "invalid", "q"),
        ("orderBy=colour", "invalid", "orderBy"),
        ("pageToken=x", "invalid", "pageToken"),
        ("corpora=everything", "invalid", "corpora"),
        ("corpora=drive", "required", "driveId"),
        ("spaces=moon", "invalid", "spaces"),
        ("supportsAllDrives=perhaps", "invalidParameter", "supportsAllDrives"),
        ("alt=xml", "invalidParameter", "alt"),
    ] {
        let error = double.get(&format!("/drive/v3/files?{query}")).await.refused(400, reason);
        assert_eq!(error["errors"][0]["location"], location, "{query}");
    }
    double.get("/drive/v3/files?q=fullText+contains+'x'&orderBy=name").await.refused(403, "forbidden");
}

#[tokio::test]
async fn what_is_shared_is_found_by_the_other_and_the_rest_is_not() {
    let double = Double::start().await;
    let folder = double.folder("Shared", "root").await;
    let body = json!({"name": "inside", "parents": [folder]});
    double.json("POST", "/drive/v3/files", body).await.ok();
    let bram = double.seen_by(crate::support::DRIVE, Some(BRAM)).await;
    assert_eq!(bram.names("name = 'Shared' or name = 'inside'").await, Vec::<String>::new());

    let body = json!({"type": "user", "role": "reader", "emailAddress": BRAM});
    double.json("POST", &format!("/drive/v3/files/{folder}/permissions"), body).await.ok();

    assert_eq!(bram.names("sharedWithMe = true").await, ["Shared"]);
    assert_eq!(bram.names(&format!("'{folder}' in parents")).await, ["inside"], "access is inherited");
    assert_eq!(double.names(&format!("'{BRAM}' in readers")).await, ["Shared", "inside"]);
}
