//! The JSON of this room's objects as clients of the hub know it (open-connectors, appendix B).

use pierhead_domain::{EpochMillis, SecretString};
use pierhead_store::identity::{StoredAccount, StoredOrganization, StoredPerson};
use serde_json::{Value, json};

use super::roles::{RoleSheet, sheet};

fn date(at: EpochMillis) -> String {
    at.rfc3339_seconds()
}

/// `YYYY-MM-DD`.
fn day(at: EpochMillis) -> String {
    date(at).chars().take(10).collect()
}

pub(crate) fn organization(stored: &StoredOrganization, secret: &SecretString) -> Value {
    json!({
        "id": stored.id,
        "name": stored.name,
        "externalId": stored.external_id,
        "secret": secret.expose(),
        "vdrVersion": "v1",
        "active": stored.active,
        "environment": "production",
        "status": "paid",
        "canCreatePeer": false,
        "twoFactorAuthEnabled": false,
        "createdDate": date(stored.created),
        "updatedDate": date(stored.updated),
    })
}

pub(crate) fn account(stored: &StoredAccount, organization_name: &str) -> Value {
    json!({
        "id": stored.id,
        "name": stored.name,
        "externalId": stored.external_id,
        "description": stored.description,
        "active": stored.active,
        "defaultAccount": stored.is_default,
        "type": if stored.is_default { "Default" } else { "CompanyAccount" },
        "companyId": stored.organization,
        "customerName": organization_name,
        "createdDate": date(stored.created),
        "updatedDate": date(stored.updated),
    })
}

/// A user; with its secret only where the wire has it.
pub(crate) fn user(
    person: &StoredPerson,
    roles: &[pierhead_domain::Role],
    secret: Option<&SecretString>,
) -> Value {
    let mut user = json!({
        "id": person.id,
        "email": person.email,
        "username": person.email,
        "firstName": person.first_name,
        "lastName": person.last_name,
        "fullName": format!("{} {}", person.first_name, person.last_name).trim(),
        "externalId": person.external_id,
        "accountId": person.account,
        "organizationId": person.organization,
        "active": person.active,
        "enabled": person.active,
        "emailValid": true,
        "accountExpired": false,
        "accountLocked": false,
        "accountNonExpired": true,
        "accountNonLocked": true,
        "credentialsExpired": false,
        "credentialsNonExpired": true,
        "roles": roles.iter().map(|role| self::role(sheet(*role))).collect::<Vec<_>>(),
        "createdDate": date(person.created),
        "updatedDate": date(person.updated),
    });
    if let Some(at) = person.last_login {
        user["lastLoginDate"] = day(at).into();
    }
    for (name, value) in &person.profile {
        user[name.as_str()] = value.as_str().into();
    }
    if let Some(secret) = secret {
        user["secret"] = secret.expose().into();
    }
    user
}

/// The answer of a login.
pub(crate) fn authenticated(
    person: &StoredPerson,
    roles: &pierhead_domain::Roles,
    account_name: &str,
    organization_name: &str,
    token: &SecretString,
) -> Value {
    use pierhead_domain::Role::{AccountAdmin, OrgAdmin};
    let mut user = json!({
        "id": person.id,
        "username": person.email,
        "email": person.email,
        "firstName": person.first_name,
        "lastName": person.last_name,
        "accountId": person.account,
        "accountName": account_name,
        "organizationId": person.organization,
        "organizationName": organization_name,
        "organizationAdmin": roles.has(OrgAdmin),
        "accountAdmin": roles.has(OrgAdmin) || roles.has(AccountAdmin),
        "sysAdmin": false,
        "inIntelligenceRole": false,
        "twoFactor": false,
        "registeredForTwoFactor": false,
        "roles": roles.iter().map(|role| self::role(sheet(role))).collect::<Vec<_>>(),
        "createdDate": date(person.created),
        "token": token.expose(),
    });
    if let Some(at) = person.last_login {
        user["lastLoginDate"] = day(at).into();
    }
    user
}

pub(crate) fn role(sheet: &RoleSheet) -> Value {
    let privilege = |key: &&str| json!({"key": key, "name": key, "active": true, "hide": false});
    json!({
        "id": sheet.id,
        "key": sheet.role.key(),
        "name": sheet.name,
        "description": sheet.description,
        "active": true,
        "hide": false,
        "features": [],
        "privileges": sheet.privileges.iter().map(privilege).collect::<Vec<_>>(),
    })
}
