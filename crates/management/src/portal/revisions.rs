//! Changes to one revision of an API proxy or shared flow, as Apigee's API makes them (api-management §8.10).

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

/// What a revision is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RevisionOf {
    Proxy,
    SharedFlow,
}

impl Portal {
    /// Changes revision `number`; answers the number of the revision that holds the change. A change that brings
    /// a mistake is refused whole, and what runs is never touched.
    pub(crate) async fn change_revision(
        &self,
        work: &mut Work,
        of: RevisionOf,
        name: &str,
        number: i64,
        landing: Landing,
        change: impl FnOnce(&mut Content) -> Result<(), NoChange>,
    ) -> Result<i64, NoChange> {
        work.changes_designs(self.parts()).await?;
        let live = match of {
            RevisionOf::Proxy => self.draft(work, name).await?.stored.live_revision,
            RevisionOf::SharedFlow => self.shared_flow(work, name).await?.live_revision,
        };
        let before = self.content(work, of, name, number).await?;
        if landing == Landing::InPlace && live == Some(number) {
            return Err(NoChange::Refused(deployed(before.noun(), name, number)));
        }
        let mut after = before.clone();
        change(&mut after)?;
        self.no_new_mistakes(work, &before, &after).await?;
        match (after, before, landing) {
            (Content::Proxy(design), _, Landing::NewRevision) => {
                let draft = self.draft(work, name).await?;
                self.keep_draft(work, &draft).await?;
                Ok(self.import_proxy(work, *design).await?.revision)
            }
            (Content::Proxy(design), Content::Proxy(before), Landing::InPlace) => {
                let draft = self.draft(work, name).await?;
                self.replace(work, draft, number, &before, *design).await?;
                Ok(number)
            }
            (Content::SharedFlow(design), _, Landing::NewRevision) => {
                Ok(self.import_shared_flow(work, &design).await?)
            }
            (Content::SharedFlow(design), _, Landing::InPlace) => {
                self.replace_shared_flow(work, number, &design).await?;
                Ok(number)
            }
            (other, ..) => {
                Err(ODataError::unsupported(format_args!("a change of a {}", other.noun())).into())
            }
        }
    }

    /// A kept design, or the one that is being edited, as it stands in this work.
    pub(crate) async fn content(
        &self,
        work: &Work,
        of: RevisionOf,
        name: &str,
        number: i64,
    ) -> Result<Content, ODataError> {
        Ok(match of {
            RevisionOf::Proxy => Content::Proxy(Box::new(self.revision(work, name, number).await?)),
            RevisionOf::SharedFlow => {
                Content::SharedFlow(Box::new(self.shared_flow_revision(work, name, number).await?))
            }
        })
    }

    async fn no_new_mistakes(&self, work: &Work, before: &Content, after: &Content) -> Result<(), NoChange> {
        let errors = |report: pierhead_bundle::Report| {
            let all = report.findings.into_iter();
            all.filter(|finding| finding.severity == Severity::Error).collect::<Vec<_>>()
        };
        let after = errors(self.examine_in(work, after).await?);
        if after.is_empty() {
            return Ok(());
        }
        let before = errors(self.examine_in(work, before).await?);
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

fn deployed(noun: &str, name: &str, number: i64) -> ODataError {
    ODataError::coded(
        StatusCode::BAD_REQUEST,
        "APIPROXY_REVISION_DEPLOYED_ERROR",
        format!(
            "Revision {number} of {noun} '{name}' is deployed and cannot be changed: undeploy it first, or save the \
             change as a new revision with newRevision=true"
        ),
    )
}
