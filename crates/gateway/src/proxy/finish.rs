//! The end of a request, whichever way it comes: counted, logged, and followed by the PostClientFlow.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use http::uri::PathAndQuery;
use http::{Method, StatusCode};
use pierhead_domain::{EpochMillis, RequestId};

use super::Client;
use crate::body::Resting;
use crate::exchange::Exchange;
use crate::flow;
use crate::server::{AccessRecord, RequestHead, Worker};

/// Travels with a request and its answer's body; dropping it ends the request.
pub(crate) struct Finish {
    worker: Rc<Worker>,
    client: Rc<Client>,
    status: Option<StatusCode>,
    body_bytes: u64,
    /// Kept only when steps run after the answer or while it is sent.
    exchange: Option<Resting>,
    /// Kept only when somebody reads it.
    line: Option<Box<LogLine>>,
}

struct LogLine {
    at: EpochMillis,
    began: Instant,
    method: Method,
    target: PathAndQuery,
    proxy: Option<Arc<str>>,
    request_id: Option<RequestId>,
}

impl Finish {
    pub(super) fn begin(worker: &Rc<Worker>, client: &Rc<Client>, head: &RequestHead) -> Self {
        worker.counters.request_began();
        let line = worker.access_log.is_some().then(|| {
            Box::new(LogLine {
                at: worker.services.clock.now(),
                began: Instant::now(),
                method: head.method.clone(),
                target: head.target.clone(),
                proxy: None,
                request_id: None,
            })
        });
        Self {
            worker: Rc::clone(worker),
            client: Rc::clone(client),
            status: None,
            body_bytes: 0,
            exchange: None,
            line,
        }
    }

    /// Which proxy serves the request.
    pub(super) fn serves(&mut self, exchange: &Exchange) {
        if let Some(line) = &mut self.line {
            line.proxy = Some(Arc::clone(&exchange.proxy().name));
        }
    }

    /// Steps run after the answer, and perhaps while it is sent: `at` is where they find the exchange.
    pub(super) fn is_followed_by_steps(&mut self, exchange: Box<Exchange>, at: Resting) {
        *at.borrow_mut() = Some(exchange);
        self.exchange = Some(at);
    }

    pub(super) fn status(&mut self, status: StatusCode, id: RequestId) {
        self.status = Some(status);
        if let Some(line) = &mut self.line {
            line.request_id = Some(id);
        }
    }

    /// Part of the body went out.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.body_bytes += bytes as u64;
    }

    /// The body broke off.
    pub(crate) fn target_failed(&self) {
        self.worker.counters.target_failed();
    }
}

impl Drop for Finish {
    fn drop(&mut self) {
        self.worker.counters.request_ended(self.status.map(|status| status.as_u16()));
        if let (Some(log), Some(line)) = (&self.worker.access_log, &self.line) {
            log.record(&AccessRecord {
                at: line.at,
                took: line.began.elapsed(),
                client: self.client.peer,
                method: &line.method,
                path: line.target.path(),
                proxy: line.proxy.as_deref().unwrap_or_default(),
                status: self.status,
                body_bytes: self.body_bytes,
                request_id: line.request_id.as_ref().map_or("", RequestId::as_str),
            });
        }
        let resting = self.exchange.take().and_then(|at| at.borrow_mut().take());
        if let Some(mut exchange) = resting {
            let now = self.worker.services.clock.now();
            exchange.times.client_sent_end = Some(now);
            // What was not read before went by until now.
            let times = &mut exchange.times;
            times.target_received_end =
                times.target_received_end.or(times.target_received_start.map(|_| now));
            tokio::task::spawn_local(async move { flow::run_post_client(&mut exchange).await });
        }
    }
}
