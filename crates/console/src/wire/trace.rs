//! Debug sessions of Apigee's API as pages read them (API management reference §8.10, decision 057).

use serde::Deserialize;

use super::{GatewayAddress, escape};

/// Path of the debug sessions of all proxies.
pub(crate) fn all_sessions_path(at: &GatewayAddress) -> String {
    at.in_environment("/debugsessions")
}

/// Path of all debug sessions of a proxy.
pub(crate) fn proxy_sessions_path(at: &GatewayAddress, proxy: &str) -> String {
    at.in_environment(&format!("/apis/{}/debugsessions", escape(proxy)))
}

/// Path of the debug sessions of a revision.
pub(crate) fn revision_sessions_path(at: &GatewayAddress, proxy: &str, revision: &str) -> String {
    at.in_environment(&format!("/apis/{}/revisions/{}/debugsessions", escape(proxy), escape(revision)))
}

/// A debug session.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct DebugSession {
    pub(crate) name: String,
    #[serde(rename = "apiProxy")]
    pub(crate) proxy: String,
    pub(crate) revision: String,
    pub(crate) recording: bool,
    pub(crate) started_at: i64,
    pub(crate) started_by: String,
    pub(crate) ends_at: i64,
    pub(crate) transactions: usize,
    pub(crate) dropped: u64,
    pub(crate) filter: SessionFilter,
}

/// What a session picks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SessionFilter {
    headers: Vec<Pair>,
    query_params: Vec<Pair>,
    condition: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Pair {
    name: String,
    value: String,
}

impl SessionFilter {
    /// In words; nothing when every request is picked.
    pub(crate) fn spoken(&self) -> Vec<String> {
        let headers = self.headers.iter().map(|pair| format!("header {}: {}", pair.name, pair.value));
        let query = self.query_params.iter().map(|pair| format!("query {}={}", pair.name, pair.value));
        let condition = Some(self.condition.clone()).filter(|condition| !condition.is_empty());
        headers.chain(query).chain(condition).collect()
    }
}

/// One line of a session's list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct TransactionRow {
    pub(crate) id: String,
    pub(crate) began: i64,
    pub(crate) took_micros: u64,
    pub(crate) status: Option<u16>,
    pub(crate) request: String,
    pub(crate) fault: String,
}

/// A recorded exchange.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Transaction {
    pub(crate) revision: String,
    pub(crate) began: i64,
    pub(crate) took_us: u64,
    pub(crate) status: Option<u16>,
    pub(crate) points: Vec<TimedPoint>,
    pub(crate) truncated: bool,
}

/// Something that happened, and when it was over.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TimedPoint {
    pub(crate) after_us: u64,
    #[serde(flatten)]
    pub(crate) point: Point,
}

/// Something that happened.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "point", rename_all = "snake_case")]
pub(crate) enum Point {
    /// A message as it stands.
    Message {
        at: String,
        #[serde(default)]
        url: String,
        message: Shot,
    },
    /// A condition was asked.
    Condition { at: String, of: String, text: String, held: bool, read: Vec<Reading> },
    /// A policy ran.
    Step {
        at: String,
        policy: String,
        kind: String,
        took_us: u64,
        read: Vec<Reading>,
        assigned: Vec<Assignment>,
        changed: Vec<Shot>,
        fault: Option<TracedFault>,
        #[serde(default)]
        responded: bool,
    },
    /// A step called somebody.
    Call { url: String, took_us: u64, request: Shot, answer: Option<Shot>, fault: Option<TracedFault> },
    /// The exchange went into the error state.
    Fault { at: String, fault: TracedFault },
}

/// A message at one moment.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Shot {
    pub(crate) name: String,
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: ShotBody,
}

/// A body at one moment.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ShotBody {
    Empty,
    Streaming,
    Text { text: String, bytes: usize },
    Binary { bytes: usize },
}

/// A variable that was looked at.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Reading {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
}

/// A variable that was changed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// A fault.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TracedFault {
    pub(crate) code: String,
    pub(crate) text: String,
}

/// What a replay gave.
#[derive(Debug, Deserialize)]
pub(crate) struct Replayed {
    pub(crate) revision: String,
    pub(crate) targets: String,
    pub(crate) differences: Vec<Difference>,
    pub(crate) recorded: Transaction,
    pub(crate) replayed: Transaction,
}

/// Two recorded exchanges and what differs.
#[derive(Debug, Deserialize)]
pub(crate) struct Compared {
    pub(crate) differences: Vec<Difference>,
    pub(crate) recorded: Transaction,
    pub(crate) other: Transaction,
}

/// One difference.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Difference {
    pub(crate) part: String,
    pub(crate) name: String,
    pub(crate) recorded: Option<String>,
    pub(crate) replayed: Option<String>,
}
