//! Making, changing and ending connector instances.
//!
//! Invariant: credentials are proven with the vendor before anything is stored, and everything of one
//! instance is stored in one transaction, so a half-made instance never exists.

mod ask;
mod change;
mod consent;
mod consent_bound;
mod create;
mod directory_rule;
mod draft;
mod end;
mod first_token;
mod moved;
mod naming;
mod trial;

pub(crate) use ask::{ElementChoice, InstanceAsk};
pub(crate) use consent::ConsentClient;
pub(crate) use consent_bound::ConsentBound;
pub(crate) use draft::{MASK, is_secret};
