use std::time::Duration;

use crate::policy::security::oauth::testing::*;
use crate::testing::*;

const GENERATE: &str = "<OAuthV2><SupportedGrantTypes><GrantType>password</GrantType></SupportedGrantTypes><GenerateResponse/>\
    <AppEndUser>request.formparam.username</AppEndUser></OAuthV2>";
const VERIFY: &str = "<OAuthV2><Operation>VerifyAccessToken</Operation></OAuthV2>";
const REFRESH: &str = "<OAuthV2><Operation>RefreshAccessToken</Operation><GenerateResponse/></OAuthV2>";

fn tokens(stage: &Stage, user: &str) -> (String, String) {
    let sent = stage.post(GENERATE, &format!("grant_type=password&username={user}&password=p"));
    (member(&sent, "access_token"), member(&sent, "refresh_token"))
}

fn revoke(stage: &Stage, inside: &str) -> Sent {
    let xml = format!("<RevokeOAuthV2>{inside}</RevokeOAuthV2>");
    stage.proxy(&[&xml]).get("/p?app=a-1&user=ann")
}

fn works(stage: &Stage, token: &str) -> bool {
    !stage.call(VERIFY, token).is_answered()
}

fn refreshes(stage: &Stage, token: &str) -> bool {
    stage.post(REFRESH, &format!("grant_type=refresh_token&refresh_token={token}")).status() == 200
}

#[test]
fn tokens_of_an_end_user_or_of_an_app_are_revoked() {
    let stage = stage();
    let (ann, bob) = (tokens(&stage, "ann"), tokens(&stage, "bob"));
    assert!(
        !revoke(&stage, "<EndUserId ref=\"request.queryparam.user\"/><AppId>other</AppId>").is_answered()
    );
    assert!(works(&stage, &ann.0), "both must fit");
    revoke(&stage, "<EndUserId ref=\"request.queryparam.user\"/>");
    assert_eq!((works(&stage, &ann.0), works(&stage, &bob.0)), (false, true));
    assert!(refreshes(&stage, &ann.1), "without Cascade refresh tokens go on working");
    revoke(&stage, "<AppId ref=\"request.queryparam.app\"/><Cascade>true</Cascade>");
    assert!(!works(&stage, &bob.0) && !refreshes(&stage, &bob.1));
}

#[test]
fn only_tokens_from_before_a_moment_are_revoked() {
    let stage = stage();
    let old = tokens(&stage, "ann").0;
    stage.clock.advance(Duration::from_secs(10));
    let new = tokens(&stage, "ann").0;
    let before =
        format!("<AppId>a-1</AppId><RevokeBeforeTimestamp>{}</RevokeBeforeTimestamp>", NOW.as_i64() + 1);
    revoke(&stage, &before);
    assert_eq!((works(&stage, &old), works(&stage, &new)), (false, true));
}

#[test]
fn faults_of_variables_that_would_widen_what_is_revoked() {
    let stage = stage();
    let token = tokens(&stage, "ann").0;
    let sent = revoke(&stage, "<EndUserId ref=\"none\"/><AppId>a-1</AppId>");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.oauth.v2.UnresolvedVariable"));
    assert_eq!(sent.var("oauthV2.s0.failed"), "true");
    let sent = revoke(&stage, "<AppId>a-1</AppId><RevokeBeforeTimestamp>soon</RevokeBeforeTimestamp>");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.oauth.v2.InvalidTimestamp"));
    assert!(works(&stage, &token));
}

#[test]
fn mistakes_are_found_at_deploy() {
    assert_eq!(problem_of("<RevokeOAuthV2/>"), "MissingConfigurationElement");
    assert_eq!(problem_of("<RevokeOAuthV2><AppId>a</AppId><X/></RevokeOAuthV2>"), "UnknownElement");
}
