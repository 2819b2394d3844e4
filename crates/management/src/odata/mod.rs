//! A small OData V2 engine: URLs, query options, JSON and Atom, `$metadata` and `$batch`.
//!
//! It knows no entity of ours. What there is, is a table ([`Schema`]); who holds the rows is a
//! [`Service`]. Source of the conventions: api-management §8.4 and the OData V2 documents.

mod atom;
mod batch;
mod body;
mod entity;
mod error;
mod filter;
#[cfg(any(test, feature = "fuzzing"))]
mod fuzzing;
mod json;
mod key;
mod lexer;
mod metadata;
mod options;
mod path;
mod query;
mod schema;
mod server;
mod service;

pub(crate) use body::Parsed;
pub(crate) use entity::{Entity, moment};
pub(crate) use error::ODataError;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use fuzzing::{fuzz_batch, fuzz_uri};
pub(crate) use key::Key;
pub(crate) use options::Expand;
pub(crate) use schema::{ComplexType, EntitySet, Navigation, Property, Schema};
pub(crate) use server::{Call, Limits, answer};
pub(crate) use service::{Action, Service};
