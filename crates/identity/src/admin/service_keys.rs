//! `/api/v1/service-keys`: credentials of programs that use `/oauth/token` (api-management §8.2).

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use pierhead_domain::Role;
use pierhead_store::identity::StoredServiceKey;
use serde_json::{Value, json};

use super::{AdminCaller, AdminPosted, AdminProblem};
use crate::credentials::{self, kind};
use crate::posted::NAME;
use crate::{Identity, IdentityProblem, rights};

const LONGEST_DAYS: u64 = 3650;
const DAY_SECONDS: u64 = 24 * 3600;

fn unknown() -> IdentityProblem {
    IdentityProblem::NotFound("the service key".into())
}

impl Identity {
    fn service_key_json(&self, key: &StoredServiceKey) -> Value {
        let url = &self.0.settings.public_url;
        json!({
            "url": url,
            "tokenUrl": format!("{url}/oauth/token"),
            "clientId": key.client_id,
            "name": key.name,
            "roles": key.roles.iter().map(Role::key).collect::<Vec<_>>(),
            "createdBy": key.created_by,
            "createdDate": key.created.rfc3339_seconds(),
            "expiresDate": key.expires.map(|expires| expires.rfc3339_seconds()),
        })
    }
}

/// `GET /api/v1/service-keys`.
pub(crate) async fn list(
    State(identity): State<Identity>,
    AdminCaller(caller): AdminCaller,
) -> Result<Json<Vec<Value>>, AdminProblem> {
    rights::org_admin(&caller)?;
    let keys = identity.0.store.identities().service_keys(caller.organization).await?;
    Ok(Json(keys.iter().map(|key| identity.service_key_json(key)).collect()))
}

/// `GET /api/v1/service-keys/{clientId}`.
pub(crate) async fn show(
    State(identity): State<Identity>,
    AdminCaller(caller): AdminCaller,
    Path(client_id): Path<String>,
) -> Result<Json<Value>, AdminProblem> {
    rights::org_admin(&caller)?;
    let key = identity.0.store.identities().service_key(&client_id).await?;
    let key = key.filter(|key| key.organization == caller.organization).ok_or_else(unknown)?;
    Ok(Json(identity.service_key_json(&key)))
}

/// `POST /api/v1/service-keys` `{"name","roles"?,"expiresInDays"?}` → 201 with `clientSecret`, this once.
/// Without `roles` it may design and deploy APIs.
pub(crate) async fn create(
    State(identity): State<Identity>,
    AdminCaller(caller): AdminCaller,
    AdminPosted(posted): AdminPosted,
) -> Result<(StatusCode, Json<Value>), AdminProblem> {
    rights::org_admin(&caller)?;
    let name = posted.needed("name", NAME)?;
    let roles = posted.roles("roles")?.filter(|roles| !roles.is_empty());
    let days = posted.count("expiresInDays", LONGEST_DAYS)?;
    let (rng, now) = (identity.0.rng.as_ref(), identity.now());
    let secret = credentials::client_secret(rng);
    let key = StoredServiceKey {
        client_id: credentials::client_id(rng),
        organization: caller.organization,
        name,
        secret_hash: identity.hash(kind::CLIENT, secret.expose()),
        roles: roles.unwrap_or_else(|| vec![Role::ApiAdministrator]).into_iter().collect(),
        created_by: caller.name,
        created: now,
        expires: days.map(|days| now.plus(Duration::from_secs(days * DAY_SECONDS))),
    };
    let tx = identity.0.store.write().await?;
    tx.add_service_key(&key).await?;
    tx.commit().await?;
    let mut answer = identity.service_key_json(&key);
    answer["clientSecret"] = secret.expose().into();
    Ok((StatusCode::CREATED, Json(answer)))
}

/// `DELETE /api/v1/service-keys/{clientId}`: it and its access tokens stop working at once.
pub(crate) async fn revoke(
    State(identity): State<Identity>,
    AdminCaller(caller): AdminCaller,
    Path(client_id): Path<String>,
) -> Result<StatusCode, AdminProblem> {
    rights::org_admin(&caller)?;
    let tx = identity.0.store.write().await?;
    if !tx.delete_service_key(caller.organization, &client_id).await? {
        return Err(unknown().into());
    }
    tx.commit().await?;
    identity.0.cache.clear();
    Ok(StatusCode::NO_CONTENT)
}
