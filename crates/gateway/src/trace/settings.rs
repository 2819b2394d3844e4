//! What a session looks at, and how much it keeps.

use pierhead_domain::EpochMillis;
use serde::{Deserialize, Serialize};

use super::mask::Masks;
use crate::condition::Condition;
use crate::exchange::Exchange;

/// What a session looks at and how much it keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TraceSettings {
    /// What its starter calls it.
    pub name: String,
    /// The account it belongs to.
    pub account: String,
    /// Who started it.
    pub started_by: String,
    /// Name of the API proxy.
    pub proxy: String,
    /// Only this revision.
    pub revision: Option<String>,
    /// Only requests with each of these headers, by name and exact value.
    pub headers: Vec<(String, String)>,
    /// Only requests with each of these query parameters, by name and exact value.
    pub query: Vec<(String, String)>,
    /// Only requests for which this condition holds when they arrive; empty is none.
    pub condition: String,
    /// What is not shown.
    pub masks: Masks,
    /// The most exchanges that are kept.
    pub max_transactions: usize,
    /// The most bytes that are kept, about.
    pub max_bytes: usize,
    /// The most bytes of one exchange; what comes later in it is not recorded.
    pub max_transaction_bytes: usize,
    /// Bytes of a body that are shown.
    pub body_bytes: usize,
    /// Nothing is recorded from then on.
    pub until: Option<EpochMillis>,
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            account: String::new(),
            started_by: String::new(),
            proxy: String::new(),
            revision: None,
            headers: Vec::new(),
            query: Vec::new(),
            condition: String::new(),
            masks: Masks::default(),
            max_transactions: 1000,
            max_bytes: 16 << 20,
            max_transaction_bytes: 4 << 20,
            body_bytes: 64 << 10,
            until: None,
        }
    }
}

impl TraceSettings {
    /// Whether an exchange that begins is to be recorded.
    pub(super) fn pick(&self, condition: Option<&Condition>, cx: &Exchange) -> bool {
        *self.proxy == *cx.proxy().name
            && self.revision.as_ref().is_none_or(|revision| **revision == *cx.proxy().revision)
            && self.until.is_none_or(|until| cx.now() < until)
            && self.headers.iter().all(|(name, value)| {
                cx.request.headers.get_all(name).iter().any(|sent| sent.as_bytes() == value.as_bytes())
            })
            && self.query.iter().all(|(name, value)| {
                let head = cx.request.as_request();
                head.is_some_and(|head| head.params().values(name).any(|sent| sent == value))
            })
            && condition.is_none_or(|condition| condition.holds(cx))
    }
}
