//! Who makes a request, once it is known.

use std::fmt;
use std::str::FromStr;

use crate::{AccountId, OrganizationId, UserId};

/// What a person or a service key may do. The keys are the originals' (open-connectors §6.5,
/// api-management §8.2), mapped onto one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// `org-admin`: everything in the organization.
    OrgAdmin,
    /// `admin`: everything in one account.
    AccountAdmin,
    /// `org`: a user of the default account.
    OrgUser,
    /// `default-user`: a user of another account.
    DefaultUser,
    /// `APIPortal.Administrator`: design, deploy and secrets of API proxies.
    ApiAdministrator,
    /// `APIPortal.Guest`: reads designs of API proxies.
    ApiGuest,
}

impl Role {
    /// The key on the wire and in the store.
    pub const fn key(self) -> &'static str {
        match self {
            Self::OrgAdmin => "org-admin",
            Self::AccountAdmin => "admin",
            Self::OrgUser => "org",
            Self::DefaultUser => "default-user",
            Self::ApiAdministrator => "APIPortal.Administrator",
            Self::ApiGuest => "APIPortal.Guest",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// Text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no role has the key '{0}'")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(key: &str) -> Result<Self, UnknownRole> {
        [
            Self::OrgAdmin,
            Self::AccountAdmin,
            Self::OrgUser,
            Self::DefaultUser,
            Self::ApiAdministrator,
            Self::ApiGuest,
        ]
        .into_iter()
        .find(|role| role.key() == key)
        .ok_or_else(|| UnknownRole(key.into()))
    }
}

/// The roles of one caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(Vec<Role>);

impl Roles {
    /// Whether `role` is among them.
    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Role> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        let mut roles: Vec<Role> = roles.into_iter().collect();
        roles.sort_unstable();
        roles.dedup();
        Self(roles)
    }
}

/// An authenticated caller. Whoever holds one needs to check nothing about identity again, only roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The organization everything happens in.
    pub organization: OrganizationId,
    /// The account of the user; of the default account for a service key.
    pub account: AccountId,
    /// The user; `None` for a service key, which is nobody's.
    pub user: Option<UserId>,
    /// For `changed_by` and logs: an email address or a client id.
    pub name: String,
    /// What the caller may do.
    pub roles: Roles,
}

impl Caller {
    /// May do everything in the organization.
    pub fn is_org_admin(&self) -> bool {
        self.roles.has(Role::OrgAdmin)
    }

    /// May change API designs, deploy them and write key value maps.
    pub fn may_design_apis(&self) -> bool {
        self.is_org_admin() || self.roles.has(Role::ApiAdministrator)
    }

    /// May read API designs.
    pub fn may_read_apis(&self) -> bool {
        self.may_design_apis() || self.roles.has(Role::ApiGuest)
    }
}
