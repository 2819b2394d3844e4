use crate::policy::security::oauth::testing::*;
use crate::testing::*;

const GENERATE: &str = "<OAuthV2><SupportedGrantTypes><GrantType>client_credentials</GrantType></SupportedGrantTypes><GenerateResponse/></OAuthV2>";

#[test]
fn a_deleted_token_or_code_is_unknown() {
    let stage = stage();
    let token = member(&stage.post(GENERATE, "grant_type=client_credentials"), "access_token");
    let code = "<OAuthV2><Operation>GenerateAuthorizationCode</Operation></OAuthV2>";
    let code = stage.proxy(&[code]).get("/p?response_type=code&client_id=k-1").var("oauthv2authcode.s0.code");
    for (element, text, name) in [
        ("AccessToken", &token, "invalid_access_token"),
        ("AuthorizationCode", &code, "invalid_request-authorization_code_invalid"),
    ] {
        let xml = format!("<DeleteOAuthV2Info><{element} ref=\"request.queryparam.t\"/></DeleteOAuthV2Info>");
        let delete = |text: &str| stage.proxy(&[&xml]).get(&format!("/p?t={text}"));
        assert!(!delete(text).is_answered());
        let again = delete(text);
        assert_eq!((again.status(), again.code()), (500, format!("steps.oauth.v2.{name}")));
        assert_eq!(again.var("deleteoauthv2info.s0.failed"), "true");
    }
    let sent = stage.call("<OAuthV2><Operation>VerifyAccessToken</Operation></OAuthV2>", &token);
    assert_eq!(sent.code(), "keymanagement.service.invalid_access_token");
}

#[test]
fn mistakes_are_found_at_deploy() {
    assert_eq!(problem_of("<DeleteOAuthV2Info/>"), "MissingConfigurationElement");
    assert_eq!(
        problem_of("<DeleteOAuthV2Info><AccessToken ref=\"a\"/><X/></DeleteOAuthV2Info>"),
        "UnknownElement"
    );
}
