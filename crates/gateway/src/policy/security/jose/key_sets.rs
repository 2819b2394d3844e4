//! Key sets at addresses, kept for as long as their server says: one cache for each worker thread.
//!
//! Bounds: 256 sets; 1 MiB each; one fetch at a time for a set; a set is kept for its `max-age`, between 10 s
//! and a day, 5 minutes where it says nothing; a failed fetch is not tried again for 10 s, and the old set goes
//! on being used for up to an hour after its time; a token with a key id that a set lacks has it fetched anew,
//! when it is older than 30 s.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ahash::AHashMap;
use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, Shared};
use http::header::{ACCEPT, CACHE_CONTROL, HOST};
use http::{HeaderMap, HeaderValue, Method, Version};
use pierhead_domain::EpochMillis;
use pierhead_vault::jose::JwkSet;

use crate::callout::Callout;
use crate::compile::{Endpoint, TargetTimeouts};
use crate::exchange::{Message, MessageBody, Services};

const MAX_SETS: usize = 256;
const MAX_BYTES: usize = 1024 * 1024;
const WITHIN: Duration = Duration::from_secs(10);
const DEFAULT_AGE: u64 = 300;
const AGES: std::ops::RangeInclusive<u64> = 10..=86_400;
const AFTER_FAILURE: Duration = Duration::from_secs(10);
const STALE: Duration = Duration::from_secs(3600);
const SETTLED: Duration = Duration::from_secs(30);

type Fetch = Shared<LocalBoxFuture<'static, Option<Arc<JwkSet>>>>;

/// The key sets that policies of one thread fetched.
#[derive(Default, Clone)]
pub struct KeySets(Rc<RefCell<AHashMap<Box<str>, Entry>>>);

#[derive(Default)]
struct Entry {
    set: Option<Arc<JwkSet>>,
    fetched: EpochMillis,
    /// Until when nothing is fetched.
    until: EpochMillis,
    fetching: Option<Fetch>,
}

/// What is known of a set.
pub(crate) enum Freshness {
    Fresh(Arc<JwkSet>),
    /// The last try failed a moment ago.
    Unavailable,
    Fetch,
}

impl KeySets {
    /// The set at `uri`, when it may be used for a token with this key id.
    pub(crate) fn find(&self, uri: &str, id: Option<&str>, now: EpochMillis) -> Freshness {
        let sets = self.0.borrow();
        let Some(entry) = sets.get(uri) else { return Freshness::Fetch };
        let lacks = |set: &JwkSet| id.is_some_and(|id| !set.has(id));
        match &entry.set {
            _ if now >= entry.until => Freshness::Fetch,
            Some(set) if lacks(set) && now >= entry.fetched.plus(SETTLED) => Freshness::Fetch,
            Some(set) => Freshness::Fresh(set.clone()),
            None => Freshness::Unavailable,
        }
    }

    /// Fetches the set, or waits for the fetch that runs already. `None` when it cannot be had.
    pub(crate) async fn fetch(&self, services: &Rc<Services>, uri: &str) -> Option<Arc<JwkSet>> {
        let running = self.0.borrow().get(uri).and_then(|entry| entry.fetching.clone());
        let fetch = match running {
            Some(fetch) => fetch,
            None => {
                let (sets, services, uri) = (self.clone(), services.clone(), Box::<str>::from(uri));
                let fetch: Fetch = {
                    let uri = uri.clone();
                    async move {
                        let answer = call(&services, &uri).await;
                        sets.settle(&uri, answer, services.clock.now())
                    }
                    .boxed_local()
                    .shared()
                };
                self.make_room();
                self.0.borrow_mut().entry(uri).or_default().fetching = Some(fetch.clone());
                fetch
            }
        };
        fetch.await
    }

    /// Writes down what a fetch gave.
    fn settle(
        &self,
        uri: &str,
        answer: Option<(Arc<JwkSet>, Duration)>,
        now: EpochMillis,
    ) -> Option<Arc<JwkSet>> {
        let mut sets = self.0.borrow_mut();
        let entry = sets.entry(uri.into()).or_default();
        entry.fetching = None;
        match answer {
            Some((set, age)) => {
                (entry.set, entry.fetched, entry.until) = (Some(set), now, now.plus(age));
            }
            None => {
                if entry.until.plus(STALE) <= now {
                    entry.set = None;
                }
                entry.until = now.plus(AFTER_FAILURE);
            }
        }
        entry.set.clone()
    }

    fn make_room(&self) {
        let mut sets = self.0.borrow_mut();
        while sets.len() >= MAX_SETS {
            let idle = sets.iter().filter(|(_, entry)| entry.fetching.is_none());
            let oldest = idle.min_by_key(|(_, entry)| entry.until).map(|(uri, _)| uri.clone());
            let Some(oldest) = oldest else { return };
            sets.remove(&oldest);
        }
    }
}

impl fmt::Debug for KeySets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySets").finish_non_exhaustive()
    }
}

/// An address taken apart.
pub(crate) struct Address {
    endpoint: Endpoint,
    target: http::uri::PathAndQuery,
    host: HeaderValue,
}

impl Address {
    /// Of `http` or `https`.
    pub(crate) fn parse(uri: &str) -> Option<Self> {
        let uri: http::Uri = uri.trim().parse().ok()?;
        let tls = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let endpoint = Endpoint::new(tls, authority.host(), port);
        let target = uri.path_and_query()?.clone();
        Some(Self { endpoint, target, host: HeaderValue::from_str(authority.as_str()).ok()? })
    }
}

async fn call(services: &Services, uri: &str) -> Option<(Arc<JwkSet>, Duration)> {
    let Address { endpoint, target, host } = Address::parse(uri)?;
    let mut headers = HeaderMap::new();
    headers.insert(HOST, host);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let request = Message::request(Method::GET, target, Version::HTTP_11, headers, MessageBody::Empty);
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
    let set = JwkSet::read(&answer.content()).ok()?;
    Some((Arc::new(set), age(&answer.headers)))
}

/// `max-age`, within bounds.
fn age(headers: &HeaderMap) -> Duration {
    let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    let said = lines
        .flat_map(|line| line.split(','))
        .find_map(|part| part.trim().strip_prefix("max-age=")?.trim_matches('"').parse::<u64>().ok());
    Duration::from_secs(said.unwrap_or(DEFAULT_AGE).clamp(*AGES.start(), *AGES.end()))
}
