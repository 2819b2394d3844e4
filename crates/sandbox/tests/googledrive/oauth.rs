//! Consent, codes, tokens.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::support::{BRAM, DRIVE, Double, REDIRECT, query_of};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn redeem(code: &str) -> [(&str, &str); 3] {
    [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT)]
}

async fn code(double: &Double, more: &str) -> String {
    let location = double.handle.consent(&double.authorize_url(DRIVE, more), true, None).unwrap();
    query_of(&location, "code").unwrap()
}

#[tokio::test]
async fn the_consent_page_is_decided_by_its_own_form_once() {
    let double = Double::start().await;
    let url = double.authorize_url(DRIVE, "&prompt=consent");
    let page = double.send("GET", &url, &[], "").await;
    let html = String::from_utf8(page.bytes.to_vec()).unwrap();
    let request = html.split("name=\"request\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = format!("request={request}&decision=allow&account={BRAM}");

    let allowed = double.send("POST", "/o/oauth2/v2/auth", &[FORM], form.clone()).await;
    let again = double.send("POST", "/o/oauth2/v2/auth", &[FORM], form).await;

    assert_eq!(page.header("x-frame-options"), "DENY");
    assert!(html.contains(BRAM) && html.contains("<html lang=\"en\">"));
    assert_eq!(allowed.status, 302);
    let location = allowed.header("location");
    assert_eq!(query_of(location, "state").as_deref(), Some("s t&te"));
    assert_eq!(query_of(location, "scope").as_deref(), Some(DRIVE));
    assert!(query_of(location, "code").unwrap().starts_with("4/"), "a code with a slash, as Google's");
    assert_eq!(again.status, 400);
}

#[tokio::test]
async fn denying_comes_back_with_the_state_and_no_code() {
    let double = Double::start().await;
    let url = double.authorize_url(DRIVE, "&prompt=consent");

    let location = double.handle.consent(&url, false, None).unwrap();

    assert_eq!(query_of(&location, "error").as_deref(), Some("access_denied"));
    assert_eq!(query_of(&location, "state").as_deref(), Some("s t&te"));
    assert_eq!(query_of(&location, "code"), None);
}

#[tokio::test]
async fn a_bad_request_gets_a_page_and_never_a_redirect() {
    let double = Double::start().await;
    let good = double.authorize_url(DRIVE, "");
    for (from, to, status, error) in [
        ("client_id=pierhead", "client_id=other", 401, "invalid_client"),
        (
            "redirect_uri=http%3A%2F%2F127.0.0.1",
            "redirect_uri=http%3A%2F%2Fevil.example",
            400,
            "redirect_uri_mismatch",
        ),
        ("response_type=code", "response_type=token", 400, "unsupported_response_type"),
        ("response_type=code", "x=y", 400, "invalid_request"),
        ("auth%2Fdrive", "auth%2Feverything", 400, "invalid_scope"),
        ("state=", "access_type=sometimes&state=", 400, "invalid_request"),
        ("state=", "code_challenge=short&state=", 400, "invalid_request"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        let page = double.send("GET", &bad, &[], "").await;
        let html = String::from_utf8(page.bytes.to_vec()).unwrap();
        assert_eq!(page.status.as_u16(), status, "{to}");
        assert!(html.contains(error), "{to}: {html}");
        assert_eq!(page.header("location"), "");
    }
}

#[tokio::test]
async fn a_code_works_once_within_ten_minutes_for_its_own_redirect() {
    let double = Double::start().await;
    let once = code(&double, "").await;
    double.token_call(&redeem(&once)).await.ok();
    let late = code(&double, "").await;
    let astray = code(&double, "").await;

    let replayed = double.token_call(&redeem(&once)).await;
    let mismatched = double
        .token_call(&[
            ("grant_type", "authorization_code"),
            ("code", &astray),
            ("redirect_uri", "http://127.0.0.1:9/"),
        ])
        .await;
    double.clock.advance(Duration::from_secs(600));
    let expired = double.token_call(&redeem(&late)).await;

    assert_eq!((replayed.status.as_u16(), &replayed.json()["error"]), (400, &"invalid_grant".into()));
    assert_eq!(mismatched.json()["error"], "redirect_uri_mismatch");
    assert_eq!(expired.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn pkce_is_verified_both_ways() {
    let double = Double::start().await;
    let verifier = "a-verifier-of-at-least-43-characters-and-no-fewer";
    let hashed = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    for more in [
        format!("&code_challenge={hashed}&code_challenge_method=S256"),
        format!("&code_challenge={verifier}&code_challenge_method=plain"),
    ] {
        let with = |verifier: Option<&'static str>| {
            let double = &double;
            let more = more.clone();
            async move {
                let code = code(double, &more).await;
                let mut form = redeem(&code).to_vec();
                form.extend(verifier.map(|verifier| ("code_verifier", verifier)));
                double.token_call(&form).await.json()
            }
        };
        assert_eq!(with(None).await["error_description"], "Missing code verifier.");
        assert_eq!(with(Some("wrong")).await["error_description"], "Invalid code verifier.");
        assert!(with(Some(verifier)).await["access_token"].is_string());
    }
}

#[tokio::test]
async fn a_refresh_token_comes_with_offline_access_on_first_or_forced_consent() {
    let double = Double::start().await;
    let mut tokens = Vec::new();
    for more in ["&access_type=offline", "&access_type=offline&prompt=consent", "&prompt=consent"] {
        let code = code(&double, more).await;
        tokens.push(double.token_call(&redeem(&code)).await.ok());
    }
    double.handle.revoke_all();
    let first = code(&double, "&access_type=offline").await;
    let first = double.token_call(&redeem(&first)).await.ok();

    assert!(tokens[0]["refresh_token"].is_null(), "the grant was there already");
    assert!(tokens[1]["refresh_token"].is_string());
    assert!(tokens[2]["refresh_token"].is_null(), "online access has none");
    assert!(first["refresh_token"].is_string());
    assert_eq!(tokens[1]["expires_in"], 3599);
    assert_eq!(tokens[1]["token_type"], "Bearer");
}

#[tokio::test]
async fn an_access_token_ends_by_the_clock_and_is_refreshed() {
    let mut double = Double::start().await;
    let granted = double.sign_in(DRIVE, None).await;
    double.token = granted["access_token"].as_str().unwrap().to_owned();
    double.get("/drive/v3/files").await.ok();
    double.clock.advance(Duration::from_secs(3599));

    let expired = double.get("/drive/v3/files").await;
    let refresh =
        [("grant_type", "refresh_token"), ("refresh_token", granted["refresh_token"].as_str().unwrap())];
    let fresh = double.token_call(&refresh).await.ok();

    assert!(expired.header("www-authenticate").contains("invalid_token"));
    assert_eq!(expired.refused(401, "authError")["status"], "UNAUTHENTICATED");
    assert_ne!(fresh["access_token"], granted["access_token"]);
    assert!(fresh["refresh_token"].is_null(), "Google does not rotate");
    assert_eq!(double.handle.refresh_count(), 1);
    double.token = fresh["access_token"].as_str().unwrap().to_owned();
    double.get("/drive/v3/files").await.ok();
}

#[tokio::test]
async fn a_client_is_known_by_form_or_by_basic_and_by_nothing_else() {
    let double = Double::start().await;
    let (id, secret) =
        (double.handle.client_id().to_owned(), double.handle.client_secret().expose().to_owned());
    let call = |authorization: Option<String>, more: String| {
        let double = &double;
        async move {
            let code = code(double, "").await;
            let code: String = form_urlencoded::byte_serialize(code.as_bytes()).collect();
            let body = format!("grant_type=authorization_code&redirect_uri={REDIRECT}&code={code}{more}");
            let basic = authorization.unwrap_or_default();
            let headers = [FORM, ("authorization", basic.as_str())];
            let headers = if basic.is_empty() { &headers[..1] } else { &headers[..] };
            let answer = double.send("POST", "/oauth2/v4/token", headers, body).await;
            (answer.status.as_u16(), answer.json()["error"].as_str().unwrap_or_default().to_owned())
        }
    };
    let basic = |secret: &str| Some(format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))));

    assert_eq!(call(basic(&secret), String::new()).await, (200, String::new()));
    assert_eq!(call(basic("wrong"), String::new()).await, (401, "invalid_client".into()));
    assert_eq!(call(None, format!("&client_id={id}&client_secret={secret}")).await, (200, String::new()));
    assert_eq!(call(None, "&client_id=x&client_secret=y".into()).await, (401, "invalid_client".into()));
    assert_eq!(call(None, String::new()).await, (400, "invalid_request".into()));
}

#[tokio::test]
async fn revoking_either_token_ends_the_whole_grant() {
    for which in ["access_token", "refresh_token"] {
        let mut double = Double::start().await;
        let granted = double.sign_in(DRIVE, None).await;
        double.token = granted["access_token"].as_str().unwrap().to_owned();
        let token: String =
            form_urlencoded::byte_serialize(granted[which].as_str().unwrap().as_bytes()).collect();

        let revoked = double.send("POST", &format!("/revoke?token={token}"), &[], "").await;
        let again = double.send("POST", "/revoke", &[FORM], format!("token={token}")).await;
        let refresh =
            [("grant_type", "refresh_token"), ("refresh_token", granted["refresh_token"].as_str().unwrap())];

        assert_eq!(revoked.status, 200);
        assert_eq!((again.status.as_u16(), &again.json()["error"]), (400, &"invalid_token".into()));
        double.get("/drive/v3/files").await.refused(401, "authError");
        assert_eq!(double.token_call(&refresh).await.json()["error"], "invalid_grant");
    }
}

#[tokio::test]
async fn token_errors_carry_the_rfcs_codes() {
    let double = Double::start().await;
    for (form, error) in [
        (vec![("grant_type", "password")], "unsupported_grant_type"),
        (vec![], "invalid_request"),
        (vec![("grant_type", "refresh_token")], "invalid_request"),
        (vec![("grant_type", "refresh_token"), ("refresh_token", "1//nonsense")], "invalid_grant"),
        (redeem("nonsense").to_vec(), "invalid_grant"),
        (redeem("4/0Anonsense").to_vec(), "invalid_grant"),
    ] {
        let answer = double.token_call(&form).await;
        assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (400, Some(error)), "{form:?}");
    }
}

#[tokio::test]
async fn a_scope_allows_its_methods_and_no_others() {
    let double = Double::start().await;
    let id = double.upload("mine.txt", b"x").await;
    let prefix = "https://www.googleapis.com/auth/drive";
    let reader = double.seen_by(&format!("{prefix}.readonly"), None).await;
    let metadata = double.seen_by(&format!("{prefix}.metadata.readonly"), None).await;
    let per_file = double.seen_by(&format!("{prefix}.file email"), None).await;

    reader.get(&format!("/drive/v3/files/{id}")).await.ok();
    reader.delete(&format!("/drive/v3/files/{id}")).await.refused(403, "insufficientPermissions");
    metadata.get(&format!("/drive/v3/files/{id}?alt=media")).await.refused(403, "insufficientPermissions");
    let user = per_file.get("/oauth2/v3/userinfo").await.ok();

    assert_eq!(per_file.names("trashed = false").await, ["mine.txt"], "the samples were not made by the app");
    assert_eq!(user["email"], "harriet.quayle@example.com");
    assert!(user["name"].is_null(), "no profile scope was granted");
}

#[tokio::test]
async fn a_grant_that_covers_the_request_is_not_asked_for_again_unless_forced() {
    let double = Double::start().await;
    let open = |more: &str| {
        let url = double.authorize_url(DRIVE, more);
        let double = &double;
        async move { double.send("GET", &url, &[], "").await }
    };

    let known = open("").await;
    let forced = open("&prompt=consent").await;
    let forced_of_old = open("&approval_prompt=force").await;
    double.handle.revoke_all();
    let silent = open("&prompt=none").await;

    assert_eq!(known.status, 302);
    assert!(query_of(known.header("location"), "code").is_some());
    assert_eq!((forced.status.as_u16(), forced_of_old.status.as_u16()), (200, 200));
    assert_eq!(query_of(silent.header("location"), "error").as_deref(), Some("interaction_required"));
}
