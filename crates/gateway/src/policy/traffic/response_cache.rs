//! `ResponseCache`: answers from memory what was answered before (api-management §9.4).

mod freshness;

use std::sync::Arc;

use bytes::BytesMut;
use http::header::{ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_LENGTH};
use http::{HeaderName, Method, StatusCode};
use pierhead_domain::EpochMillis;

use super::cache::{self, CacheKey, Expiry};
use crate::condition::Condition;
use crate::dialect::Dialect;
use crate::exchange::{ComputedVariables, Exchange, Message, MessageBody, Recording};
use crate::policy::{Blueprint, Compiled, Element, Next, Policy, PolicyRun};
use crate::state::{Cached, CachedResponse, MAX_VALUE_BYTES};
use crate::variable::Value;

/// In a request flow it looks for a response and, when there is one, goes on behind its step in the response flows;
/// there it caches the response. A body that nobody else reads is cached while it streams by. A response whose
/// headers and body are larger than 512 KiB is not cached, and neither is one without a body because of HEAD.
///
/// No faults. Unsourced: that a response which streams is cached as it was when this policy saw it; how the
/// `Accept` headers are appended to the key.
#[derive(Debug)]
struct ResponseCache {
    name: Arc<str>,
    cache: Arc<str>,
    key: CacheKey,
    expiry: Expiry,
    skip_lookup: Option<Condition>,
    skip_population: Option<Condition>,
    exclude_errors: bool,
    use_accept: bool,
    use_headers: bool,
    /// `responsecache.<policy>.`
    prefix: Arc<str>,
}

const SETTINGS: &[&str] = &[
    "ExpirySettings",
    "ExcludeErrorResponse",
    "SkipCacheLookup",
    "SkipCachePopulation",
    "UseAcceptHeader",
    "UseResponseCacheHeaders",
];

/// The request headers that choose among representations.
const ACCEPTS: [HeaderName; 4] = [ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, ACCEPT_CHARSET];

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    let root = policy.root;
    policy.only_in_root(&[], &[cache::COMMON, SETTINGS].concat());
    let (key, cache) = (cache::key(policy), cache::resource(policy));
    cache::lookup_timeout(policy);
    let expiry = Expiry::read(policy);
    let mut condition = |name: &str| {
        let element: &Element = root.child(name)?;
        policy.only(element, &[], &[]);
        policy.condition(element)
    };
    let (skip_lookup, skip_population) = (condition("SkipCacheLookup"), condition("SkipCachePopulation"));
    let excludes = policy.dialect == Dialect::Apigee;
    Some(Box::new(ResponseCache {
        name: policy.name.clone(),
        cache,
        key,
        expiry,
        skip_lookup,
        skip_population,
        exclude_errors: policy.flag_child(root, "ExcludeErrorResponse", excludes),
        use_accept: policy.flag_child(root, "UseAcceptHeader", false),
        use_headers: policy.flag_child(root, "UseResponseCacheHeaders", false),
        prefix: format!("responsecache.{}.", policy.name).into(),
    }))
}

impl Policy for ResponseCache {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        if cx.position.segment.is_of_request() {
            return PolicyRun::Done(Ok(self.look_up(cx)));
        }
        self.populate(cx);
        PolicyRun::Done(Ok(Next::Continue))
    }
}

impl ResponseCache {
    fn look_up(&self, cx: &mut Exchange) -> Next {
        let key = self.key_text(cx);
        let skips = self.skip_lookup.as_ref().is_some_and(|skip| skip.holds(cx));
        let found = match cx.services.state.caches.get(&self.cache, &key, cx.now().as_i64()) {
            Some(Cached::Response(response)) if !skips => Some(response),
            _ => None,
        };
        let told = Told { cache: self.cache.clone(), key, hit: found.is_some(), invalid: false };
        cx.variables.provide(&self.prefix, Arc::new(told));
        let Some(found) = found else { return Next::Continue };
        let body = match found.body.is_empty() {
            true => MessageBody::Empty,
            false => MessageBody::Replaced(found.body.clone()),
        };
        let mut response = Message::response(found.status, found.headers.clone(), body);
        if let Some(head) = response.as_response_mut() {
            head.reason.clone_from(&found.reason);
        }
        cx.response = Some(response);
        cx.traffic.resume_behind = Some(self.name.clone());
        Next::Respond
    }

    fn key_text(&self, cx: &Exchange) -> String {
        let mut key = self.key.text(cx);
        if self.use_accept {
            for name in ACCEPTS {
                key.push_str("__");
                for value in cx.request.headers.get_all(name) {
                    key.push_str(&String::from_utf8_lossy(value.as_bytes()));
                }
            }
        }
        key
    }

    fn populate(&self, cx: &mut Exchange) {
        if self.skip_population.as_ref().is_some_and(|skip| skip.holds(cx))
            || cx.request.as_request().is_some_and(|head| head.method == Method::HEAD)
        {
            return;
        }
        let Some(until) = self.until(cx) else { return };
        let key = self.told_key(cx);
        let Some(response) = &cx.response else { return };
        let Some(head) = response.as_response() else { return };
        let declared =
            response.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let body_bytes = match &response.body {
            MessageBody::Streaming => declared.unwrap_or(0),
            body => body.bytes().len(),
        };
        if body_bytes + CachedResponse::head_bytes(&response.headers) > MAX_VALUE_BYTES {
            let told = Told { cache: self.cache.clone(), key, hit: false, invalid: true };
            cx.variables.provide(&self.prefix, Arc::new(told));
            return;
        }
        let mut headers = response.headers.clone();
        headers.remove(CONTENT_LENGTH);
        let recording = Recording {
            state: Arc::clone(&cx.services.state),
            cache: self.cache.clone(),
            key,
            status: head.status,
            reason: head.reason.clone(),
            headers,
            now: cx.now(),
            until,
            body: BytesMut::from(response.body.bytes()),
        };
        match response.body {
            MessageBody::Streaming => cx.traffic.recording = Some(Box::new(recording)),
            MessageBody::Replaced(_) | MessageBody::Empty => recording.finish(),
        }
    }

    /// The key of the lookup: what steps changed in the request meanwhile does not change it.
    fn told_key(&self, cx: &Exchange) -> String {
        let name = format!("{}cachekey", self.prefix);
        match cx.variables.get(&name).and_then(Value::into_text) {
            Some(key) => key.into_owned(),
            None => self.key_text(cx),
        }
    }

    /// Until when the response may be answered from memory; `None` is not at all.
    fn until(&self, cx: &Exchange) -> Option<EpochMillis> {
        let response = cx.response.as_ref()?;
        let status = response.status();
        if self.exclude_errors && !(StatusCode::OK..=StatusCode::RESET_CONTENT).contains(&status) {
            return None;
        }
        let until = self.expiry.until(cx);
        if !self.use_headers {
            return Some(until);
        }
        freshness::of(&response.headers, cx.now()).map(|fresh| fresh.map_or(until, |fresh| fresh.min(until)))
    }
}

/// What the last look told.
struct Told {
    cache: Arc<str>,
    key: String,
    hit: bool,
    invalid: bool,
}

impl ComputedVariables for Told {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        Some(match name {
            "cachename" => Value::text(&self.cache),
            "cachekey" => Value::text(&self.key),
            "cachehit" => Value::Boolean(self.hit),
            "invalidentry" => Value::Boolean(self.invalid),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
