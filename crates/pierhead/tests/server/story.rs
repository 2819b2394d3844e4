//! Seeds 1 and 2: a file comes through a proxy with credentials that nobody had to handle.

use http::Method;
use pierhead_sandbox::google::BearerState;
use pierhead_testkit::{Drive, Pierhead, Request};
use serde_json::json;

const PDF: &[u8] = b"%PDF-1.7\n\x00\x01\xff a harbour plan";

/// The whole story, and once more after a restart.
async fn the_story(mut pierhead: Pierhead) {
    let drive = Drive::start().await;
    let admin = pierhead.admin().await;
    let token = admin.connect_drive(&drive).await;
    let upload = Request::post(pierhead.hub("/hubs/documents/files?path=/plans/harbour.pdf"))
        .header("authorization", &admin.element(&token))
        .file("harbour.pdf", "application/pdf", PDF);
    pierhead.client.send(upload).await.expect_status(200);
    admin.publish("Googledrive", "/googledrive", &token).await;

    for restarted in [false, true] {
        if restarted {
            pierhead.restart().await;
        }
        drive.clear_requests();
        let answer =
            pierhead.client.get(pierhead.gateway("/googledrive/files?path=/plans/harbour.pdf")).await;

        let answer = answer.expect_status(200);
        assert_eq!(answer.bytes, PDF);
        assert_eq!(answer.header("content-type"), "application/pdf");
        let disposition = answer.header("content-disposition");
        assert!(
            disposition.starts_with("attachment") && disposition.contains("harbour.pdf"),
            "{disposition}"
        );
        let seen = drive.requests();
        assert!(
            !seen.is_empty() && seen.iter().all(|request| request.bearer == BearerState::Valid),
            "{seen:#?}"
        );
    }
    drive.expire_access_tokens();
    let before = drive.refresh_count();
    let answer = pierhead.client.get(pierhead.gateway("/googledrive/files?path=/plans/harbour.pdf")).await;
    let answer = answer.expect_status(200);
    assert_eq!(answer.bytes, PDF);
    assert_eq!(drive.refresh_count() - before, 1);
    // Gateway and hub speak of the call by one id.
    assert_eq!(answer.header("x-request-id").len(), 24);
    assert_eq!(answer.header("x-request-id"), answer.header("elements-request-id"));
}

#[tokio::test]
async fn a_file_comes_through_the_proxy_with_no_credentials_of_the_vendor() {
    the_story(Pierhead::start().await).await;
}

#[tokio::test]
async fn a_file_comes_through_the_proxy_on_postgres_too() {
    if let Some(pierhead) = Pierhead::start_on_postgres().await {
        the_story(pierhead).await;
    }
}

#[tokio::test]
async fn the_hub_word_is_optional_and_any_word_does() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let root = pierhead.folder("files");
    std::fs::write(root.join("a.txt"), "tide table").unwrap();
    let token = admin.connect_folder(&root).await;

    for path in
        ["/hubs/documents/files?path=/a.txt", "/files?path=/a.txt", "/hubs/nonsense/files?path=/a.txt"]
    {
        let request = Request::get(pierhead.hub(path)).header("authorization", &admin.element(&token));
        assert_eq!(pierhead.client.send(request).await.expect_status(200).text(), "tide table", "{path}");
    }
}

#[tokio::test]
async fn the_fixed_policy_stands_in_the_target_post_flow_and_cannot_be_edited() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    admin.create_open_connectors_provider("oc").await;
    admin.create_proxy("Googledrive", "oc", "/googledrive").await;

    let target = "/APIProxies('Googledrive')/targetEndPoints?$expand=postFlow/request/steps";
    let target = admin.manage(Method::GET, target, None).await.expect_status(200).text();
    assert!(target.contains("OpenConnectors"), "{target}");
    let policies = admin
        .manage(Method::GET, "/APIProxies('Googledrive')/policies", None)
        .await
        .expect_status(200)
        .json();
    let policy = &policies["d"]["results"][0];
    let uri = policy["__metadata"]["uri"].as_str().unwrap();
    let path = &uri[uri.find("/Management.svc").unwrap() + "/Management.svc".len()..];
    let refused = admin.manage(Method::DELETE, path, None).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
}

#[tokio::test]
async fn a_missing_instance_token_is_a_fault_that_names_the_map_and_the_key() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    admin.create_open_connectors_provider("oc").await;
    admin.create_proxy("Googledrive", "oc", "/googledrive").await;
    admin.deploy("Googledrive").await;

    let fault =
        pierhead.client.get(pierhead.gateway("/googledrive/files?path=/a")).await.expect_status(500).json();

    let text = fault["fault"]["faultstring"].as_str().unwrap();
    assert!(text.contains("apim.oc.instance.token") && text.contains("default"), "{text}");
}

const MAP: &str =
    "/GenericKeyMapEntries(name='apim.oc.instance.token',scope='APIPROXY',scopeId='Googledrive')";

#[tokio::test]
async fn a_map_that_was_deleted_is_a_fault_too_and_no_value_shows() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let token = admin.connect_folder(&pierhead.folder("files")).await;
    admin.publish("Googledrive", "/googledrive", &token).await;
    pierhead.client.get(pierhead.gateway("/googledrive/folders/contents?path=/")).await.expect_status(200);

    admin.manage(Method::DELETE, MAP, None).await.expect_status(204);

    let fault = pierhead.client.get(pierhead.gateway("/googledrive/files?path=/a")).await.expect_status(500);
    let text = fault.json()["fault"]["faultstring"].as_str().unwrap().to_owned();
    assert!(text.contains("apim.oc.instance.token") && text.contains("default"), "{text}");
    assert!(!fault.text().contains(&token));
}

#[tokio::test]
async fn a_wrong_instance_token_in_the_map_is_401_and_is_not_repeated() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    admin.publish("Googledrive", "/googledrive", "no-such-instance-token").await;

    let answer = pierhead.client.get(pierhead.gateway("/googledrive/files?path=/a")).await.expect_status(401);

    assert!(!answer.text().contains("no-such-instance-token"), "{}", answer.text());
    assert!(!answer.text().contains(&admin.user), "{}", answer.text());
    let entries = admin.manage(Method::GET, &format!("{MAP}/genericKeyMapEntryValues"), None).await;
    assert!(!entries.expect_status(200).text().contains("no-such-instance-token"), "values are masked");
}

#[tokio::test]
async fn everything_acknowledged_is_there_after_a_restart() {
    let mut pierhead = Pierhead::start().await;
    let root = pierhead.folder("files");
    std::fs::write(root.join("a.txt"), "tide table").unwrap();
    let admin = pierhead.admin().await;
    let token = admin.connect_folder(&root).await;
    admin.publish("Folder", "/folder", &token).await;

    pierhead.restart().await;

    let answer = pierhead.client.get(pierhead.gateway("/folder/files?path=/a.txt")).await.expect_status(200);
    assert_eq!(answer.text(), "tide table");
}

#[tokio::test]
async fn an_undeployed_proxy_is_not_found_in_the_originals_words() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let token = admin.connect_folder(&pierhead.folder("files")).await;
    admin.publish("Folder", "/folder", &token).await;

    let answer = admin.manage(Method::POST, "/APIProxies('Folder')/Undeploy", None).await;
    assert!(answer.status.is_success(), "{}", answer.text());

    let fault =
        pierhead.client.get(pierhead.gateway("/folder/files?path=/a")).await.expect_status(404).json();
    assert_eq!(fault["fault"]["detail"]["errorcode"], "messaging.adaptors.http.flow.ApplicationNotFound");
}

#[tokio::test]
async fn a_disabled_instance_is_refused_with_403_and_a_deleted_one_with_401() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let token = admin.connect_folder(&pierhead.folder("files")).await;
    let list = || {
        Request::get(pierhead.hub("/folders/contents?path=/")).header("authorization", &admin.element(&token))
    };
    let id = admin.call(Method::GET, "/instances", None).await.expect_status(200).json()[0]["id"].clone();

    admin.call(Method::DELETE, &format!("/instances/{id}/enabled"), None).await.expect_status(200);
    pierhead.client.send(list()).await.expect_status(403);
    admin.call(Method::PUT, &format!("/instances/{id}/enabled"), None).await.expect_status(200);
    pierhead.client.send(list()).await.expect_status(200);
    admin.call(Method::DELETE, &format!("/instances/{id}"), None).await.expect_status(200);
    pierhead.client.send(list()).await.expect_status(401);
}

#[tokio::test]
async fn private_addresses_are_refused_until_the_operator_lists_them() {
    let pierhead = Pierhead::start_with(vec![("egress.allow", Vec::<String>::new().into())]).await;
    let admin = pierhead.admin().await;
    let body = json!({
        "name": "dav", "element": {"key": "webdav"},
        "configuration": {"base.url": "http://127.0.0.1:9/", "username": "u", "password": "p"},
    });

    let refused = admin.call(Method::POST, "/instances", Some(&body)).await;

    let refused = refused.expect_status(400);
    assert!(refused.text().contains("egress.allow"), "{}", refused.text());
    admin.call(Method::GET, "/instances", None).await.expect_status(404);
}
