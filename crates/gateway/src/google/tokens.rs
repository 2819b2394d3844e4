//! Tokens of Google's, kept until shortly before they expire: one cache for each worker thread.
//!
//! Bounds: 256 tokens; one call at a time for a token; a token is renewed five minutes before its end, or in the
//! last tenth of a shorter life, while requests go on with the old one; after a failure nothing is asked for 5 s.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ahash::AHashMap;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, Shared};
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Version};
use pierhead_domain::EpochMillis;
use pierhead_vault::jose::Signed;
use serde_json::Value;

use super::{GoogleAccount, Purpose};
use crate::callout::{Callout, locate};
use crate::compile::TargetTimeouts;
use crate::exchange::{Message, MessageBody, Services};

const MAX_TOKENS: usize = 256;
const MAX_BYTES: usize = 64 * 1024;
const WITHIN: Duration = Duration::from_secs(10);
const AFTER_FAILURE: Duration = Duration::from_secs(5);
const EARLY: Duration = Duration::from_secs(300);
/// Of an answer that does not say how long.
const USUAL_SECONDS: u64 = 3600;

pub(super) type Fetch = Shared<LocalBoxFuture<'static, Option<HeaderValue>>>;

/// The tokens that one thread has.
#[derive(Default, Clone)]
pub struct GoogleTokens(Rc<RefCell<AHashMap<Box<str>, Entry>>>);

#[derive(Default)]
struct Entry {
    /// `Bearer …`.
    token: Option<HeaderValue>,
    renew: EpochMillis,
    expires: EpochMillis,
    /// Until when nothing is asked for, because it failed.
    rests: EpochMillis,
    fetching: Option<Fetch>,
}

/// A token on its way into a header.
pub(super) enum Token {
    Now(HeaderValue),
    Later(Fetch),
    /// It could not be had a moment ago.
    Unavailable,
}

impl GoogleTokens {
    /// A token of `account` for `purpose` that is used for at most `lifetime`.
    pub(super) fn get(
        &self,
        services: &Rc<Services>,
        account: &Arc<GoogleAccount>,
        purpose: &Purpose,
        lifetime: Duration,
    ) -> Token {
        if let Some(given) = account.given_for(purpose) {
            return bearer(given.expose()).map_or(Token::Unavailable, Token::Now);
        }
        let now = services.clock.now();
        let key = key(account, purpose, lifetime);
        let (valid, due, resting, fetching) = match self.0.borrow().get(&*key) {
            Some(entry) => (
                entry.token.clone().filter(|_| now < entry.expires),
                now >= entry.renew,
                now < entry.rests,
                entry.fetching.clone(),
            ),
            None => (None, true, false, None),
        };
        match (valid, fetching) {
            (Some(token), None) if due && !resting => {
                let fetch = self.begin(services, account, purpose, lifetime, key);
                // Where nothing can run beside this request, the next one that needs it fetches it.
                if tokio::runtime::Handle::try_current().is_ok() {
                    tokio::task::spawn_local(fetch);
                }
                Token::Now(token)
            }
            (Some(token), _) => Token::Now(token),
            (None, Some(fetch)) => Token::Later(fetch),
            (None, None) if resting => Token::Unavailable,
            (None, None) => Token::Later(self.begin(services, account, purpose, lifetime, key)),
        }
    }

    fn begin(
        &self,
        services: &Rc<Services>,
        account: &Arc<GoogleAccount>,
        purpose: &Purpose,
        lifetime: Duration,
        key: Box<str>,
    ) -> Fetch {
        let (tokens, services, account, purpose) =
            (self.clone(), services.clone(), account.clone(), purpose.clone());
        let at = key.clone();
        let fetch = async move {
            let answer = ask(&services, &account, &purpose).await;
            if answer.is_none() {
                tracing::warn!(account = account.name(), "no token of Google's could be had");
            }
            tokens.settle(&at, answer.map(|(token, life)| (token, life.min(lifetime))), services.clock.now())
        }
        .boxed_local()
        .shared();
        self.make_room();
        self.0.borrow_mut().entry(key).or_default().fetching = Some(fetch.clone());
        fetch
    }

    fn settle(
        &self,
        key: &str,
        answer: Option<(HeaderValue, Duration)>,
        now: EpochMillis,
    ) -> Option<HeaderValue> {
        let mut tokens = self.0.borrow_mut();
        let entry = tokens.entry(key.into()).or_default();
        entry.fetching = None;
        match answer {
            Some((token, life)) => {
                entry.expires = now.plus(life);
                entry.renew = entry.expires.minus(EARLY.min(life / 10));
                entry.token = Some(token);
            }
            None => entry.rests = now.plus(AFTER_FAILURE),
        }
        entry.token.clone().filter(|_| now < entry.expires)
    }

    fn make_room(&self) {
        let mut tokens = self.0.borrow_mut();
        while tokens.len() >= MAX_TOKENS {
            let idle = tokens.iter().filter(|(_, entry)| entry.fetching.is_none());
            let Some(oldest) = idle.min_by_key(|(_, entry)| entry.expires).map(|(key, _)| key.clone()) else {
                return;
            };
            tokens.remove(&oldest);
        }
    }
}

impl fmt::Debug for GoogleTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GoogleTokens").finish_non_exhaustive()
    }
}

fn key(account: &Arc<GoogleAccount>, purpose: &Purpose, lifetime: Duration) -> Box<str> {
    let (kind, what) = match purpose {
        Purpose::Scopes(scopes) => ("scope", scopes),
        Purpose::Audience(audience) => ("audience", audience),
    };
    // The address: another key of the same account is another account.
    format!("{:p} {} {kind} {} {what}", Arc::as_ptr(account), account.name(), lifetime.as_secs()).into()
}

fn bearer(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

async fn ask(
    services: &Services,
    account: &GoogleAccount,
    purpose: &Purpose,
) -> Option<(HeaderValue, Duration)> {
    let now = services.clock.now();
    let (uri, form) = account.request(purpose, now)?;
    let (endpoint, target) = locate(uri)?;
    let mut headers = HeaderMap::new();
    let own_port = if endpoint.tls { 443 } else { 80 };
    let host = if endpoint.port == own_port {
        endpoint.host.to_string()
    } else {
        format!("{}:{}", endpoint.host, endpoint.port)
    };
    headers.insert(HOST, HeaderValue::from_str(&host).ok()?);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    let body = MessageBody::Replaced(Bytes::from(form));
    let request = Message::request(Method::POST, target, Version::HTTP_11, headers, body);
    let callout = Callout {
        endpoint,
        request,
        timeouts: TargetTimeouts::default(),
        within: WITHIN,
        answer_limit: MAX_BYTES,
    };
    let answer = services.outbound.call(callout).await.ok()?;
    if answer.status() != http::StatusCode::OK {
        return None;
    }
    let answer: Value = serde_json::from_str(&answer.content()).ok()?;
    match purpose {
        Purpose::Scopes(_) => {
            let seconds = answer["expires_in"].as_u64().unwrap_or(USUAL_SECONDS);
            Some((bearer(answer["access_token"].as_str()?)?, Duration::from_secs(seconds)))
        }
        Purpose::Audience(_) => {
            let token = answer["id_token"].as_str()?;
            Some((bearer(token)?, life_of(token, now)))
        }
    }
}

/// How long an OpenID Connect token is good, by its own words.
fn life_of(token: &str, now: EpochMillis) -> Duration {
    let claims =
        Signed::parse(token).ok().and_then(|token| serde_json::from_slice::<Value>(&token.payload).ok());
    let expiry = claims.and_then(|claims| claims["exp"].as_i64());
    let seconds = expiry.map(|expiry| u64::try_from(expiry.saturating_sub(now.seconds())).unwrap_or(0));
    Duration::from_secs(seconds.unwrap_or(USUAL_SECONDS).min(USUAL_SECONDS))
}
