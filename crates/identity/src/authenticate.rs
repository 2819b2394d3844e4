//! Who is calling: the port of all faces.

use std::net::IpAddr;

use async_trait::async_trait;
use pierhead_domain::{Caller, EpochMillis, SecretString};
use pierhead_store::identity::{StoredLogin, StoredPerson};
use pierhead_vault::constant_time_eq;
use pierhead_web::auth::{AuthFailure, Authenticator, ConnectorAuth};
use pierhead_web::peer;

use crate::cache::{Known, Shown};
use crate::credentials::{self, BearerKind, kind};
use crate::{Identity, IdentityProblem};

/// One text for every reason, so that a refusal tells nobody which half was right.
const BAD_SECRETS: &str = "the user or organization secret is not valid";
const BAD_TOKEN: &str = "the token is not valid or has expired";
const BAD_LOGIN: &str = "the user name or password is not right";

#[async_trait]
impl Authenticator for Identity {
    async fn connector_caller(&self, auth: &ConnectorAuth) -> Result<Caller, AuthFailure> {
        let organization =
            auth.organization.as_ref().map(|secret| self.digest(kind::ORGANIZATION, secret.expose()));
        let shown = self.digest(kind::USER, auth.user.expose());
        let known = self.known(shown, self.find_by_user_secret(auth)).await?;
        let known = known.ok_or_else(|| refused(BAD_SECRETS))?;
        match organization {
            Some(given) if !constant_time_eq(&given, &known.organization) => Err(refused(BAD_SECRETS).into()),
            _ => Ok(known.caller),
        }
    }

    async fn bearer_caller(&self, token: &SecretString) -> Result<Caller, AuthFailure> {
        let bearer = credentials::bearer_kind(token).ok_or_else(|| refused(BAD_TOKEN))?;
        let known = match bearer {
            BearerKind::Login => {
                self.known(self.digest(kind::LOGIN, token.expose()), self.find_login(token)).await?
            }
            BearerKind::Access => {
                self.known(self.digest(kind::ACCESS, token.expose()), self.find_access(token)).await?
            }
        };
        Ok(known.ok_or_else(|| refused(BAD_TOKEN))?.caller)
    }

    async fn basic_caller(&self, name: &str, password: &SecretString) -> Result<Caller, AuthFailure> {
        let shown = self.digest(kind::BASIC, &format!("{name}\0{}", password.expose()));
        let known = self.known(shown, self.find_by_basic(name, password)).await?;
        Ok(known.ok_or_else(|| refused(BAD_LOGIN))?.caller)
    }
}

/// What a throttle counts: attempts at something from one address (of IPv6 from one network of 64 bits).
pub(crate) fn from_here(who: &str) -> String {
    match peer::current() {
        Some(IpAddr::V6(address)) => {
            let network: String = address.segments()[..4].iter().map(|part| format!("{part:x}:")).collect();
            format!("{who} from {network}")
        }
        Some(IpAddr::V4(address)) => format!("{who} from {address}"),
        None => who.to_owned(),
    }
}

fn refused(why: &str) -> IdentityProblem {
    IdentityProblem::Unauthenticated(why.into())
}

impl Identity {
    /// A person who shows email address and password. Failures in a row for one address from one place make
    /// further attempts from there wait, and nobody else's.
    pub(crate) async fn person_by_password(
        &self,
        email: &str,
        password: &SecretString,
    ) -> Result<StoredPerson, IdentityProblem> {
        let email = email.trim().to_lowercase();
        let person = self.0.store.identities().person_by_email(&email).await?;
        let stored = person.as_ref().map(|person| person.password_hash.clone());
        self.check_password(&format!("login {email}"), password, stored).await?;
        let person = person.ok_or_else(|| refused(BAD_LOGIN))?;
        self.caller_of(&person).await?.ok_or_else(|| refused(BAD_LOGIN))?;
        Ok(person)
    }

    /// Checks a password under the throttle of `who` at the client's address.
    pub(crate) async fn check_password(
        &self,
        who: &str,
        password: &SecretString,
        stored: Option<String>,
    ) -> Result<(), IdentityProblem> {
        let who = &from_here(who);
        let turn = self.0.passwords.turn().await?;
        // Asked while holding the turn: of many guesses at once only a few get past.
        self.may_try(who)?;
        if self.0.passwords.verify(turn, password.clone(), stored).await? {
            self.0.throttle.succeeded(who);
            Ok(())
        } else {
            self.0.throttle.failed(who, self.now());
            Err(refused(BAD_LOGIN))
        }
    }

    pub(crate) fn may_try(&self, who: &str) -> Result<(), IdentityProblem> {
        self.0
            .throttle
            .check(who, self.now())
            .map_err(|retry_after_seconds| IdentityProblem::TooMany { retry_after_seconds })
    }

    /// Begins a login; the token is shown once and never again.
    pub(crate) async fn begin_login(&self, person: &StoredPerson) -> Result<SecretString, IdentityProblem> {
        let (token, now) = (credentials::login_token(self.0.rng.as_ref()), self.now());
        let login = StoredLogin {
            token_hash: self.hash(kind::LOGIN, token.expose()),
            person: person.id,
            created: now,
            expires: now.plus(self.0.settings.login_ttl),
        };
        let tx = self.0.store.write().await?;
        tx.add_login(&login).await?;
        tx.note_login(person.id, now).await?;
        tx.commit().await?;
        Ok(token)
    }

    pub(crate) fn digest(&self, kind: &str, secret: &str) -> Shown {
        self.0.vault.lookup().digest(kind, secret)
    }

    pub(crate) fn hash(&self, kind: &str, secret: &str) -> String {
        self.0.vault.lookup_hash(kind, secret).as_str().to_owned()
    }

    /// The client behind a service key's id and secret.
    pub(crate) async fn service_key(
        &self,
        client_id: &str,
        secret: &SecretString,
    ) -> Result<Option<pierhead_store::identity::StoredServiceKey>, IdentityProblem> {
        let given = self.hash(kind::CLIENT, secret.expose());
        let found = self.0.store.identities().service_key(client_id).await?;
        let good = |hash: &str| constant_time_eq(hash.as_bytes(), given.as_bytes());
        let alive = |expires: Option<EpochMillis>| expires.is_none_or(|expires| expires > self.now());
        Ok(found.filter(|key| good(&key.secret_hash) && alive(key.expires)))
    }

    /// From the cache, or by `look_up`; remembers what that finds.
    async fn known(
        &self,
        shown: Shown,
        look_up: impl Future<Output = Result<Option<Known>, IdentityProblem>>,
    ) -> Result<Option<Known>, IdentityProblem> {
        if let Some(known) = self.0.cache.get(&shown, self.now()) {
            return Ok(Some(known));
        }
        let began_at = self.0.cache.changes();
        let found = look_up.await?;
        if let Some(found) = &found {
            self.0.cache.put(shown, found.clone(), began_at, self.now());
        }
        Ok(found)
    }

    async fn find_by_user_secret(&self, auth: &ConnectorAuth) -> Result<Option<Known>, IdentityProblem> {
        let hash = self.hash(kind::USER, auth.user.expose());
        match self.0.store.identities().person_by_secret(&hash).await? {
            Some(person) => self.known_person(&person, None).await,
            None => Ok(None),
        }
    }

    async fn find_login(&self, token: &SecretString) -> Result<Option<Known>, IdentityProblem> {
        let reads = self.0.store.identities();
        let login = reads.login(&self.hash(kind::LOGIN, token.expose())).await?;
        let Some(login) = login.filter(|login| login.expires > self.now()) else { return Ok(None) };
        match reads.person(login.person).await? {
            Some(person) => self.known_person(&person, Some(login.expires)).await,
            None => Ok(None),
        }
    }

    async fn find_access(&self, token: &SecretString) -> Result<Option<Known>, IdentityProblem> {
        let reads = self.0.store.identities();
        let token = reads.access_token(&self.hash(kind::ACCESS, token.expose())).await?;
        let Some(token) = token.filter(|token| token.expires > self.now()) else { return Ok(None) };
        let Some(key) = reads.service_key(&token.client_id).await? else { return Ok(None) };
        let caller = self.service_caller(key.organization, &key.client_id, token.roles).await?;
        let expires = Some(key.expires.map_or(token.expires, |expires| expires.min(token.expires)));
        Ok(caller.map(|caller| Known { caller, organization: [0; 32], expires }))
    }

    async fn find_by_basic(
        &self,
        name: &str,
        password: &SecretString,
    ) -> Result<Option<Known>, IdentityProblem> {
        if credentials::is_client_id(name) {
            let Some(key) = self.service_key(name, password).await? else { return Ok(None) };
            let expires = key.expires;
            let caller = self.service_caller(key.organization, &key.client_id, key.roles).await?;
            return Ok(caller.map(|caller| Known { caller, organization: [0; 32], expires }));
        }
        let person = self.person_by_password(name, password).await?;
        self.known_person(&person, None).await
    }

    async fn known_person(
        &self,
        person: &StoredPerson,
        expires: Option<EpochMillis>,
    ) -> Result<Option<Known>, IdentityProblem> {
        let Some(caller) = self.caller_of(person).await? else { return Ok(None) };
        let stored = self.0.store.identities().organization(caller.organization).await?;
        // A stored look-up hash is the digest in hex.
        let mut organization = [0; 32];
        let hash = stored.map(|stored| stored.secret_hash).unwrap_or_default();
        hex::decode_to_slice(hash, &mut organization).unwrap_or_default();
        Ok(Some(Known { caller, organization, expires }))
    }
}
