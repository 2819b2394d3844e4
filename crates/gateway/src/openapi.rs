//! Descriptions of APIs (OpenAPI 2.0, 3.0 and 3.1), compiled, and messages checked against them.
//!
//! Everything is compiled when a proxy is deployed: a reference that leads nowhere, a pattern that is none and a
//! keyword that is not understood are refused then. Nothing is fetched: references stay in their document.

mod checks;
mod document;
mod operation;
mod parameter;
mod schema;

pub(crate) use checks::{Allowed, Asked};

use http::Method;
use regex::Regex;

use operation::Operation;

/// A description, compiled.
#[derive(Debug)]
pub(crate) struct Description {
    schemas: schema::Schemas,
    /// The most specific first.
    paths: Vec<PathItem>,
    /// Headers and query parameters that carry credentials.
    credentials: Vec<(parameter::Place, String)>,
}

#[derive(Debug)]
struct PathItem {
    template: String,
    matches: Regex,
    /// In the order of the groups of the expression.
    names: Vec<String>,
    operations: Vec<(Method, Operation)>,
}

/// What is wrong with a message, for people. It may show parts of the message.
pub(crate) type Found = String;

#[cfg(test)]
mod tests;
