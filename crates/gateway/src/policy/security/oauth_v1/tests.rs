use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;

use super::signature::{base_string, encoded};
use crate::policy::security::oauth::testing::{Stage, stage};
use crate::template::Mac;
use crate::testing::*;

pub(crate) const REQUEST: &str =
    "<OAuthV1><Operation>GenerateRequestToken</Operation><GenerateResponse enabled='true'/></OAuthV1>";
pub(crate) const ACCESS: &str = "<OAuthV1><Operation>GenerateAccessToken</Operation><GenerateResponse enabled='true'/><ExpiresIn>60000</ExpiresIn></OAuthV1>";
const VERIFY: &str = "<OAuthV1><Operation>VerifyAccessToken</Operation></OAuthV1>";
pub(crate) const VERIFIER: &str = "<OAuthV1><Operation>GenerateVerifier</Operation><RequestToken ref='request.queryparam.token'/>\
    <VerifierCode ref='request.queryparam.verifier'/><AppUserId ref='request.queryparam.user'/></OAuthV1>";

/// A signed request; what a test changes of it comes last.
pub(crate) struct Call<'a> {
    stage: &'a Stage,
    parameters: Vec<(String, String)>,
    secrets: (&'a str, String),
    path: &'a str,
    form: &'a str,
    signature: Option<String>,
}

pub(crate) fn call<'a>(stage: &'a Stage, path: &'a str, parameters: &[(&str, &str)]) -> Call<'a> {
    static NONCE: AtomicUsize = AtomicUsize::new(0);
    let usual = [
        ("oauth_consumer_key", "k-1".to_owned()),
        ("oauth_signature_method", "HMAC-SHA1".to_owned()),
        ("oauth_timestamp", (NOW.as_i64() / 1000).to_string()),
        ("oauth_nonce", NONCE.fetch_add(1, Ordering::Relaxed).to_string()),
    ];
    let given = |name: &str| parameters.iter().any(|(known, _)| *known == name);
    let usual =
        usual.into_iter().filter(|(name, _)| !given(name)).map(|(name, value)| (name.to_owned(), value));
    let more = parameters.iter().filter(|(_, value)| !value.is_empty());
    let parameters =
        usual.chain(more.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).collect();
    Call { stage, parameters, secrets: ("s-1", String::new()), path, form: "", signature: None }
}

impl Call<'_> {
    pub(crate) fn token_secret(mut self, secret: &str) -> Self {
        self.secrets.1 = secret.to_owned();
        self
    }

    pub(crate) fn send(self, step: &str) -> Sent {
        let (path, query) = self.path.split_once('?').unwrap_or((self.path, ""));
        let mut all = self.parameters.clone();
        for text in [query, self.form] {
            all.extend(form_urlencoded::parse(text.as_bytes()).into_owned());
        }
        let verb = if self.form.is_empty() { Method::GET } else { Method::POST };
        let base = base_string(verb.as_str(), &format!("http://api.example{path}"), &all);
        let key = format!("{}&{}", encoded(self.secrets.0), encoded(&self.secrets.1));
        let code = STANDARD.encode(Mac::with("sha1").unwrap().of(key.as_bytes(), base.as_bytes()));
        let mut header = "OAuth realm=\"here\"".to_owned();
        for (name, value) in &self.parameters {
            header.push_str(&format!(", {name}=\"{}\"", encoded(value)));
        }
        header.push_str(&format!(
            ",oauth_signature=\"{}\"",
            encoded(self.signature.as_deref().unwrap_or(&code))
        ));
        let headers: &[(&str, &str)] = &[
            ("host", "API.example:80"),
            ("authorization", &header),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.stage.proxy(&[step]).send(request(verb, self.path, headers, self.form))
    }
}

fn form(sent: &Sent) -> Vec<(String, String)> {
    assert_eq!(sent.status(), 200, "{}", sent.body());
    form_urlencoded::parse(sent.body().as_bytes()).into_owned().collect()
}

pub(crate) fn request_token(stage: &Stage) -> (String, String) {
    let answer = form(&call(stage, "/p/rt", &[("oauth_callback", "https://shop.example/cb")]).send(REQUEST));
    assert_eq!(answer[2], ("oauth_callback_confirmed".into(), "true".into()));
    (answer[0].1.clone(), answer[1].1.clone())
}

/// A token that user ann agreed to.
pub(crate) fn access_token(stage: &Stage) -> (String, String) {
    let (token, secret) = request_token(stage);
    stage.proxy(&[VERIFIER]).get(&format!("/p?token={token}&verifier=v-1&user=ann"));
    let exchange = call(stage, "/p/at", &[("oauth_token", &token), ("oauth_verifier", "v-1")]);
    let answer = form(&exchange.token_secret(&secret).send(ACCESS));
    assert_eq!(answer[0].0, "oauth_token");
    (answer[0].1.clone(), answer[1].1.clone())
}

pub(crate) fn code(sent: &Sent) -> (u16, String) {
    (sent.status(), sent.code().strip_prefix("steps.oauth.v1.").unwrap_or(&sent.code()).to_owned())
}

#[test]
fn three_legs_lead_to_a_token_that_lets_calls_pass() {
    let stage = stage();
    let (token, secret) = access_token(&stage);
    let sent = call(&stage, "/p/things?b=2&a=1%20x&a=0", &[("oauth_token", &token)])
        .token_secret(&secret)
        .send(VERIFY);
    assert!(!sent.is_answered(), "{}", sent.body());
    for (name, value) in [
        ("oauthv1accesstoken.s0.access_token", token.as_str()),
        ("oauthv1accesstoken.s0.client_id", "k-1"),
        ("oauthv1accesstoken.s0.app_id", "a-1"),
        ("oauthv1accesstoken.s0.app_enduser", "ann"),
        ("oauthv1accesstoken.s0.status", "approved"),
        ("oauthv1accesstoken.s0.apiproduct.name", "gold"),
        ("developer.email", "ann@example.com"),
        ("client_id", "k-1"),
    ] {
        assert_eq!(sent.var(name), value, "{name}");
    }
    let posted = Call { form: "x=1+2&y=%26", ..call(&stage, "/p/things", &[("oauth_token", &token)]) };
    assert!(!posted.token_secret(&secret).send(VERIFY).is_answered(), "a form is signed too");
}

#[test]
fn fault_signature_invalid_for_every_change() {
    let stage = stage();
    let (token, secret) = access_token(&stage);
    let with = |path| call(&stage, path, &[("oauth_token", &token)]);
    assert_eq!(
        code(&with("/p/things").send(VERIFY)),
        (401, "SignatureInvalid".into()),
        "without the token's secret"
    );
    let wrong = Call { secrets: ("s-2", secret.clone()), ..with("/p/things") };
    assert_eq!(code(&wrong.send(VERIFY)), (401, "SignatureInvalid".into()));
    for signature in ["", "AAAA", "not base64!"] {
        let forged = Call { signature: Some(signature.into()), ..with("/p/things") };
        assert_eq!(code(&forged.token_secret(&secret).send(VERIFY)), (401, "SignatureInvalid".into()));
    }
    let url = VERIFY.replace("</OAuthV1>", "<URL>http://other.example/p/things?x</URL></OAuthV1>");
    assert_eq!(code(&with("/p/things").token_secret(&secret).send(&url)), (401, "SignatureInvalid".into()));
}

#[test]
fn the_url_can_be_said() {
    let stage = stage();
    let (token, secret) = access_token(&stage);
    let with = |more: &str| VERIFY.replace("</OAuthV1>", &format!("{more}</OAuthV1>"));
    let right = with("<URL ref='no.such'>http://API.example:80/p/other?q#f</URL>");
    // The client called this URL; we were called by somebody in between.
    let sent = Call { path: "/p/other", ..call(&stage, "/p/other", &[("oauth_token", &token)]) };
    assert!(!sent.token_secret(&secret).send(&right).is_answered());
    let sent = call(&stage, "/p/x", &[("oauth_token", &token)])
        .token_secret(&secret)
        .send(&with("<URL ref='no.such'/>"));
    assert_eq!(code(&sent), (500, "UrlUnresolved".into()));
}

#[test]
fn fault_nonce_used_and_timestamp_refused() {
    let stage = stage();
    let bench = stage.proxy(&[REQUEST]);
    let seconds = NOW.as_i64() / 1000;
    let at = |offset: i64, nonce: &str| {
        let time = (seconds + offset).to_string();
        let call = call(
            &stage,
            "/p",
            &[("oauth_callback", "oob"), ("oauth_timestamp", &time), ("oauth_nonce", nonce)],
        );
        call.send(REQUEST)
    };
    drop(bench);
    assert_eq!(code(&at(301, "a")), (401, "TimestampRefused".into()));
    assert_eq!(code(&at(-301, "a")), (401, "TimestampRefused".into()));
    assert_eq!(at(300, "a").status(), 200);
    assert_eq!(at(-300, "a").status(), 200, "another time stamp makes it another nonce");
    assert_eq!(code(&at(0, "")), (400, "ParameterAbsent".into()));
}

#[test]
fn a_request_is_taken_once() {
    let stage = stage();
    let bench = stage.proxy(&[REQUEST]);
    let parameters = [
        ("oauth_callback", "oob"),
        ("oauth_consumer_key", "k-1"),
        ("oauth_nonce", "n"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", &(NOW.as_i64() / 1000).to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let base = base_string("GET", "http://api.example/p", &parameters);
    let code = STANDARD.encode(Mac::with("sha1").unwrap().of(b"s-1&", base.as_bytes()));
    let query: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let path = format!("/p?{}&oauth_signature={}", query.join("&"), encoded(&code));
    assert_eq!(bench.get(&path).status(), 200);
    let again = bench.get(&path);
    assert_eq!((again.status(), again.code().as_str()), (401, "steps.oauth.v1.NonceUsed"));
}

#[test]
fn fault_verifier_invalid_without_the_users_consent_and_a_second_time() {
    let stage = stage();
    let (token, secret) = request_token(&stage);
    let exchange = |verifier: &str| {
        let call = call(&stage, "/p/at", &[("oauth_token", &token), ("oauth_verifier", verifier)]);
        call.token_secret(&secret).send(ACCESS)
    };
    assert_eq!(code(&exchange("v-1")), (401, "VerifierInvalid".into()));
    stage.proxy(&[VERIFIER]).get(&format!("/p?token={token}&verifier=v-1&user=ann"));
    assert_eq!(code(&exchange("v-2")), (401, "VerifierInvalid".into()));
    assert_eq!(code(&exchange("")), (400, "ParameterAbsent".into()));
    assert_eq!(exchange("v-1").status(), 200);
    assert_eq!(code(&exchange("v-1")), (401, "VerifierInvalid".into()));
}

#[test]
fn a_verifier_can_be_made_up() {
    let stage = stage();
    let (token, _) = request_token(&stage);
    let step = VERIFIER.replace("<VerifierCode ref='request.queryparam.verifier'/>", "");
    let sent = stage.proxy(&[&step]).get(&format!("/p?token={token}&user=ann"));
    assert_eq!(sent.var("oauthv1verifier.s0.oauth_verifier").len(), 12);
    assert_eq!(sent.var("oauthv1verifier.s0.oauth_callback"), "https://shop.example/cb");
    let unknown = stage.proxy(&[&step]).get("/p?token=none");
    assert_eq!((unknown.status(), unknown.code().as_str()), (401, "steps.oauth.v1.TokenRejected"));
}

#[test]
fn fault_token_expired_revoked_and_rejected() {
    let stage = stage();
    let (token, secret) = access_token(&stage);
    let go = |token: &str| {
        let now = (pierhead_domain::Clock::now(&stage.clock).as_i64() / 1000).to_string();
        call(&stage, "/p/x", &[("oauth_token", token), ("oauth_timestamp", &now)])
            .token_secret(&secret)
            .send(VERIFY)
    };
    assert_eq!(code(&go("none")), (401, "TokenRejected".into()));
    let set = |operation: &str| {
        let step = format!(
            "<OAuthV1><Operation>{operation}</Operation><Tokens><Token type='accesstoken' cascade='true'>request.queryparam.t</Token></Tokens></OAuthV1>"
        );
        stage.proxy(&[&step]).get(&format!("/p?t={token}"))
    };
    assert!(!set("InvalidateToken").is_answered());
    assert_eq!(code(&go(&token)), (401, "TokenRevoked".into()));
    assert!(!set("ValidateToken").is_answered());
    assert!(!go(&token).is_answered());
    stage.clock.advance(Duration::from_secs(60));
    assert_eq!(code(&go(&token)), (401, "TokenExpired".into()));
    // A token of OAuth 2.0 is none of OAuth 1.0, and the other way round.
    let bearer = stage.call("<OAuthV2><Operation>VerifyAccessToken</Operation></OAuthV2>", &token);
    assert_eq!(bearer.code(), "keymanagement.service.invalid_access_token");
}

#[test]
fn fault_consumer_key_unknown_and_other_wrong_requests() {
    let mut stage = stage();
    let go = |stage: &Stage, parameters: &[(&str, &str)]| code(&call(stage, "/p", parameters).send(REQUEST));
    for (parameters, status, name) in [
        (&[("oauth_consumer_key", "other"), ("oauth_callback", "oob")], 401, "ConsumerKeyUnknown"),
        (&[("oauth_consumer_key", ""), ("oauth_callback", "oob")], 400, "ParameterAbsent"),
        (&[("oauth_signature_method", "MD5"), ("oauth_callback", "oob")], 400, "SignatureMethodRejected"),
        (
            &[("oauth_signature_method", "PLAINTEXT"), ("oauth_callback", "oob")],
            400,
            "SignatureMethodRejected",
        ),
        (&[("oauth_version", "2.0"), ("oauth_callback", "oob")], 400, "VersionRejected"),
        (&[("oauth_version", "1.0"), ("oauth_callback", "")], 400, "ParameterAbsent"),
        (&[("oauth_callback", "oob"), ("oauth_callback", "oob")], 400, "ParameterRejected"),
    ] {
        assert_eq!(go(&stage, parameters), (status, name.to_owned()), "{parameters:?}");
    }
    assert_eq!(stage.proxy(&[REQUEST]).get("/p").code(), "steps.oauth.v1.ParameterAbsent");
    stage.key.secret = None;
    assert_eq!(go(&stage, &[("oauth_callback", "oob")]), (401, "SignatureInvalid".into()));
    stage.key.app = std::sync::Arc::new(crate::snapshot::DeveloperApp {
        standing: crate::snapshot::Standing::Revoked,
        ..(*stage.key.app).clone()
    });
    assert_eq!(go(&stage, &[("oauth_callback", "oob")]), (401, "ConsumerKeyRefused".into()));
}

#[test]
fn errors_and_tokens_are_answered_as_the_policy_says() {
    let stage = stage();
    let errors = "<OAuthV1><Operation>GenerateRequestToken</Operation><GenerateResponse enabled='true'><Format>XML</Format></GenerateResponse>\
        <GenerateErrorResponse enabled='true'><Format>XML</Format><Realm ref='no.such'>ours</Realm></GenerateErrorResponse></OAuthV1>";
    let refused = call(&stage, "/p", &[("oauth_consumer_key", "x"), ("oauth_callback", "oob")]).send(errors);
    assert_eq!(
        (refused.status(), refused.body().as_str()),
        (401, "<Error><oauth_problem>consumer_key_unknown</oauth_problem></Error>")
    );
    assert_eq!(refused.response_header("www-authenticate"), "OAuth realm=\"ours\"");
    let made = call(&stage, "/p", &[("oauth_callback", "oob")]).send(errors);
    assert!(
        made.body().starts_with("<Response><oauth_token>")
            && made.response_header("content-type") == "application/xml"
    );
    let as_form = errors.replace("<Format>XML</Format>", "");
    let refused =
        call(&stage, "/p", &[("oauth_consumer_key", "x"), ("oauth_callback", "oob")]).send(&as_form);
    assert_eq!(refused.body(), "oauth_problem=consumer_key_unknown");
    let silent = REQUEST.replace("enabled='true'", "enabled='false'");
    let made = call(&stage, "/p", &[("oauth_callback", "oob")]).send(&silent);
    assert!(!made.is_answered());
    assert_eq!(made.var("oauthv1requesttoken.s0.oauth_token").len(), 28);
    assert_eq!(made.var("oauthv1requesttoken.s0.oauth_token_secret").len(), 32);
}

#[test]
fn attributes_go_with_the_token() {
    let stage = stage();
    let attributes = "<Attributes><Attribute name='tier' ref='no.such'>top</Attribute><Attribute name='hidden' display='false'>h</Attribute></Attributes></OAuthV1>";
    let (token, secret) = request_token(&stage);
    stage.proxy(&[VERIFIER]).get(&format!("/p?token={token}&verifier=v&user=ann"));
    let exchange = call(&stage, "/p", &[("oauth_token", &token), ("oauth_verifier", "v")]);
    let answer = form(&exchange.token_secret(&secret).send(&ACCESS.replace("</OAuthV1>", attributes)));
    assert_eq!(answer[2..], [("tier".to_owned(), "top".to_owned())]);
    let sent = call(&stage, "/p", &[("oauth_token", &answer[0].1)]).token_secret(&answer[1].1).send(VERIFY);
    assert_eq!(
        (sent.var("oauthv1accesstoken.s0.tier"), sent.var("oauthv1accesstoken.s0.accesstoken.hidden")),
        ("top".into(), "h".into())
    );
}

#[test]
fn the_times_of_tokens_can_come_from_a_variable() {
    let stage = stage();
    let (token, secret) = request_token(&stage);
    stage.proxy(&[VERIFIER]).get(&format!("/p?token={token}&verifier=v&user=ann"));
    let step = ACCESS.replace("<ExpiresIn>60000<", "<ExpiresIn ref='request.queryparam.ms'>60000<");
    let exchange = call(&stage, "/p?ms=1000", &[("oauth_token", &token), ("oauth_verifier", "v")]);
    let made = exchange.token_secret(&secret).send(&step);
    assert_eq!(made.var("oauthv1accesstoken.s0.expires_at"), (NOW.as_i64() + 1000).to_string());
}

#[test]
fn the_access_token_can_come_from_a_variable() {
    let stage = stage();
    let (token, secret) = access_token(&stage);
    let step = VERIFY.replace("</OAuthV1>", "<AccessToken>request.queryparam.t</AccessToken></OAuthV1>");
    let path = format!("/p?t={token}");
    let sent = call(&stage, &path, &[]).token_secret(&secret).send(&step);
    assert!(!sent.is_answered(), "{}", sent.body());
}

#[test]
fn a_call_needs_a_product_that_gives_access() {
    let mut stage = stage();
    let (token, secret) = access_token(&stage);
    stage.key.products.clear();
    let sent = call(&stage, "/p", &[("oauth_token", &token)]).token_secret(&secret).send(VERIFY);
    assert_eq!(
        (sent.status(), sent.code().as_str()),
        (401, "keymanagement.service.InvalidAPICallAsNoApiProductMatchFound")
    );
    assert_eq!(sent.var("oauthV1.s0.failed"), "true");
}

#[test]
fn a_key_pair_of_the_client_signs_too() {
    use crate::policy::security::jose::testing::{RSA, RSA_PUBLIC};
    let mut stage = stage();
    stage.key.attributes.insert("oauth1.public_key".into(), RSA_PUBLIC.into());
    let seconds = (NOW.as_i64() / 1000).to_string();
    let all = [
        ("oauth_callback", "oob"),
        ("oauth_consumer_key", "k-1"),
        ("oauth_nonce", "n"),
        ("oauth_signature_method", "RSA-SHA1"),
        ("oauth_timestamp", &seconds),
    ];
    let owned = all.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let base = base_string("GET", "http://api.example/p", &owned);
    let key = pierhead_vault::jose::PrivateKey::read(RSA, None).unwrap();
    let signature = STANDARD.encode(pierhead_vault::jose::sign_rsa_sha1(&key, base.as_bytes()).unwrap());
    let go = |signature: &str| {
        Call { signature: Some(signature.to_owned()), ..call(&stage, "/p", &all) }.send(REQUEST)
    };
    assert_eq!(code(&go("AAAA")), (401, "SignatureInvalid".into()));
    assert_eq!(go(&signature).status(), 200);
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (xml, rule) in [
        ("<OAuthV1/>", "InvalidOperation"),
        ("<OAuthV1><Operation>Dance</Operation></OAuthV1>", "InvalidOperation"),
        ("<OAuthV1><Operation>InvalidateToken</Operation></OAuthV1>", "MissingConfigurationElement"),
        ("<OAuthV1><Operation>GenerateVerifier</Operation></OAuthV1>", "MissingConfigurationElement"),
        (
            "<OAuthV1><Operation>VerifyAccessToken</Operation><GenerateResponse><Format>JSON</Format></GenerateResponse></OAuthV1>",
            "InvalidValueForElement",
        ),
        (
            "<OAuthV1><Operation>VerifyAccessToken</Operation><Tokens><Token type='x'>a</Token></Tokens></OAuthV1>",
            "InvalidTokenType",
        ),
        (
            "<OAuthV1><Operation>VerifyAccessToken</Operation><Attributes><Attribute>a</Attribute></Attributes></OAuthV1>",
            "MissingName",
        ),
        ("<OAuthV1><Operation>VerifyAccessToken</Operation><Scope/></OAuthV1>", "UnknownElement"),
        (
            "<GetOAuthV1Info><AccessToken>a</AccessToken><GenerateErrorResponse/></GetOAuthV1Info>",
            "UnknownElement",
        ),
        ("<GetOAuthV1Info/>", "MissingConfigurationElement"),
        ("<DeleteOAuthV1Info/>", "MissingConfigurationElement"),
        (
            "<DeleteOAuthV1Info><AccessToken>a</AccessToken><Verifier>v</Verifier></DeleteOAuthV1Info>",
            "MissingConfigurationElement",
        ),
    ] {
        assert_eq!(problem_of(xml), rule, "{xml}");
    }
}
