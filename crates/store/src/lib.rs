//! Entities, migrations and queries over SQLite and PostgreSQL: the only room that names `sea_orm`.
//!
//! Invariants: no HTTP; no clear-text secret (values arrive sealed, secrets as look-up hashes); portable
//! columns only: text, bigint, bool, bytes, times in epoch milliseconds, JSON as text.

mod connection;
pub mod connectors;
mod counters;
mod error;
pub mod identity;
pub mod keys;
pub mod management;
mod migration;
mod sealed_text;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tokens;

pub use connection::{DatabaseUrl, Store, WriteTx};
pub use error::StoreError;
