//! Design time of the gateway: SAP's management API, deployment, key value maps, products and keys.
//!
//! Invariants: no proxied traffic; every write is one transaction, and what it changes is in the gateway's
//! snapshot before the answer leaves; a design that does not compile never replaces one that runs; secrets
//! are sealed before they reach the store and are shown as a mask.

mod http;
mod kvm_writer;
mod live;
mod management;
mod names;
mod odata;
mod open_connectors;
mod portal;
mod sets;
mod settings;

pub use live::StartFailure;
pub use management::Management;
pub use settings::{HostSetting, Settings};

/// The routes of the management service on the control listener.
pub fn router(management: Management) -> axum::Router {
    http::routes(management)
}
