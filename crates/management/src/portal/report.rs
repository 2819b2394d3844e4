//! Reports: what would run of a bundle or a kept design, and what would not and why.

use axum::http::StatusCode;
use pierhead_bundle::{Content, Finding, Report, Severity};
use pierhead_gateway::compile::World;

use crate::odata::ODataError;

use super::import::zip_error;
use super::{Portal, Work};

impl Portal {
    /// Examines a zip with one bundle of any kind against what is here; nothing is kept.
    pub(crate) async fn examine_zip(&self, zip: &[u8], name: &str) -> Result<Report, ODataError> {
        let bundle = pierhead_bundle::read_zip(zip, name, &pierhead_bundle::Limits::default())
            .map_err(|bad| zip_error(&bad))?;
        Ok(pierhead_bundle::report(&bundle, &self.committed_world()))
    }

    /// Examines a design that is kept.
    pub(crate) async fn examine(&self, content: &Content) -> Result<Report, ODataError> {
        examined(content, &self.committed_world())
    }

    /// Examines a design as it would stand at the end of this work.
    pub(super) async fn examine_in(&self, work: &Work, content: &Content) -> Result<Report, ODataError> {
        examined(content, &work.world(self.parts()).await?)
    }

    /// Refuses a bundle with a policy that is wrong whatever surrounds it; each mistake with file, line and rule.
    pub(crate) async fn no_broken_policy(&self, content: &Content) -> Result<(), ODataError> {
        let is_of_policy = |finding: &Finding| {
            let in_policy = ["policies/", "Policy/"].iter().any(|folder| finding.file.contains(folder));
            finding.severity == Severity::Error && in_policy && !OF_SURROUNDINGS.contains(&finding.rule)
        };
        let findings = self.examine(content).await?.findings;
        let broken: Vec<String> = findings
            .iter()
            .filter(|finding| is_of_policy(finding))
            .take(10)
            .map(Finding::to_string)
            .collect();
        if broken.is_empty() {
            return Ok(());
        }
        Err(super::import::invalid(format!("The bundle cannot be imported: {}", broken.join("; "))))
    }

    fn committed_world(&self) -> World {
        let parts = self.parts();
        parts.present_world(parts.snapshots.load())
    }
}

/// Rules about what a bundle finds around it, which may come after the bundle.
const OF_SURROUNDINGS: &[&str] =
    &["UnknownProvider", "UnknownTargetServer", "UnknownProxy", "UnknownVirtualHost"];

fn examined(content: &Content, world: &World) -> Result<Report, ODataError> {
    pierhead_bundle::report_content(content, world)
        .map_err(|why| ODataError::coded(StatusCode::BAD_REQUEST, "APIPROXY_EXPORT_ERROR", why.to_string()))
}
