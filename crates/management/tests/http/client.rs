//! A management service over its own database, and a client of it.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt;
use pierhead_domain::{
    AccountId, Caller, EpochMillis, OrganizationId, Role, SecretString, SharedRng, StoppedClock, SystemRng,
};
use pierhead_gateway::snapshot::{Snapshot, SnapshotCell};
use pierhead_management::{Management, Settings, router};
use pierhead_store::Store;
use pierhead_vault::{KeyRing, Vault};
use pierhead_web::auth::{AuthFailure, Authenticator, ConnectorAuth};
use serde_json::Value;
use tower::ServiceExt;

pub(crate) const ROOT: &str = "/apiportal/api/1.0/Management.svc";
pub(crate) const ACME: OrganizationId = OrganizationId::new(1);

/// `admin` designs, `guest` reads, `stranger` is of another organization; the password is the name.
struct People;

fn person(name: &str) -> Result<Caller, AuthFailure> {
    let (organization, role) = match name {
        "admin" | "admin2" => (ACME, Role::ApiAdministrator),
        "guest" => (ACME, Role::ApiGuest),
        "nobody" => (ACME, Role::DefaultUser),
        "stranger" => (OrganizationId::new(2), Role::OrgAdmin),
        _ => return Err(AuthFailure::Refused("unknown user or wrong password".into())),
    };
    Ok(Caller {
        organization,
        account: AccountId::new(1),
        user: None,
        name: name.into(),
        roles: [role].into_iter().collect(),
    })
}

#[async_trait]
impl Authenticator for People {
    async fn connector_caller(&self, _: &ConnectorAuth) -> Result<Caller, AuthFailure> {
        person("admin")
    }

    async fn bearer_caller(&self, token: &SecretString) -> Result<Caller, AuthFailure> {
        person(token.expose())
    }

    async fn basic_caller(&self, name: &str, password: &SecretString) -> Result<Caller, AuthFailure> {
        person(if name == password.expose() { name } else { "wrong" })
    }
}

pub(crate) struct Portal {
    pub(crate) router: Router,
    pub(crate) management: Management,
    pub(crate) snapshots: Arc<SnapshotCell>,
    pub(crate) clock: StoppedClock,
    pub(crate) store: Store,
    vault: Arc<Vault>,
    _folder: Option<tempfile::TempDir>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    pub(crate) fn d(&self) -> Value {
        self.json()["d"].clone()
    }

    pub(crate) fn results(&self) -> Vec<Value> {
        self.d()["results"].as_array().unwrap_or_else(|| panic!("no results: {}", self.text)).clone()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"]["value"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

pub(crate) fn basic(name: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{name}")))
}

impl Portal {
    pub(crate) async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    pub(crate) async fn start_with(settings: Settings) -> Self {
        let (store, folder) = pierhead_store::testing::sqlite().await;
        Self { _folder: Some(folder), ..Self::over(store, settings).await }
    }

    /// On a database of the test's own.
    pub(crate) async fn on(store: Store) -> Self {
        Self::over(store, Settings::default()).await
    }

    async fn over(store: Store, settings: Settings) -> Self {
        let rng: SharedRng = Arc::new(SystemRng);
        let ring = KeyRing::generate(&SystemRng);
        let own = Vault::new_key(&ring, "own".into(), None, &rng).unwrap();
        let vault = Arc::new(Vault::open(ring, &own, rng).unwrap());
        vault.install(&vault.new_data_key("k1".into(), ACME).unwrap()).unwrap();
        let clock = StoppedClock::at(EpochMillis::new(1_700_000_000_000));
        let (management, snapshots) = Self::service(&store, &vault, &clock, settings);
        management.start().await.unwrap();
        let router = router(management.clone());
        Self { router, management, snapshots, clock, store, vault, _folder: None }
    }

    fn service(
        store: &Store,
        vault: &Arc<Vault>,
        clock: &StoppedClock,
        settings: Settings,
    ) -> (Management, Arc<SnapshotCell>) {
        let snapshots = Arc::new(SnapshotCell::new(Snapshot::empty("acme", "prod")));
        let management = Management::new(
            store.clone(),
            vault.clone(),
            Arc::new(clock.clone()),
            Arc::new(SystemRng),
            Arc::new(People),
            snapshots.clone(),
            settings,
        );
        (management, snapshots)
    }

    /// Another process over the same database.
    pub(crate) async fn restart(&self) -> Arc<SnapshotCell> {
        let (management, snapshots) =
            Self::service(&self.store, &self.vault, &self.clock, Settings::default());
        management.start().await.unwrap();
        snapshots
    }

    /// Sends a request as it is.
    pub(crate) async fn raw(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// Bytes in and out, as the administrator with a bearer token; `path` is the whole path.
    pub(crate) async fn bytes(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> (StatusCode, HeaderMap, Vec<u8>) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", "Bearer admin")
            .header("content-type", kind)
            .body(Body::from(body))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        (head.status, head.headers, body.collect().await.unwrap().to_bytes().to_vec())
    }

    /// As the administrator with a bearer token, JSON both ways. `path` is below the service root.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("{ROOT}{path}"))
            .header("authorization", "Bearer admin")
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .unwrap();
        self.raw(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body)).await
    }

    /// A provider of type Open Connectors on this installation, and a proxy against it.
    pub(crate) async fn with_open_connectors_proxy(self) -> Self {
        self.post("/APIProviders", open_connectors("oc")).await.expect(201);
        self.post("/APIProxies", googledrive()).await.expect(201);
        self
    }
}

pub(crate) fn open_connectors(name: &str) -> Value {
    serde_json::json!({
        "name": name, "title": "Hub", "destType": "OPENCONNECTORS", "host": "", "port": 443, "useSSL": true,
        "organizationSecret": "0123456789abcdef0123456789abcdef", "userSecret": "dXNlcg==",
    })
}

/// The deep insert of issue 2.
pub(crate) fn googledrive() -> Value {
    serde_json::json!({
        "name": "Googledrive", "title": "Google Drive", "service_code": "REST", "provider_name": "oc",
        "proxyEndPoints": [{"name": "default", "isDefault": true, "base_path": "/googledrive"}],
        "targetEndPoints": [{"name": "default", "provider_id": "oc", "relativePath": "/elements/api-v2/"}],
    })
}

/// The seed's body.
pub(crate) fn seed_map() -> Value {
    serde_json::json!({
        "name": "apim.oc.instance.token", "scopeId": "Googledrive", "scope": "APIPROXY", "isEncrypted": true,
        "genericKeyMapEntryValues": [{
            "name": "default", "mapName": "apim.oc.instance.token", "value": "the-instance-token",
            "scopeId": "Googledrive", "scope": "APIPROXY",
        }],
    })
}
