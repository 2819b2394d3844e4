//! Drives the whole server as a client would: a real server on free ports, its own database, a stopped clock.
//!
//! Everything here insists on success unless a test asks for the answer itself, so that a test shows only
//! what it is about.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod admin;
mod client;
mod drive;
mod raw;
mod server;
mod site;
mod tls;

pub use admin::Admin;
pub use client::{Answer, Client, Request};
pub use drive::Drive;
pub use raw::{RawAnswer, raw, raw_get};
pub use server::{ADMIN_EMAIL, ADMIN_PASSWORD, Pierhead, postgres};
pub use site::Site;
pub use tls::{Authority, Leaf, TlsClient, ask, tls_setting};
