//! `POST /instances`: check, ask the vendor, store everything at once.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pierhead_domain::{Caller, InstanceId, InstanceToken, OrganizationId};
use pierhead_store::connectors::{NewCredential, NewInstance};

use super::ask::InstanceAsk;
use super::draft::Draft;
use super::naming;
use crate::credentials::Issued;
use crate::definition::Connector;
use crate::hub::{Hub, HubProblem};

impl Hub {
    /// Makes an instance of `connector` for `caller`; gives its id. Nothing is stored when anything fails.
    pub(crate) async fn create_instance(
        &self,
        caller: &Caller,
        connector: &Arc<Connector>,
        ask: InstanceAsk,
    ) -> Result<InstanceId, HubProblem> {
        self.may_connect(caller, connector)?;
        let name = naming::name(ask.name.as_deref().unwrap_or_default())?;
        let tags = naming::tags(ask.tags.as_deref().unwrap_or_default(), &name)?;
        let given = ask.configuration.clone().unwrap_or_default();
        let mut draft = Draft::default().take(connector, &given, self.settings.data_directory.as_deref())?;
        let issued = self.first_token(connector, &draft, &ask).await?;
        capture(connector, &mut draft, issued.as_ref());
        if let Err(problem) = self.prove(connector, &draft, issued.as_ref()).await {
            self.give_back(connector, &draft, issued);
            return Err(problem);
        }

        let token = self.new_token();
        let hash = self.vault.token_hash(token.expose());
        let organization = caller.organization;
        let new = NewInstance {
            organization,
            account: caller.account,
            owner: caller.user,
            owner_name: caller.name.clone(),
            element: connector.key.clone(),
            name,
            tags,
            token_sealed: self.vault.seal_token(organization, hash.as_str(), &token)?,
            secrets_sealed: self.vault.seal_secrets(organization, hash.as_str(), &draft.secret)?,
            token_hash: hash.as_str().to_owned(),
            settings: draft.plain,
            external_authentication: external(&ask)?,
            created: self.clock.now(),
        };
        let credential = issued
            .map(|issued| self.sealed_credential(organization, &new.token_hash, &issued))
            .transpose()?;
        let tx = self.store.write().await?;
        let id = tx.add_instance(&new).await?;
        if let Some(credential) = &credential {
            tx.put_credential(id, credential).await?;
        }
        tx.commit().await?;
        tracing::info!(instance = %id, connector = connector.key, "instance {id} of {} was made", connector.key);
        Ok(id)
    }

    /// Connectors that reach into this machine are for administrators of the organization.
    pub(super) fn may_connect(&self, caller: &Caller, connector: &Connector) -> Result<(), HubProblem> {
        if connector.administrators_only && !caller.is_org_admin() {
            return Err(HubProblem::Forbidden(format!(
                "Only administrators of the organization may make or change instances of '{}'",
                connector.key
            )));
        }
        Ok(())
    }

    pub(super) fn sealed_credential(
        &self,
        organization: OrganizationId,
        token_hash: &str,
        issued: &Issued,
    ) -> Result<NewCredential, HubProblem> {
        let sealed = self.vault.seal_material(organization, token_hash, &issued.material)?;
        Ok(NewCredential { sealed, expires: issued.expires, refresh_at: issued.refresh_at })
    }

    /// 44 characters of base64, as the original's (open-connectors §2.1).
    fn new_token(&self) -> InstanceToken {
        let mut bytes = [0; 32];
        self.rng.fill(&mut bytes);
        STANDARD.encode(bytes).into()
    }

    /// Revokes a token that no instance will have.
    pub(super) fn give_back(&self, connector: &Connector, draft: &Draft, issued: Option<Issued>) {
        let Some(issued) = issued else { return };
        let settings = |key: &str| draft.get(key).map(str::to_owned);
        let token = issued.material.refresh_token.unwrap_or(issued.material.access_token);
        self.refresher.endpoint().revoke(connector, &settings, &token);
    }
}

/// Keeps what the definition takes from the token answer.
pub(super) fn capture(connector: &Connector, draft: &mut Draft, issued: Option<&Issued>) {
    for (key, value) in issued.iter().flat_map(|issued| &issued.captured) {
        draft.put(connector, key, value.clone());
    }
}

fn external(ask: &InstanceAsk) -> Result<String, HubProblem> {
    match ask.external_authentication.as_deref() {
        None | Some("" | "none") => Ok("none".into()),
        Some("initial") => Ok("initial".into()),
        Some(_) => Err(HubProblem::Bad("externalAuthentication must be none or initial".into())),
    }
}
