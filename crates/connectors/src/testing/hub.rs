//! A whole hub over an own database, its router, and a client that speaks to it.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use pierhead_domain::{
    AccountId, Caller, OrganizationId, Role, SecretString, SharedClock, StoppedClock, SystemRng, UserId,
};
use pierhead_egress::{Egress, EgressSettings, SystemResolver};
use pierhead_store::Store;
use pierhead_vault::Vault;
use pierhead_web::auth::ConnectorAuth;
use pierhead_web::request_id::{self, RequestIds};
use pierhead_web::{AuthFailure, Authenticator};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

use super::{NOW, Vendor, catalogue, vault};
use crate::driver::Outbound;
use crate::engine::{Engine, EngineParts};
use crate::{Hub, HubParts, HubSettings, router};

/// Most bytes of one streamed body.
pub(crate) const STREAM_LIMIT: u64 = 32 << 20;

/// User and organization secret of an administrator of organization 1.
pub(crate) const ADMIN: &str = "User admin, Organization o1";
/// A user of the same account without a role.
pub(crate) const CLERK: &str = "User clerk, Organization o1";
/// A user of another account of the same organization.
pub(crate) const NEIGHBOUR: &str = "User neighbour, Organization o1";
/// An administrator of organization 2.
pub(crate) const STRANGER: &str = "User stranger, Organization o2";

pub(crate) struct TestHub {
    pub(crate) hub: Hub,
    pub(crate) app: Router,
    pub(crate) store: Store,
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: StoppedClock,
    pub(crate) vendor: Vendor,
    /// A directory that instances may be given.
    pub(crate) shared: TempDir,
    /// The server's own, with the database in it.
    pub(crate) data: TempDir,
}

impl TestHub {
    pub(crate) async fn start() -> Self {
        let (store, data) = pierhead_store::testing::sqlite().await;
        let clock = StoppedClock::at(NOW);
        let vendor = Vendor::new(Arc::new(clock.clone()));
        Self::over(store, data, vault(), clock, vendor, None)
    }

    /// A hub that reaches its vendors over the network: any on this machine.
    pub(crate) async fn on_the_network() -> Self {
        let settings =
            EgressSettings { allow: vec!["127.0.0.0/8".parse().unwrap()], ..EgressSettings::default() };
        let egress = Egress::new(&settings, Arc::new(SystemResolver)).unwrap();
        let (store, data) = pierhead_store::testing::sqlite().await;
        let clock = StoppedClock::at(NOW);
        let vendor = Vendor::new(Arc::new(clock.clone()));
        Self::over(store, data, vault(), clock, vendor, Some(Arc::new(egress)))
    }

    /// Another node over the same database, with its own memory.
    pub(crate) fn second_node(&self) -> Self {
        let data = tempfile::tempdir().unwrap();
        let (vault, clock) = (Arc::clone(&self.vault), self.clock.clone());
        Self::over(self.store.clone(), data, vault, clock, self.vendor.clone(), None)
    }

    fn over(
        store: Store,
        data: TempDir,
        vault: Arc<Vault>,
        clock: StoppedClock,
        vendor: Vendor,
        network: Option<Arc<dyn Outbound>>,
    ) -> Self {
        let outbound = network.unwrap_or_else(|| Arc::new(vendor.clone()));
        let shared_clock: SharedClock = Arc::new(clock.clone());
        let engine = Engine::new(EngineParts {
            outbound: Arc::clone(&outbound),
            forbidden_directories: Vec::new(),
            clock: Arc::clone(&shared_clock),
            rng: Arc::new(SystemRng),
        });
        let settings = HubSettings {
            data_directory: Some(data.path().to_owned()),
            stream_limit: STREAM_LIMIT,
            ..HubSettings::new("http://hub.example/")
        };
        let hub = Hub::new(HubParts {
            store: store.clone(),
            vault: Arc::clone(&vault),
            catalogue: Arc::new(catalogue()),
            engine,
            outbound,
            authenticator: Arc::new(People),
            clock: Arc::clone(&shared_clock),
            rng: Arc::new(SystemRng),
            settings,
        });
        let ids = RequestIds { clock: shared_clock, rng: Arc::new(SystemRng) };
        let app = router(hub.clone()).layer(axum::middleware::from_fn_with_state(ids, request_id::assign));
        Self { hub, app, store, vault, clock, vendor, shared: tempfile::tempdir().unwrap(), data }
    }

    /// Calls `/elements/api-v2<path>` with an `Authorization` header, if any.
    pub(crate) async fn call(&self, method: &str, path: &str, auth: &str, body: Option<Value>) -> Reply {
        self.send(request(method, &format!("/elements/api-v2{path}"), auth, body)).await
    }

    pub(crate) async fn get(&self, path: &str, auth: &str) -> Reply {
        self.call("GET", path, auth, None).await
    }

    /// Sends a file as the field `file` of a form.
    pub(crate) async fn upload(&self, path: &str, auth: &str, name: &str, content: &[u8]) -> Reply {
        let mut body = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: text/plain\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n--edge--\r\n");
        let request = Request::post(format!("/elements/api-v2{path}"))
            .header(header::AUTHORIZATION, auth)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        Reply::read(self.app.clone().oneshot(request).await.unwrap()).await
    }

    /// The gateway's way in.
    pub(crate) async fn in_process(&self, method: &str, path: &str, auth: &str) -> Reply {
        Reply::read(self.hub.in_process(request(method, path, auth, None)).await).await
    }

    /// Makes an instance and gives it as answered.
    pub(crate) async fn make(&self, auth: &str, ask: Value) -> Value {
        let made = self.call("POST", "/instances", auth, Some(ask)).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.json);
        made.json
    }
}

/// `User <of auth>, Element <token of instance>`.
pub(crate) fn element(user: &str, instance: &Value) -> String {
    format!("User {user}, Element {}", instance["token"].as_str().unwrap())
}

fn request(method: &str, path: &str, auth: &str, body: Option<Value>) -> Request<Body> {
    let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
    if !auth.is_empty() {
        request = request.header(header::AUTHORIZATION, auth);
    }
    let body = body.map_or_else(Body::empty, |json| Body::from(json.to_string()));
    request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap()
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// `Null` when the body is no JSON.
    pub(crate) json: Value,
}

impl Reply {
    async fn read(response: axum::response::Response) -> Self {
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Self { status: parts.status, headers: parts.headers, text, json }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn message(&self) -> &str {
        self.json["message"].as_str().unwrap_or_default()
    }
}

/// Everybody there is.
struct People;

#[async_trait]
impl Authenticator for People {
    async fn connector_caller(&self, auth: &ConnectorAuth) -> Result<Caller, AuthFailure> {
        let caller = person(auth.user.expose())?;
        let of = format!("o{}", caller.organization);
        match &auth.organization {
            Some(organization) if organization.expose() != of => {
                Err(AuthFailure::Refused("User and Organization do not belong together".into()))
            }
            _ => Ok(caller),
        }
    }

    async fn bearer_caller(&self, token: &SecretString) -> Result<Caller, AuthFailure> {
        person(token.expose().strip_prefix("login-").unwrap_or_default())
    }

    async fn basic_caller(&self, _: &str, _: &SecretString) -> Result<Caller, AuthFailure> {
        Err(AuthFailure::Refused("no Basic here".into()))
    }
}

fn person(name: &str) -> Result<Caller, AuthFailure> {
    let (organization, account, user, role) = match name {
        "admin" => (1, 1, 1, Role::OrgAdmin),
        "clerk" => (1, 1, 2, Role::OrgUser),
        "neighbour" => (1, 2, 3, Role::DefaultUser),
        "stranger" => (2, 3, 4, Role::OrgAdmin),
        _ => return Err(AuthFailure::Refused("the User secret is unknown".into())),
    };
    Ok(Caller {
        organization: OrganizationId::new(organization),
        account: AccountId::new(account),
        user: Some(UserId::new(user)),
        name: format!("{name}@example.com"),
        roles: [role].into_iter().collect(),
    })
}
