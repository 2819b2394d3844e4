//! Apigee's management JSON, and our reports, as pages read them (API management reference §8.10).

use serde::Deserialize;
use serde_json::Value;

use super::{Wire, WireProblem, escape};

/// Addresses of the gateway that the console stands before: one organization, one environment.
#[derive(Debug, Clone)]
pub(crate) struct GatewayAddress {
    pub(crate) organization: String,
    pub(crate) environment: String,
}

impl GatewayAddress {
    /// `/v1/organizations/<org>` and what follows it.
    pub(crate) fn below(&self, path: &str) -> String {
        format!("/v1/organizations/{}{path}", escape(&self.organization))
    }

    /// The same below the environment.
    pub(crate) fn in_environment(&self, path: &str) -> String {
        self.below(&format!("/environments/{}{path}", escape(&self.environment)))
    }

    /// One revision of a proxy or shared flow; `kind` is `apis` or `sharedflows`.
    pub(crate) fn revision(&self, kind: &str, name: &str, revision: &str) -> String {
        self.below(&format!("/{kind}/{}/revisions/{}", escape(name), escape(revision)))
    }

    /// Where a revision is deployed and undeployed.
    pub(crate) fn deployment(&self, kind: &str, name: &str, revision: &str) -> String {
        self.in_environment(&format!("/{kind}/{}/revisions/{}/deployments", escape(name), escape(revision)))
    }
}

/// The report on a bundle or a kept revision.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Report {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) dialect: String,
    pub(crate) verdict: String,
    pub(crate) steps: Vec<StepReport>,
    pub(crate) policies: Vec<PolicyReport>,
    pub(crate) findings: Vec<Finding>,
}

/// One step and what becomes of it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct StepReport {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) endpoint: String,
    pub(crate) flow: String,
    pub(crate) direction: String,
    pub(crate) policy: String,
    pub(crate) kind: String,
    pub(crate) condition: String,
    pub(crate) runs: bool,
    pub(crate) why: String,
}

/// One policy and what becomes of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PolicyReport {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) file: String,
    pub(crate) attached: usize,
    pub(crate) runs: bool,
    pub(crate) why: String,
}

/// One thing to be said about a place in a bundle.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Finding {
    pub(crate) severity: String,
    pub(crate) rule: String,
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl Finding {
    /// Tone of its pill.
    pub(crate) fn tone(&self) -> &'static str {
        match self.severity.as_str() {
            "error" => "bad",
            "warning" => "warn",
            _ => "info",
        }
    }

    /// Word of its pill.
    pub(crate) fn word(&self) -> &'static str {
        match self.severity.as_str() {
            "error" => "Error",
            "warning" => "Warning",
            _ => "Note",
        }
    }

    /// File and line.
    pub(crate) fn place(&self) -> String {
        place(&self.file, self.line)
    }
}

impl StepReport {
    /// File and line.
    pub(crate) fn place(&self) -> String {
        place(&self.file, self.line)
    }

    /// On which way, and in which flow.
    pub(crate) fn spot(&self) -> String {
        match self.direction.as_str() {
            "fault" => self.flow.clone(),
            direction => format!("{}, {direction}", self.flow),
        }
    }
}

/// A line of 0 is about the whole file.
fn place(file: &str, line: usize) -> String {
    if line == 0 { file.to_owned() } else { format!("{file}:{line}") }
}

impl Report {
    /// Whether it cannot be deployed.
    pub(crate) fn refused(&self) -> bool {
        self.verdict == "refused"
    }

    /// Tone of the verdict's pill.
    pub(crate) fn tone(&self) -> &'static str {
        match self.verdict.as_str() {
            "runs" => "good",
            "degraded" => "warn",
            _ => "bad",
        }
    }

    /// Word of the verdict's pill.
    pub(crate) fn word(&self) -> &'static str {
        match self.verdict.as_str() {
            "runs" => "Runs",
            "degraded" => "Runs degraded",
            _ => "Cannot be deployed",
        }
    }

    /// Who wrote bundles of this layout.
    pub(crate) fn layout(&self) -> &'static str {
        if self.dialect == "sap" { "SAP" } else { "Apigee" }
    }

    /// How many steps run.
    pub(crate) fn running(&self) -> usize {
        self.steps.iter().filter(|step| step.runs).count()
    }

    /// How many findings have a severity.
    pub(crate) fn count(&self, severity: &str) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// Which revisions there are and which one runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Revisions {
    /// Newest first.
    pub(crate) all: Vec<String>,
    /// The deployed one, or nothing.
    pub(crate) live: String,
}

impl Revisions {
    /// The newest.
    pub(crate) fn newest(&self) -> &str {
        self.all.first().map_or("", String::as_str)
    }
}

impl Wire {
    /// The revisions of a proxy or shared flow and which one is deployed; `collection` is `apis` or `sharedflows`.
    pub(crate) async fn revisions(
        &self,
        at: &GatewayAddress,
        collection: &str,
        name: &str,
    ) -> Result<Revisions, WireProblem> {
        let path = at.below(&format!("/{collection}/{}", escape(name)));
        let mut all: Vec<String> = self.get(&format!("{path}/revisions")).await?;
        all.reverse();
        let deployments: Value = self.get(&format!("{path}/deployments")).await?;
        let live = deployments.pointer("/environment/0/revision/0/name").and_then(Value::as_str);
        Ok(Revisions { all, live: live.unwrap_or_default().to_owned() })
    }
}
