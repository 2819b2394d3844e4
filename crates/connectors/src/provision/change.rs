//! `PUT` and `PATCH /instances/{id}`: new values, or a new credential in place.

use pierhead_domain::{Caller, InstanceId};
use pierhead_store::connectors::{InstanceChange, StoredInstance};

use super::ask::InstanceAsk;
use super::create::capture;
use super::draft::Draft;
use super::{moved, naming};
use crate::hub::{Hub, HubProblem};
use crate::instance::LoadProblem;

impl Hub {
    /// The instance of this id, if `caller` may see it.
    pub(crate) async fn visible(
        &self,
        caller: &Caller,
        id: InstanceId,
    ) -> Result<StoredInstance, HubProblem> {
        let found = self.store.instance(id).await?;
        found.filter(|found| sees(caller, found)).ok_or_else(|| HubProblem::unknown_instance(id))
    }

    /// Changes an instance. With a code (or a refresh token) in `providerData` it gets a new credential and
    /// keeps its id and token. Settings are proven with the vendor before they are stored.
    pub(crate) async fn change_instance(
        &self,
        caller: &Caller,
        id: InstanceId,
        ask: InstanceAsk,
    ) -> Result<(), HubProblem> {
        let before = self.visible(caller, id).await?;
        let connector = self.catalogue.get(&before.element).cloned();
        let connector = connector.ok_or_else(|| LoadProblem::NoConnector(before.element.clone()))?;
        self.may_connect(caller, &connector)?;
        if let Some(other) = ask.element.as_ref().and_then(super::ElementChoice::key_or_id)
            && self.catalogue.get(&other).is_none_or(|other| other.key != connector.key)
        {
            return Err(HubProblem::Bad("element: an instance keeps its connector; make a new one".into()));
        }
        let given = ask.configuration.clone().unwrap_or_default();
        let data = self.settings.data_directory.as_deref();
        let renews = Self::brings_grant(&connector, &ask);
        let mut issued = None;
        if renews || !given.is_empty() {
            let was = Draft::of(&self.vault, &before)?;
            let mut draft = was.clone().take(&connector, &given, data)?;
            moved::check(&connector, &was, &draft, &given, renews)?;
            if renews {
                issued = self.first_token(&connector, &draft, &ask).await?;
                capture(&connector, &mut draft, issued.as_ref());
            }
            let provable = renews || !connector.auth.scheme.is_oauth();
            if provable && let Err(problem) = self.prove(&connector, &draft, issued.as_ref()).await {
                self.give_back(&connector, &draft, issued);
                return Err(problem);
            }
        }

        let tx = self.store.write().await?;
        let held = tx.lock_instance(id).await?.ok_or_else(|| HubProblem::unknown_instance(id))?;
        // Taken over again, from what is stored now: another change may have come while the vendor was asked.
        let was = Draft::of(&self.vault, &held)?;
        let mut draft = was.clone().take(&connector, &given, data)?;
        moved::check(&connector, &was, &draft, &given, renews)?;
        capture(&connector, &mut draft, issued.as_ref());
        let (name, tags) = names(&ask, &held)?;
        let change = InstanceChange {
            name,
            tags,
            secrets_sealed: Some(self.vault.seal_secrets(
                held.organization,
                &held.token_hash,
                &draft.secret,
            )?),
            settings: Some(draft.plain),
            ..InstanceChange::default()
        };
        tx.change_instance(&held, change, self.clock.now()).await?;
        if let Some(issued) = &issued {
            let credential = self.sealed_credential(held.organization, &held.token_hash, issued)?;
            tx.put_credential(id, &credential).await?;
        }
        tx.commit().await?;
        self.directory.forget(id);
        Ok(())
    }

    /// Changes flags of an instance.
    pub(crate) async fn flag_instance(
        &self,
        caller: &Caller,
        id: InstanceId,
        change: InstanceChange,
    ) -> Result<(), HubProblem> {
        let tx = self.store.write().await?;
        let held = tx.lock_instance(id).await?.filter(|held| sees(caller, held));
        let held = held.ok_or_else(|| HubProblem::unknown_instance(id))?;
        tx.change_instance(&held, change, self.clock.now()).await?;
        tx.commit().await?;
        self.directory.forget(id);
        Ok(())
    }
}

/// Whether an instance is there for `caller` at all.
fn sees(caller: &Caller, instance: &StoredInstance) -> bool {
    instance.organization == caller.organization
        && (instance.account == caller.account || caller.is_org_admin())
}

type Names = (Option<String>, Option<Vec<String>>);

/// Given tags replace all; a new name adds its own.
fn names(ask: &InstanceAsk, held: &StoredInstance) -> Result<Names, HubProblem> {
    let name = ask.name.as_deref().map(naming::name).transpose()?;
    let effective = name.as_ref().unwrap_or(&held.name);
    let tags = match &ask.tags {
        Some(given) => naming::tags(given, effective)?,
        None => naming::tags(&held.tags, name.as_deref().unwrap_or_default())?,
    };
    Ok((name, Some(tags)))
}
