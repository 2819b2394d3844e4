//! Google's OAuth 2.0 server: consent, codes, access and refresh tokens, revocation.
//!
//! Tokens have Google's looks (`ya29.…`, `1//0…`, codes with a slash in them), since clients that
//! mishandle a slash in a code fail at Google too. No ID token is issued: it would need Google's keys.

pub(crate) mod authorize;
mod page;
pub(crate) use page::escape as escape_html;
mod revoke;
pub(crate) mod scope;
mod token;
mod userinfo;

use std::collections::HashMap;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use pierhead_domain::EpochMillis;

use super::drive::tree::{Person, Viewer};
use super::journal::BearerState;
use super::state::{App, Shared};

/// The paths of the token endpoint, new and old.
pub(crate) const TOKEN_PATHS: &[&str] = &["/token", "/oauth2/v4/token", "/o/oauth2/token"];

/// How long an authorization code, and a consent page, can be used.
const CODE_LIFETIME: Duration = Duration::from_secs(600);
/// Expired tokens are kept this long, to be told apart from unknown ones, when room is made.
const ROOM_FOR_TOKENS: usize = 50_000;
/// Consent pages open at once.
const ROOM_FOR_PAGES: usize = 1_000;

pub(crate) fn routes() -> Router<Shared> {
    let mut routes = Router::new()
        .route("/o/oauth2/v2/auth", get(authorize::show).post(authorize::decide))
        .route("/o/oauth2/auth", get(authorize::show).post(authorize::decide))
        .route("/revoke", post(revoke::revoke).get(revoke::revoke))
        .route("/o/oauth2/revoke", post(revoke::revoke).get(revoke::revoke))
        .route("/tokeninfo", get(userinfo::tokeninfo))
        .route("/oauth2/v3/tokeninfo", get(userinfo::tokeninfo))
        .route("/oauth2/v2/userinfo", get(userinfo::v2))
        .route("/oauth2/v3/userinfo", get(userinfo::v3))
        .route("/v1/userinfo", get(userinfo::v3));
    for path in TOKEN_PATHS {
        routes = routes.route(path, post(token::token));
    }
    routes
}

/// A live access token's rights.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) person: Person,
    pub(crate) scopes: Vec<String>,
    grant: u64,
    expires: EpochMillis,
}

impl Access {
    pub(crate) fn viewer(&self) -> Viewer {
        let whole = ["drive", "drive.readonly", "drive.metadata", "drive.metadata.readonly"];
        Viewer {
            person: self.person,
            every_file: whole.iter().any(|short| scope::has(&self.scopes, short)),
            app_data: scope::has(&self.scopes, "drive.appdata")
                || scope::has(&self.scopes, "drive.appfolder"),
        }
    }
}

/// What a client asked a person for, checked.
#[derive(Debug, Clone)]
struct Asked {
    redirect_uri: String,
    scopes: Vec<String>,
    state: Option<String>,
    offline: bool,
    force_consent: bool,
    silent: bool,
    login_hint: Option<String>,
    challenge: Option<Challenge>,
}

#[derive(Debug, Clone)]
struct Challenge {
    text: String,
    sha256: bool,
}

#[derive(Debug)]
struct Code {
    asked: Asked,
    grant: u64,
    with_refresh_token: bool,
    expires: EpochMillis,
}

#[derive(Debug)]
struct Grant {
    person: Person,
    scopes: Vec<String>,
}

/// Every page, code, grant and token of the double.
#[derive(Debug, Default)]
pub(crate) struct OAuth {
    pages: HashMap<String, (Asked, EpochMillis)>,
    codes: HashMap<String, Code>,
    grants: HashMap<u64, Grant>,
    last_grant: u64,
    access: HashMap<String, Access>,
    refresh: HashMap<String, u64>,
    refreshed: u64,
}

impl OAuth {
    /// What a presented token is worth at `now`.
    pub(crate) fn judge(&self, token: Option<&str>, now: EpochMillis) -> (BearerState, Option<Access>) {
        match token {
            None => (BearerState::None, None),
            Some(token) => match self.access.get(token) {
                None => (BearerState::Unknown, None),
                Some(access) if access.expires <= now => (BearerState::Expired, None),
                Some(access) => (BearerState::Valid, Some(access.clone())),
            },
        }
    }

    pub(crate) fn expire_access_tokens(&mut self, now: EpochMillis) -> usize {
        let alive = self.access.values_mut().filter(|access| access.expires > now);
        alive.map(|access| access.expires = now).count()
    }

    pub(crate) fn revoke_all(&mut self) -> usize {
        let count = self.grants.len();
        self.grants.clear();
        self.access.clear();
        self.refresh.clear();
        self.codes.clear();
        count
    }

    pub(crate) fn refresh_count(&self) -> u64 {
        self.refreshed
    }

    fn open_page(&mut self, id: String, asked: Asked, now: EpochMillis) {
        if self.pages.len() >= ROOM_FOR_PAGES {
            self.pages.retain(|_, (_, expires)| *expires > now);
        }
        if self.pages.len() >= ROOM_FOR_PAGES {
            self.pages.clear();
        }
        self.pages.insert(id, (asked, now.plus(CODE_LIFETIME)));
    }

    fn close_page(&mut self, id: &str, now: EpochMillis) -> Option<Asked> {
        self.pages.remove(id).filter(|(_, expires)| *expires > now).map(|(asked, _)| asked)
    }

    /// The grant of this person, if it covers every scope asked for.
    fn covering_grant(&self, person: Person, scopes: &[String]) -> Option<u64> {
        self.grants
            .iter()
            .find(|(_, grant)| {
                grant.person == person && scopes.iter().all(|scope| grant.scopes.contains(scope))
            })
            .map(|(id, _)| *id)
    }

    /// Records that `person` allows what was asked. A refresh token comes with the code when offline access
    /// was asked for, and either consent was shown again on purpose or this is the person's first grant.
    fn allow(&mut self, app: &App, asked: Asked, person: Person, shown: bool) -> String {
        let known = self.covering_grant(person, &asked.scopes);
        let grant = known.unwrap_or_else(|| {
            self.last_grant += 1;
            self.grants.insert(self.last_grant, Grant { person, scopes: asked.scopes.clone() });
            self.last_grant
        });
        let now = app.now();
        self.codes.retain(|_, code| code.expires > now);
        let code = app.token("4/0A", 42);
        let with_refresh_token = asked.offline && ((shown && asked.force_consent) || known.is_none());
        let expires = now.plus(CODE_LIFETIME);
        self.codes.insert(code.clone(), Code { asked, grant, with_refresh_token, expires });
        code
    }

    fn issue_access(&mut self, app: &App, grant: u64, scopes: Vec<String>) -> Option<String> {
        let person = self.grants.get(&grant)?.person;
        let now = app.now();
        if self.access.len() >= ROOM_FOR_TOKENS {
            self.access.retain(|_, access| access.expires > now);
        }
        let token = app.token("ya29.a0", 96);
        let expires = now.plus(app.options.access_token_lifetime);
        self.access.insert(token.clone(), Access { person, scopes, grant, expires });
        Some(token)
    }

    fn issue_refresh(&mut self, app: &App, grant: u64) -> String {
        let token = app.token("1//0g", 72);
        self.refresh.insert(token.clone(), grant);
        token
    }

    /// Revokes the grant behind an access or refresh token, with everything issued under it.
    fn revoke(&mut self, token: &str) -> bool {
        let by_access = self.access.get(token).map(|access| access.grant);
        let Some(grant) = by_access.or_else(|| self.refresh.get(token).copied()) else { return false };
        self.grants.remove(&grant);
        self.access.retain(|_, access| access.grant != grant);
        self.refresh.retain(|_, of| *of != grant);
        self.codes.retain(|_, code| code.grant != grant);
        true
    }
}
