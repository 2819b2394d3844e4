//! Connectors: definitions, the engine that runs them, instances and the hub's wire.
//!
//! Invariant: no vendor is named in this code; a vendor is a folder in `catalog/`.

pub mod catalogue;
mod ceql;
mod credentials;
pub mod definition;
pub mod driver;
pub mod engine;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod http;
mod hub;
mod instance;
pub mod links;
mod provision;
#[cfg(test)]
mod testing;

pub use http::router;
pub use hub::{Hub, HubParts, HubSettings};
