//! The first start of an installation: its organization, the default account and the administrator.

use std::collections::BTreeMap;

use pierhead_domain::{AccountId, OrganizationId, Role, SecretString, UserId, time_ordered_id};
use pierhead_store::StoreError;
use pierhead_store::identity::{NewAccount, NewOrganization, NewPerson, RoleHolder};
use pierhead_store::keys::StoredKey;

use crate::credentials::{self, kind};
use crate::posted;
use crate::{Identity, IdentityProblem};

/// What the first start made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// The organization.
    pub organization: OrganizationId,
    /// Its default account.
    pub account: AccountId,
    /// Its administrator.
    pub user: UserId,
}

/// How a first start ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstStart {
    /// This call made everything.
    Created(Created),
    /// It had been done before, or another process got there first; nothing was changed.
    AlreadyDone,
}

impl Identity {
    /// Whether the first start is done.
    pub async fn administrator_exists(&self) -> Result<bool, IdentityProblem> {
        Ok(self.0.store.identities().first_organization().await?.is_some())
    }

    /// Makes the organization, its default account, its data key and its administrator in one transaction;
    /// of two calls at once, in two processes even, one makes them. The operator's password may break the
    /// password policy (it comes from the operator's own configuration), but it cannot be empty.
    pub async fn first_start(
        &self,
        email: &str,
        password: &SecretString,
        organization: &str,
    ) -> Result<FirstStart, IdentityProblem> {
        let email = posted::email(email)?;
        let name = posted::clean("organization", organization, posted::NAME)?;
        if password.expose().is_empty() {
            return Err(IdentityProblem::field("password", "must not be empty"));
        }
        if self.administrator_exists().await? {
            return Ok(FirstStart::AlreadyDone);
        }
        let password_hash = self.0.passwords.hash(password.clone()).await?;
        match self.make_everything(email, password_hash, name).await {
            Ok(created) => Ok(FirstStart::Created(created)),
            Err(IdentityProblem::Store(StoreError::Duplicate(_))) => Ok(FirstStart::AlreadyDone),
            Err(why) => Err(why),
        }
    }

    async fn make_everything(
        &self,
        email: String,
        password_hash: String,
        name: String,
    ) -> Result<Created, IdentityProblem> {
        let (rng, now) = (self.0.rng.as_ref(), self.now());
        let secret = credentials::organization_secret(rng);
        let tx = self.0.store.write().await?;
        let secret_hash = self.hash(kind::ORGANIZATION, secret.expose());
        let new = NewOrganization { name: name.clone(), secret_hash, created: now };
        let organization = tx.add_organization(&new).await?;
        tx.claim_installation(organization, now).await?;
        let key = self.0.vault.new_data_key(time_ordered_id(now, rng), organization)?;
        tx.add_data_key(&StoredKey {
            id: key.id.clone(),
            organization: organization.as_i64(),
            ring_key: key.ring_key.clone(),
            wrapped: key.wrapped.clone(),
            created_ms: now.as_i64(),
        })
        .await?;
        // Installed before the commit, because the secrets below are sealed with it. Should the commit fail,
        // it seals nothing that is kept.
        self.0.vault.install(&key)?;
        let place = organization_secret_place(organization);
        let sealed = self.0.vault.seal_text(organization, &place, &secret)?;
        tx.seal_organization(organization, sealed.into_bytes()).await?;
        let account = tx
            .add_account(&NewAccount {
                organization,
                name,
                external_id: None,
                description: None,
                is_default: true,
                created: now,
            })
            .await?;
        let (secret_hash, secret_sealed) = self.new_user_secret(organization)?;
        let user = tx
            .add_person(&NewPerson {
                organization,
                account,
                email,
                first_name: String::new(),
                last_name: String::new(),
                profile: BTreeMap::new(),
                external_id: None,
                password_hash,
                secret_hash,
                secret_sealed,
                created: now,
            })
            .await?;
        tx.grant(RoleHolder::Person(user), Role::OrgAdmin).await?;
        self.commit(tx, organization).await?;
        Ok(Created { organization, account, user })
    }

    /// A new user secret: its look-up hash, and itself sealed.
    pub(crate) fn new_user_secret(
        &self,
        organization: OrganizationId,
    ) -> Result<(String, Vec<u8>), IdentityProblem> {
        let secret = credentials::user_secret(self.0.rng.as_ref());
        let hash = self.hash(kind::USER, secret.expose());
        let sealed = self.0.vault.seal_text(organization, &user_secret_place(&hash), &secret)?;
        Ok((hash, sealed.into_bytes()))
    }
}

/// Where an organization's secret lies, for the vault.
pub(crate) fn organization_secret_place(organization: OrganizationId) -> String {
    format!("organization/secret/{organization}")
}

/// Where a user's secret lies, for the vault: by its unique hash, since it is sealed before the row has an id.
pub(crate) fn user_secret_place(hash: &str) -> String {
    format!("person/secret/{hash}")
}
