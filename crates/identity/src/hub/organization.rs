//! `/organizations/me` and `/organizations/{id}/accounts` (open-connectors §6.1).

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use pierhead_domain::{Caller, SecretString};
use pierhead_store::identity::StoredOrganization;
use serde_json::Value;

use super::caller::PlatformCaller;
use super::{Names, account_id, accounts, organization_id, wire};
use crate::first_start::organization_secret_place;
use crate::listing::Query;
use crate::posted::{NAME, Posted};
use crate::{Identity, IdentityProblem, rights};

impl Identity {
    pub(super) async fn organization_of(
        &self,
        caller: &Caller,
    ) -> Result<StoredOrganization, IdentityProblem> {
        let found = self.0.store.identities().organization(caller.organization).await?;
        found.ok_or_else(|| IdentityProblem::NotFound("the organization".into()))
    }

    pub(super) fn organization_secret(
        &self,
        stored: &StoredOrganization,
    ) -> Result<SecretString, IdentityProblem> {
        let sealed = pierhead_vault::Sealed::from_stored(stored.secret_sealed.clone());
        Ok(self.0.vault.open_text(stored.id, &organization_secret_place(stored.id), &sealed)?)
    }
}

/// `GET /organizations/me`, its secret included: every user needs it for calls.
pub(crate) async fn show(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
) -> Result<Json<Value>, IdentityProblem> {
    let stored = identity.organization_of(&caller).await?;
    Ok(Json(wire::organization(&stored, &identity.organization_secret(&stored)?)))
}

/// `PUT /organizations/me`: its name and external id.
pub(crate) async fn change(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    posted: Posted,
) -> Result<Json<Value>, IdentityProblem> {
    rights::org_admin(&caller)?;
    let name = posted.kept("name", NAME)?;
    let external_id = posted.text("externalId", NAME)?;
    let tx = identity.change(caller.organization).await?;
    let stored = tx.identities().organization(caller.organization).await?;
    let mut stored = stored.ok_or_else(|| IdentityProblem::NotFound("the organization".into()))?;
    stored.name = name.unwrap_or(stored.name);
    stored.external_id = external_id.unwrap_or(stored.external_id);
    stored.updated = identity.now();
    tx.save_organization(&stored).await?;
    identity.commit(tx, caller.organization).await?;
    Ok(Json(wire::organization(&stored, &identity.organization_secret(&stored)?)))
}

/// Another organization is as unknown as none.
fn own(caller: &Caller, id: &str) -> Result<(), IdentityProblem> {
    if organization_id(id)? == caller.organization {
        Ok(())
    } else {
        Err(IdentityProblem::NotFound("the organization".into()))
    }
}

/// `GET /organizations/{id}/accounts`.
pub(crate) async fn accounts(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([id]): Names<1>,
    query: Query,
) -> Result<Response, IdentityProblem> {
    own(&caller, &id)?;
    accounts::list_for(&identity, &caller, &query).await
}

/// `POST /organizations/{id}/accounts`.
pub(crate) async fn create_account(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([id]): Names<1>,
    posted: Posted,
) -> Result<Json<Value>, IdentityProblem> {
    own(&caller, &id)?;
    accounts::create_for(&identity, &caller, &posted).await
}

/// `GET /organizations/{id}/accounts/{accountId}`.
pub(crate) async fn account(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([id, account]): Names<2>,
    query: Query,
) -> Result<Json<Value>, IdentityProblem> {
    own(&caller, &id)?;
    accounts::show_for(&identity, &caller, account_id(&account)?, &query).await
}
