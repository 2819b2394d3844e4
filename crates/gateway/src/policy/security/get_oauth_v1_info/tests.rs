use crate::policy::security::oauth::testing::stage;
use crate::policy::security::oauth_v1::tests::*;

#[test]
fn info_is_shown() {
    let stage = stage();
    let (token, secret) = access_token(&stage);
    let (request, _) = request_token(&stage);
    let info = "<GetOAuthV1Info><AccessToken ref='request.queryparam.a'/><RequestToken ref='request.queryparam.r'/><ConsumerKey>k-1</ConsumerKey></GetOAuthV1Info>";
    let show = |a: &str, r: &str| stage.proxy(&[info]).get(&format!("/p?a={a}&r={r}"));
    let sent = show(&token, &request);
    for (name, value) in [
        ("oauthv1accesstoken.s0.access_token", token.as_str()),
        ("oauthv1accesstoken.s0.oauth_token_secret", &secret),
        ("oauthv1accesstoken.s0.app_enduser", "ann"),
        ("oauthv1requesttoken.s0.request_token", &request),
        ("oauthv1requesttoken.s0.oauth_callback", "https://shop.example/cb"),
        ("oauthv1client.s0.developer.app.name", "shop"),
    ] {
        assert_eq!(sent.var(name), value, "{name}");
    }
    assert_eq!(show("none", &request).code(), "steps.oauth.v1.TokenRejected");
    let client = "<GetOAuthV1Info><AppKey ref='no.such'>none</AppKey></GetOAuthV1Info>";
    assert_eq!(stage.proxy(&[client]).get("/p").code(), "steps.oauth.v1.ConsumerKeyUnknown");
}
