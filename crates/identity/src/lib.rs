//! Organizations, accounts, users, their roles and logins, service keys and `/oauth/token`.
//!
//! Everything here answers one question for the other faces, *who is calling?* (the port
//! [`pierhead_web::Authenticator`]), and keeps what the answer rests on. Invariants: no password, secret or
//! token is stored in clear; one that must be found is found by keyed hash; passwords are checked off the
//! request threads and never by more than a few at once.

mod admin;
mod authenticate;
mod cache;
mod condition;
mod credentials;
mod first_start;
mod hub;
mod listing;
mod oauth_token;
mod open_vault;
mod password_policy;
mod passwords;
mod posted;
mod problem;
mod rights;
mod router;
mod service;
#[cfg(test)]
mod tests;
mod throttle;

pub use first_start::{Created, FirstStart};
pub use open_vault::{StartProblem, open_vault, open_vault_without_database};
pub use problem::IdentityProblem;
pub use router::router;
pub use service::{Identity, IdentitySettings};
