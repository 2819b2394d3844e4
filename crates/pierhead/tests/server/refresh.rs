//! The vendor's access token expires; nobody notices.

use pierhead_testkit::{Drive, Pierhead, Request};

async fn with_a_file(pierhead: &Pierhead, drive: &Drive) -> String {
    let admin = pierhead.admin().await;
    let token = admin.connect_drive(drive).await;
    let upload = Request::post(pierhead.hub("/hubs/documents/files?path=/a.txt"))
        .header("authorization", &admin.element(&token))
        .file("a.txt", "text/plain", b"tide table");
    pierhead.client.send(upload).await.expect_status(200);
    admin.publish("Googledrive", "/googledrive", &token).await;
    token
}

#[tokio::test]
async fn an_expired_access_token_is_refreshed_once_for_many_callers() {
    let drive = Drive::start().await;
    let pierhead = Pierhead::start().await;
    with_a_file(&pierhead, &drive).await;
    let before = drive.refresh_count();
    drive.expire_access_tokens();

    let calls = (0..40).map(|_| pierhead.client.get(pierhead.gateway("/googledrive/files?path=/a.txt")));
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.expect_status(200).text(), "tide table");
    }

    assert_eq!(drive.refresh_count() - before, 1);
}

#[tokio::test]
async fn a_revoked_grant_is_said_so_and_the_instance_waits_for_its_owner() {
    let drive = Drive::start().await;
    let pierhead = Pierhead::start().await;
    with_a_file(&pierhead, &drive).await;
    drive.expire_access_tokens();
    drive.revoke_all();

    let answer = pierhead.client.get(pierhead.gateway("/googledrive/files?path=/a.txt")).await;

    assert!(!answer.status.is_success());
    let admin = pierhead.admin().await;
    let instances = admin.call(http::Method::GET, "/instances", None).await.expect_status(200).json();
    assert_eq!(instances[0]["valid"], false, "{instances}");
    assert_eq!(instances[0]["disabled"], false, "a revoked grant does not silently disable: {instances}");
}
