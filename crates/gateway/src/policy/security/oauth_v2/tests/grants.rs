//! Codes, implicit grants and refreshing.

use super::*;

#[test]
fn an_authorization_code_is_exchanged_once() {
    let stage = stage();
    let sent = stage.proxy(&[CODE]).get("/p?response_type=code&client_id=k-1&scope=read&state=a%26b");
    assert_eq!(sent.status(), 302);
    let location = sent.response_header("location");
    assert!(location.starts_with("https://shop.example/cb?code="), "{location}");
    assert!(location.ends_with("&scope=read&state=a%26b"), "{location}");
    let code = sent.var("oauthv2authcode.s0.code");
    assert!(location.contains(&code));
    for (name, value) in
        [("redirect_uri", "https://shop.example/cb"), ("scope", "read"), ("client_id", "k-1")]
    {
        assert_eq!(sent.var(&format!("oauthv2authcode.s0.{name}")), value);
    }
    let form = format!("grant_type=authorization_code&code={code}");
    let tokens = stage.post(&generate(""), &form);
    assert_eq!(member(&tokens, "scope"), "read");
    let access = member(&tokens, "access_token");
    assert!(!stage.call(VERIFY, &access).is_answered());

    refused(&stage.post(&generate(""), &form), 400, "invalid_request", "Invalid Authorization Code");

    let code = "keymanagement.service.access_token_not_approved";
    faulted(&stage.call(VERIFY, &access), 401, code);
}

#[test]
fn a_code_needs_its_redirect_uri_and_its_client_and_its_time() {
    let stage = stage();
    let uri = "&redirect_uri=https://shop.example/cb";
    let exchange = |code: &str, rest: &str| {
        stage.post(&generate(""), &format!("grant_type=authorization_code&code={code}{rest}"))
    };
    let invalid = "Invalid Authorization Code";
    refused(&exchange(&code(&stage, uri), ""), 400, "invalid_request", "Required param : redirect_uri");
    refused(
        &exchange(&code(&stage, uri), "&redirect_uri=https://x"),
        400,
        "invalid_request",
        "Invalid redirection uri https://x",
    );
    assert_eq!(exchange(&code(&stage, uri), uri).status(), 200);
    refused(&exchange("no", ""), 400, "invalid_request", invalid);
    refused(
        &stage.post(&generate(""), "grant_type=authorization_code"),
        400,
        "invalid_request",
        "Required param : code",
    );
    let late = code(&stage, "");
    stage.clock.advance(Duration::from_secs(600));
    refused(&exchange(&late, ""), 400, "invalid_request", invalid);
}

#[test]
fn a_bad_authorization_request_is_never_redirected() {
    let stage = stage();
    let ask = |query: &str| stage.proxy(&[CODE]).get(&format!("/p?{query}"));
    refused(
        &ask("response_type=code"),
        400,
        "invalid_request",
        "The request is missing a required parameter : client_id",
    );
    refused(
        &ask("response_type=code&client_id=X"),
        401,
        "invalid_request",
        "Invalid client id : X. ClientId is Invalid",
    );
    refused(&ask("client_id=k-1&response_type=token"), 400, "invalid_request", "Response type must be code");
    refused(&ask("client_id=k-1"), 400, "invalid_request", "Required param : response_type");
    for uri in ["https://evil.example/cb", "https://shop.example/cb/more"] {
        let text = format!("Invalid redirection uri {uri}");
        refused(
            &ask(&format!("client_id=k-1&response_type=code&redirect_uri={uri}")),
            400,
            "invalid_request",
            &text,
        );
    }
}

#[test]
fn an_implicit_grant_sends_the_token_behind_the_hash() {
    let stage = stage();
    let xml = "<OAuthV2><Operation>GenerateAccessTokenImplicitGrant</Operation><GenerateResponse/><ExpiresIn>60000</ExpiresIn></OAuthV2>";
    let sent = stage.proxy(&[xml]).get("/p?response_type=token&client_id=k-1&state=z");
    assert_eq!(sent.status(), 302);
    let location = sent.response_header("location");
    let token = sent.var("oauthv2accesstoken.s0.access_token");
    let start = format!("https://shop.example/cb#expires_in=59&access_token={token}");
    assert!(location.starts_with(&start) && location.ends_with("&state=z"), "{location}");
    assert_eq!(stage.call(VERIFY, &token).var("grant_type"), "implicit");
}

#[test]
fn a_policy_that_supports_implicit_grants_answers_a_browser_that_asks_with_a_response_type() {
    let stage = stage();
    let xml = "<OAuthV2><SupportedGrantTypes><GrantType>client_credentials</GrantType><GrantType>implicit</GrantType></SupportedGrantTypes><GenerateResponse/></OAuthV2>";
    let sent = stage.proxy(&[xml]).get("/p?response_type=token&client_id=k-1");
    assert_eq!(sent.status(), 302, "{}", sent.body());
    assert!(sent.response_header("location").starts_with("https://shop.example/cb#expires_in="));

    let without = xml.replace("<GrantType>implicit</GrantType>", "");
    let sent = stage.proxy(&[&without]).get("/p?response_type=token&client_id=k-1");
    refused(&sent, 400, "invalid_request", "Required param : grant_type");
}

#[test]
fn an_answer_that_is_made_in_a_response_flow_goes_through_the_steps_that_follow() {
    let stage = stage();
    let tokens = "<OAuthV2 name='t'><Operation>GenerateAccessToken</Operation><SupportedGrantTypes><GrantType>client_credentials</GrantType></SupportedGrantTypes><GrantType>always</GrantType><GenerateResponse/></OAuthV2>";
    let mut design = crate::testing::design()
        .step("<AssignMessage><AssignVariable><Name>always</Name><Value>client_credentials</Value></AssignVariable></AssignMessage>")
        .policy("t", tokens)
        .policy("own", "<AssignMessage><Set><Payload>{oauthv2accesstoken.t.client_id}</Payload></Set></AssignMessage>");
    design.proxy().flows.post.response = vec![crate::testing::step("t"), crate::testing::step("own")];
    let basic = ("authorization", "Basic ay0xOnMtMQ==");
    let sent = stage.bench(&design).send(request(http::Method::GET, "/p", &[basic], ""));
    let sent = sent.receive(crate::testing::response(200, &[], "the target's"));
    assert_eq!((sent.status(), sent.body().as_str()), (200, "k-1"));
}

#[test]
fn refreshing_rotates_and_a_used_refresh_token_ends_the_grant() {
    let stage = stage();
    let first = stage.post(
        &generate("<Attributes><Attribute name=\"team\">blue</Attribute></Attributes>"),
        "grant_type=password&username=u&password=p",
    );
    let (access, token) = (member(&first, "access_token"), member(&first, "refresh_token"));
    let form = |token: &str| format!("grant_type=refresh_token&refresh_token={token}");

    let second = stage.post(&refresh(""), &form(&token));

    assert_eq!(second.status(), 200, "{}", second.body());
    assert_eq!((member(&second, "refresh_count"), member(&second, "team")), ("1".into(), "blue".into()));
    assert_ne!(member(&second, "refresh_token"), token);
    faulted(&stage.call(VERIFY, &access), 401, "keymanagement.service.access_token_not_approved");
    let newest = member(&second, "access_token");
    assert!(!stage.call(VERIFY, &newest).is_answered());
    refused(&stage.post(&refresh(""), &form(&token)), 400, "invalid_request", "Invalid Refresh Token");
    assert!(stage.call(VERIFY, &newest).is_answered(), "the grant has ended");
    refused(
        &stage.post(&refresh(""), &form(&member(&second, "refresh_token"))),
        400,
        "invalid_request",
        "Invalid Refresh Token",
    );
}

#[test]
fn a_refresh_token_may_be_reused_and_may_expire() {
    let stage = stage();
    let made = generate("<RefreshTokenExpiresIn>60000</RefreshTokenExpiresIn>");
    let token = member(&stage.post(&made, "grant_type=password&username=u&password=p"), "refresh_token");
    let form = format!("grant_type=refresh_token&refresh_token={token}");
    let reuse = refresh("<ReuseRefreshToken>true</ReuseRefreshToken>");
    for count in ["1", "2"] {
        let sent = stage.post(&reuse, &form);
        assert_eq!(
            (member(&sent, "refresh_token"), member(&sent, "refresh_count")),
            (token.clone(), count.to_owned())
        );
    }
    stage.clock.advance(Duration::from_secs(60));
    refused(&stage.post(&reuse, &form), 400, "invalid_request", "Refresh Token expired");
    refused(
        &stage.post(&reuse, "grant_type=refresh_token&refresh_token=no"),
        400,
        "invalid_request",
        "Invalid Refresh Token",
    );
    refused(
        &stage.post(&reuse, "grant_type=refresh_token"),
        400,
        "invalid_request",
        "Required param : refresh_token",
    );
    refused(
        &stage.post(&reuse, "grant_type=password"),
        500,
        "unsupported_grant_type",
        "Unsupported grant type : password",
    );
    let rfc = refresh(RFC);
    let sent = stage.post(&rfc, "grant_type=refresh_token&refresh_token=no");
    assert_eq!(json(&sent), value!({"error": "invalid_grant", "error_description": "Invalid Refresh Token"}));
}

#[test]
fn a_refresh_never_widens_the_scope() {
    let stage = stage();
    let first = stage.post(&generate(""), "grant_type=password&username=u&password=p&scope=read");
    let form = format!("grant_type=refresh_token&refresh_token={}", member(&first, "refresh_token"));
    refused(
        &stage.post(&refresh(""), &format!("{form}&scope=write")),
        400,
        "invalid_scope",
        "None of the scopes may be given",
    );
    assert_eq!(member(&stage.post(&refresh(""), &format!("{form}&scope=read")), "scope"), "read");
}
