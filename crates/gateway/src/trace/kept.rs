//! What is kept of an exchange: what is shown, and, never shown, what it takes to run it again (decision 058).

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use super::transaction::Transaction;
use crate::tls::TlsSession;

/// An exchange that was recorded. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// What may be shown.
    pub transaction: Arc<Transaction>,
    /// What came and what was answered from outside, unmasked; only of an exchange that this gateway recorded.
    pub(super) raw: Option<Arc<Raw>>,
}

impl Recorded {
    /// What was recorded elsewhere: only what is shown of it is known.
    pub fn of(transaction: Transaction) -> Self {
        Self { transaction: Arc::new(transaction), raw: None }
    }

    /// Whether the request is known as it came, with what is masked.
    pub fn is_whole(&self) -> bool {
        self.raw.is_some()
    }
}

/// The outside of an exchange as it was. It leaves memory only towards the revision that a replay runs.
pub(super) struct Raw {
    pub(super) request: RawRequest,
    /// Answers of targets and callouts, in the order of the calls.
    pub(super) answers: Vec<RawAnswer>,
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw").field("answers", &self.answers.len()).finish_non_exhaustive()
    }
}

#[derive(Clone)]
pub(super) struct RawRequest {
    pub(super) method: Method,
    pub(super) uri: http::uri::PathAndQuery,
    pub(super) headers: HeaderMap,
    pub(super) body: RawBody,
    pub(super) client: SocketAddr,
    pub(super) local: SocketAddr,
    pub(super) tls: Option<TlsSession>,
}

/// A body that passed by.
#[derive(Debug, Clone, Default)]
pub(super) enum RawBody {
    #[default]
    Empty,
    Whole(Bytes),
    /// Too long to be kept, or it broke off.
    NotKept,
}

#[derive(Clone)]
pub(super) struct RawAnswer {
    /// Of the target; else of a call that a step made.
    pub(super) of_target: bool,
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) status: StatusCode,
    pub(super) reason: Option<Box<str>>,
    pub(super) headers: HeaderMap,
    pub(super) body: RawBody,
}

impl RawBody {
    pub(super) fn len(&self) -> usize {
        if let Self::Whole(bytes) = self { bytes.len() } else { 0 }
    }
}

impl Raw {
    /// About how much memory it takes.
    pub(super) fn size(&self) -> usize {
        let answers = self.answers.iter().map(|answer| size_of(&answer.headers) + answer.body.len());
        size_of(&self.request.headers) + self.request.body.len() + answers.sum::<usize>()
    }
}

fn size_of(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 64).sum()
}
