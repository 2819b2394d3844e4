//! How many exchanges are with a target at this moment.

use std::collections::VecDeque;
use std::sync::Arc;

use pierhead_domain::EpochMillis;

use super::shards::{Shards, Worth};
use super::{CounterKey, CounterName};

/// How many at once, and for how long each counts at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionLimit {
    pub(crate) allowed: usize,
    /// Milliseconds after which one is not counted any more.
    pub(crate) lasts: Option<i64>,
}

/// For each connection, when it stops to count.
#[derive(Debug, Default)]
struct Open(VecDeque<i64>);

impl Worth for Open {
    fn worth(&self, now: i64) -> u64 {
        self.0.iter().filter(|until| **until > now).count() as u64
    }
}

pub(crate) struct Connections(Shards<CounterKey, Open>);

/// A counted connection; dropping it ends it.
pub(crate) struct ConnectionSlot {
    connections: Arc<Connections>,
    key: CounterKey,
    until: i64,
    /// It counts until its time is over, whatever becomes of the exchange.
    strict: bool,
}

impl Connections {
    pub(super) fn new(capacity: usize) -> Self {
        Self(Shards::new(capacity))
    }

    /// Counts one more; `Err` when there are as many as allowed. Both say how many there are then.
    pub(crate) fn open(
        self: &Arc<Self>,
        name: CounterName<'_>,
        now: EpochMillis,
        limit: ConnectionLimit,
        strict: bool,
    ) -> Result<(ConnectionSlot, usize), usize> {
        let now = now.as_i64();
        let until = limit.lasts.map_or(i64::MAX, |lasts| now.saturating_add(lasts));
        let open = self.0.update(
            &name,
            now,
            || (name.to_key(), Open::default()),
            |open| {
                open.0.retain(|until| *until > now);
                if open.0.len() >= limit.allowed {
                    return Err(open.0.len());
                }
                open.0.push_back(until);
                Ok(open.0.len())
            },
        )?;
        let slot = ConnectionSlot { connections: Arc::clone(self), key: name.to_key(), until, strict };
        Ok((slot, open))
    }
}

impl ConnectionSlot {
    /// Whose counter it is in.
    pub(crate) fn owner(&self) -> &Arc<str> {
        &self.key.owner
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        if self.strict {
            return;
        }
        self.connections.0.update_existing(&self.key.name(), |open| {
            if let Some(at) = open.0.iter().position(|until| *until == self.until) {
                open.0.remove(at);
            }
        });
    }
}
