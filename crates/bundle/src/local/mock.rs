//! What targets are said to answer, and what they were asked.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, StatusCode};
use serde::Deserialize;

/// How many calls are remembered.
const MOST_SEEN: usize = 1000;

/// What one target answers instead of an echo, when targets are mocked. The first that fits a call answers it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mock {
    /// Of calls with this method only.
    pub method: Option<String>,
    /// Of calls to this host only, with its port when that is not the scheme's own.
    pub host: Option<String>,
    /// Of calls to this path only; a `*` at its end stands for any rest.
    pub path: Option<String>,
    /// Of calls with these parameters, as they are written in the query, among others.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Answers so many calls and no more; all when it is missing.
    pub times: Option<usize>,
    /// 200 when it is missing.
    pub status: Option<u16>,
    /// Headers of the answer.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The answer's body.
    #[serde(default)]
    pub body: String,
}

/// A call that reached a mocked target.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Method.
    pub method: Method,
    /// The target it was meant for.
    pub host: String,
    /// Path.
    pub path: String,
    /// What follows the question mark; empty when there is none.
    pub query: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body; what is not UTF-8 is replaced.
    pub body: String,
}

impl Mock {
    /// The rule that is broken, when one is.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Some(("status", "not between 200 and 599"));
        }
        let bad_header = |(name, value): (&String, &String)| {
            name.parse::<HeaderName>().is_err() || value.parse::<HeaderValue>().is_err()
        };
        self.headers.iter().any(bad_header).then_some(("headers", "not headers"))
    }

    fn fits(&self, call: &Seen) -> bool {
        let path = match self.path.as_deref().map(|path| (path, path.strip_suffix('*'))) {
            None => true,
            Some((_, Some(start))) => call.path.starts_with(start),
            Some((whole, None)) => call.path == whole,
        };
        let has = |(name, value): (&String, &String)| {
            call.query.split('&').any(|pair| pair.split_once('=') == Some((name, value)))
        };
        path && self.method.as_deref().is_none_or(|method| call.method == method)
            && self.host.as_deref().is_none_or(|host| call.host.eq_ignore_ascii_case(host))
            && self.query.iter().all(has)
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK)
    }

    pub(super) fn headers(&self) -> HeaderMap {
        let pair = |(name, value): (&String, &String)| Some((name.parse().ok()?, value.parse().ok()?));
        self.headers.iter().filter_map::<(HeaderName, HeaderValue), _>(pair).collect()
    }
}

/// All mocks of a gateway, and the calls they got.
pub(super) struct Stand {
    mocks: Vec<(Mock, Mutex<usize>)>,
    seen: Mutex<VecDeque<Seen>>,
}

impl Stand {
    pub(super) fn new(mocks: Vec<Mock>) -> Self {
        Self { mocks: mocks.into_iter().map(|mock| (mock, Mutex::new(0))).collect(), seen: Mutex::default() }
    }

    /// Notes the call; the mock that answers it, when there is one.
    pub(super) fn take(&self, call: Seen) -> Option<&Mock> {
        let answering = self.mocks.iter().find(|(mock, answered)| {
            let mut answered = answered.lock().unwrap_or_else(PoisonError::into_inner);
            let answers = mock.fits(&call) && mock.times.is_none_or(|times| *answered < times);
            *answered += usize::from(answers);
            answers
        });
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() == MOST_SEEN {
            seen.pop_front();
        }
        seen.push_back(call);
        answering.map(|(mock, _)| mock)
    }

    /// The calls since the last time this was asked, in the order of their coming; at most the last 1000.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }
}
