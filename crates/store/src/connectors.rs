//! The connector hub's rows: instances, the credentials that refresh themselves, consents under way.

mod consent;
mod credential;
mod instance;
#[cfg(test)]
mod tests;

pub use consent::StoredConsent;
pub use credential::{CredentialMark, CredentialState, NewCredential, StoredCredential};
pub use instance::{InstanceChange, InstanceFilter, NewInstance, StoredInstance};
