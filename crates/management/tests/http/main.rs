//! The management API over HTTP, as its clients speak it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod apigee;
mod apigee_maps;
mod batch;
mod bundles;
mod client;
mod csrf;
mod entities;
mod key_stores;
mod kvm;
mod lifecycle;
mod pieces;
mod reading;
mod resource_files;
mod shape;
