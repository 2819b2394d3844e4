//! `/users`, `/accounts/{id}/users` and `/organizations/users` (open-connectors §6.3).

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use pierhead_domain::{AccountId, Caller, SecretString};
use pierhead_store::identity::{PersonField, PersonFilter, RoleHolder, StoredPerson};
use serde_json::Value;

use super::caller::PlatformCaller;
use super::{Names, account_id, wire};
use crate::condition::{self, Kind};
use crate::listing::{self, Query};
use crate::posted::Posted;
use crate::{Identity, IdentityProblem, rights};

const FIELDS: &[(&str, PersonField, Kind)] = &[
    ("id", PersonField::Id, Kind::Number),
    ("email", PersonField::Email, Kind::Text),
    ("firstName", PersonField::FirstName, Kind::Text),
    ("lastName", PersonField::LastName, Kind::Text),
    ("externalId", PersonField::ExternalId, Kind::Text),
    ("active", PersonField::Active, Kind::Flag),
];

/// With this header and the user's own password, the answer holds the user's secret.
const USER_PASSWORD: &str = "elements-user-password";

async fn list_for(
    identity: &Identity,
    caller: &Caller,
    account: Option<AccountId>,
    query: &Query,
) -> Result<Response, IdentityProblem> {
    let page = query.page()?;
    let filter = PersonFilter {
        organization: caller.organization,
        account,
        include_inactive: query.is_true("includeInactive"),
        terms: condition::read(query.get("where"), FIELDS)?,
    };
    let reads = identity.0.store.identities();
    let (offset, size) = listing::bounds(&page);
    let (people, total) = reads.people(&filter, offset, size).await?;
    let ids: Vec<_> = people.iter().map(|person| person.id).collect();
    let roles = reads.roles_of_people(&ids).await?;
    let user = |person: &StoredPerson| {
        wire::user(person, roles.get(&person.id).map(Vec::as_slice).unwrap_or_default(), None)
    };
    Ok(listing::answer(people.iter().map(user).collect(), &page, total))
}

async fn user_json(
    identity: &Identity,
    person: &StoredPerson,
    secret: Option<&SecretString>,
) -> Result<Json<Value>, IdentityProblem> {
    let roles = identity.0.store.identities().roles_of(RoleHolder::Person(person.id)).await?;
    Ok(Json(wire::user(person, &roles, secret)))
}

async fn created(identity: &Identity, person: StoredPerson) -> Result<Json<Value>, IdentityProblem> {
    let secret = identity.user_secret(&person)?;
    user_json(identity, &person, Some(&secret)).await
}

async fn show_person(
    identity: &Identity,
    caller: &Caller,
    person: StoredPerson,
    query: &Query,
    headers: &HeaderMap,
) -> Result<Json<Value>, IdentityProblem> {
    rights::may_read(caller, &person)?;
    if !person.active && !query.is_true("includeInactive") {
        return Err(IdentityProblem::NotFound("the user".into()));
    }
    let Some(password) = headers.get(USER_PASSWORD) else {
        return user_json(identity, &person, None).await;
    };
    let password = SecretString::new(String::from_utf8_lossy(password.as_bytes()));
    let who = format!("secret of {}", person.email);
    identity.check_password(&who, &password, Some(person.password_hash.clone())).await?;
    let secret = identity.user_secret(&person)?;
    user_json(identity, &person, Some(&secret)).await
}

async fn change_person(
    identity: &Identity,
    caller: &Caller,
    person: StoredPerson,
    query: &Query,
    posted: &Posted,
) -> Result<Response, IdentityProblem> {
    match identity.change_person(caller, person, posted, query.is_true("permanent")).await? {
        Some(person) => Ok(user_json(identity, &person, None).await?.into_response()),
        None => Ok(().into_response()),
    }
}

/// A user of the account that the path names.
async fn person_in_account(
    identity: &Identity,
    caller: &Caller,
    account: &str,
    user: &str,
) -> Result<StoredPerson, IdentityProblem> {
    let account = identity.visible_account(caller, account_id(account)?).await?;
    let person = identity.person_named(caller, user).await?;
    if person.account == account.id { Ok(person) } else { Err(IdentityProblem::NotFound("the user".into())) }
}

/// `GET /users`: the organization's for its administrator, the account's for the account's.
pub(crate) async fn list(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    query: Query,
) -> Result<Response, IdentityProblem> {
    rights::account_admin(&caller, caller.account)?;
    let account = (!caller.is_org_admin()).then_some(caller.account);
    list_for(&identity, &caller, account, &query).await
}

/// `GET /organizations/users`.
pub(crate) async fn list_of_organization(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    query: Query,
) -> Result<Response, IdentityProblem> {
    rights::org_admin(&caller)?;
    list_for(&identity, &caller, None, &query).await
}

/// `GET /accounts/{id}/users`.
pub(crate) async fn list_of_account(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([account]): Names<1>,
    query: Query,
) -> Result<Response, IdentityProblem> {
    let account = identity.visible_account(&caller, account_id(&account)?).await?;
    rights::account_admin(&caller, account.id)?;
    list_for(&identity, &caller, Some(account.id), &query).await
}

/// `POST /users`: a user of the caller's own account.
pub(crate) async fn create(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    posted: Posted,
) -> Result<Json<Value>, IdentityProblem> {
    created(&identity, identity.create_person(&caller, caller.account, &posted).await?).await
}

/// `POST /organizations/users`: a user of the default account.
pub(crate) async fn create_in_organization(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    posted: Posted,
) -> Result<Json<Value>, IdentityProblem> {
    rights::org_admin(&caller)?;
    let account = identity.0.store.identities().default_account(caller.organization).await?;
    let account = account.ok_or_else(|| IdentityProblem::NotFound("the default account".into()))?;
    created(&identity, identity.create_person(&caller, account.id, &posted).await?).await
}

/// `POST /accounts/{id}/users`.
pub(crate) async fn create_in_account(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([account]): Names<1>,
    posted: Posted,
) -> Result<Json<Value>, IdentityProblem> {
    created(&identity, identity.create_person(&caller, account_id(&account)?, &posted).await?).await
}

/// `GET /users/{emailOrId}` and `GET /organizations/users/{emailOrId}`.
pub(crate) async fn show(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([user]): Names<1>,
    query: Query,
    headers: HeaderMap,
) -> Result<Json<Value>, IdentityProblem> {
    let person = identity.person_named(&caller, &user).await?;
    show_person(&identity, &caller, person, &query, &headers).await
}

/// `GET /accounts/{id}/users/{emailOrId}`.
pub(crate) async fn show_in_account(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([account, user]): Names<2>,
    query: Query,
    headers: HeaderMap,
) -> Result<Json<Value>, IdentityProblem> {
    let person = person_in_account(&identity, &caller, &account, &user).await?;
    show_person(&identity, &caller, person, &query, &headers).await
}

/// `PATCH` and `PUT /users/{id}`.
pub(crate) async fn change(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([user]): Names<1>,
    query: Query,
    posted: Posted,
) -> Result<Response, IdentityProblem> {
    let person = identity.person_named(&caller, &user).await?;
    change_person(&identity, &caller, person, &query, &posted).await
}

/// `PATCH` and `PUT /accounts/{id}/users/{userId}`.
pub(crate) async fn change_in_account(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([account, user]): Names<2>,
    query: Query,
    posted: Posted,
) -> Result<Response, IdentityProblem> {
    let person = person_in_account(&identity, &caller, &account, &user).await?;
    change_person(&identity, &caller, person, &query, &posted).await
}

/// `DELETE /users/{id}`. Instances that it made stay with the account.
pub(crate) async fn delete(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([user]): Names<1>,
) -> Result<(), IdentityProblem> {
    let person = identity.person_named(&caller, &user).await?;
    identity.delete_person(&caller, person, false).await
}

/// `DELETE /accounts/{id}/users/{userId}`.
pub(crate) async fn delete_in_account(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([account, user]): Names<2>,
) -> Result<(), IdentityProblem> {
    let person = person_in_account(&identity, &caller, &account, &user).await?;
    identity.delete_person(&caller, person, false).await
}
