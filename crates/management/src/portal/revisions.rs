//! Changes to one revision of an API proxy, as Apigee's API makes them (api-management §8.10).

use axum::http::StatusCode;
use pierhead_bundle::{Content, Finding, Severity};
use pierhead_gateway::design::ProxyDesign;
use pierhead_store::StoreError;
use pierhead_store::management::StoredRevision;

use crate::odata::ODataError;
use crate::sets::proxies::ProxyDraft;

use super::{Portal, Work};

/// Why a change was not made.
#[derive(Debug)]
pub(crate) enum NoChange {
    /// The design would hold mistakes that it does not hold now.
    Broken(Vec<Finding>),
    /// Anything else.
    Refused(ODataError),
}

impl From<ODataError> for NoChange {
    fn from(error: ODataError) -> Self {
        Self::Refused(error)
    }
}

impl From<StoreError> for NoChange {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// Where a change is to land.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Landing {
    /// In the revision itself, which must not be deployed.
    InPlace,
    /// In a new revision after all others; the old one stays as it is.
    NewRevision,
}

impl Portal {
    /// Changes revision `number`; answers the number of the revision that holds the change. A change that brings
    /// a mistake is refused whole, and what runs is never touched.
    pub(crate) async fn change_revision(
        &self,
        work: &mut Work,
        name: &str,
        number: i64,
        landing: Landing,
        change: impl FnOnce(&mut ProxyDesign) -> Result<(), NoChange>,
    ) -> Result<i64, NoChange> {
        work.changes_designs(self.parts()).await?;
        let draft = self.draft(work, name).await?;
        if landing == Landing::InPlace && draft.stored.live_revision == Some(number) {
            return Err(NoChange::Refused(deployed(name, number)));
        }
        let before = self.revision(work, name, number).await?;
        let mut design = before.clone();
        change(&mut design)?;
        self.no_new_mistakes(work, &before, &design).await?;
        match landing {
            Landing::NewRevision => {
                self.keep_draft(work, &draft).await?;
                Ok(self.import_proxy(work, design).await?.revision)
            }
            Landing::InPlace => {
                self.replace(work, draft, number, &before, design).await?;
                Ok(number)
            }
        }
    }

    async fn no_new_mistakes(
        &self,
        work: &Work,
        before: &ProxyDesign,
        after: &ProxyDesign,
    ) -> Result<(), NoChange> {
        let errors = |report: pierhead_bundle::Report| {
            let all = report.findings.into_iter();
            all.filter(|finding| finding.severity == Severity::Error).collect::<Vec<_>>()
        };
        let after = errors(self.examine_in(work, &Content::Proxy(Box::new(after.clone()))).await?);
        if after.is_empty() {
            return Ok(());
        }
        let before = errors(self.examine_in(work, &Content::Proxy(Box::new(before.clone()))).await?);
        let is_new = |finding: &Finding| {
            !before.iter().any(|old| {
                (&old.file, old.rule, &old.message) == (&finding.file, finding.rule, &finding.message)
            })
        };
        let new: Vec<Finding> = after.into_iter().filter(is_new).collect();
        if new.is_empty() { Ok(()) } else { Err(NoChange::Broken(new)) }
    }

    /// Keeps a draft that has never been kept, before another design takes its place.
    async fn keep_draft(&self, work: &Work, draft: &ProxyDraft) -> Result<(), ODataError> {
        let (name, number) = (&draft.design.name, draft.stored.revision);
        let designs = work.tx.designs();
        if designs.revision(self.organization(), name, number).await?.is_some() {
            return Ok(());
        }
        self.store_revision(work, number, &draft.design).await
    }

    async fn store_revision(&self, work: &Work, number: i64, design: &ProxyDesign) -> Result<(), ODataError> {
        let text = serde_json::to_string(design).map_err(ODataError::internal)?;
        let kept = StoredRevision { proxy: design.name.clone(), revision: number, design: text };
        Ok(work.tx.add_revision(self.organization(), &kept).await?)
    }

    async fn replace(
        &self,
        work: &mut Work,
        mut draft: ProxyDraft,
        number: i64,
        before: &ProxyDesign,
        design: ProxyDesign,
    ) -> Result<(), ODataError> {
        let (organization, name) = (self.organization(), design.name.clone());
        let mut changed = design;
        if draft.stored.revision == number {
            draft.design = changed;
            self.settle(work, Some(before), &mut draft).await?;
            changed = draft.design.clone();
            draft.stored.stamp.touch(self.now_ms(), &self.caller);
            work.tx.save_proxy(organization, &draft.close()?).await?;
        }
        if work.tx.remove_revision(organization, &name, number).await? {
            self.store_revision(work, number, &changed).await?;
        }
        Ok(())
    }
}

fn deployed(name: &str, number: i64) -> ODataError {
    ODataError::coded(
        StatusCode::BAD_REQUEST,
        "APIPROXY_REVISION_DEPLOYED_ERROR",
        format!(
            "Revision {number} of API proxy '{name}' is deployed and cannot be changed: undeploy it first, or save the \
             change as a new revision with newRevision=true"
        ),
    )
}
