use std::time::Duration;

use crate::policy::security::oauth::testing::*;
use crate::testing::*;

const GENERATE: &str = "<OAuthV2><SupportedGrantTypes><GrantType>password</GrantType></SupportedGrantTypes><GenerateResponse/>\
    <RefreshTokenExpiresIn>3600000</RefreshTokenExpiresIn><Attributes><Attribute name=\"team\">blue</Attribute></Attributes></OAuthV2>";
const PASSWORD: &str = "grant_type=password&username=u&password=p";
const CODE: &str = "<OAuthV2><Operation>GenerateAuthorizationCode</Operation></OAuthV2>";

fn info(stage: &Stage, inside: &str, text: &str) -> Sent {
    let xml = format!("<GetOAuthV2Info>{inside}</GetOAuthV2Info>");
    stage.proxy(&[&xml]).get(&format!("/p?t={text}"))
}

fn asked(element: &str) -> String {
    format!("<{element} ref=\"request.queryparam.t\"/>")
}

#[track_caller]
fn faulted(sent: &Sent, name: &str) {
    assert_eq!((sent.status(), sent.code()), (500, format!("steps.oauth.v2.{name}")), "{}", sent.body());
}

#[test]
fn each_kind_of_token_is_shown_under_its_prefix() {
    let stage = stage();
    let both = stage.post(GENERATE, PASSWORD);
    let (access, refresh) = (member(&both, "access_token"), member(&both, "refresh_token"));
    let sent = info(&stage, &asked("AccessToken"), &access);
    for (name, value) in [
        ("access_token", &*access),
        ("scope", "read write"),
        ("client_id", "k-1"),
        ("team", "blue"),
        ("accesstoken.team", "blue"),
        ("developer.email", "ann@example.com"),
        ("status", "approved"),
        ("expires_in", "1799"),
        ("refresh_token_expires_in", "3599"),
    ] {
        assert_eq!(sent.var(&format!("oauthv2accesstoken.s0.{name}")), value, "{name}");
    }
    let sent = info(&stage, &asked("RefreshToken"), &refresh);
    assert_eq!(sent.var("oauthv2refreshtoken.s0.refresh_token"), refresh);
    assert_eq!(sent.var("oauthv2refreshtoken.s0.client_id"), "k-1");
    let code = stage
        .proxy(&[CODE])
        .get("/p?response_type=code&client_id=k-1&scope=read")
        .var("oauthv2authcode.s0.code");
    let sent = info(&stage, &asked("AuthorizationCode"), &code);
    assert_eq!(
        (sent.var("oauthv2authcode.s0.code"), sent.var("oauthv2authcode.s0.scope")),
        (code, "read".into())
    );
}

#[test]
fn a_client_is_shown_with_its_secret() {
    let sent = info(&stage(), &asked("ClientId"), "k-1");
    for (name, value) in [
        ("client_id", "k-1"),
        ("client_secret", "s-1"),
        ("redirection_uris", "https://shop.example/cb"),
        ("developer.email", "ann@example.com"),
        ("developer.app.name", "shop"),
    ] {
        assert_eq!(sent.var(&format!("oauthv2client.s0.{name}")), value, "{name}");
    }
    faulted(&info(&stage(), &asked("ClientId"), "k-2"), "invalid_client-invalid_client_id");
}

#[test]
fn faults_of_tokens_that_are_not_there_or_over() {
    let stage = stage();
    faulted(&info(&stage, &asked("AccessToken"), "no"), "invalid_access_token");
    faulted(&info(&stage, &asked("RefreshToken"), "no"), "invalid_refresh_token");
    faulted(&info(&stage, &asked("AuthorizationCode"), "no"), "invalid_request-authorization_code_invalid");
    let sent = info(&stage, "<AccessToken ref=\"none\"/>", "");
    faulted(&sent, "invalid_access_token");
    assert_eq!(sent.var("oauthV2.s0.failed"), "true");
    let both = stage.post(GENERATE, PASSWORD);
    let (access, refresh) = (member(&both, "access_token"), member(&both, "refresh_token"));
    let code = stage.proxy(&[CODE]).get("/p?response_type=code&client_id=k-1").var("oauthv2authcode.s0.code");
    stage.clock.advance(Duration::from_secs(3600));
    faulted(&info(&stage, &asked("AccessToken"), &access), "expired_access_token");
    faulted(&info(&stage, &asked("RefreshToken"), &refresh), "refresh_token_expired");
    faulted(&info(&stage, &asked("AuthorizationCode"), &code), "authorization_code_expired");
    let ignoring = format!("{}<IgnoreAccessTokenStatus>true</IgnoreAccessTokenStatus>", asked("AccessToken"));
    assert!(!info(&stage, &ignoring, &access).is_answered());
}

#[test]
fn a_revoked_token_is_shown_only_when_its_status_is_ignored() {
    let stage = stage();
    let access = member(&stage.post(GENERATE, PASSWORD), "access_token");
    let revoke = "<OAuthV2><Operation>InvalidateToken</Operation><Tokens><Token type=\"accesstoken\">request.queryparam.t</Token></Tokens></OAuthV2>";
    stage.proxy(&[revoke]).get(&format!("/p?t={access}"));
    faulted(&info(&stage, &asked("AccessToken"), &access), "access_token_not_approved");
    let ignoring = format!("{}<IgnoreAccessTokenStatus>true</IgnoreAccessTokenStatus>", asked("AccessToken"));
    assert_eq!(info(&stage, &ignoring, &access).var("oauthv2accesstoken.s0.status"), "revoked");
}

#[test]
fn mistakes_are_found_at_deploy() {
    assert_eq!(problem_of("<GetOAuthV2Info/>"), "MissingConfigurationElement");
    assert_eq!(problem_of("<GetOAuthV2Info><ClientId ref=\"a\"/><X/></GetOAuthV2Info>"), "UnknownElement");
}
