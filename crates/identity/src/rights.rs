//! Who may do what to whom (open-connectors §6.5).

use pierhead_domain::{AccountId, Caller, OrganizationId, Role, Roles};
use pierhead_store::identity::StoredPerson;

use crate::IdentityProblem;

fn forbidden<T>(why: &str) -> Result<T, IdentityProblem> {
    Err(IdentityProblem::Forbidden(why.into()))
}

/// Everything in the organization.
pub(crate) fn org_admin(caller: &Caller) -> Result<(), IdentityProblem> {
    if caller.is_org_admin() { Ok(()) } else { forbidden("this needs the role 'org-admin'") }
}

/// Whether the caller administers this account.
pub(crate) fn administers(caller: &Caller, account: AccountId) -> bool {
    caller.is_org_admin() || (caller.account == account && caller.roles.has(Role::AccountAdmin))
}

/// Everything in one account.
pub(crate) fn account_admin(caller: &Caller, account: AccountId) -> Result<(), IdentityProblem> {
    if administers(caller, account) {
        Ok(())
    } else {
        forbidden("this needs the role 'org-admin', or 'admin' of this account")
    }
}

/// What is in another organization is forbidden ground.
pub(crate) fn same_organization(
    caller: &Caller,
    organization: OrganizationId,
) -> Result<(), IdentityProblem> {
    if caller.organization == organization {
        Ok(())
    } else {
        forbidden("this belongs to another organization")
    }
}

/// Granting and revoking: nobody hands out what is above the own role.
pub(crate) fn may_grant(caller: &Caller, role: Role) -> Result<(), IdentityProblem> {
    let within = match role {
        Role::OrgAdmin | Role::ApiAdministrator | Role::ApiGuest => caller.is_org_admin(),
        Role::AccountAdmin | Role::OrgUser | Role::DefaultUser => {
            caller.is_org_admin() || caller.roles.has(Role::AccountAdmin)
        }
    };
    if within { Ok(()) } else { forbidden(&format!("the role '{role}' is above the caller's own")) }
}

/// Changing a user: an administrator of its account, and nobody below the user. Who sets a password or an
/// email address can become that user, so each role the user has must be the caller's own or its to give.
pub(crate) fn may_change(
    caller: &Caller,
    person: &StoredPerson,
    roles: &Roles,
) -> Result<(), IdentityProblem> {
    account_admin(caller, person.account)?;
    roles.iter().filter(|role| !caller.roles.has(*role)).try_for_each(|role| may_grant(caller, role))
}

/// Reading a user: itself, or an administrator of its account.
pub(crate) fn may_read(caller: &Caller, person: &StoredPerson) -> Result<(), IdentityProblem> {
    if caller.user == Some(person.id) { Ok(()) } else { account_admin(caller, person.account) }
}
