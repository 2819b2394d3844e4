//! The journal, faults, and the control API.

use pierhead_sandbox::google::{BearerState, Fault, FaultKind, JournalEntry};
use serde_json::{Value, json};

use crate::support::{DRIVE, Double};

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn the_journal_tells_states_of_tokens_and_never_a_token() {
    let double = Double::start().await;
    double.handle.clear_requests();
    double.get("/drive/v3/files?pageSize=1").await;
    double.handle.expire_access_tokens();
    double.get("/drive/v3/files").await;
    double.send("GET", "/drive/v3/files?access_token=abc", &[], "").await;
    double.send("GET", "/drive/v3/files", &[], "").await;

    let seen = double.handle.requests();
    let over_http = double.send("GET", "/sandbox/journal", &[], "").await.ok();

    let states: Vec<_> = seen.iter().map(|entry| (entry.bearer, entry.status)).collect();
    assert_eq!(
        states,
        [
            (BearerState::Valid, 200),
            (BearerState::Expired, 401),
            (BearerState::Unknown, 401),
            (BearerState::None, 401)
        ]
    );
    assert_eq!(seen[0].token_fingerprint, seen[1].token_fingerprint);
    assert_eq!(seen[0].query.as_deref(), Some("pageSize=1"));
    let all = over_http.to_string();
    assert!(!all.contains(&double.token) && !all.contains("=abc"), "{all}");
    let entries: Vec<JournalEntry> = serde_json::from_value(over_http["requests"].clone()).unwrap();
    assert_eq!(entries, seen, "control requests are not in it");
}

#[tokio::test]
async fn token_requests_are_journaled_without_their_secrets() {
    let double = Double::start().await;

    let calls = double.handle.token_requests();

    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].body, Some(json!({"grant_type": "authorization_code", "client_auth": "post"})));
    assert!(!format!("{calls:?}").contains(double.handle.client_secret().expose()));
}

#[tokio::test]
async fn the_journal_keeps_the_metadata_of_bodies() {
    let double = Double::start().await;
    double.json("POST", "/drive/v3/files", json!({"name": "x"})).await.ok();

    let last = double.handle.requests().pop().unwrap();

    assert_eq!((last.method.as_str(), last.path.as_str()), ("POST", "/drive/v3/files"));
    assert_eq!(last.body, Some(json!({"name": "x"})));
    assert_eq!(last.content_type.as_deref(), Some("application/json"));
}

#[tokio::test]
async fn a_fault_strikes_as_often_as_told_and_where_told() {
    let double = Double::start().await;
    for (kind, status, reason) in [
        (FaultKind::Unauthorized, 401, "authError"),
        (FaultKind::RateLimit, 403, "userRateLimitExceeded"),
        (FaultKind::TooManyRequests, 429, "rateLimitExceeded"),
        (FaultKind::InternalError, 500, "internalError"),
        (FaultKind::Unavailable, 503, "backendError"),
        (FaultKind::QuotaExceeded, 403, "storageQuotaExceeded"),
    ] {
        let fault = Fault { retry_after: Some(7), ..Fault::next(kind, 2).on("/drive/v3/files") };
        double.handle.inject(fault);
        double.get("/drive/v3/about?fields=user").await.ok();
        for _ in 0..2 {
            let answer = double.get("/drive/v3/files").await;
            assert_eq!(answer.header("retry-after"), "7");
            answer.refused(status, reason);
        }
        double.get("/drive/v3/files").await.ok();
    }
}

#[tokio::test]
async fn a_truncated_answer_announces_more_than_it_sends() {
    let double = Double::start().await;
    let id = double.upload("f", &[7; 1000]).await;
    double.handle.inject(Fault::next(FaultKind::Truncated, 1));

    let cut = double.get(&format!("/drive/v3/files/{id}?alt=media")).await;
    let whole = double.get(&format!("/drive/v3/files/{id}?alt=media")).await;

    assert_eq!((cut.status.as_u16(), cut.header("content-length")), (200, "1000"));
    assert!(cut.bytes.is_empty(), "the client's read failed, so it has no whole body");
    assert_eq!(whole.bytes.len(), 1000);
}

#[tokio::test]
async fn the_control_api_does_what_the_handle_does() {
    let mut double = Double::start().await;
    let url = double.authorize_url(DRIVE, "&access_type=offline&prompt=consent");
    let consent = json!({"url": url, "allow": true, "account": "bram.ostler@example.com"});
    let sent = double.send("POST", "/sandbox/consent", &[JSON], consent.to_string()).await.ok();
    assert!(sent["location"].as_str().unwrap().starts_with(crate::support::REDIRECT));
    let bad = json!({"url": "/o/oauth2/v2/auth?client_id=x"});
    double.send("POST", "/sandbox/consent", &[JSON], bad.to_string()).await.refused(400, "badRequest");

    let fault = json!({"fault": "unavailable", "count": 1});
    assert_eq!(double.send("POST", "/sandbox/faults", &[JSON], fault.to_string()).await.status, 204);
    double.get("/drive/v3/files").await.refused(503, "backendError");
    let unknown = json!({"fault": "flood"}).to_string();
    assert_eq!(double.send("POST", "/sandbox/faults", &[JSON], unknown).await.status, 422);

    assert_eq!(double.send("POST", "/sandbox/expire", &[], "").await.ok(), json!({"expired": 1}));
    double.get("/drive/v3/files").await.refused(401, "authError");
    let revoked: Value = double.send("POST", "/sandbox/revoke", &[], "").await.ok();
    assert_eq!(revoked, json!({"revoked": 2}));

    double.token = double.sign_in(DRIVE, None).await["access_token"].as_str().unwrap().to_owned();
    double.upload("f", b"x").await;
    assert_eq!(double.send("POST", "/sandbox/reset", &[], "").await.status, 204);
    double.get("/drive/v3/files").await.refused(401, "authError");
    double.token = double.sign_in(DRIVE, None).await["access_token"].as_str().unwrap().to_owned();
    assert_eq!(double.names("name = 'f'").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_route_that_is_not_served_says_so() {
    let double = Double::start().await;
    double.get("/drive/v2/files").await.refused(404, "notFound");
    double.json("PUT", "/drive/v3/files/root", json!({})).await.refused(404, "notFound");
}

#[tokio::test]
async fn a_query_in_a_body_is_a_get() {
    let double = Double::start().await;
    let bearer = format!("Bearer {}", double.token);
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-http-method-override", "GET"),
    ];

    let listed = double
        .send("POST", "/drive/v3/files", &headers, "q=name%3D'Welcome.txt'&fields=files/name")
        .await
        .ok();

    assert_eq!(listed, json!({"files": [{"name": "Welcome.txt"}]}));
}
