//! Flows and steps.

use serde::{Deserialize, Serialize};

/// The flows of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EndpointFlows {
    /// First, always.
    pub pre: Flow,
    /// Between: only the first whose condition holds.
    pub conditional: Vec<Flow>,
    /// Last, always.
    pub post: Flow,
    /// After the answer has gone to the client.
    pub post_client: Vec<Step>,
    /// Tried when a fault was raised; order is the dialect's.
    pub fault_rules: Vec<FaultRule>,
    /// Runs when no fault rule did, or always when it says so.
    pub default_fault_rule: Option<FaultRule>,
    /// Runs for each event of a streamed answer (Apigee, targets only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<EventFlow>,
}

/// Steps that run for each server-sent event of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EventFlow {
    /// For people and trace.
    pub name: String,
    /// The content type of answers it is for; `text/event-stream`.
    pub content_type: String,
    /// What runs.
    pub response: Vec<Step>,
}

/// Steps on the way in and on the way out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Flow {
    /// `PreFlow`, `PostFlow`, or the conditional flow's own.
    pub name: String,
    /// For people.
    pub description: String,
    /// Empty means always; only conditional flows have one.
    pub condition: String,
    /// On the way in.
    pub request: Vec<Step>,
    /// On the way out.
    pub response: Vec<Step>,
}

/// One policy attached to a flow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    /// Name of the policy.
    pub policy: String,
    /// Empty means always.
    pub condition: String,
}

/// Steps that answer a fault.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FaultRule {
    /// For people and trace.
    pub name: String,
    /// Empty means always.
    pub condition: String,
    /// Runs even after another rule ran (default fault rule only).
    pub always_enforce: bool,
    /// What runs.
    pub steps: Vec<Step>,
}
