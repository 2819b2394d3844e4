//! `/users/{id}/roles/{key}`: what one user may do (open-connectors §6.3).

use axum::Json;
use axum::extract::State;
use pierhead_domain::{Caller, Role, UserId};
use pierhead_store::StoreError;
use pierhead_store::identity::{RoleHolder, StoredPerson};
use serde_json::Value;

use super::caller::PlatformCaller;
use super::roles::{named, sheet};
use super::{Names, wire};
use crate::{Identity, IdentityProblem, rights};

fn unknown() -> IdentityProblem {
    IdentityProblem::NotFound("the user".into())
}

/// `GET /users/{id}/roles`.
pub(crate) async fn list(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([user]): Names<1>,
) -> Result<Json<Vec<Value>>, IdentityProblem> {
    let person = identity.person_named(&caller, &user).await?;
    rights::may_read(&caller, &person)?;
    let roles = identity.0.store.identities().roles_of(RoleHolder::Person(person.id)).await?;
    Ok(Json(roles.into_iter().map(|role| wire::role(sheet(role))).collect()))
}

/// The user and role of a path. Here another organization's user is forbidden ground, and so is the own.
async fn user_and_role(
    identity: &Identity,
    caller: &Caller,
    user: &str,
    key: &str,
) -> Result<(StoredPerson, Role), IdentityProblem> {
    let id: UserId = user.parse().map_err(|_| unknown())?;
    let person = identity.0.store.identities().person(id).await?.ok_or_else(unknown)?;
    rights::same_organization(caller, person.organization)?;
    let role = named(key)?;
    if caller.user == Some(person.id) {
        return Err(IdentityProblem::Forbidden("users cannot change their own roles".into()));
    }
    rights::may_change(caller, &person, &identity.effective_roles(&person).await?)?;
    rights::may_grant(caller, role)?;
    Ok((person, role))
}

/// `PUT /users/{id}/roles/{key}`; a role that the user has is a conflict.
pub(crate) async fn grant(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([user, key]): Names<2>,
) -> Result<Json<Value>, IdentityProblem> {
    let (person, role) = user_and_role(&identity, &caller, &user, &key).await?;
    let tx = identity.change(caller.organization).await?;
    tx.grant(RoleHolder::Person(person.id), role).await.map_err(|why| match why {
        StoreError::Duplicate(_) => {
            IdentityProblem::Conflict(format!("the user has the role '{role}' already"))
        }
        other => other.into(),
    })?;
    identity.commit(tx, caller.organization).await?;
    Ok(Json(wire::role(sheet(role))))
}

/// `DELETE /users/{id}/roles/{key}`.
pub(crate) async fn revoke(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([user, key]): Names<2>,
) -> Result<(), IdentityProblem> {
    let (person, role) = user_and_role(&identity, &caller, &user, &key).await?;
    let tx = identity.change(caller.organization).await?;
    if !tx.revoke(RoleHolder::Person(person.id), role).await? {
        return Err(IdentityProblem::NotFound("this role of the user".into()));
    }
    identity.commit(tx, caller.organization).await
}
