//! What an administrator does, over the wire.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use crate::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, Drive, Pierhead, Request};

/// The first administrator.
pub struct Admin<'a> {
    pierhead: &'a Pierhead,
    /// The login token.
    pub bearer: String,
    /// The user secret.
    pub user: String,
    /// The organization secret.
    pub organization: String,
}

impl<'a> Admin<'a> {
    pub(crate) async fn log_in(pierhead: &'a Pierhead) -> Self {
        let login = json!({"username": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
        let answer = pierhead.client.send(Request::post(pierhead.hub("/authentication")).json(&login)).await;
        let bearer = text(&answer.expect_status(200).json(), "token");
        let secrets = Request::get(pierhead.hub("/authentication/secrets"))
            .header("authorization", &format!("Bearer {bearer}"));
        let secrets = pierhead.client.send(secrets).await.expect_status(200).json();
        Self {
            pierhead,
            bearer,
            user: text(&secrets, "userSecret"),
            organization: text(&secrets, "organizationSecret"),
        }
    }

    /// `User …, Organization …`.
    pub fn platform(&self) -> String {
        format!("User {}, Organization {}", self.user, self.organization)
    }

    /// `User …, Element …`.
    pub fn element(&self, token: &str) -> String {
        format!("User {}, Element {token}", self.user)
    }

    /// `Basic …`, as scripts of the management API have it.
    pub fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{ADMIN_EMAIL}:{ADMIN_PASSWORD}")))
    }

    /// A platform call of the hub.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = Request::new(method, self.pierhead.hub(path)).header("authorization", &self.platform());
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.pierhead.client.send(request).await
    }

    /// A call of the management API with a bearer token, which needs no CSRF token.
    pub async fn manage(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = Request::new(method, self.pierhead.management(path))
            .header("authorization", &format!("Bearer {}", self.bearer))
            .header("accept", "application/json");
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.pierhead.client.send(request).await
    }

    /// An instance of the `folder` connector over `root`; its token.
    pub async fn connect_folder(&self, root: &Path) -> String {
        let body = json!({
            "name": "a folder", "element": {"key": "folder"},
            "configuration": {"root.path": root.display().to_string()},
        });
        text(&self.call(Method::POST, "/instances", Some(&body)).await.expect_status(200).json(), "token")
    }

    /// An instance of the `googledrive` connector against the double, with its owner's consent; its token.
    pub async fn connect_drive(&self, drive: &Drive) -> String {
        let callback = "http://127.0.0.1/callback";
        let url = drive.base_url();
        let (authorize, token) = (format!("{url}/o/oauth2/v2/auth"), format!("{url}/token"));
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("apiKey", drive.client_id()),
                ("apiSecret", drive.client_secret().expose()),
                ("callbackUrl", callback),
                ("base.url", &url),
                ("oauth.authorization.url", &authorize),
                ("oauth.token.url", &token),
            ])
            .finish();
        let answer = self.call(Method::GET, &format!("/elements/googledrive/oauth/url?{query}"), None).await;
        let location =
            drive.consent(&text(&answer.expect_status(200).json(), "oauthUrl"), true, None).unwrap();
        let pairs: Vec<(String, String)> =
            url::Url::parse(&location).unwrap().query_pairs().into_owned().collect();
        let of = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let body = json!({
            "name": "a drive", "element": {"key": "googledrive"},
            "providerData": {"code": of("code"), "state": of("state")},
            "configuration": {
                "oauth.callback.url": callback,
                "oauth.api.key": drive.client_id(),
                "oauth.api.secret": drive.client_secret().expose(),
                "base.url": url, "oauth.authorization.url": authorize, "oauth.token.url": token,
            },
        });
        text(&self.call(Method::POST, "/instances", Some(&body)).await.expect_status(200).json(), "token")
    }

    /// A provider of type Open Connectors that is this installation.
    pub async fn create_open_connectors_provider(&self, name: &str) {
        let body = json!({
            "name": name, "title": name, "destType": "OPENCONNECTORS", "host": "", "port": 443, "useSSL": true,
            "organizationSecret": self.organization, "userSecret": self.user,
        });
        self.manage(Method::POST, "/APIProviders", Some(&body)).await.expect_status(201);
    }

    /// A proxy from `base_path` to the hub through `provider`, not deployed.
    pub async fn create_proxy(&self, name: &str, provider: &str, base_path: &str) {
        let body = json!({
            "name": name, "title": name, "service_code": "REST", "provider_name": provider,
            "proxyEndPoints": [{"name": "default", "isDefault": true, "base_path": base_path}],
            "targetEndPoints": [{"name": "default", "provider_id": provider, "relativePath": "/elements/api-v2/"}],
        });
        self.manage(Method::POST, "/APIProxies", Some(&body)).await.expect_status(201);
    }

    /// Posts the seed's body: the instance token of a proxy.
    pub async fn put_instance_token(&self, proxy: &str, token: &str) {
        let body = json!({
            "name": "apim.oc.instance.token", "scopeId": proxy, "scope": "APIPROXY", "isEncrypted": true,
            "genericKeyMapEntryValues": [{
                "name": "default", "mapName": "apim.oc.instance.token", "value": token,
                "scopeId": proxy, "scope": "APIPROXY",
            }],
        });
        self.manage(Method::POST, "/GenericKeyMapEntries", Some(&body)).await.expect_status(201);
    }

    /// Makes a proxy live.
    pub async fn deploy(&self, proxy: &str) {
        let answer = self.manage(Method::POST, &format!("/APIProxies('{proxy}')/Deploy"), None).await;
        assert!(
            answer.status.is_success(),
            "deploying {proxy} answered {}: {}",
            answer.status,
            answer.text()
        );
    }

    /// The whole story: provider, proxy at `base_path`, token, deployed.
    pub async fn publish(&self, proxy: &str, base_path: &str, token: &str) {
        let provider = format!("{proxy}Provider");
        self.create_open_connectors_provider(&provider).await;
        self.create_proxy(proxy, &provider, base_path).await;
        self.put_instance_token(proxy, token).await;
        self.deploy(proxy).await;
    }
}

#[track_caller]
fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no text '{field}' in {value}")).to_owned()
}
