//! The management API over HTTP, as its clients speak it.

mod apigee;
mod batch;
mod client;
mod csrf;
mod entities;
mod kvm;
mod lifecycle;
mod reading;
