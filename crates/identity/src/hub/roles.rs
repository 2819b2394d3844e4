//! `/organizations/roles`: the roles there are and what they allow (open-connectors §6.5).

use axum::Json;
use pierhead_domain::Role;
use serde_json::Value;

use super::caller::PlatformCaller;
use super::{Names, wire};
use crate::IdentityProblem;

/// A role as the wire describes it.
#[derive(Debug)]
pub(crate) struct RoleSheet {
    pub(crate) role: Role,
    pub(crate) id: i64,
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) privileges: &'static [&'static str],
}

const BUILDING: &[&str] = &[
    "viewElements",
    "createElementInstances",
    "viewFormulas",
    "createFormulas",
    "editFormulas",
    "deleteFormulas",
    "createFormulaInstances",
    "viewCommonObjects",
    "createCommonObjects",
    "editCommonObjects",
    "deleteCommonObjects",
];

const ACCOUNT: &[&str] = &[
    "viewElements",
    "createElementInstances",
    "viewFormulas",
    "createFormulas",
    "editFormulas",
    "deleteFormulas",
    "createFormulaInstances",
    "viewCommonObjects",
    "createCommonObjects",
    "editCommonObjects",
    "deleteCommonObjects",
    "viewUsersAccount",
    "addUsersAccount",
    "editUsersAccount",
    "deleteUsersAccount",
];

const ORGANIZATION: &[&str] = &[
    "viewElements",
    "createElements",
    "editElements",
    "deleteElements",
    "createElementInstances",
    "viewFormulas",
    "createFormulas",
    "editFormulas",
    "deleteFormulas",
    "createFormulaInstances",
    "viewCommonObjects",
    "createCommonObjects",
    "editCommonObjects",
    "deleteCommonObjects",
    "viewUsersAccount",
    "addUsersAccount",
    "editUsersAccount",
    "deleteUsersAccount",
    "viewUsersOrg",
    "addUsersOrg",
    "editUsersOrg",
    "deleteUsersOrg",
    "manageUiBranding",
];

static SHEETS: [RoleSheet; 6] = [
    RoleSheet {
        role: Role::OrgAdmin,
        id: 1,
        name: "Organization Administrator",
        description: "Everything in the organization",
        privileges: ORGANIZATION,
    },
    RoleSheet {
        role: Role::AccountAdmin,
        id: 2,
        name: "Account",
        description: "Everything in one account",
        privileges: ACCOUNT,
    },
    RoleSheet {
        role: Role::OrgUser,
        id: 3,
        name: "Organization User",
        description: "A user of the default account",
        privileges: BUILDING,
    },
    RoleSheet {
        role: Role::DefaultUser,
        id: 4,
        name: "Default User",
        description: "A user of another account",
        privileges: BUILDING,
    },
    RoleSheet {
        role: Role::ApiAdministrator,
        id: 5,
        name: "API Administrator",
        description: "Designs, deploys and keys of API proxies",
        privileges: &[],
    },
    RoleSheet {
        role: Role::ApiGuest,
        id: 6,
        name: "API Guest",
        description: "Reads the designs of API proxies",
        privileges: &[],
    },
];

/// The sheet of a role; the order of the table is that of the roles.
pub(crate) fn sheet(role: Role) -> &'static RoleSheet {
    match role {
        Role::OrgAdmin => &SHEETS[0],
        Role::AccountAdmin => &SHEETS[1],
        Role::OrgUser => &SHEETS[2],
        Role::DefaultUser => &SHEETS[3],
        Role::ApiAdministrator => &SHEETS[4],
        Role::ApiGuest => &SHEETS[5],
    }
}

/// A role named in a path; an unknown one is a bad request, not a missing page (open-connectors §6.2).
pub(super) fn named(key: &str) -> Result<Role, IdentityProblem> {
    key.parse().map_err(|_| {
        let short: String = key.chars().take(60).collect();
        IdentityProblem::Invalid(format!("no role has the key '{short}'"))
    })
}

/// `GET /organizations/roles`.
pub(crate) async fn list(_: PlatformCaller) -> Json<Vec<Value>> {
    Json(SHEETS.iter().map(wire::role).collect())
}

/// `GET /organizations/roles/{keyOrId}`.
pub(crate) async fn show(_: PlatformCaller, Names([key]): Names<1>) -> Result<Json<Value>, IdentityProblem> {
    let found = SHEETS.iter().find(|sheet| sheet.role.key() == key || sheet.id.to_string() == key);
    let sheet = found.ok_or_else(|| IdentityProblem::NotFound("the role".into()))?;
    Ok(Json(wire::role(sheet)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_its_own_sheet() {
        for sheet in &SHEETS {
            assert_eq!(super::sheet(sheet.role).role, sheet.role);
        }
    }
}
