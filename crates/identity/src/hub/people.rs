//! Making, changing and deleting users; the routes of `/users`, `/accounts/{id}/users` and
//! `/organizations/users` share it (open-connectors §6.3).

use std::collections::BTreeMap;

use pierhead_domain::{AccountId, Caller, Role, Roles, SecretString, UserId};
use pierhead_store::identity::{NewPerson, RoleHolder, StoredPerson};
use pierhead_store::{StoreError, WriteTx};
use pierhead_vault::Sealed;

use super::login;
use crate::first_start::user_secret_place;
use crate::password_policy::{self, Owner};
use crate::posted::{NAME, Posted};
use crate::{Identity, IdentityProblem, rights};

/// Fields that are kept as they are.
const PROFILE: &[&str] = &["phone", "street1", "street2", "city", "stateProvince", "postalCode", "country"];

fn unknown() -> IdentityProblem {
    IdentityProblem::NotFound("the user".into())
}

fn taken(why: StoreError) -> IdentityProblem {
    match why {
        StoreError::Duplicate(_) => IdentityProblem::Conflict("a user with this email exists already".into()),
        other => other.into(),
    }
}

impl Identity {
    /// The person behind a caller; a service key is nobody.
    pub(super) async fn own_person(&self, caller: &Caller) -> Result<StoredPerson, IdentityProblem> {
        let Some(id) = caller.user else {
            return Err(IdentityProblem::Forbidden("a service key has no user".into()));
        };
        self.0.store.identities().person(id).await?.ok_or_else(unknown)
    }

    /// A user's own secret.
    pub(super) fn user_secret(&self, person: &StoredPerson) -> Result<SecretString, IdentityProblem> {
        let sealed = Sealed::from_stored(person.secret_sealed.clone());
        let place = user_secret_place(&person.secret_hash);
        Ok(self.0.vault.open_text(person.organization, &place, &sealed)?)
    }

    /// The user with this id or email address; another organization's is as unknown as none.
    pub(super) async fn person_named(
        &self,
        caller: &Caller,
        id_or_email: &str,
    ) -> Result<StoredPerson, IdentityProblem> {
        let reads = self.0.store.identities();
        let found = match id_or_email.parse::<UserId>() {
            Ok(id) => reads.person(id).await?,
            Err(_) => reads.person_by_email(&id_or_email.trim().to_lowercase()).await?,
        };
        found.filter(|person| person.organization == caller.organization).ok_or_else(unknown)
    }

    /// Makes a user of `account` from what was posted.
    pub(super) async fn create_person(
        &self,
        caller: &Caller,
        account: AccountId,
        posted: &Posted,
    ) -> Result<StoredPerson, IdentityProblem> {
        let account = self.visible_account(caller, account).await?;
        rights::account_admin(caller, account.id)?;
        if !account.active {
            return Err(IdentityProblem::NotFound("the account".into()));
        }
        let email = posted.email()?.ok_or_else(|| IdentityProblem::field("email", "is required"))?;
        let first_name = posted.needed("firstName", NAME)?;
        let last_name = posted.needed("lastName", NAME)?;
        let password = posted.needed_password("password")?;
        password_policy::check(
            &password,
            Owner { first_name: &first_name, last_name: &last_name, email: &email },
        )?;
        let roles = match posted.roles("roles")? {
            Some(roles) if !roles.is_empty() => roles,
            _ => vec![self.first_role(account.id).await?],
        };
        for role in &roles {
            rights::may_grant(caller, *role)?;
        }
        let profile = changed_profile(BTreeMap::new(), posted)?;
        let external_id = posted.text("externalId", NAME)?.flatten();
        if self.0.store.identities().person_by_email(&email).await?.is_some() {
            // Said before the slow hash; the unique column says it again for two at once.
            return Err(taken(StoreError::Duplicate("email".into())));
        }
        let password_hash = self.0.passwords.hash(password).await?;
        let (secret_hash, secret_sealed) = self.new_user_secret(caller.organization)?;
        let new = NewPerson {
            organization: caller.organization,
            account: account.id,
            email,
            first_name,
            last_name,
            profile,
            external_id,
            password_hash,
            secret_hash,
            secret_sealed,
            created: self.now(),
        };
        let tx = self.change(caller.organization).await?;
        let id = tx.add_person(&new).await.map_err(taken)?;
        for role in roles {
            tx.grant(RoleHolder::Person(id), role).await?;
        }
        let person = tx.identities().person(id).await?.ok_or_else(unknown)?;
        self.commit(tx, caller.organization).await?;
        Ok(person)
    }

    /// Changes a user by what was posted; what is absent stays. `None` when `permanent` and
    /// `{"active": false}` deleted it. A new password ends its logins.
    pub(super) async fn change_person(
        &self,
        caller: &Caller,
        person: StoredPerson,
        posted: &Posted,
        permanent: bool,
    ) -> Result<Option<StoredPerson>, IdentityProblem> {
        let own = caller.user == Some(person.id);
        let held = self.effective_roles(&person).await?;
        if !own {
            rights::may_change(caller, &person, &held)?;
        }
        let active = posted.flag("active")?;
        let roles = posted.roles("roles")?;
        if own && active == Some(false) {
            return Err(IdentityProblem::Forbidden("users cannot deactivate themselves".into()));
        }
        if active == Some(false) && permanent {
            return self.delete_person(caller, person, true).await.map(|()| None);
        }
        let password = posted.password("password")?.filter(|password| !password.expose().is_empty());
        let mut next = changed(person, posted)?;
        if let Some(password) = &password {
            password_policy::check(password, login::owner(&next))?;
        }
        let password_hash = match password {
            Some(password) => Some(self.0.passwords.hash(password).await?),
            None => None,
        };
        let tx = self.change(caller.organization).await?;
        let current = tx.identities().person(next.id).await?.ok_or_else(unknown)?;
        next = changed(current, posted)?;
        next.active = active.unwrap_or(next.active);
        next.updated = self.now();
        if password_hash.is_some() || !next.active {
            tx.end_logins_of(next.id).await?;
        }
        next.password_hash = password_hash.unwrap_or(next.password_hash);
        tx.save_person(&next).await.map_err(taken)?;
        if let Some(wanted) = roles {
            replace_roles(&tx, caller, &next, &wanted).await?;
        }
        self.commit(tx, caller.organization).await?;
        Ok(Some(next))
    }

    /// Deletes a user with its roles and logins, and with the connector instances it made when asked to.
    pub(super) async fn delete_person(
        &self,
        caller: &Caller,
        person: StoredPerson,
        with_instances: bool,
    ) -> Result<(), IdentityProblem> {
        if caller.user == Some(person.id) {
            return Err(IdentityProblem::Forbidden("users cannot delete themselves".into()));
        }
        rights::may_change(caller, &person, &self.effective_roles(&person).await?)?;
        let account = self.0.store.identities().account(person.account).await?;
        let tx = self.change(caller.organization).await?;
        if let (true, Some(account)) = (with_instances, account) {
            self.delete_instances(&tx, &account, Some(person.id)).await?;
        }
        tx.delete_person(person.id).await?;
        self.commit(tx, caller.organization).await
    }
}

fn changed(mut person: StoredPerson, posted: &Posted) -> Result<StoredPerson, IdentityProblem> {
    person.email = posted.email()?.unwrap_or(person.email);
    person.first_name = posted.kept("firstName", NAME)?.unwrap_or(person.first_name);
    person.last_name = posted.kept("lastName", NAME)?.unwrap_or(person.last_name);
    person.external_id = posted.text("externalId", NAME)?.unwrap_or(person.external_id);
    person.profile = changed_profile(person.profile, posted)?;
    Ok(person)
}

fn changed_profile(
    mut profile: BTreeMap<String, String>,
    posted: &Posted,
) -> Result<BTreeMap<String, String>, IdentityProblem> {
    for field in PROFILE {
        match posted.text(field, NAME)? {
            None => {}
            Some(None) => drop(profile.remove(*field)),
            Some(Some(text)) => drop(profile.insert((*field).into(), text)),
        }
    }
    Ok(profile)
}

/// Gives a user exactly the `wanted` roles. Each that comes or goes must be the caller's to give; clients
/// send back the roles that a user has, so those that stay are nobody's business.
async fn replace_roles(
    tx: &WriteTx,
    caller: &Caller,
    person: &StoredPerson,
    wanted: &[Role],
) -> Result<(), IdentityProblem> {
    let holder = RoleHolder::Person(person.id);
    let held: Roles = tx.identities().roles_of(holder).await?.into_iter().collect();
    let wanted: Roles = wanted.iter().copied().collect();
    if held != wanted && caller.user == Some(person.id) {
        return Err(IdentityProblem::Forbidden("users cannot change their own roles".into()));
    }
    for role in held.iter().filter(|role| !wanted.has(*role)) {
        rights::may_grant(caller, role)?;
        tx.revoke(holder, role).await?;
    }
    for role in wanted.iter().filter(|role| !held.has(*role)) {
        rights::may_grant(caller, role)?;
        tx.grant(holder, role).await?;
    }
    Ok(())
}
