//! Which original a proxy behaves like where the two differ.

use serde::{Deserialize, Serialize};

/// The compatibility switch of an environment (design, "One engine, two dialects"). It decides statuses and
/// texts only; flows, conditions and policies are the same in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// SAP API Management.
    Sap,
    /// Apigee.
    #[default]
    Apigee,
}
