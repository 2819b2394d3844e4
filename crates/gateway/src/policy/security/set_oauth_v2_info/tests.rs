use crate::policy::security::oauth::testing::*;
use crate::testing::*;

const GENERATE: &str = "<OAuthV2><SupportedGrantTypes><GrantType>client_credentials</GrantType></SupportedGrantTypes><GenerateResponse/>\
    <Attributes><Attribute name=\"team\">blue</Attribute></Attributes></OAuthV2>";
const SET: &str = "<SetOAuthV2Info><AccessToken ref=\"request.queryparam.t\"/><Attributes>\
    <Attribute name=\"team\" ref=\"request.queryparam.team\">green</Attribute><Attribute name=\"room\" display=\"false\">7</Attribute>\
    <Attribute name=\"scope\">everything</Attribute></Attributes></SetOAuthV2Info>";

#[test]
fn attributes_are_added_and_changed_and_what_a_token_is_stays() {
    let stage = stage();
    let token = member(&stage.post(GENERATE, "grant_type=client_credentials"), "access_token");

    let sent = stage.proxy(&[SET]).get(&format!("/p?t={token}&team=red"));

    assert!(!sent.is_answered(), "{}", sent.body());
    assert_eq!(sent.var("oauthv2accesstoken.s0.team"), "red");
    let sent = stage.call("<OAuthV2><Operation>VerifyAccessToken</Operation></OAuthV2>", &token);
    for (name, value) in [
        ("accesstoken.team", "red"),
        ("accesstoken.room", "7"),
        ("scope", "read write"),
        ("accesstoken.scope", "null"),
    ] {
        assert_eq!(sent.var(name), value, "{name}");
    }
}

#[test]
fn fault_invalid_access_token() {
    for path in ["/p?t=no", "/p"] {
        let sent = stage().proxy(&[SET]).get(path);
        assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.oauth.v2.invalid_access_token"));
        assert_eq!(sent.var("setoauthv2info.s0.failed"), "true");
    }
}

#[test]
fn mistakes_are_found_at_deploy() {
    assert_eq!(problem_of("<SetOAuthV2Info/>"), "MissingConfigurationElement");
    let unnamed = SET.replace("name=\"room\" ", "");
    assert_eq!(problem_of(&unnamed), "InvalidAttributeName");
}
