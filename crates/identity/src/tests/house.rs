//! A router over a fresh database with an organization, driven as a client drives it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::middleware::from_fn_with_state;
use http_body_util::BodyExt;
use pierhead_domain::{EpochMillis, SharedClock, SharedRng, StoppedClock, SystemRng};
use pierhead_store::Store;
use pierhead_web::request_id::{self, RequestIds};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{Created, FirstStart, Identity, IdentitySettings, open_vault, router};

pub(super) const EMAIL: &str = "root@example.com";
pub(super) const PASSWORD: &str = "Correct-horse-7";
pub(super) const HUB: &str = "/elements/api-v2";

pub(super) struct House {
    pub(super) identity: Identity,
    pub(super) store: Store,
    pub(super) clock: StoppedClock,
    router: Router,
    _folders: Vec<tempfile::TempDir>,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Answer {
    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }

    #[track_caller]
    pub(super) fn says(self, status: u16, text: &str) -> Self {
        let answer = self.expect(status);
        let said = answer.body["message"].as_str().or(answer.body["detail"].as_str()).unwrap_or_default();
        assert!(said.contains(text), "{answer:?}");
        answer
    }

    pub(super) fn text(&self, field: &str) -> String {
        self.body[field].as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn id(&self) -> i64 {
        self.body["id"].as_i64().expect("an id")
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Whose secrets sign calls.
#[derive(Debug, Clone)]
pub(super) struct Signed(pub(super) String);

impl House {
    /// Before the first start.
    pub(super) async fn empty() -> Self {
        let (store, folder) = pierhead_store::testing::sqlite().await;
        let keys = tempfile::tempdir().unwrap();
        let stopped = StoppedClock::at(EpochMillis::new(1_500_000_000_000));
        let clock: SharedClock = Arc::new(stopped.clone());
        let rng: SharedRng = Arc::new(SystemRng);
        let vault = open_vault(&store, &keys.path().join("k"), &clock, &rng).await.unwrap();
        let settings =
            IdentitySettings { public_url: "http://pierhead.test".into(), ..IdentitySettings::default() };
        let identity = Identity::new(store.clone(), Arc::new(vault), clock, rng, settings);
        let ids = RequestIds { clock: Arc::new(stopped.clone()), rng: Arc::new(SystemRng) };
        let router = router(identity.clone()).layer(from_fn_with_state(ids, request_id::assign));
        Self { identity, store, clock: stopped, router, _folders: vec![folder, keys] }
    }

    /// After the first start.
    pub(super) async fn new() -> Self {
        let house = Self::empty().await;
        house.start().await;
        house
    }

    pub(super) async fn start(&self) -> Created {
        match self.identity.first_start(EMAIL, &PASSWORD.into(), "Acme").await.unwrap() {
            FirstStart::Created(created) => created,
            FirstStart::AlreadyDone => panic!("this is the first start"),
        }
    }

    pub(super) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let path = if path.starts_with("/api/") || path.starts_with("/oauth/") {
            path.to_owned()
        } else {
            format!("{HUB}{path}")
        };
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(request.body(body.into()).unwrap()).await
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(super) async fn call(&self, who: &Signed, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = [("authorization", who.0.as_str()), ("content-type", "application/json")];
        self.send(method, path, &headers, body).await
    }

    pub(super) async fn get(&self, who: &Signed, path: &str) -> Answer {
        self.call(who, "GET", path, Value::Null).await
    }

    pub(super) async fn log_in(&self, email: &str, password: &str) -> Answer {
        let body = json!({"username": email, "password": password});
        self.send("POST", "/authentication", &[], body.to_string()).await
    }

    pub(super) async fn log_in_from(&self, address: &str, email: &str, password: &str) -> Answer {
        let peer = SocketAddr::new(address.parse().unwrap(), 40_000);
        let body = json!({"username": email, "password": password});
        let mut request =
            Request::post(format!("{HUB}/authentication")).body(Body::from(body.to_string())).unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        self.answer(request).await
    }

    /// The hub header of a person.
    pub(super) async fn signed(&self, email: &str, password: &str) -> Signed {
        let token = self.log_in(email, password).await.expect(200).text("token");
        let secrets =
            self.get(&Signed(format!("Bearer {token}")), "/authentication/secrets").await.expect(200);
        Signed(format!(
            "User {}, Organization {}",
            secrets.text("userSecret"),
            secrets.text("organizationSecret")
        ))
    }

    pub(super) async fn root(&self) -> Signed {
        self.signed(EMAIL, PASSWORD).await
    }

    /// A user of a new account with these roles: how it signs, the account's id and its own.
    pub(super) async fn member(&self, name: &str, roles: &[&str]) -> (Signed, i64, i64) {
        let root = self.root().await;
        self.member_by(&root, name, roles).await
    }

    /// The same, made by somebody else than the first administrator.
    pub(super) async fn member_by(&self, admin: &Signed, name: &str, roles: &[&str]) -> (Signed, i64, i64) {
        let account =
            self.call(admin, "POST", "/accounts", json!({"externalId": name})).await.expect(200).id();
        let roles: Vec<Value> = roles.iter().map(|key| json!({"key": key})).collect();
        let email = format!("{name}@example.com");
        let body = json!({
            "email": email,
            "firstName": "Ann",
            "lastName": "Other",
            "password": "Zebra-crossing-9",
            "roles": roles,
        });
        let user = self.call(admin, "POST", &format!("/accounts/{account}/users"), body).await.expect(200);
        (self.signed(&email, "Zebra-crossing-9").await, account, user.id())
    }
}
