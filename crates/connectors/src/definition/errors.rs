//! How a vendor's error answers become the hub's.

use http::StatusCode;
use pierhead_script::Program;

use super::block::Block;
use super::yaml::NodeData;

/// The `errors` block: where the vendor's message stands, and rules tried in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Errors {
    /// Where the vendor's text stands in a JSON error body.
    pub(crate) message: Option<Program>,
    pub(crate) rules: Vec<ErrorRule>,
}

/// One rule: what it fits, and what becomes of it.
#[derive(Debug, Clone)]
pub(crate) struct ErrorRule {
    /// Statuses it fits; all error statuses when empty.
    pub(crate) statuses: Vec<u16>,
    /// What the error body must say besides.
    pub(crate) test: Option<Program>,
    /// The hub's status.
    pub(crate) answer: StatusCode,
    /// The hub's message; a general one for the status when absent.
    pub(crate) text: Option<String>,
    /// The same call may succeed later.
    pub(crate) retryable: bool,
    /// The credential is no longer good: refresh it once and try again.
    pub(crate) refresh: bool,
}

impl Errors {
    pub(crate) fn read(definition: &Block<'_>) -> Self {
        let Some(block) = definition.block("errors", "errors") else { return Self::default() };
        let message = block.program("message", &[]);
        let rules = block.blocks("rules", "error rule");
        Self { message, rules: rules.iter().filter_map(ErrorRule::read).collect() }
    }
}

impl ErrorRule {
    fn read(block: &Block<'_>) -> Option<Self> {
        let statuses = match block.node("status").map(|node| &node.data) {
            None => Vec::new(),
            Some(NodeData::Integer(status)) => vec![*status],
            Some(NodeData::List(items)) => items
                .iter()
                .filter_map(|item| match item.data {
                    NodeData::Integer(n) => Some(n),
                    _ => None,
                })
                .collect(),
            Some(_) => {
                block.mistake("status", "must be a status or a list of statuses");
                Vec::new()
            }
        };
        let statuses = statuses.into_iter().filter_map(|status| u16::try_from(status).ok()).collect();
        let test = block.program("test", &["status", "headers"]);
        let answer = block.number("answer").and_then(|status| u16::try_from(status).ok());
        let answer = answer.and_then(|status| StatusCode::from_u16(status).ok());
        if !answer.is_some_and(|status| status.is_client_error() || status.is_server_error()) {
            block.mistake("answer", "is required: the hub's status, 400 to 599");
        }
        let text = block.text("text");
        let retryable = block.flag("retryable").unwrap_or(false);
        let refresh = block.flag("refresh").unwrap_or(false);
        Some(Self { statuses, test, answer: answer?, text, retryable, refresh })
    }
}
