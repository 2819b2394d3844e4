//! Designs that come in and go out whole, as bundles, and the revisions that they make.

use axum::http::StatusCode;
use pierhead_bundle::{BadBundle, Content, Finding, Severity};
use pierhead_gateway::design::ProxyDesign;
use pierhead_gateway::dialect::Dialect;
use pierhead_store::management::{StoredProxy, StoredRevision};

use crate::names::check_name;
use crate::odata::ODataError;
use crate::open_connectors;
use crate::sets::endpoints::base_path;
use crate::sets::proxies::ProxyDraft;

use super::proxies::no_proxy;
use super::{Portal, Work};

/// A proxy that was imported.
#[derive(Debug)]
pub(crate) struct Imported {
    pub(crate) name: String,
    /// The number of the revision that the import made.
    pub(crate) revision: i64,
    /// There was none of this name before.
    pub(crate) is_new: bool,
}

impl Portal {
    /// Reads a zip with one API proxy. `name` is the proxy's when the bundle does not say it.
    pub(crate) fn read_proxy(&self, zip: &[u8], name: &str) -> Result<ProxyDesign, ODataError> {
        match self.read_bundle(zip, name)? {
            Content::Proxy(design) => Ok(*design),
            other => Err(invalid(format!("The zip holds a {}, not an API proxy", other.noun()))),
        }
    }

    /// Reads a zip with one bundle in it.
    pub(super) fn read_bundle(&self, zip: &[u8], name: &str) -> Result<Content, ODataError> {
        let bundle = pierhead_bundle::read_zip(zip, name, &pierhead_bundle::Limits::default())
            .map_err(|bad| zip_error(&bad))?;
        let errors: Vec<String> = bundle
            .findings
            .iter()
            .filter(|found| found.severity == Severity::Error)
            .map(Finding::to_string)
            .collect();
        if !errors.is_empty() {
            return Err(invalid(format!("The bundle cannot be imported: {}", errors.join("; "))));
        }
        Ok(bundle.content)
    }

    /// The zip of a design, in a dialect.
    pub(crate) fn write_proxy(&self, design: &ProxyDesign, dialect: Dialect) -> Result<Vec<u8>, ODataError> {
        self.write_bundle(&Content::Proxy(Box::new(design.clone())), dialect)
    }

    /// The zip of a bundle, in a dialect.
    pub(crate) fn write_bundle(&self, content: &Content, dialect: Dialect) -> Result<Vec<u8>, ODataError> {
        let export = pierhead_bundle::export(content, dialect).map_err(|why| {
            ODataError::coded(StatusCode::BAD_REQUEST, "APIPROXY_EXPORT_ERROR", why.to_string())
        })?;
        for left_out in &export.findings {
            tracing::info!(name = content.name(), "export: {left_out}");
        }
        pierhead_bundle::write_archive(&export.files).map_err(ODataError::internal)
    }

    /// The design of a proxy as it was last edited.
    pub(crate) async fn design(&self, name: &str) -> Result<ProxyDesign, ODataError> {
        let stored = self.parts().store.designs().proxy(self.organization(), name).await?;
        Ok(ProxyDraft::open(stored.ok_or_else(|| no_proxy(name))?)?.design)
    }

    /// Puts `design` in place of the proxy of its name, or makes one, as a revision of its own. What runs stays
    /// as it is.
    pub(crate) async fn import_proxy(
        &self,
        work: &mut Work,
        mut design: ProxyDesign,
    ) -> Result<Imported, ODataError> {
        let organization = self.organization();
        check_name("the name of the API proxy", &design.name, 255)?;
        self.fit(&mut design)?;
        work.changes_designs(self.parts()).await?;
        self.adopt_hub_policy(work, &mut design).await?;
        let name = design.name.clone();
        let old = work.tx.designs().proxy(organization, &name).await?;
        let is_new = old.is_none();
        match old {
            None => {
                let stored = StoredProxy {
                    name: name.clone(),
                    revision: 1,
                    live_revision: None,
                    design: String::new(),
                    settings: String::new(),
                    stamp: self.stamp(),
                };
                let mut draft = ProxyDraft::of_design(stored, design);
                self.settle(work, None, &mut draft).await?;
                work.tx.add_proxy(organization, &draft.close()?).await?;
            }
            Some(_) => {
                self.edit(work, &name, |draft| {
                    draft.design = design;
                    Ok(())
                })
                .await?;
            }
        }
        let revision = self.keep(work, &name).await?;
        Ok(Imported { name, revision, is_new })
    }

    /// Keeps the design as it stands as a revision that no other import had.
    async fn keep(&self, work: &Work, name: &str) -> Result<i64, ODataError> {
        let organization = self.organization();
        let mut draft = self.draft(work, name).await?;
        let kept = work.tx.designs().revisions(organization, name).await?;
        let newest = kept.last().copied().unwrap_or(0);
        if draft.stored.revision <= newest {
            draft.stored.revision = newest + 1;
        }
        let revision = draft.stored.revision;
        let text = serde_json::to_string(&draft.design).map_err(ODataError::internal)?;
        work.tx.save_proxy(organization, &draft.close()?).await?;
        work.tx
            .add_revision(organization, &StoredRevision { proxy: name.into(), revision, design: text })
            .await?;
        Ok(revision)
    }

    /// One kept design, or the one that is being edited, as it stands in this work.
    pub(crate) async fn revision(
        &self,
        work: &Work,
        name: &str,
        number: i64,
    ) -> Result<ProxyDesign, ODataError> {
        let organization = self.organization();
        let draft = self.draft(work, name).await?;
        if draft.stored.revision == number {
            return Ok(draft.design);
        }
        let found = work.tx.designs().revision(organization, name, number).await?;
        let found = found
            .ok_or_else(|| ODataError::not_found(format_args!("Revision {number} of API proxy '{name}'")))?;
        serde_json::from_str(&found.design).map_err(ODataError::internal)
    }

    /// Removes a kept design that is not deployed.
    pub(crate) async fn remove_revision(
        &self,
        work: &mut Work,
        name: &str,
        number: i64,
    ) -> Result<(), ODataError> {
        work.changes_designs(self.parts()).await?;
        let draft = self.draft(work, name).await?;
        if draft.stored.live_revision == Some(number) {
            return Err(ODataError::coded(
                StatusCode::BAD_REQUEST,
                "APIPROXY_REVISION_DEPLOYED_ERROR",
                format!("Revision {number} of API proxy '{name}' is deployed and cannot be deleted."),
            ));
        }
        if !work.tx.remove_revision(self.organization(), name, number).await? {
            return Err(ODataError::not_found(format_args!("Revision {number} of API proxy '{name}'")));
        }
        Ok(())
    }

    /// Checks what only an import can bring, and leaves out virtual hosts that are not here: a proxy with none
    /// left is served by the default one.
    fn fit(&self, design: &mut ProxyDesign) -> Result<(), ODataError> {
        let hosts = &self.parts().settings.virtual_hosts;
        for endpoint in &mut design.proxy_endpoints {
            endpoint.base_path = base_path(&endpoint.base_path)?;
            endpoint.virtual_hosts.retain(|name| hosts.iter().any(|host| host.name == *name));
        }
        if design.service_code.is_empty() {
            design.service_code = "REST".into();
        }
        Ok(())
    }

    async fn adopt_hub_policy(&self, work: &Work, design: &mut ProxyDesign) -> Result<(), ODataError> {
        let mut hubs = Vec::new();
        for name in ProxyDraft::providers(design) {
            if let Some(stored) = work.tx.designs().provider(self.organization(), &name).await?
                && self.parts().open_provider(&stored)?.is_open_connectors()
            {
                hubs.push(name);
            }
        }
        open_connectors::adopt(design, &|provider| hubs.iter().any(|hub| hub == provider));
        Ok(())
    }
}

pub(super) fn zip_error(bad: &BadBundle) -> ODataError {
    // The original's code and text, which clients look for (api-management §8.4).
    let text = format!("Verify the directory structure inside the zip. {bad}");
    ODataError::coded(StatusCode::BAD_REQUEST, "APIPROXY_ZIP_ERROR", text)
}

pub(super) fn invalid(text: String) -> ODataError {
    ODataError::coded(StatusCode::BAD_REQUEST, "APIPROXY_BUNDLE_ERROR", text)
}
