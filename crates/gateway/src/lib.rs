//! The data plane: snapshots, flows, conditions, templates, policies, targets and the servers that run them.
//!
//! Invariants: no database, no axum, no console. What a request needs is in the [`snapshot::Snapshot`] it took when
//! its first byte arrived, or leaves through [`ports`].

pub mod analytics;
mod balancer;
mod body;
pub mod callout;
pub mod compile;
pub mod condition;
mod counters;
pub mod design;
pub mod dialect;
mod door;
mod events;
pub mod exchange;
pub mod fault;
pub mod flow;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod google;
mod inbox;
mod json;
mod json_path;
mod key_stores;
mod limits;
pub mod logging;
mod octets;
mod openapi;
mod outbox;
pub mod policy;
pub mod ports;
mod property_set;
mod proxy;
mod server;
pub mod snapshot;
mod spare_maps;
pub mod state;
mod target;
mod target_tls;
pub mod template;
#[cfg(test)]
mod testing;
pub mod tls;
pub mod tokens;
pub mod trace;
mod trailers;
mod tunnel;
mod upstream;
pub mod variable;

pub use counters::{CounterReader, Counters};
pub use google::{BadServiceAccount, GoogleAccount, GoogleTokens};
pub use key_stores::{KeyEntry, KeyStore, KeyStores, LiveKeyStores};
pub use limits::Limits;
pub use property_set::{PropertySet, PropertySets};
pub use server::{AccessLog, AccessRecord, Gateway, GatewayConfig, RunningGateway, TlsListener};
pub use target_tls::TargetTls;
