//! Organizations, accounts, users, roles, logins and service keys.
//!
//! Reads are methods of [`Identities`]: of the committed state by [`Store::identities`], of a transaction's
//! own view by [`WriteTx::identities`].

mod account;
mod filter;
mod login;
mod organization;
mod person;
mod role;
mod service_key;
#[cfg(test)]
mod tests;

use sea_orm::{DatabaseConnection, DatabaseTransaction};

use crate::{Store, WriteTx};

pub use account::{AccountField, AccountFilter, NewAccount, StoredAccount};
pub use filter::Wanted;
pub use login::StoredLogin;
pub use organization::{NewOrganization, StoredOrganization};
pub use person::{NewPerson, PersonField, PersonFilter, StoredPerson};
pub use role::RoleHolder;
pub use service_key::{StoredAccessToken, StoredServiceKey};

/// Reads of identity rows through one connection.
#[derive(Debug)]
pub struct Identities<'c, C>(&'c C);

impl Store {
    /// What is committed.
    pub fn identities(&self) -> Identities<'_, DatabaseConnection> {
        Identities(self.reader())
    }
}

impl WriteTx {
    /// What this transaction sees: the committed state and its own writes.
    pub fn identities(&self) -> Identities<'_, DatabaseTransaction> {
        Identities(&self.0)
    }
}
