//! Design time of the gateway: SAP's management API, deployment, key value maps, products and keys.
//!
//! Invariants: no proxied traffic; every write is one transaction, and what it changes is in the gateway's
//! snapshot before the answer leaves; a design that does not compile never replaces one that runs; secrets
//! are sealed before they reach the store and are shown as a mask.

mod apigee;
mod counter_keeper;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod http;
mod key_stores;
mod kvm_writer;
mod last_good;
mod live;
mod live_environment;
mod live_keys;
mod management;
mod names;
mod odata;
mod open_connectors;
mod portal;
mod resource_files;
mod sets;
mod settings;
#[cfg(test)]
mod testing;
mod token_keeper;
mod transport;

pub use last_good::{BadLastGood, LastGoodFile, LastGoodReport};
pub use live::StartFailure;
pub use management::Management;
pub use settings::{HostSetting, Settings};

/// The routes on the control listener: SAP's `Management.svc` and `Transport.svc` below `/apiportal/api/1.0`, and of Apigee's API what
/// lies below `/v1/organizations/{org}` and `/v1/o/{org}`.
pub fn router(management: Management) -> axum::Router {
    http::routes(management.clone()).merge(apigee::routes(management))
}
