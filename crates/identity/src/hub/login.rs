//! `/authentication`: logging in with a password, seeing the own secrets, changing the own password
//! (open-connectors §2.3).

use axum::Json;
use axum::extract::State;
use pierhead_domain::SecretString;
use pierhead_store::identity::StoredPerson;
use serde_json::{Value, json};

use super::caller::PlatformCaller;
use super::wire;
use crate::password_policy::{self, Owner};
use crate::posted::{NAME, Posted};
use crate::{Identity, IdentityProblem};

/// `POST /authentication` `{"username","password"}`: a token for `Bearer`.
pub(crate) async fn log_in(
    State(identity): State<Identity>,
    posted: Posted,
) -> Result<Json<Value>, IdentityProblem> {
    let name = posted.needed("username", NAME)?;
    let password = posted.needed_password("password")?;
    let person = identity.person_by_password(&name, &password).await?;
    authenticated(&identity, person).await
}

/// `GET /authentication/secrets`: what the calls of the person who asks are signed with.
pub(crate) async fn secrets(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
) -> Result<Json<Value>, IdentityProblem> {
    let person = identity.own_person(&caller).await?;
    let user = identity.user_secret(&person)?;
    let organization = identity.organization_of(&caller).await?;
    let organization = identity.organization_secret(&organization)?;
    Ok(Json(json!({"userSecret": user.expose(), "organizationSecret": organization.expose()})))
}

/// `POST /authentication/passwords` `{"password"}`: a new password for the person who asks. All logins
/// end; the answer holds a new one.
pub(crate) async fn change_password(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    posted: Posted,
) -> Result<Json<Value>, IdentityProblem> {
    let password = posted.needed_password("password")?;
    let person = identity.own_person(&caller).await?;
    password_policy::check(&password, owner(&person))?;
    let hash = identity.0.passwords.hash(password).await?;
    let tx = identity.change(caller.organization).await?;
    let mut person = tx.identities().person(person.id).await?.ok_or_else(no_user)?;
    person.password_hash = hash;
    person.updated = identity.now();
    tx.save_person(&person).await?;
    tx.end_logins_of(person.id).await?;
    identity.commit(tx, caller.organization).await?;
    authenticated(&identity, person).await
}

pub(super) fn owner(person: &StoredPerson) -> Owner<'_> {
    Owner { first_name: &person.first_name, last_name: &person.last_name, email: &person.email }
}

fn no_user() -> IdentityProblem {
    IdentityProblem::NotFound("the user".into())
}

async fn authenticated(
    identity: &Identity,
    mut person: StoredPerson,
) -> Result<Json<Value>, IdentityProblem> {
    let token: SecretString = identity.begin_login(&person).await?;
    person.last_login = Some(identity.now());
    let reads = identity.0.store.identities();
    let roles = identity.effective_roles(&person).await?;
    let account = reads.account(person.account).await?.map(|account| account.name).unwrap_or_default();
    let organization = reads.organization(person.organization).await?.map(|found| found.name);
    let organization = organization.unwrap_or_default();
    Ok(Json(wire::authenticated(&person, &roles, &account, &organization, &token)))
}
