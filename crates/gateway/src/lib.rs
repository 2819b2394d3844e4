//! The data plane: snapshots, flows, conditions, templates, policies, targets and the servers that run them.
//!
//! Invariants: no database, no axum, no console. What a request needs is in the [`Snapshot`] it took when
//! its first byte arrived, or leaves through [`ports`].

pub mod design;
pub mod ports;
