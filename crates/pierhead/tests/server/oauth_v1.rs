//! The three legs of OAuth 1.0a over the wire: request token, consent, access token, signed calls.

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pierhead_testkit::{Admin, Answer, Pierhead, Request};
use serde_json::{Value, json};
use sha1::Sha1;

const OPERATIONS: &[(&str, &str, &str)] = &[
    (
        "RequestToken",
        "/rt",
        "<OAuthV1><Operation>GenerateRequestToken</Operation><GenerateResponse enabled=\"true\"/></OAuthV1>",
    ),
    (
        "Agree",
        "/agree",
        "<OAuthV1><Operation>GenerateVerifier</Operation><RequestToken ref=\"request.queryparam.token\"/>\
         <VerifierCode ref=\"request.queryparam.verifier\"/><AppUserId ref=\"request.queryparam.user\"/></OAuthV1>",
    ),
    (
        "AccessToken",
        "/at",
        "<OAuthV1><Operation>GenerateAccessToken</Operation><GenerateResponse enabled=\"true\"/></OAuthV1>",
    ),
    ("Verify", "/things", "<OAuthV1><Operation>VerifyAccessToken</Operation></OAuthV1>"),
    (
        "Show",
        "/things",
        "<AssignMessage><AssignTo createNew=\"true\" type=\"response\">response</AssignTo><Set>\
         <Payload>{oauthv1accesstoken.Verify.app_enduser} {client_id} {developer.email}</Payload></Set></AssignMessage>",
    ),
];

struct Shop {
    pierhead: Pierhead,
    key: String,
    secret: String,
}

impl Shop {
    /// A proxy with one flow for each operation, and an app that may use it.
    async fn open() -> Self {
        let pierhead = Pierhead::start().await;
        let admin = pierhead.admin().await;
        let step = |name: &str, path: &str, at: usize| json!({"policy_name": name, "condition": format!("proxy.pathsuffix = \"{path}\""), "sequence": at});
        let steps = |names: &[&str]| -> Vec<Value> {
            let of = OPERATIONS.iter().filter(|(name, ..)| names.contains(name)).enumerate();
            of.map(|(at, (name, path, _))| step(name, path, at + 1)).collect()
        };
        let policies: Vec<_> =
            OPERATIONS.iter().map(|(name, _, xml)| json!({"name": name, "policy_content": xml})).collect();
        let proxy = json!({
            "name": "Shop", "title": "Shop", "service_code": "REST",
            "proxyEndPoints": [{
                "name": "default", "isDefault": true, "base_path": "/shop",
                "preFlow": {
                    "request": {"steps": steps(&["RequestToken", "Agree", "AccessToken", "Verify"])},
                    "response": {"steps": steps(&["Show"])},
                },
                "routeRules": [{"name": "nowhere", "sequence": 1}],
            }],
            "policies": policies,
        });
        admin.manage(Method::POST, "/APIProxies", Some(&proxy)).await.expect_status(201);
        admin.deploy("Shop").await;
        let mut shop = Self { pierhead, key: String::new(), secret: String::new() };
        let product = json!({"name": "gold", "displayName": "Gold", "approvalType": "auto", "proxies": ["Shop"], "apiResources": ["/**"]});
        shop.apigee(&admin, "/apiproducts", &product).await;
        let ann = json!({"email": "ann@example.com", "userName": "ann", "firstName": "Ann", "lastName": "A"});
        shop.apigee(&admin, "/developers", &ann).await;
        let app = json!({"name": "app", "apiProducts": ["gold"], "callbackUrl": "https://shop.example/cb"});
        let app = shop.apigee(&admin, "/developers/ann@example.com/apps", &app).await;
        let credential = |part: &str| app["credentials"][0][part].as_str().unwrap().to_owned();
        (shop.key, shop.secret) = (credential("consumerKey"), credential("consumerSecret"));
        shop
    }

    async fn apigee(&self, admin: &Admin, path: &str, body: &Value) -> Value {
        let url = self.pierhead.control(&format!("/v1/organizations/default{path}"));
        let request =
            Request::post(url).header("authorization", &format!("Bearer {}", admin.bearer)).json(body);
        self.pierhead.client.send(request).await.expect_status(201).json()
    }

    /// A signed GET: the header, to be sent once or again.
    fn signed(&self, path: &str, token_secret: &str, more: &[(&str, &str)]) -> Request {
        static NONCE: AtomicUsize = AtomicUsize::new(0);
        let url = self.pierhead.gateway(&format!("/shop{path}"));
        // The test server's clock stands.
        let timestamp = (self.pierhead.now().as_i64() / 1000).to_string();
        let nonce = NONCE.fetch_add(1, Ordering::Relaxed).to_string();
        let mut parameters = vec![
            ("oauth_consumer_key", self.key.as_str()),
            ("oauth_nonce", nonce.as_str()),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", timestamp.as_str()),
        ];
        parameters.extend(more);
        parameters.sort_unstable();
        let pairs: Vec<_> =
            parameters.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let base = format!("GET&{}&{}", encoded(&url), encoded(&pairs.join("&")));
        let key = format!("{}&{}", encoded(&self.secret), encoded(token_secret));
        let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(base.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let mut header = format!("OAuth oauth_signature=\"{}\"", encoded(&signature));
        for (name, value) in &parameters {
            header.push_str(&format!(", {name}=\"{}\"", encoded(value)));
        }
        Request::get(url).header("authorization", &header)
    }

    async fn send(&self, request: Request) -> Answer {
        self.pierhead.client.send(request).await
    }
}

fn encoded(text: &str) -> String {
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, PLAIN).to_string()
}

/// Token and secret of a form.
fn pair(answer: &Answer) -> (String, String) {
    let text = answer.text();
    let part = |name: &str| {
        let found = text.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        found.unwrap_or_else(|| panic!("no {name}: {text}")).to_owned()
    };
    (part("oauth_token"), part("oauth_token_secret"))
}

#[track_caller]
fn refused(answer: &Answer, code: &str) {
    assert_eq!(answer.status, 401, "{}", answer.text());
    assert_eq!(answer.json()["fault"]["detail"]["errorcode"], code, "{}", answer.text());
}

#[tokio::test]
async fn three_legs_lead_to_calls_that_pass_once_each() {
    let shop = Shop::open().await;
    let begun = shop.signed("/rt", "", &[("oauth_callback", "https://shop.example/cb")]);
    let (token, secret) = pair(&shop.send(begun).await.expect_status(200));

    let early = shop.signed("/at", &secret, &[("oauth_token", &token), ("oauth_verifier", "v-1")]);
    assert_eq!(shop.send(early).await.status, 401, "nobody has agreed");
    let agreed = format!("/shop/agree?token={token}&verifier=v-1&user=ann");
    shop.pierhead.client.get(shop.pierhead.gateway(&agreed)).await.expect_status(200);
    let guessed = shop.signed("/at", &secret, &[("oauth_token", &token), ("oauth_verifier", "v-2")]);
    refused(&shop.send(guessed).await, "steps.oauth.v1.VerifierInvalid");
    let exchanged = shop.signed("/at", &secret, &[("oauth_token", &token), ("oauth_verifier", "v-1")]);
    let (access, access_secret) = pair(&shop.send(exchanged).await.expect_status(200));

    let call = shop.signed("/things", &access_secret, &[("oauth_token", &access)]);
    let shown = shop.send(call.clone()).await.expect_status(200);
    assert_eq!(shown.text(), format!("ann {} ann@example.com", shop.key));
    refused(&shop.send(call).await, "steps.oauth.v1.NonceUsed");
    let forged = shop.signed("/things", "another secret", &[("oauth_token", &access)]);
    refused(&shop.send(forged).await, "steps.oauth.v1.SignatureInvalid");
    let request_token = shop.signed("/things", &secret, &[("oauth_token", &token)]);
    refused(&shop.send(request_token).await, "steps.oauth.v1.TokenRejected");
}
