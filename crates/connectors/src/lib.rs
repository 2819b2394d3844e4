//! Connectors: definitions, the engine that runs them, instances and the hub's wire.
//!
//! Invariant: no vendor is named in this code; a vendor is a folder in `catalog/`.

pub mod catalogue;
pub mod definition;
pub mod driver;
pub mod engine;
