use crate::policy::security::oauth::testing::stage;
use crate::policy::security::oauth_v1::tests::*;

#[test]
fn a_token_is_forgotten() {
    let stage = stage();
    let (token, _) = access_token(&stage);
    let delete = "<DeleteOAuthV1Info><AccessToken ref='request.queryparam.a'/></DeleteOAuthV1Info>";
    let forget = || stage.proxy(&[delete]).get(&format!("/p?a={token}"));
    assert!(!forget().is_answered());
    assert_eq!((forget().status(), forget().code()), (500, "steps.oauth.v1.TokenRejected".into()));
}

#[test]
fn a_consent_can_be_taken_back() {
    let stage = stage();
    let (token, secret) = request_token(&stage);
    stage.proxy(&[VERIFIER]).get(&format!("/p?token={token}&verifier=v-1&user=ann"));
    let delete = "<DeleteOAuthV1Info><RequestToken ref='request.queryparam.t'/><Verifier>v-1</Verifier></DeleteOAuthV1Info>";
    assert!(!stage.proxy(&[delete]).get(&format!("/p?t={token}")).is_answered());
    let exchange = call(&stage, "/p", &[("oauth_token", &token), ("oauth_verifier", "v-1")]);
    assert_eq!(code(&exchange.token_secret(&secret).send(ACCESS)), (401, "VerifierInvalid".into()));
}
