//! Clients that make the same thing at once: one wins, the others get the dialect's duplicate error.

use futures_util::future::join_all;
use http::Method;
use pierhead_testkit::{Admin, Answer, Pierhead, Request};
use serde_json::{Value, json};

const CLIENTS: usize = 6;

/// Sends the same create from several clients at once: one `made`, all others `duplicate`.
async fn race(made: u16, duplicate: u16, create: impl AsyncFn(usize) -> Answer) {
    let answers = join_all((0..CLIENTS).map(|client| create(client))).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    let texts: Vec<String> = answers.iter().map(Answer::text).collect();
    assert_eq!(statuses.iter().filter(|status| **status == made).count(), 1, "{statuses:?} {texts:#?}");
    assert_eq!(
        statuses.iter().filter(|status| **status == duplicate).count(),
        CLIENTS - 1,
        "{statuses:?} {texts:#?}"
    );
    for answer in answers.iter().filter(|answer| answer.status == duplicate) {
        let body = answer.json();
        let text = if duplicate == 409 { &body["message"] } else { &body["error"]["message"]["value"] };
        assert!(!text.as_str().unwrap().is_empty(), "{body}");
        if duplicate == 400 {
            assert!(body["error"]["code"].as_str().unwrap().ends_with("DUPLICATION_ERROR"), "{body}");
        }
    }
}

async fn odata_race(admin: &Admin, path: &str, body: impl Fn(usize) -> Value) {
    race(201, 400, async |client| admin.manage(Method::POST, path, Some(&body(client))).await).await;
}

fn proxy(name: &str, base_path: &str) -> Value {
    json!({
        "name": name, "title": name, "service_code": "REST", "provider_name": "oc",
        "proxyEndPoints": [{"name": "default", "isDefault": true, "base_path": base_path}],
        "targetEndPoints": [{"name": "default", "provider_id": "oc", "relativePath": "/elements/api-v2/"}],
    })
}

async fn everything_of_the_management_service(pierhead: &Pierhead) {
    let admin = pierhead.admin().await;
    let (user, organization) = (admin.user.clone(), admin.organization.clone());
    odata_race(&admin, "/APIProviders", |_| {
        json!({
            "name": "oc", "title": "oc", "destType": "OPENCONNECTORS", "host": "",
            "organizationSecret": organization, "userSecret": user,
        })
    })
    .await;
    odata_race(&admin, "/APIProxies", |client| proxy("P", &format!("/p{client}"))).await;
    odata_race(&admin, "/APIProxies", |client| proxy(&format!("Q{client}"), "/q")).await;
    odata_race(&admin, "/KeyMapEntries", |_| json!({"name": "m", "scope": "ENV", "encrypted": true})).await;
    odata_race(
        &admin,
        "/KeyMapEntryValues",
        |client| json!({"name": "k", "map_name": "m", "value": format!("v{client}")}),
    )
    .await;
    // The empty map that came with the proxy is filled once.
    odata_race(&admin, "/GenericKeyMapEntries", |client| {
        json!({
            "name": "apim.oc.instance.token", "scopeId": "P", "scope": "APIPROXY", "isEncrypted": true,
            "genericKeyMapEntryValues": [{
                "name": "default", "mapName": "apim.oc.instance.token", "value": format!("t{client}"),
                "scopeId": "P", "scope": "APIPROXY",
            }],
        })
    })
    .await;

    for (set, count) in [("APIProviders", "1"), ("APIProxies", "2"), ("KeyMapEntries", "1")] {
        let count_of = admin.manage(Method::GET, &format!("/{set}/$count"), None).await.expect_status(200);
        assert_eq!(count_of.text(), count, "{set}");
    }
}

async fn accounts_and_users(pierhead: &Pierhead) {
    let admin = pierhead.admin().await;
    let user =
        json!({"email": "b@example.com", "firstName": "Be", "lastName": "Ta", "password": "Ferry-Master-8"});
    race(200, 409, async |_| admin.call(Method::POST, "/users", Some(&user)).await).await;
    let account = json!({"externalId": "pilots", "name": "Pilots"});
    race(200, 409, async |_| admin.call(Method::POST, "/accounts", Some(&account)).await).await;

    let users = admin.call(Method::GET, "/users", None).await.expect_status(200).json();
    assert_eq!(users.as_array().unwrap().len(), 2);
    let accounts = admin.call(Method::GET, "/accounts", None).await.expect_status(200).json();
    assert_eq!(accounts.as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn entities_of_the_management_service() {
    everything_of_the_management_service(&Pierhead::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entities_of_the_management_service_on_postgres() {
    if let Some(pierhead) = Pierhead::start_on_postgres().await {
        everything_of_the_management_service(&pierhead).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_and_accounts() {
    accounts_and_users(&Pierhead::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_and_accounts_on_postgres() {
    if let Some(pierhead) = Pierhead::start_on_postgres().await {
        accounts_and_users(&pierhead).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_uploaded_by_many_is_one_clients_whole() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let root = pierhead.folder("files");
    let token = admin.connect_folder(&root).await;
    let contents: Vec<Vec<u8>> = (0..CLIENTS).map(|client| vec![b'a' + client as u8; 300_000]).collect();

    race(200, 409, async |client| {
        let upload = Request::post(pierhead.hub("/files?path=/same.bin"))
            .header("authorization", &admin.element(&token))
            .file("same.bin", "application/octet-stream", &contents[client]);
        pierhead.client.send(upload).await
    })
    .await;

    let stored = std::fs::read(root.join("same.bin")).unwrap();
    assert!(contents.contains(&stored), "{} bytes of more than one client", stored.len());
    assert_eq!(std::fs::read_dir(&root).unwrap().count(), 1, "something was left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_state_that_comes_twice_makes_one_instance() {
    let drive = pierhead_testkit::Drive::start().await;
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let came_back = drive.came_back(&admin.consent_url(&drive, Some("mine")).await, true);
    let body = admin.drive_instance(&drive, &came_back);

    let answers = join_all((0..CLIENTS).map(|_| admin.call(Method::POST, "/instances", Some(&body)))).await;

    let made = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(made, 1, "{:?}", answers.iter().map(Answer::text).collect::<Vec<_>>());
    assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 200 | 400)));
    let count = admin.call(Method::GET, "/instances/count", None).await.expect_status(200).json();
    assert_eq!(count["totalInstances"], 1);
}
