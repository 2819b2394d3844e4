//! The one interpreter of connector definitions.
//!
//! Invariant: no vendor's name occurs here or in the drivers; a tidy test reads the sources and says so.
//! Everything a vendor needs is data in its definition.

mod connection;
mod oauth;
mod problem;
mod run;
mod scope;
mod wire;

pub use connection::{Connection, Credential, DownloadLink};
pub use oauth::{AuthorizeAsk, Grant, OAuth, OAuthClient, OAuthProblem, Settings, Tokens};
pub use problem::{CallProblem, ProviderFault};
pub use run::{Engine, EngineParts};
pub use wire::{Body, BoxError, HubAnswer, HubCall, empty_body, full_body};
