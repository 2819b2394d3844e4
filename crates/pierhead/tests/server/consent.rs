//! The vendor's consent that was denied, came too late, came twice or came back to the wrong door: an error
//! that says what to do, and no half-made instance.

use std::time::Duration;

use http::Method;
use pierhead_testkit::{Admin, Answer, Drive, Pierhead};
use serde_json::{Value, json};

async fn start() -> (Drive, Pierhead, Admin) {
    let drive = Drive::start().await;
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    (drive, pierhead, admin)
}

async fn create(admin: &Admin, drive: &Drive, provider_data: &Value) -> Answer {
    let body = admin.drive_instance(drive, provider_data);
    admin.call(Method::POST, "/instances", Some(&body)).await
}

async fn instances(admin: &Admin) -> u64 {
    let counts = admin.call(Method::GET, "/instances/count", None).await.expect_status(200).json();
    counts["totalInstances"].as_u64().unwrap()
}

/// 400 that sends the client back to the consent page, with no credential in it.
#[track_caller]
fn assert_says_what_to_do(answer: &Answer, code: &str) {
    assert_eq!(answer.status, 400, "{}", answer.text());
    let body = answer.json();
    let message = body["message"].as_str().unwrap();
    assert!(message.contains("GET /elements/googledrive/oauth/url"), "{message}");
    assert_eq!(body["requestId"].as_str().map(str::len), Some(24), "{body}");
    assert!(code.is_empty() || !answer.text().contains(code), "the code in {body}");
}

fn code(came_back: &Value) -> &str {
    came_back["code"].as_str().unwrap()
}

#[tokio::test]
async fn a_denied_consent_says_so_and_makes_nothing() {
    let (drive, _pierhead, admin) = start().await;
    let denied = drive.came_back(&admin.consent_url(&drive, None).await, false);
    assert_eq!(denied["error"], "access_denied", "{denied}");

    let answer = create(&admin, &drive, &denied).await;

    assert_says_what_to_do(&answer, "");
    assert!(answer.text().contains("access_denied"), "{}", answer.text());
    assert_eq!(instances(&admin).await, 0);
    assert!(drive.token_requests().is_empty(), "nobody asked the vendor for a token");
}

#[tokio::test]
async fn a_made_up_code_is_refused_by_the_vendor_and_makes_nothing() {
    let (drive, _pierhead, admin) = start().await;
    admin.consent_url(&drive, None).await;

    let answer = create(&admin, &drive, &json!({"code": "4/made-up-code"})).await;

    assert_says_what_to_do(&answer, "made-up-code");
    assert_eq!(instances(&admin).await, 0);
}

#[tokio::test]
async fn a_missing_code_is_named() {
    let (drive, _pierhead, admin) = start().await;
    for provider_data in [json!({}), json!({"code": ""}), json!({"code": null}), json!({"code": ["x"]})] {
        let answer = create(&admin, &drive, &provider_data).await;
        assert_says_what_to_do(&answer, "");
        assert!(answer.text().contains("providerData.code"), "{}", answer.text());
    }
    assert_eq!(instances(&admin).await, 0);
}

#[tokio::test]
async fn a_replayed_code_is_refused_and_the_first_instance_stays() {
    let (drive, _pierhead, admin) = start().await;
    let came_back = drive.came_back(&admin.consent_url(&drive, None).await, true);
    create(&admin, &drive, &came_back).await.expect_status(200);

    let again = create(&admin, &drive, &came_back).await;

    assert_says_what_to_do(&again, code(&came_back));
    assert_eq!(instances(&admin).await, 1);
}

#[tokio::test]
async fn an_expired_code_is_refused_and_makes_nothing() {
    let (drive, _pierhead, admin) = start().await;
    let came_back = drive.came_back(&admin.consent_url(&drive, None).await, true);
    drive.advance(Duration::from_secs(3600));

    let answer = create(&admin, &drive, &came_back).await;

    assert_says_what_to_do(&answer, code(&came_back));
    assert_eq!(instances(&admin).await, 0);
}

#[tokio::test]
async fn a_wrong_state_is_refused_before_the_code_is_spent() {
    let (drive, _pierhead, admin) = start().await;
    let came_back = drive.came_back(&admin.consent_url(&drive, Some("my-own-state")).await, true);
    let mut forged = came_back.clone();
    forged["state"] = "somebody-elses".into();

    let answer = create(&admin, &drive, &forged).await;

    assert_says_what_to_do(&answer, code(&came_back));
    assert!(answer.text().contains("providerData.state"), "{}", answer.text());
    assert!(drive.token_requests().is_empty(), "the code was not shown to the vendor");
    assert_eq!(instances(&admin).await, 0);
    create(&admin, &drive, &came_back).await.expect_status(200);
    assert_eq!(instances(&admin).await, 1);
}

#[tokio::test]
async fn a_state_is_good_once_and_for_ten_minutes() {
    let (drive, pierhead, admin) = start().await;
    let first = drive.came_back(&admin.consent_url(&drive, Some("one")).await, true);
    create(&admin, &drive, &first).await.expect_status(200);
    assert_says_what_to_do(&create(&admin, &drive, &first).await, code(&first));

    let late = drive.came_back(&admin.consent_url(&drive, Some("two")).await, true);
    pierhead.advance(Duration::from_secs(601));
    let answer = create(&admin, &drive, &late).await;
    assert_says_what_to_do(&answer, code(&late));
    assert!(answer.text().contains("10 minutes"), "{}", answer.text());
    assert_eq!(instances(&admin).await, 1);
}

#[tokio::test]
async fn a_wrong_client_secret_is_named_and_never_repeated() {
    let (drive, _pierhead, admin) = start().await;
    let came_back = drive.came_back(&admin.consent_url(&drive, None).await, true);
    let mut body = admin.drive_instance(&drive, &came_back);
    body["configuration"]["oauth.api.secret"] = "wrong-client-secret".into();

    let answer = admin.call(Method::POST, "/instances", Some(&body)).await;

    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains("oauth.api.secret"), "{}", answer.text());
    assert!(!answer.text().contains("wrong-client-secret"), "{}", answer.text());
    assert_eq!(instances(&admin).await, 0);
}

#[tokio::test]
async fn a_failed_renewal_leaves_the_instance_as_it_was() {
    let (drive, pierhead, admin) = start().await;
    let token = admin.connect_drive(&drive).await;
    let before = admin.call(Method::GET, "/instances", None).await.expect_status(200).json();
    let id = &before[0]["id"];

    let change = json!({"name": "renamed", "providerData": {"code": "4/made-up-code"}});
    let answer = admin.call(Method::PATCH, &format!("/instances/{id}"), Some(&change)).await;

    assert_says_what_to_do(&answer, "made-up-code");
    assert_eq!(admin.call(Method::GET, "/instances", None).await.expect_status(200).json(), before);
    let list = admin.hub_get(&token, "/folders/contents?path=/").await;
    list.expect_status(200);
    drop(pierhead);
}

#[tokio::test]
async fn a_connector_without_oauth_has_no_consent_page() {
    let (_drive, _pierhead, admin) = start().await;
    let path = "/elements/folder/oauth/url?apiKey=a&apiSecret=b&callbackUrl=http://x/";
    let answer = admin.call(Method::GET, path, None).await.expect_status(400);
    assert!(answer.json()["message"].as_str().unwrap().contains("OAuth"), "{}", answer.text());
    for (missing, query) in [
        ("apiKey", "callbackUrl=http://x/"),
        ("callbackUrl", "apiKey=a"),
        ("callbackUrl", "apiKey=a&callbackUrl=x"),
    ] {
        let answer = admin.call(Method::GET, &format!("/elements/googledrive/oauth/url?{query}"), None).await;
        assert!(answer.expect_status(400).text().contains(missing), "{query}");
    }
}
