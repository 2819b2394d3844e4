//! The one outbound HTTP client: pools, TLS, time limits, and the guard against calls into the operator's
//! own network (SSRF).
//!
//! Invariants: a name is resolved once per connection and the address that was checked is the address that
//! is dialled; certificates are always verified; nothing here knows who is calling or why, retries, or
//! follows a redirect without being asked to.

mod body;
mod client;
mod connector;
mod error;
mod guard;
mod limits;
mod redirect;
mod resolve;
mod settings;
#[cfg(test)]
mod tests;
mod wire;

pub use body::{Body, BoxError, bytes_body, empty_body};
pub use client::Egress;
pub use error::{Cause, EgressError};
pub use guard::{AddressGuard, Denied};
pub use limits::CallLimits;
pub use redirect::{FinalUri, MAX_REDIRECTS};
pub use resolve::{Resolve, SystemResolver};
pub use settings::{BadSettings, EgressSettings};
