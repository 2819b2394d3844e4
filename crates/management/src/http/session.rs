//! Sessions for the CSRF protocol. A session authenticates nobody: it only ties a token to a cookie.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use pierhead_domain::{Caller, EpochMillis, SecretString};
use pierhead_web::{csrf, odata};

use crate::management::Parts;

/// Name of the session cookie, as the original's.
const COOKIE: &str = "JSESSIONID";
const TOKEN: &str = "x-csrf-token";
/// How long a session is good.
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// What a request says about CSRF.
pub(super) struct Csrf<'p> {
    parts: &'p Parts,
    /// For whom tokens are: a token of one caller is worth nothing with another's credentials.
    caller: String,
    session: Option<String>,
    said: String,
}

impl<'p> Csrf<'p> {
    pub(super) fn read(parts: &'p Parts, caller: &Caller, headers: &HeaderMap) -> Self {
        let session = csrf::cookie(headers, COOKIE).filter(|value| is_alive(value, parts.clock.now()));
        let said = headers.get(TOKEN).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self {
            parts,
            caller: format!("{}/{}", caller.organization, caller.name),
            session: session.map(str::to_owned),
            said: said.trim().to_owned(),
        }
    }

    /// Whether a token is asked for.
    pub(super) fn is_fetch(&self) -> bool {
        self.said.eq_ignore_ascii_case("fetch")
    }

    /// Whether the token belongs to the session and the caller.
    pub(super) fn is_proven(&self) -> bool {
        self.session.as_ref().is_some_and(|session| self.parts.csrf.matches(&self.bound(session), &self.said))
    }

    /// A token, and the cookie of a new session where the request has none.
    pub(super) fn grant(&self) -> (HeaderValue, Option<HeaderValue>) {
        let (session, is_new) = match &self.session {
            Some(session) => (session.clone(), false),
            None => (self.new_session(), true),
        };
        let token = self.parts.csrf.token(&self.bound(&session));
        let secure = if self.parts.settings.public_url.starts_with("https:") { "; Secure" } else { "" };
        let cookie = format!("{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax{secure}");
        let value = |text: &str| HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""));
        (value(&token), is_new.then(|| value(&cookie)))
    }

    fn new_session(&self) -> String {
        let random = csrf::new_session(self.parts.rng.as_ref());
        format!("{}-{:x}", random.expose(), self.parts.clock.now().seconds())
    }

    fn bound(&self, session: &str) -> SecretString {
        format!("{session}/{}", self.caller).into()
    }
}

/// Whether a cookie is of our making and not too old. The time in it may be forged: that only lengthens the
/// forger's own session.
fn is_alive(cookie: &str, now: EpochMillis) -> bool {
    let Some((random, begun)) = cookie.split_once('-') else { return false };
    let begun = i64::from_str_radix(begun, 16).ok().and_then(|seconds| seconds.checked_mul(1000));
    let well_formed = random.len() == 32 && random.bytes().all(|byte| byte.is_ascii_hexdigit());
    well_formed && begun.is_some_and(|begun| now.since(EpochMillis::new(begun)) < LIFETIME)
}

/// The answer to a modifying request whose token is missing, stale or another's.
pub(super) fn required() -> Response<Body> {
    let text = "CSRF token validation failed. Fetch a token with a HEAD request that has the header X-CSRF-Token: fetch, then send it with the cookies of the answer.";
    let mut response = odata::error(StatusCode::FORBIDDEN, "CSRF_TOKEN_REQUIRED", text);
    response.headers_mut().insert(TOKEN, HeaderValue::from_static("Required"));
    response
}
