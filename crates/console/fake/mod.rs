//! A small stateful stand-in for the control listener: just enough of the wire for the console's own tests
//! and its example. It keeps the shapes of the references, not their rules.

mod hub;
mod management;
mod real;
mod trace;

#[cfg(test)]
pub(crate) use trace::transaction;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use pierhead_domain::{SeededRng, SharedRng};
use pierhead_vault::{KeyRing, LookupKey, Vault, VaultError};
use serde_json::{Value, json};

pub(crate) use real::Real;

/// What the stand-in knows. Clones share it.
#[derive(Clone)]
pub(crate) struct Control(Arc<Mutex<World>>);

/// Its contents.
pub(crate) struct World {
    /// Whether first-start setup is over.
    pub(crate) administrator: bool,
    /// Connectors.
    pub(crate) elements: Vec<Value>,
    /// Instances.
    pub(crate) instances: Vec<Value>,
    /// API providers.
    pub(crate) providers: Vec<Value>,
    /// API proxies.
    pub(crate) proxies: Vec<Value>,
    /// Key value maps with their entries under `entries`.
    pub(crate) maps: Vec<Value>,
    /// Why deployments are refused, if they are.
    pub(crate) refusal: Option<String>,
    /// How many logins were ended.
    pub(crate) logins_ended: usize,
    /// The last JSON body with a changing method.
    pub(crate) last_body: Value,
    /// Debug sessions.
    pub(crate) traces: trace::TraceWorld,
    next_id: u64,
}

#[allow(dead_code, clippy::allow_attributes, reason = "tests and the example use different parts")]
impl Control {
    /// With plausible contents.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(World {
            administrator: true,
            elements: hub::elements(),
            instances: hub::instances(),
            providers: management::providers(),
            proxies: management::proxies(),
            maps: management::maps(),
            refusal: None,
            logins_ended: 0,
            last_body: Value::Null,
            traces: trace::TraceWorld::default(),
            next_id: 600,
        })))
    }

    /// Its services.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .merge(hub::routes())
            .merge(management::routes())
            .merge(trace::routes())
            .layer(from_fn_with_state(self.clone(), remember_body))
            .with_state(self.clone())
    }

    /// Its services, with the real management service in place of the stand-in's API portal.
    pub(crate) fn router_before(&self, real: &Real) -> Router {
        let own = Router::new()
            .merge(hub::routes())
            .layer(from_fn_with_state(self.clone(), remember_body))
            .with_state(self.clone());
        own.merge(real.router.clone())
    }

    /// The contents, to look at or change.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes everything but the catalogue away.
    pub(crate) fn empty(&self) {
        let mut world = self.world();
        world.instances.clear();
        world.providers.clear();
        world.proxies.clear();
        world.maps.clear();
    }

    /// Back to first start.
    pub(crate) fn forget_administrator(&self) {
        self.world().administrator = false;
    }

    /// Makes every deployment fail for this reason.
    pub(crate) fn refuse_deployments(&self, why: &str) {
        self.world().refusal = Some(why.into());
    }

    /// Takes the entries of a map away.
    pub(crate) fn empty_map(&self, name: &str) {
        for map in self.world().maps.iter_mut().filter(|map| map["name"] == name) {
            map["entries"] = json!([]);
        }
    }

    /// The last JSON body that was sent with a changing method.
    pub(crate) fn last_body(&self) -> Value {
        self.world().last_body.clone()
    }

    /// How many instances there are.
    pub(crate) fn instances(&self) -> usize {
        self.world().instances.len()
    }
}

impl World {
    fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

async fn remember_body(State(control): State<Control>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = http_body_util::BodyExt::collect(body).await.map(|body| body.to_bytes()).unwrap_or_default();
    if let Ok(json) = serde_json::from_slice(&bytes) {
        control.world().last_body = json;
    }
    next.run(Request::from_parts(parts, Body::from(bytes))).await
}

/// A key for the console's form tokens.
pub(crate) fn lookup_key(seed: u64) -> Result<LookupKey, VaultError> {
    let rng: SharedRng = Arc::new(SeededRng::new(seed));
    let ring = KeyRing::generate(rng.as_ref());
    let wrapped = Vault::new_key(&ring, "installation".into(), None, &rng)?;
    Ok(Vault::open(ring, &wrapped, rng)?.lookup().clone())
}

/// Insists on a login token or on secrets.
pub(crate) struct Known;

impl FromRequestParts<Control> for Known {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &Control) -> Result<Self, Response> {
        let sent =
            parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or("");
        if sent.starts_with("Bearer login-token")
            || sent.starts_with("User 7OpR4MRo7wnPoVKkKFXHhHBUPRzqutoem")
        {
            Ok(Self)
        } else {
            Err(refuse(
                StatusCode::UNAUTHORIZED,
                "Invalid Organization or User secret, or invalid Element token.",
            ))
        }
    }
}

/// An error in the hub's dialect.
pub(crate) fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"requestId": "53dbca9430045c016b46566c", "message": message}))).into_response()
}

/// An error in OData's dialect.
pub(crate) fn refuse_odata(status: StatusCode, message: &str) -> Response {
    let error = json!({"error": {"code": "FAKE", "message": {"lang": "en", "value": message}}});
    (status, [("x-request-id", "53dbca9430045c016b46566d")], Json(error)).into_response()
}
