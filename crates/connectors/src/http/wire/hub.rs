//! The hubs of the original (open-connectors §7.3).

use serde::Serialize;

use super::Resource;

/// Hub keys and names, in the original's order; a hub's id is its place, from 1 (Unsourced: the original's
/// numbers are database keys).
pub(crate) const HUBS: &[(&str, &str)] = &[
    ("documents", "Documents"),
    ("crm", "CRM"),
    ("marketing", "Marketing"),
    ("helpdesk", "Help Desk"),
    ("finance", "Finance"),
    ("ecommerce", "eCommerce"),
    ("erp", "ERP"),
    ("payment", "Payment"),
    ("general", "General"),
    ("messaging", "Messaging"),
    ("social", "Social"),
    ("collaboration", "Collaboration"),
    ("humancapital", "Human Capital"),
    ("employee", "Employee"),
    ("fsa", "Field Service"),
    ("esignature", "eSignature"),
    ("conferencing", "Conferencing"),
    ("scheduling", "Scheduling"),
    ("expense", "Expense"),
    ("sageaccounting", "Sage Accounting"),
    ("db", "Databases"),
    ("analytics", "Analytics"),
    ("ocr", "Text Recognition"),
    ("screening", "Screening"),
    ("billing", "Billing"),
    ("rewards", "Rewards"),
    ("storage", "Storage"),
    ("event", "Events"),
    ("monitoring", "Monitoring"),
];

/// A hub.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Hub {
    pub(crate) id: usize,
    pub(crate) key: &'static str,
    pub(crate) name: &'static str,
    pub(crate) description: String,
    /// Whether a connector of this installation belongs to it.
    pub(crate) active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resources: Option<Vec<Resource>>,
}
