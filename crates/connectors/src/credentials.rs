//! Credentials that refresh by themselves (design §4).
//!
//! One refresh at a time per instance: in process by a shared flight, across nodes by a lease that the
//! store gives by compare-and-swap on the credential's generation. No lock is held over the network call.
//! The new token is committed before it is used. "The vendor is down" and "the grant was revoked" are
//! different states, and neither disables an instance.

mod failure;
mod material;
mod refresher;
mod slot;
#[cfg(test)]
mod tests;
mod token_endpoint;

pub(crate) use failure::TokenFailure;
pub(crate) use material::{Held, Material};
pub(crate) use refresher::{Refresher, RefresherParts};
pub(crate) use slot::CredentialSlot;
pub(crate) use token_endpoint::{Issued, TokenEndpoint};
