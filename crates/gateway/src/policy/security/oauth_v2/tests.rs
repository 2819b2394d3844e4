mod access;
mod grants;

use std::time::Duration;

use serde_json::json as value;

use crate::dialect::Dialect;
use crate::policy::security::jose::testing::{P256, P256_PUBLIC, SECRET, set};
use crate::policy::security::oauth::testing::*;
use crate::snapshot::Standing;
use crate::testing::*;

const ALL: &str = "<SupportedGrantTypes><GrantType>client_credentials</GrantType><GrantType>password</GrantType>\
                   <GrantType>authorization_code</GrantType></SupportedGrantTypes>";

fn generate(rest: &str) -> String {
    format!("<OAuthV2><Operation>GenerateAccessToken</Operation>{ALL}<GenerateResponse/>{rest}</OAuthV2>")
}

fn refresh(rest: &str) -> String {
    format!("<OAuthV2><Operation>RefreshAccessToken</Operation><GenerateResponse/>{rest}</OAuthV2>")
}

const VERIFY: &str = "<OAuthV2><Operation>VerifyAccessToken</Operation></OAuthV2>";
const CODE: &str = "<OAuthV2><Operation>GenerateAuthorizationCode</Operation><GenerateResponse/></OAuthV2>";
const RFC: &str = "<RFCCompliantRequestResponse>true</RFCCompliantRequestResponse>";
const CLIENT: &str = "grant_type=client_credentials";

#[track_caller]
fn refused(sent: &Sent, status: u16, code: &str, text: &str) {
    assert_eq!(sent.status(), status, "{}", sent.body());
    assert_eq!(json(sent), value!({"ErrorCode": code, "Error": text}));
}

#[track_caller]
fn faulted(sent: &Sent, status: u16, code: &str) {
    assert_eq!((sent.status(), sent.code().as_str()), (status, code), "{}", sent.body());
}

/// A code got with the parameters of `query`.
fn code(stage: &Stage, query: &str) -> String {
    let sent = stage.proxy(&[CODE]).get(&format!("/p?response_type=code&client_id=k-1{query}"));
    assert_eq!(sent.status(), 302, "{}", sent.body());
    let location = sent.response_header("location");
    location.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned()
}

#[test]
fn client_credentials_get_the_originals_body() {
    let stage = stage();
    let sent = stage.post(&generate(""), CLIENT);
    assert_eq!(sent.status(), 200, "{}", sent.body());
    let mut body = json(&sent);
    let token = body["access_token"].take();
    assert_eq!(token.as_str().unwrap().len(), 28);
    assert_eq!(
        body,
        value!({
            "issued_at": "1496775291007", "application_name": "a-1", "scope": "read write", "status": "approved",
            "api_product_list": "[gold, silver]", "api_product_list_json": ["gold", "silver"], "expires_in": "1799",
            "developer.email": "ann@example.com", "token_type": "BearerToken", "client_id": "k-1",
            "access_token": null, "organization_name": "acme", "organization_id": "0",
            "refresh_token_expires_in": "0", "refresh_count": "0"
        })
    );
    assert_eq!(sent.response_header("cache-control"), "no-store");
    assert_ne!(member(&stage.post(&generate(""), CLIENT), "access_token"), token.as_str().unwrap());
}

#[test]
fn the_rfc_switch_gives_the_rfcs_body() {
    let sent = stage().post(
        &generate(&format!("{RFC}<ExpiresIn>60000</ExpiresIn>")),
        "grant_type=client_credentials&scope=read",
    );
    let mut body = json(&sent);
    assert!(body["access_token"].take().is_string());
    assert_eq!(
        body,
        value!({"access_token": null, "token_type": "Bearer", "expires_in": 59, "scope": "read"})
    );
}

#[test]
fn a_password_grant_has_a_refresh_token() {
    let stage = stage();
    let sent = stage.post(
        &generate("<RefreshTokenExpiresIn>120000</RefreshTokenExpiresIn><AppEndUser>request.formparam.username</AppEndUser>"),
        "grant_type=password&username=u&password=p",
    );
    let body = json(&sent);
    assert_eq!(body["refresh_token"].as_str().unwrap().len(), 32);
    assert_eq!(body["refresh_token_expires_in"], "119");
    assert_eq!(body["refresh_token_issued_at"], "1496775291007");
    assert_eq!(body["refresh_token_status"], "approved");
    let verified = stage.call(VERIFY, &member(&sent, "access_token"));
    assert_eq!((verified.var("grant_type"), verified.var("app_enduser")), ("password".into(), "u".into()));
    refused(
        &stage.post(&generate(""), "grant_type=password&password=p"),
        400,
        "invalid_request",
        "Required param : username",
    );
    refused(
        &stage.post(&generate(""), "grant_type=password&username=p"),
        400,
        "invalid_request",
        "Required param : password",
    );
}

#[test]
fn a_good_token_passes_and_sets_every_variable() {
    let stage = stage();
    let attributes = "<Attributes><Attribute name=\"team\" ref=\"request.formparam.team\">none</Attribute>\
                      <Attribute name=\"hidden\" display=\"false\">h</Attribute></Attributes>";
    let sent = stage.post(&generate(attributes), "grant_type=client_credentials&team=blue");
    assert_eq!(json(&sent)["team"], "blue");
    assert_eq!(json(&sent)["hidden"], value!(null));
    let token = member(&sent, "access_token");
    let sent = stage.call(VERIFY, &token);
    assert!(!sent.is_answered(), "{}", sent.body());
    for (name, value) in [
        ("access_token", &*token),
        ("client_id", "k-1"),
        ("grant_type", "client_credentials"),
        ("scope", "read write"),
        ("status", "approved"),
        ("issued_at", "1496775291007"),
        ("expires_in", "1799"),
        ("token_type", "BearerToken"),
        ("organization_name", "acme"),
        ("developer.id", "d-1"),
        ("developer.email", "ann@example.com"),
        ("developer.app.name", "shop"),
        ("developer.app.id", "a-1"),
        ("apiproduct.name", "gold"),
        ("apiproduct.tier", "top"),
        ("app.name", "shop"),
        ("accesstoken.team", "blue"),
        ("accesstoken.hidden", "h"),
    ] {
        assert_eq!(sent.var(name), value, "{name}");
        assert_eq!(sent.var(&format!("oauthv2accesstoken.s0.{name}")), value, "{name}");
    }
    assert_eq!(sent.var("oauthv2accesstoken.s0.team"), "blue");
    assert_eq!(sent.var("client_secret"), "null");
}

#[test]
fn without_an_answer_the_tokens_are_variables() {
    let xml = generate("").replace("<GenerateResponse/>", "<GenerateResponse enabled=\"false\"/>");
    let sent = stage().post(&xml, "grant_type=password&username=u&password=p");
    assert!(!sent.is_answered(), "{}", sent.body());
    assert_eq!(sent.var("oauthv2accesstoken.s0.access_token").len(), 28);
    assert_eq!(sent.var("oauthv2accesstoken.s0.refresh_token").len(), 32);
    for (name, value) in [
        ("token_type", "BearerToken"),
        ("expires_in", "1799"),
        ("scope", "read write"),
        ("status", "approved"),
        ("client_id", "k-1"),
        ("developer.id", "d-1"),
        ("developer.email", "ann@example.com"),
        ("developer.app.name", "shop"),
        ("developer.app.id", "a-1"),
        ("apiproduct.name", "gold"),
        ("refresh_count", "0"),
        ("refresh_token_expires_in", "0"),
        ("refresh_token_issued_at", "1496775291007"),
        ("refresh_token_status", "approved"),
        ("issued_at", "1496775291007"),
        ("organization_name", "acme"),
        ("api_product_list", "[gold, silver]"),
    ] {
        assert_eq!(sent.var(&format!("oauthv2accesstoken.s0.{name}")), value, "{name}");
    }
}

#[test]
fn clients_may_send_their_credentials_in_the_form() {
    let stage = stage();
    let form = "grant_type=client_credentials&client_id=k-1&client_secret=s-1";
    assert_eq!(stage.post_as("", &generate(""), form).status(), 200);
    let bad = "Client credentials are invalid";
    refused(&stage.post_as("", &generate(""), &form.replace("s-1", "s-2")), 401, "invalid_client", bad);
    refused(&stage.post_as("k-1:no", &generate(""), form), 401, "invalid_client", bad);
    refused(&stage.post_as("k-2:s-1", &generate(""), CLIENT), 401, "invalid_client", bad);
    refused(&stage.post_as("k-1:s", &generate(""), CLIENT), 401, "invalid_client", bad);
    let missing = "The request is missing a required parameter : client_id";
    refused(&stage.post_as("", &generate(""), CLIENT), 400, "invalid_request", missing);
}

#[test]
fn parameters_may_come_from_other_variables() {
    let xml = generate(
        "<GrantType>request.queryparam.g</GrantType><ClientId>request.queryparam.c</ClientId><Scope>request.queryparam.s</Scope>",
    );
    let bench = stage().proxy(&[&xml]);
    let basic = ("authorization", "Basic ay0xOnMtMQ==");
    let sent = bench.send(request(http::Method::POST, "/p?g=client_credentials&c=k-1&s=write", &[basic], ""));
    assert_eq!(member(&sent, "scope"), "write");
}

#[test]
fn grant_types_must_be_supported() {
    let stage = stage();
    let only = "<OAuthV2><Operation>GenerateAccessToken</Operation><SupportedGrantTypes><GrantType>password</GrantType></SupportedGrantTypes><GenerateResponse/></OAuthV2>";
    let text = "Unsupported grant type : client_credentials";
    refused(&stage.post(only, CLIENT), 500, "unsupported_grant_type", text);
    refused(&stage.post(only, ""), 400, "invalid_request", "Required param : grant_type");
    let rfc = only.replace("<GenerateResponse/>", &format!("<GenerateResponse/>{RFC}"));
    let sent = stage.post(&rfc, CLIENT);
    assert_eq!((sent.status(), member(&sent, "error")), (400, "unsupported_grant_type".into()));
}

#[test]
fn refusals_without_an_answer_are_faults_in_both_dialects() {
    let xml = format!("<OAuthV2><Operation>GenerateAccessToken</Operation>{ALL}</OAuthV2>");
    for (dialect, status) in [(Dialect::Apigee, 401), (Dialect::Sap, 500)] {
        let stage = Stage { dialect, ..stage() };
        let sent = stage.post_as("k-1:no", &xml, CLIENT);
        faulted(&sent, status, "oauth.v2.InvalidClientIdentifier");
        assert_eq!(sent.var("oauthV2.s0.failed"), "true");
        faulted(&stage.post(&xml, ""), 400, "oauth.v2.MissingParameter");
        let answering = xml.replace("</OAuthV2>", "<GenerateErrorResponse enabled=\"true\"/></OAuthV2>");
        refused(
            &stage.post_as("k-1:no", &answering, CLIENT),
            401,
            "invalid_client",
            "Client credentials are invalid",
        );
    }
}

#[test]
fn scopes_are_those_asked_for_that_the_products_have() {
    let stage = stage();
    let scope = |asked: &str| stage.post(&generate(""), &format!("{CLIENT}&scope={asked}"));
    assert_eq!(member(&scope("read"), "scope"), "read");
    assert_eq!(member(&scope("write+other"), "scope"), "write");
    refused(&scope("other"), 400, "invalid_scope", "None of the scopes may be given");
    let token = member(&scope("read"), "access_token");
    let needing = |scopes: &str| VERIFY.replace("</OAuthV2>", &format!("<Scope>{scopes}</Scope></OAuthV2>"));
    assert!(!stage.call(&needing("write read"), &token).is_answered());
    let sent = stage.call(&needing("write"), &token);
    faulted(&sent, 403, "steps.oauth.v2.InsufficientScope");
}

#[test]
fn answers_may_be_form_encoded() {
    let xml = generate("")
        .replace("<GenerateResponse/>", "<GenerateResponse><Format>FORM_PARAM</Format></GenerateResponse>");
    let sent = stage().post(&xml, CLIENT);
    assert!(sent.body().contains("&token_type=BearerToken&"), "{}", sent.body());
    assert_eq!(sent.response_header("content-type"), "application/x-www-form-urlencoded");
}

#[test]
fn an_app_that_is_not_approved_gets_no_token() {
    let mut stage = stage();
    std::sync::Arc::make_mut(&mut stage.key.app).standing = Standing::Revoked;
    refused(&stage.post(&generate(""), CLIENT), 401, "invalid_client", "The app may not be used");
}

#[test]
fn jwt_access_tokens_are_issued_refreshed_and_verified_by_their_signature() {
    let stage = stage();
    for (sign, verify, key) in [
        (
            "<Algorithm>HS256</Algorithm><SecretKey><Value ref=\"private.k\"/></SecretKey>",
            "<Algorithm>HS256</Algorithm><SecretKey><Value ref=\"private.k\"/></SecretKey>",
            SECRET,
        ),
        (
            "<Algorithm>ES256</Algorithm><PrivateKey><Value ref=\"private.k\"/><Id>k-7</Id></PrivateKey>",
            "<Algorithm>ES256</Algorithm><PublicKey><Value ref=\"public.k\"/></PublicKey>",
            P256,
        ),
    ] {
        let keys = set(&[("private.k", key), ("public.k", P256_PUBLIC)]);
        let post = |operation: &str, form: &str| {
            let xml = format!(
                "<OAuthV2><Operation>{operation}</Operation>{ALL}<GenerateResponse/>{sign}<Attributes><Attribute name=\"team\">blue</Attribute></Attributes></OAuthV2>"
            );
            stage.proxy(&[&keys, &xml]).send(request(
                http::Method::POST,
                "/p",
                &[
                    ("content-type", "application/x-www-form-urlencoded"),
                    ("authorization", "Basic ay0xOnMtMQ=="),
                ],
                form,
            ))
        };
        let check = |token: &str| {
            let xml = format!(
                "<OAuthV2><Operation>VerifyJWTAccessToken</Operation>{verify}<Scope>read</Scope></OAuthV2>"
            );
            let bearer = format!("Bearer {token}");
            stage.proxy(&[&keys, &xml]).send(request(
                http::Method::GET,
                "/p",
                &[("authorization", &bearer)],
                "",
            ))
        };
        let first = post("GenerateJWTAccessToken", "grant_type=password&username=u&password=p");
        let token = member(&first, "access_token");
        assert_eq!(token.split('.').count(), 3);
        let sent = check(&token);
        assert!(!sent.is_answered(), "{}", sent.body());
        for (name, value) in [
            ("client_id", "k-1"),
            ("apiproduct.name", "gold"),
            ("accesstoken.team", "blue"),
            ("scope", "read write"),
        ] {
            assert_eq!(sent.var(name), value);
        }
        let form = format!("grant_type=refresh_token&refresh_token={}", member(&first, "refresh_token"));
        let second = post("RefreshJWTAccessToken", &form);
        assert!(!check(&member(&second, "access_token")).is_answered(), "{}", second.body());
        let (head, signature) = token.rsplit_once('.').unwrap();
        let changed = if signature.starts_with('A') { "B" } else { "A" };
        faulted(&check(&format!("{head}.{changed}{}", &signature[1..])), 401, "steps.jwt.InvalidToken");
        faulted(&check("no"), 401, "keymanagement.service.invalid_access_token");
        stage.clock.advance(Duration::from_secs(1800));
        faulted(&check(&token), 401, "keymanagement.service.access_token_expired");
    }
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        ("<Operation>Forge</Operation>", "InvalidOperation"),
        (
            "<SupportedGrantTypes><GrantType>magic</GrantType><GrantType>password</GrantType></SupportedGrantTypes>",
            "InvalidGrantType",
        ),
        ("<SupportedGrantTypes/>", "InvalidGrantType"),
        ("<ExpiresIn>0</ExpiresIn>", "InvalidValueForExpiresIn"),
        ("<RefreshTokenExpiresIn>soon</RefreshTokenExpiresIn>", "InvalidValueForExpiresIn"),
        ("<Operation>InvalidateToken</Operation>", "MissingConfigurationElement"),
        ("<Tokens><Token type=\"idtoken\">a</Token></Tokens>", "InvalidTokenType"),
        ("<Attributes><Attribute>x</Attribute></Attributes>", "InvalidAttributeName"),
        ("<GenerateResponse><Format>XML</Format></GenerateResponse>", "InvalidValueForElement"),
        ("<Operation>GenerateJWTAccessToken</Operation>", "MissingConfigurationElement"),
        (
            "<Operation>VerifyJWTAccessToken</Operation><Algorithm>RS256</Algorithm><PublicKey><JWKS uri=\"https://x/\"/></PublicKey>",
            "InvalidKeyConfiguration",
        ),
        ("<Realm/>", "UnknownElement"),
    ] {
        assert_eq!(problem_of(&format!("<OAuthV2>{inside}</OAuthV2>")), rule, "{inside}");
    }
}
