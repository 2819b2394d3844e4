//! Tokens on their way through: verified, revoked, external, for a time.

use super::*;

#[test]
fn faults_of_tokens_that_give_no_access() {
    let stage = stage();
    let token = member(&stage.post(&generate(""), CLIENT), "access_token");
    let sent = stage.call(VERIFY, "no-such");
    faulted(&sent, 401, "keymanagement.service.invalid_access_token");
    assert!(sent.body().contains("\"Invalid Access Token\""), "{}", sent.body());
    for header in [None, Some("Basic YTpi"), Some("Bearer"), Some("Bearer "), Some("Bearerx y")] {
        let headers: Vec<(&str, &str)> = header.map(|value| ("authorization", value)).into_iter().collect();
        let sent = stage.proxy(&[VERIFY]).send(request(http::Method::GET, "/p", &headers, ""));
        faulted(&sent, 401, "oauth.v2.InvalidAccessToken");
    }
    let mut other = Stage { tokens: stage.tokens.clone(), clock: stage.clock.clone(), ..super::stage() };
    other.key.products.iter_mut().for_each(|(_, standing)| *standing = Standing::Pending);
    let code = "keymanagement.service.InvalidAPICallAsNoApiProductMatchFound";
    faulted(&other.call(VERIFY, &token), 401, code);
    let elsewhere = |change: fn(&mut crate::snapshot::ApiProduct)| {
        let mut other = Stage { tokens: stage.tokens.clone(), clock: stage.clock.clone(), ..super::stage() };
        for (product, _) in &mut other.key.products {
            change(std::sync::Arc::make_mut(product));
        }
        other.call(VERIFY, &token)
    };
    let path = elsewhere(|product| product.resources = vec![crate::snapshot::ResourcePattern::new("/x/**")]);
    faulted(&path, 401, "keymanagement.service.apiresource_doesnot_exist");
    faulted(&elsewhere(|product| product.proxies = vec!["Q".into()]), 401, code);
    let of_another_verb = elsewhere(|product| {
        product.operations = vec![crate::snapshot::ProductOperation {
            proxy: "P".into(),
            resource: crate::snapshot::ResourcePattern::new("/"),
            methods: vec!["DELETE".into()],
        }];
    });
    faulted(&of_another_verb, 401, code);
    faulted(&elsewhere(|product| product.environments = vec!["prod".into()]), 401, code);
    other.key.standing = Standing::Revoked;
    faulted(&other.call(VERIFY, &token), 401, "keymanagement.service.invalid_access_token");
    stage.clock.advance(Duration::from_secs(1800));
    faulted(&stage.call(VERIFY, &token), 401, "keymanagement.service.access_token_expired");
}

#[test]
fn the_token_may_be_elsewhere() {
    let stage = stage();
    let token = member(&stage.post(&generate(""), CLIENT), "access_token");
    let xml = VERIFY.replace("</OAuthV2>", "<AccessToken>request.queryparam.t</AccessToken></OAuthV2>");
    assert!(!stage.proxy(&[&xml]).get(&format!("/p?t={token}")).is_answered());
    assert!(!stage.proxy(&[&xml]).get(&format!("/p?t=Bearer%20{token}")).is_answered());
    faulted(&stage.proxy(&[&xml]).get("/p"), 401, "oauth.v2.InvalidAccessToken");
    let sap = Stage { dialect: crate::dialect::Dialect::Sap, ..super::stage() };
    faulted(&sap.proxy(&[&xml]).get("/p"), 401, "steps.oauth.v2.FailedToResolveAccessToken");
    let xml = VERIFY.replace("</OAuthV2>", "<AccessTokenPrefix>KEY</AccessTokenPrefix></OAuthV2>");
    let key = format!("KEY {token}");
    let with = |value: &str| {
        stage.proxy(&[&xml]).send(request(http::Method::GET, "/p", &[("authorization", value)], ""))
    };
    assert!(!with(&key).is_answered());
    faulted(&with(&format!("Bearer {token}")), 401, "oauth.v2.InvalidAccessToken");
}

#[test]
fn tokens_are_revoked_and_approved_by_name() {
    let stage = stage();
    let both = stage.post(&generate(""), "grant_type=password&username=u&password=p");
    let (access, token) = (member(&both, "access_token"), member(&both, "refresh_token"));
    let set = |operation: &str, kind: &str, cascade: bool, text: &str| {
        let xml = format!(
            "<OAuthV2><Operation>{operation}</Operation><Tokens><Token type=\"{kind}\" cascade=\"{cascade}\">request.queryparam.t</Token></Tokens></OAuthV2>"
        );
        stage.proxy(&[&xml]).get(&format!("/p?t={text}"))
    };
    assert!(!set("InvalidateToken", "accesstoken", false, &access).is_answered());
    faulted(&stage.call(VERIFY, &access), 401, "keymanagement.service.access_token_not_approved");
    assert!(!set("ValidateToken", "accesstoken", false, &access).is_answered());
    assert!(!stage.call(VERIFY, &access).is_answered());
    assert!(!set("InvalidateToken", "refreshtoken", true, &token).is_answered());
    assert!(stage.call(VERIFY, &access).is_answered(), "its grant was revoked");
    faulted(
        &set("InvalidateToken", "accesstoken", false, "no"),
        401,
        "keymanagement.service.invalid_access_token",
    );
    faulted(
        &set("InvalidateToken", "refreshtoken", false, "no"),
        401,
        "keymanagement.service.invalid_refresh_token",
    );
    faulted(
        &set("InvalidateToken", "refreshtoken", false, ""),
        401,
        "steps.oauth.v2.FailedToResolveAccessToken",
    );
}

#[test]
fn tokens_of_somebody_else_are_taken_from_variables() {
    let stage = stage();
    let given = set(&[("my.access", "ext-a"), ("my.refresh", "ext-r")]);
    let xml = generate(
        "<ExternalAccessToken>my.access</ExternalAccessToken><ExternalRefreshToken>my.refresh</ExternalRefreshToken>",
    );
    let sent = stage.proxy(&[&given, &xml]).send(request(
        http::Method::POST,
        "/p",
        &[("content-type", "application/x-www-form-urlencoded"), ("authorization", "Basic ay0xOnMtMQ==")],
        "grant_type=password&username=u&password=p",
    ));
    assert_eq!(
        (member(&sent, "access_token"), member(&sent, "refresh_token")),
        ("ext-a".into(), "ext-r".into())
    );
    assert!(!stage.call(VERIFY, "ext-a").is_answered());
    let code = set(&[("my.code", "ext-c")]);
    let xml = CODE
        .replace("</OAuthV2>", "<ExternalAuthorizationCode>my.code</ExternalAuthorizationCode></OAuthV2>");
    let sent = stage.proxy(&[&code, &xml]).get("/p?response_type=code&client_id=k-1");
    assert!(sent.response_header("location").contains("code=ext-c"));
}

#[test]
fn an_external_authorization_stands_for_the_secret() {
    let stage = stage();
    let xml = generate("<ExternalAuthorization>true</ExternalAuthorization>");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let ask = |status: &str| {
        let said = set(&[("oauth_external_authorization_status", status)]);
        stage.proxy(&[&said, &xml]).send(request(
            http::Method::POST,
            "/p",
            &form,
            "grant_type=client_credentials&client_id=k-1",
        ))
    };
    assert_eq!(ask("true").status(), 200);
    refused(&ask("false"), 401, "invalid_client", "The external authorization failed");
}

#[test]
fn a_token_that_is_not_stored_gives_no_access() {
    let stage = stage();
    let token = member(&stage.post(&generate("<StoreToken>false</StoreToken>"), CLIENT), "access_token");
    faulted(&stage.call(VERIFY, &token), 401, "keymanagement.service.invalid_access_token");
}

#[test]
fn lifetimes_may_come_from_variables_and_be_endless() {
    let stage = stage();
    let xml = generate(
        "<ExpiresIn ref=\"request.formparam.life\">60000</ExpiresIn><CacheExpiryInSeconds ref=\"x\">5</CacheExpiryInSeconds>",
    );
    assert_eq!(member(&stage.post(&xml, &format!("{CLIENT}&life=10000")), "expires_in"), "9");
    assert_eq!(member(&stage.post(&xml, CLIENT), "expires_in"), "59");
    let endless = stage.post(&xml, &format!("{CLIENT}&life=-1"));
    assert_eq!(member(&endless, "expires_in"), "0");
    stage.clock.advance(Duration::from_secs(1_000_000));
    assert!(!stage.call(VERIFY, &member(&endless, "access_token")).is_answered());
}
