//! `/accounts`: the divisions of an organization (open-connectors §6.2).

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use pierhead_domain::{AccountId, Caller, Role, UserId};
use pierhead_store::connectors::InstanceFilter;
use pierhead_store::identity::{AccountField, AccountFilter, NewAccount, RoleHolder, StoredAccount};
use pierhead_store::{StoreError, WriteTx};
use serde_json::Value;

use super::caller::PlatformCaller;
use super::roles::{named, sheet};
use super::{Names, account_id, wire};
use crate::condition::{self, Kind};
use crate::listing::{self, Query};
use crate::posted::{DESCRIPTION, NAME, Posted};
use crate::{Identity, IdentityProblem, rights};

const FIELDS: &[(&str, AccountField, Kind)] = &[
    ("id", AccountField::Id, Kind::Number),
    ("name", AccountField::Name, Kind::Text),
    ("externalId", AccountField::ExternalId, Kind::Text),
    ("description", AccountField::Description, Kind::Text),
    ("defaultAccount", AccountField::IsDefault, Kind::Flag),
    ("active", AccountField::Active, Kind::Flag),
];

fn unknown() -> IdentityProblem {
    IdentityProblem::NotFound("the account".into())
}

fn taken() -> IdentityProblem {
    IdentityProblem::Conflict("an account with this externalId exists already".into())
}

impl Identity {
    /// An account that the caller may see; another organization's is as unknown as none.
    pub(super) async fn visible_account(
        &self,
        caller: &Caller,
        id: AccountId,
    ) -> Result<StoredAccount, IdentityProblem> {
        let found = self.0.store.identities().account(id).await?;
        let own = found.filter(|account| account.organization == caller.organization).ok_or_else(unknown)?;
        if caller.is_org_admin() || caller.account == id {
            Ok(own)
        } else {
            Err(IdentityProblem::Forbidden("this is another account".into()))
        }
    }

    /// Deletes the connector instances of an account, or of one of its users.
    pub(super) async fn delete_instances(
        &self,
        tx: &WriteTx,
        account: &StoredAccount,
        owner: Option<UserId>,
    ) -> Result<(), StoreError> {
        let filter = InstanceFilter {
            organization: account.organization,
            account: Some(account.id),
            element: None,
            tags: Vec::new(),
            text: None,
        };
        let mut seen = 0;
        loop {
            let page = self.0.store.instances(&filter, seen, 200).await?;
            for instance in &page {
                if owner.is_none_or(|owner| instance.owner == Some(owner)) {
                    tx.delete_instance(instance.id).await?;
                }
            }
            seen += 200;
            if page.len() < 200 {
                return Ok(());
            }
        }
    }

    async fn account_json(
        &self,
        caller: &Caller,
        account: &StoredAccount,
    ) -> Result<Json<Value>, IdentityProblem> {
        let organization = self.organization_of(caller).await?;
        Ok(Json(wire::account(account, &organization.name)))
    }
}

pub(super) async fn list_for(
    identity: &Identity,
    caller: &Caller,
    query: &Query,
) -> Result<Response, IdentityProblem> {
    let page = query.page()?;
    let filter = AccountFilter {
        organization: caller.organization,
        only: (!caller.is_org_admin()).then_some(caller.account),
        include_inactive: query.is_true("includeInactive"),
        terms: condition::read(query.get("where"), FIELDS)?,
    };
    let (offset, size) = listing::bounds(&page);
    let (accounts, total) = identity.0.store.identities().accounts(&filter, offset, size).await?;
    let organization = identity.organization_of(caller).await?;
    let items = accounts.iter().map(|account| wire::account(account, &organization.name)).collect();
    Ok(listing::answer(items, &page, total))
}

pub(super) async fn create_for(
    identity: &Identity,
    caller: &Caller,
    posted: &Posted,
) -> Result<Json<Value>, IdentityProblem> {
    rights::org_admin(caller)?;
    let external_id = posted.needed("externalId", NAME)?;
    let new = NewAccount {
        organization: caller.organization,
        name: posted.kept("name", NAME)?.unwrap_or_else(|| external_id.clone()),
        external_id: Some(external_id.clone()),
        description: posted.text("description", DESCRIPTION)?.flatten(),
        is_default: false,
        created: identity.now(),
    };
    let tx = identity.change(caller.organization).await?;
    // Asked while holding the organization: of two at once the second sees the first.
    if tx.identities().account_by_external_id(caller.organization, &external_id).await?.is_some() {
        return Err(taken());
    }
    let id = tx.add_account(&new).await?;
    let account = tx.identities().account(id).await?.ok_or_else(unknown)?;
    identity.commit(tx, caller.organization).await?;
    identity.account_json(caller, &account).await
}

pub(super) async fn show_for(
    identity: &Identity,
    caller: &Caller,
    id: AccountId,
    query: &Query,
) -> Result<Json<Value>, IdentityProblem> {
    let account = identity.visible_account(caller, id).await?;
    if !account.active && !query.is_true("includeInactive") {
        return Err(unknown());
    }
    identity.account_json(caller, &account).await
}

/// `GET /accounts`: all for an administrator of the organization, else the caller's own.
pub(crate) async fn list(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    query: Query,
) -> Result<Response, IdentityProblem> {
    list_for(&identity, &caller, &query).await
}

/// `POST /accounts` `{"externalId","name","description"}`.
pub(crate) async fn create(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    posted: Posted,
) -> Result<Json<Value>, IdentityProblem> {
    create_for(&identity, &caller, &posted).await
}

/// `GET /accounts/{id}`.
pub(crate) async fn show(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([id]): Names<1>,
    query: Query,
) -> Result<Json<Value>, IdentityProblem> {
    show_for(&identity, &caller, account_id(&id)?, &query).await
}

/// `PATCH` and `PUT /accounts/{id}`; what is absent stays. `{"active": false}` with `permanent=true` also
/// deletes its users and instances; `{"active": true}` brings a deleted account back, without them.
pub(crate) async fn change(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([id]): Names<1>,
    query: Query,
    posted: Posted,
) -> Result<Json<Value>, IdentityProblem> {
    let id = account_id(&id)?;
    identity.visible_account(&caller, id).await?;
    rights::account_admin(&caller, id)?;
    let name = posted.kept("name", NAME)?;
    let external_id = posted.text("externalId", NAME)?;
    let description = posted.text("description", DESCRIPTION)?;
    let active = posted.flag("active")?;
    if active.is_some() {
        rights::org_admin(&caller)?;
    }
    let tx = identity.change(caller.organization).await?;
    let mut account = tx.identities().account(id).await?.ok_or_else(unknown)?;
    account.name = name.unwrap_or(account.name);
    account.external_id = external_id.unwrap_or(account.external_id);
    // One that comes back may find its externalId taken meanwhile.
    if let Some(wanted) = &account.external_id {
        let holder = tx.identities().account_by_external_id(caller.organization, wanted).await?;
        if holder.is_some_and(|holder| holder.id != id) {
            return Err(taken());
        }
    }
    account.description = description.unwrap_or(account.description);
    account.active = active.unwrap_or(account.active);
    account.updated = identity.now();
    if active == Some(false) {
        not_default(&account)?;
        if query.is_true("permanent") {
            empty(&identity, &tx, &account).await?;
        }
    }
    tx.save_account(&account).await?;
    identity.commit(tx, caller.organization).await?;
    identity.account_json(&caller, &account).await
}

/// `DELETE /accounts/{id}`, its users and instances with it.
pub(crate) async fn delete(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([id]): Names<1>,
) -> Result<(), IdentityProblem> {
    let id = account_id(&id)?;
    identity.visible_account(&caller, id).await?;
    rights::org_admin(&caller)?;
    let tx = identity.change(caller.organization).await?;
    let account = tx.identities().account(id).await?.filter(|account| account.active);
    let mut account = account.ok_or_else(unknown)?;
    not_default(&account)?;
    empty(&identity, &tx, &account).await?;
    account.active = false;
    account.updated = identity.now();
    tx.save_account(&account).await?;
    identity.commit(tx, caller.organization).await
}

fn not_default(account: &StoredAccount) -> Result<(), IdentityProblem> {
    if account.is_default {
        return Err(IdentityProblem::Invalid("the default account cannot be deleted or deactivated".into()));
    }
    Ok(())
}

async fn empty(identity: &Identity, tx: &WriteTx, account: &StoredAccount) -> Result<(), IdentityProblem> {
    identity.delete_instances(tx, account, None).await?;
    Ok(tx.delete_people_of(account).await?)
}

/// An account and role of `/accounts/{id}/roles/{key}`; here another organization is forbidden ground.
async fn account_and_role(
    identity: &Identity,
    caller: &Caller,
    id: &str,
    key: &str,
) -> Result<(AccountId, Role), IdentityProblem> {
    let id = account_id(id)?;
    let account = identity.0.store.identities().account(id).await?.ok_or_else(unknown)?;
    rights::same_organization(caller, account.organization)?;
    let role = named(key)?;
    rights::account_admin(caller, id)?;
    Ok((id, role))
}

/// `GET /accounts/{id}/roles`: what each user of the account may do beside its own roles.
pub(crate) async fn roles(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([id]): Names<1>,
) -> Result<Json<Vec<Value>>, IdentityProblem> {
    let account = identity.visible_account(&caller, account_id(&id)?).await?;
    let roles = identity.0.store.identities().roles_of(RoleHolder::Account(account.id)).await?;
    Ok(Json(roles.into_iter().map(|role| wire::role(sheet(role))).collect()))
}

/// `GET /accounts/{id}/roles/{key}`.
pub(crate) async fn role(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([id, key]): Names<2>,
) -> Result<Json<Value>, IdentityProblem> {
    let (id, role) = account_and_role(&identity, &caller, &id, &key).await?;
    let held = identity.0.store.identities().roles_of(RoleHolder::Account(id)).await?;
    if held.contains(&role) {
        Ok(Json(wire::role(sheet(role))))
    } else {
        Err(IdentityProblem::NotFound("this role of the account".into()))
    }
}

/// `PUT /accounts/{id}/roles/{key}`; granting it again changes nothing.
pub(crate) async fn grant(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([id, key]): Names<2>,
) -> Result<Json<Value>, IdentityProblem> {
    let (id, role) = account_and_role(&identity, &caller, &id, &key).await?;
    rights::may_grant(&caller, role)?;
    let tx = identity.change(caller.organization).await?;
    if !tx.identities().roles_of(RoleHolder::Account(id)).await?.contains(&role) {
        tx.grant(RoleHolder::Account(id), role).await?;
    }
    identity.commit(tx, caller.organization).await?;
    Ok(Json(wire::role(sheet(role))))
}

/// `DELETE /accounts/{id}/roles/{key}`.
pub(crate) async fn revoke(
    State(identity): State<Identity>,
    PlatformCaller(caller): PlatformCaller,
    Names([id, key]): Names<2>,
) -> Result<(), IdentityProblem> {
    let (id, role) = account_and_role(&identity, &caller, &id, &key).await?;
    rights::may_grant(&caller, role)?;
    let tx = identity.change(caller.organization).await?;
    tx.revoke(RoleHolder::Account(id), role).await?;
    identity.commit(tx, caller.organization).await
}
