//! What a change of key stores and references changes: the designs that use them run with the new ones.

use axum::http::StatusCode;
use pierhead_gateway::design::{ProxyDesign, SharedFlowDesign};
use pierhead_store::management::ItemKind;
use serde_json::Value;

use super::{Portal, Work};
use crate::key_stores::ReferenceDocument;
use crate::live_environment::{TargetServerDocument, names_server, names_store, names_store_in, uses_stores};
use crate::odata::ODataError;

impl Portal {
    /// Refuses to remove what something that runs still names: removing it would break what works.
    pub(super) async fn is_free(&self, work: &Work, kind: ItemKind, name: &str) -> Result<(), ODataError> {
        let organization = self.organization();
        let designs = work.tx.designs();
        let mut users = Vec::new();
        let spoken = match kind {
            ItemKind::Reference => format!("ref://{name}"),
            _ => name.to_owned(),
        };
        for reference in designs.items(organization, ItemKind::Reference).await? {
            let read: ReferenceDocument =
                serde_json::from_str(&reference.document).map_err(ODataError::internal)?;
            if kind == ItemKind::KeyStore && read.refers == name {
                users.push(format!("reference {}", reference.name));
            }
        }
        for server in designs.items(organization, ItemKind::TargetServer).await? {
            if mentions(&server.document, &spoken) {
                users.push(format!("target server {}", server.name));
            }
        }
        for provider in designs.providers(organization).await? {
            let info: Value = serde_json::from_str(&provider.settings).map_err(ODataError::internal)?;
            if mentions(&info["sslInfo"].to_string(), &spoken) {
                users.push(format!("API provider {}", provider.name));
            }
        }
        for revision in designs.live_revisions(organization).await? {
            if mentions(&revision.design, &spoken) {
                users.push(format!("API proxy {}", revision.proxy));
            }
        }
        if users.is_empty() {
            return Ok(());
        }
        Err(ODataError::coded(
            StatusCode::BAD_REQUEST,
            "CERTIFICATE_STORE_IN_USE_ERROR",
            format!("'{name}' cannot be deleted: it is used by {}.", users.join(", ")),
        ))
    }

    /// Compiles again everything deployed that names stores, or servers that do.
    pub(super) async fn serve_store_users_again(&self, work: &mut Work) -> Result<(), ODataError> {
        let organization = self.organization();
        let mut servers = Vec::new();
        for server in work.tx.designs().items(organization, ItemKind::TargetServer).await? {
            let document = serde_json::from_str(&server.document).map_err(ODataError::internal)?;
            let read = TargetServerDocument::read(&document).map_err(ODataError::bad)?;
            if read.endpoint.ssl.is_some_and(|settings| names_store(&settings)) {
                servers.push(server.name);
            }
        }
        let mut of_providers = Vec::new();
        for provider in work.tx.designs().providers(organization).await? {
            if provider.settings.contains("\"keyStore\":\"")
                || provider.settings.contains("\"trustStore\":\"")
            {
                let users = work.tx.designs().users_of_provider(organization, &provider.name).await?;
                of_providers.extend(users);
                servers.push(provider.name);
            }
        }
        for flow in work.tx.designs().shared_flows(organization).await? {
            let Some(live) = flow.live_revision else { continue };
            let text = work.tx.designs().shared_flow_revision(organization, &flow.name, live).await?;
            let Some(text) = text else { continue };
            let design: SharedFlowDesign = serde_json::from_str(&text).map_err(ODataError::internal)?;
            if design.policies.iter().any(|policy| names_store_in(&policy.xml)) {
                work.serve_shared_flow(self.parts(), &design, live).await?;
            }
        }
        for revision in work.tx.designs().live_revisions(organization).await? {
            let design: ProxyDesign = serde_json::from_str(&revision.design).map_err(ODataError::internal)?;
            if uses_stores(&design)
                || of_providers.contains(&design.name)
                || servers.iter().any(|server| names_server(&design, server))
            {
                work.serve(self.parts(), &design, revision.revision).await?;
            }
        }
        Ok(())
    }
}

/// Whether a document names a store: as a JSON text or as the text of an element.
fn mentions(document: &str, name: &str) -> bool {
    document.contains(&format!("\"{name}\"")) || document.contains(&format!(">{name}<"))
}
