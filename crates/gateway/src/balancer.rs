//! Servers of one target: which one takes a request, and which are left out (api-management §3).
//!
//! What is known about the servers is shared by all threads and begins anew with each deployment.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use pierhead_domain::EpochMillis;

use crate::compile::{Endpoint, HealthPlan};
use crate::template::Template;

/// The servers of a target endpoint.
#[derive(Debug)]
pub(crate) struct Balancer {
    pub(crate) servers: Vec<Server>,
    /// Those that take requests only when no other can.
    pub(crate) fallbacks: Vec<usize>,
    /// Indexes of the others in the order of their turns; with weights, each as often as its weight says.
    pub(crate) turns: Box<[usize]>,
    pub(crate) least_connections: bool,
    /// Put before the path suffix.
    pub(crate) path: Template,
    /// 0 is never left out.
    pub(crate) max_failures: u32,
    pub(crate) retries: bool,
    pub(crate) unhealthy: Box<[u16]>,
    /// `None` is until a probe succeeds or the next deployment.
    pub(crate) left_out_for: Option<Duration>,
    pub(crate) health: Option<HealthPlan>,
    pub(crate) next_turn: AtomicUsize,
    /// When the servers are probed next, in epoch milliseconds.
    pub(crate) next_probe: AtomicI64,
}

/// One server with what is known about it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: Arc<str>,
    pub(crate) endpoint: Endpoint,
    failures: AtomicU32,
    /// Left out until then, in epoch milliseconds; 0 is not at all.
    away_until: AtomicI64,
    open: AtomicU32,
}

impl Server {
    pub(crate) const fn new(name: Arc<str>, endpoint: Endpoint) -> Self {
        Self {
            name,
            endpoint,
            failures: AtomicU32::new(0),
            away_until: AtomicI64::new(0),
            open: AtomicU32::new(0),
        }
    }

    fn is_there(&self, now: EpochMillis) -> bool {
        let until = self.away_until.load(Ordering::Relaxed);
        if until == 0 || until > now.as_i64() {
            return until == 0;
        }
        // Its time is over: it begins with a clean slate.
        self.recover();
        true
    }

    fn recover(&self) {
        self.failures.store(0, Ordering::Relaxed);
        self.away_until.store(0, Ordering::Relaxed);
    }
}

impl Balancer {
    /// The server whose turn it is among those that are there and not in `tried`; a fallback when there is
    /// none.
    pub(crate) fn choose(&self, now: EpochMillis, tried: &[usize]) -> Option<usize> {
        let usable = |index: &usize| {
            !tried.contains(index) && self.servers.get(*index).is_some_and(|server| server.is_there(now))
        };
        let regular = if self.turns.is_empty() {
            None
        } else {
            let turn = self.next_turn.fetch_add(1, Ordering::Relaxed) % self.turns.len();
            let mut in_turn = self.turns[turn..].iter().chain(&self.turns[..turn]).copied().filter(usable);
            if self.least_connections {
                in_turn.min_by_key(|index| self.servers[*index].open.load(Ordering::Relaxed))
            } else {
                in_turn.next()
            }
        };
        regular.or_else(|| self.fallbacks.iter().copied().find(usable))
    }

    pub(crate) fn is_fallback(&self, server: usize) -> bool {
        self.fallbacks.contains(&server)
    }

    pub(crate) fn is_unhealthy(&self, status: u16) -> bool {
        self.unhealthy.contains(&status)
    }

    /// A request or probe failed; after as many as the design says the server is left out.
    pub(crate) fn fail(&self, server: usize, now: EpochMillis) {
        let Some(server) = self.servers.get(server).filter(|_| self.max_failures > 0) else { return };
        if server.failures.fetch_add(1, Ordering::Relaxed) + 1 >= self.max_failures {
            let until = self.left_out_for.map_or(i64::MAX, |time| {
                now.as_i64().saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
            });
            server.away_until.store(until, Ordering::Relaxed);
        }
    }

    /// A request or probe went well.
    pub(crate) fn succeed(&self, server: usize) {
        if let Some(server) = self.servers.get(server)
            && server.failures.load(Ordering::Relaxed) > 0
        {
            server.recover();
        }
    }
}

/// A request that a server works on; counted while this lives.
#[derive(Debug)]
pub(crate) struct InUse {
    balancer: Arc<Balancer>,
    server: usize,
}

impl InUse {
    pub(crate) fn begin(balancer: &Arc<Balancer>, server: usize) -> Self {
        if let Some(server) = balancer.servers.get(server) {
            server.open.fetch_add(1, Ordering::Relaxed);
        }
        Self { balancer: Arc::clone(balancer), server }
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if let Some(server) = self.balancer.servers.get(self.server) {
            server.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// How a request finds its server; in the exchange from the first choice on.
#[derive(Debug)]
pub(crate) struct Balancing {
    pub(crate) balancer: Arc<Balancer>,
    pub(crate) server: usize,
    /// Those that failed.
    pub(crate) failed: Vec<usize>,
    /// Goes with the answer's body, which may outlive the exchange.
    pub(crate) in_use: Option<InUse>,
}

impl Balancing {
    pub(crate) fn begin(balancer: &Arc<Balancer>, now: EpochMillis) -> Option<Self> {
        let server = balancer.choose(now, &[])?;
        let in_use = Some(InUse::begin(balancer, server));
        Some(Self { balancer: Arc::clone(balancer), server, failed: Vec::new(), in_use })
    }

    /// Takes in how the present server did.
    pub(crate) fn learn(&mut self, failed: bool, now: EpochMillis) {
        if failed {
            self.balancer.fail(self.server, now);
            self.failed.push(self.server);
        } else {
            self.balancer.succeed(self.server);
        }
    }

    /// Goes on to a server that was not tried yet; says whether there is one.
    pub(crate) fn go_on(&mut self, now: EpochMillis) -> bool {
        let Some(server) = self.balancer.choose(now, &self.failed) else { return false };
        self.server = server;
        self.in_use = Some(InUse::begin(&self.balancer, server));
        true
    }

    pub(crate) fn present(&self) -> Option<&Server> {
        self.balancer.servers.get(self.server)
    }
}

#[cfg(test)]
mod tests;
