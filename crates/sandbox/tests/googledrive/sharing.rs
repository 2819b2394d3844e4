//! Permissions, revisions, comments, changes, about.

use serde_json::{Value, json};

use crate::support::{BRAM, DRIVE, Double};

#[tokio::test]
async fn a_role_allows_what_it_says_and_no_more() {
    let double = Double::start().await;
    let id = double.upload("f", b"x").await;
    let bram = double.seen_by(DRIVE, Some(BRAM)).await;
    let (file, permissions) = (format!("/drive/v3/files/{id}"), format!("/drive/v3/files/{id}/permissions"));
    bram.get(&file).await.refused(404, "notFound");

    let body = json!({"type": "user", "role": "reader", "emailAddress": BRAM});
    let given = double.json("POST", &permissions, body).await.ok();
    let one = format!("{permissions}/{}", given["id"].as_str().unwrap());

    bram.get(&file).await.ok();
    bram.json("PATCH", &file, json!({"name": "g"})).await.refused(403, "insufficientFilePermissions");
    bram.get(&permissions).await.refused(403, "insufficientFilePermissions");
    bram.json("PATCH", &file, json!({"starred": true})).await.ok();
    double.json("PATCH", &one, json!({"role": "writer"})).await.ok();
    bram.json("PATCH", &file, json!({"name": "g"})).await.ok();
    bram.delete(&file).await.refused(403, "insufficientFilePermissions");
    bram.json("PATCH", &file, json!({"trashed": true})).await.refused(403, "insufficientFilePermissions");
    assert_eq!(bram.delete(&one).await.status, 204, "people may take themselves off");
    bram.get(&file).await.refused(404, "notFound");
}

#[tokio::test]
async fn ownership_is_transferred_only_on_purpose() {
    let double = Double::start().await;
    let id = double.upload("f", b"x").await;
    let path = format!("/drive/v3/files/{id}/permissions");
    let body = json!({"type": "user", "role": "owner", "emailAddress": BRAM});

    double.json("POST", &path, body.clone()).await.refused(403, "forbidden");
    double.json("POST", &format!("{path}?transferOwnership=true"), body).await.ok();

    let file = double.get(&format!("/drive/v3/files/{id}?fields=ownedByMe,owners/emailAddress")).await.ok();
    assert_eq!(file, json!({"ownedByMe": false, "owners": [{"emailAddress": BRAM}]}));
    double.json("PATCH", &format!("/drive/v3/files/{id}"), json!({"name": "still a writer"})).await.ok();
}

#[tokio::test]
async fn an_inherited_permission_is_changed_on_its_folder_only() {
    let double = Double::start().await;
    let folder = double.folder("f", "root").await;
    let inner = double.folder("g", &folder).await;
    let body = json!({"type": "anyone", "role": "reader"});
    double.json("POST", &format!("/drive/v3/files/{folder}/permissions"), body).await.ok();

    let path = format!("/drive/v3/files/{inner}/permissions");
    let listed = double.get(&format!("{path}?fields=permissions(id,permissionDetails/inherited)")).await.ok();

    let link = json!({"id": "anyoneWithLink", "permissionDetails": [{"inherited": true}]});
    assert!(listed["permissions"].as_array().unwrap().contains(&link), "{listed}");
    double.delete(&format!("{path}/anyoneWithLink")).await.refused(403, "cannotModifyInheritedPermission");
}

#[tokio::test]
async fn a_bad_permission_names_what_is_wrong() {
    let double = Double::start().await;
    let id = double.upload("f", b"x").await;
    let path = format!("/drive/v3/files/{id}/permissions");
    for (body, location) in [
        (json!({"type": "user", "role": "reader"}), "permission.emailAddress"),
        (json!({"type": "person", "role": "reader"}), "permission.type"),
        (json!({"role": "reader"}), "permission.type"),
        (json!({"type": "anyone", "role": "king"}), "permission.role"),
        (json!({"type": "domain", "role": "reader"}), "permission.domain"),
        (json!({"type": "anyone", "role": "reader", "expirationTime": "soon"}), "permission.expirationTime"),
    ] {
        let error = double.json("POST", &path, body).await.refused(400, "invalid");
        assert_eq!(error["errors"][0]["location"], location);
    }
    double.json("POST", &path, json!({"type": "anyone"})).await.refused(400, "required");
    double.get(&format!("{path}/7")).await.refused(404, "notFound");
}

#[tokio::test]
async fn revisions_hold_every_content_until_deleted() {
    let double = Double::start().await;
    let id = double.upload("f", b"one").await;
    let token = format!("Bearer {}", double.token);
    let headers = [("authorization", token.as_str()), ("content-type", "text/plain")];
    double
        .send("PATCH", &format!("/upload/drive/v3/files/{id}?uploadType=media"), &headers, "three")
        .await
        .ok();
    let path = format!("/drive/v3/files/{id}/revisions");

    let listed = double.get(&format!("{path}?fields=revisions(id,size)")).await.ok();
    let first = listed["revisions"][0]["id"].as_str().unwrap().to_owned();
    let content = double.get(&format!("{path}/{first}?alt=media")).await;
    let kept = double
        .json("PATCH", &format!("{path}/{first}?fields=keepForever"), json!({"keepForever": true}))
        .await
        .ok();

    assert_eq!(listed["revisions"].as_array().unwrap().len(), 2);
    assert_eq!(content.bytes, "one");
    assert_eq!(kept, json!({"keepForever": true}));
    assert_eq!(double.delete(&format!("{path}/{first}")).await.status, 204);
    double.delete(&format!("{path}/head")).await.refused(400, "badRequest");
    double.get(&format!("{path}/{first}")).await.refused(404, "notFound");
}

#[tokio::test]
async fn comments_are_answered_resolved_and_deleted() {
    let double = Double::start().await;
    let id = double.upload("f", b"x").await;
    let path = format!("/drive/v3/files/{id}/comments");
    double.json("POST", &path, json!({"content": "no fields"})).await.refused(400, "required");
    let comment = double.json("POST", &format!("{path}?fields=*"), json!({"content": "why <b>?"})).await.ok();
    let one = format!("{path}/{}", comment["id"].as_str().unwrap());

    let reply = json!({"content": "because", "action": "resolve"});
    double.json("POST", &format!("{one}/replies?fields=id"), reply).await.ok();
    let seen = double.get(&format!("{one}?fields=resolved,htmlContent,author,replies/content")).await.ok();

    assert_eq!(seen["resolved"], true);
    assert_eq!(seen["htmlContent"], "why &lt;b&gt;?");
    assert_eq!(seen["replies"], json!([{"content": "because"}]));
    assert!(seen["author"]["emailAddress"].is_null(), "an author's address is not told");
    assert_eq!(double.delete(&one).await.status, 204);
    double.get(&format!("{one}?fields=id")).await.refused(404, "notFound");
    let deleted = double.get(&format!("{one}?fields=deleted,content&includeDeleted=true")).await.ok();
    assert_eq!(deleted, json!({"deleted": true}));
}

#[tokio::test]
async fn changes_tell_each_file_once_with_its_last_state() {
    let double = Double::start().await;
    let bram = double.seen_by(DRIVE, Some(BRAM)).await;
    let start = double.get("/drive/v3/changes/startPageToken").await.ok()["startPageToken"].clone();
    let start = start.as_str().unwrap();
    let kept = double.upload("kept", b"x").await;
    let gone = double.upload("gone", b"x").await;
    double.delete(&format!("/drive/v3/files/{gone}")).await;

    let page = |token: &str| format!("/drive/v3/changes?pageSize=1&pageToken={token}");
    let first = double.get(&page(start)).await.ok();
    let second = double.get(&page(first["nextPageToken"].as_str().unwrap())).await.ok();
    let bramses = bram.get(&page(start)).await.ok();

    assert_eq!(
        (&first["changes"][0]["fileId"], &first["changes"][0]["file"]["name"]),
        (&json!(kept), &json!("kept"))
    );
    assert_eq!(
        (&second["changes"][0]["fileId"], &second["changes"][0]["removed"]),
        (&json!(gone), &json!(true))
    );
    assert_eq!(second["nextPageToken"], Value::Null);
    let end = second["newStartPageToken"].as_str().unwrap();
    assert_eq!(double.get(&page(end)).await.ok()["changes"], json!([]));
    assert_eq!(bramses["changes"], json!([]), "others' files are not told");
    double.get(&page("99999")).await.refused(400, "invalid");
}

#[tokio::test]
async fn about_counts_the_bytes_stored() {
    let double = Double::start().await;
    let quota = "/drive/v3/about?fields=storageQuota";
    let usage = |about: Value| about["storageQuota"]["usage"].as_str().unwrap().parse::<u64>().unwrap();
    let before = usage(double.get(quota).await.ok());

    double.upload("f", &[0; 1000]).await;

    assert_eq!(usage(double.get(quota).await.ok()), before + 1000);
    double.get("/drive/v3/about").await.refused(400, "required");
}
