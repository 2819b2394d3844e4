//! What an administrator does, over the wire.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use crate::{Answer, Drive, Request, Site};

/// Where the vendor sends people back to; nobody listens there.
const CALLBACK: &str = "http://127.0.0.1/callback";

/// Somebody who is logged in, mostly the first administrator.
#[derive(Debug, Clone)]
pub struct Admin {
    site: Site,
    email: String,
    password: String,
    /// The login token.
    pub bearer: String,
    /// The user secret.
    pub user: String,
    /// The organization secret.
    pub organization: String,
}

impl Admin {
    pub(crate) async fn log_in(site: Site, email: &str, password: &str) -> Self {
        let login = json!({"username": email, "password": password});
        let answer = site.client.send(Request::post(site.hub("/authentication")).json(&login)).await;
        let bearer = text(&answer.expect_status(200).json(), "token");
        let secrets = Request::get(site.hub("/authentication/secrets"))
            .header("authorization", &format!("Bearer {bearer}"));
        let secrets = site.client.send(secrets).await.expect_status(200).json();
        Self {
            email: email.into(),
            password: password.into(),
            bearer,
            user: text(&secrets, "userSecret"),
            organization: text(&secrets, "organizationSecret"),
            site,
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
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.email, self.password)))
    }

    /// A platform call of the hub.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = Request::new(method, self.site.hub(path)).header("authorization", &self.platform());
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.site.client.send(request).await
    }

    /// A hub call with the token of an instance.
    pub async fn hub_get(&self, token: &str, path: &str) -> Answer {
        let request = Request::get(self.site.hub(path)).header("authorization", &self.element(token));
        self.site.client.send(request).await
    }

    /// A call of the management API with a bearer token, which needs no CSRF token.
    pub async fn manage(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = Request::new(method, self.site.management(path))
            .header("authorization", &format!("Bearer {}", self.bearer))
            .header("accept", "application/json");
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.site.client.send(request).await
    }

    /// A new account of the organization, with one user; that user, logged in.
    pub async fn another_account(&self, name: &str) -> Self {
        let account = json!({"externalId": name, "name": name});
        let account =
            self.call(Method::POST, "/accounts", Some(&account)).await.expect_status(200).json()["id"]
                .clone();
        let (email, password) = (format!("{name}@example.com"), "Ferry-Master-8");
        let user = json!({"email": email, "firstName": "Kim", "lastName": "Keel", "password": password});
        let path = format!("/accounts/{account}/users");
        self.call(Method::POST, &path, Some(&user)).await.expect_status(200);
        self.site.log_in(&email, password).await
    }

    /// An instance of the `folder` connector over `root`; its token.
    pub async fn connect_folder(&self, root: &Path) -> String {
        let body = json!({
            "name": "a folder", "element": {"key": "folder"},
            "configuration": {"root.path": root.display().to_string()},
        });
        text(&self.call(Method::POST, "/instances", Some(&body)).await.expect_status(200).json(), "token")
    }

    /// Asks for the address of the vendor's consent page, with `state` or none.
    pub async fn consent_url(&self, drive: &Drive, state: Option<&str>) -> String {
        let url = drive.base_url();
        let (authorize, token) = (format!("{url}/o/oauth2/v2/auth"), format!("{url}/token"));
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("apiKey", drive.client_id()),
                ("apiSecret", drive.client_secret().expose()),
                ("callbackUrl", CALLBACK),
                ("base.url", &url),
                ("oauth.authorization.url", &authorize),
                ("oauth.token.url", &token),
            ])
            .extend_pairs(state.map(|state| ("state", state)))
            .finish();
        let answer = self.call(Method::GET, &format!("/elements/googledrive/oauth/url?{query}"), None).await;
        text(&answer.expect_status(200).json(), "oauthUrl")
    }

    /// The body that makes a `googledrive` instance against the double from what came back with the consent.
    pub fn drive_instance(&self, drive: &Drive, provider_data: &Value) -> Value {
        let url = drive.base_url();
        json!({
            "name": "a drive", "element": {"key": "googledrive"}, "providerData": provider_data,
            "configuration": {
                "oauth.callback.url": CALLBACK,
                "oauth.api.key": drive.client_id(),
                "oauth.api.secret": drive.client_secret().expose(),
                "base.url": url,
                "oauth.authorization.url": format!("{url}/o/oauth2/v2/auth"),
                "oauth.token.url": format!("{url}/token"),
            },
        })
    }

    /// An instance of the `googledrive` connector against the double, with its owner's consent; its token.
    pub async fn connect_drive(&self, drive: &Drive) -> String {
        let came_back = drive.came_back(&self.consent_url(drive, None).await, true);
        let body = self.drive_instance(drive, &came_back);
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
