//! The counters of quotas: on this node, and in shares of those that all nodes have.

use std::sync::Arc;

use pierhead_domain::EpochMillis;

use super::counter::{Count, CountMode, Counter};
use super::shards::{Shards, Worth};
use super::window::WindowRule;
use super::{CounterKey, CounterName};
use crate::ports::{CounterAsk, CountersUnavailable, PortFuture, SharedCounters};

/// How a node fetches its shares of a counter that several nodes have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Batch {
    /// Every message asks.
    Each,
    /// So many units at once.
    Units(u64),
    /// What is left of a share goes back to nobody after so many milliseconds.
    Millis(i64),
}

/// A message to be counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quantity {
    pub(crate) rule: WindowRule,
    pub(crate) now: EpochMillis,
    pub(crate) units: u64,
    pub(crate) allowed: u64,
    pub(crate) mode: CountMode,
}

/// The counters of one node.
pub(crate) struct Quotas {
    own: Shards<CounterKey, Counter>,
    shared: Option<Shared>,
}

struct Shared {
    counters: Arc<dyn SharedCounters>,
    shares: Shards<CounterKey, Share>,
}

/// Units that this node took from a shared counter and has not used yet.
#[derive(Debug, Default)]
struct Share {
    left: u64,
    /// When it is worth nothing any more.
    until: i64,
    /// What the shared counter said last.
    seen: Count,
}

impl Worth for Share {
    fn worth(&self, now: i64) -> u64 {
        if now >= self.until { 0 } else { self.left.saturating_add(1) }
    }
}

impl Quotas {
    pub(super) fn alone(capacity: usize) -> Self {
        Self { own: Shards::new(capacity), shared: None }
    }

    pub(super) fn sharing(capacity: usize, counters: Arc<dyn SharedCounters>) -> Self {
        let shared = Shared { counters, shares: Shards::new(capacity) };
        Self { own: Shards::new(capacity), shared: Some(shared) }
    }

    /// Whether there are other nodes to count with.
    pub(crate) const fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// Counts on this node.
    pub(crate) fn count(&self, name: CounterName<'_>, what: Quantity) -> Count {
        let Quantity { rule, now, units, allowed, mode } = what;
        let now = now.as_i64();
        self.own.update(
            &name,
            now,
            || (name.to_key(), Counter::new(rule, now)),
            |counter| counter.take(rule, now, units, allowed, mode),
        )
    }

    /// Takes units back.
    pub(crate) fn lower(&self, name: CounterName<'_>, now: EpochMillis, by: u64) {
        self.own.update_existing(&name, |counter| counter.lower(now.as_i64(), by));
    }

    /// Takes units back that all nodes count. What this node holds of the counter stays.
    pub(crate) async fn lower_shared(&self, key: &CounterKey, now: EpochMillis, by: u64) {
        if let Some(shared) = &self.shared
            && let Err(error) = shared.counters.lower(key.to_text(), now, by).await
        {
            tracing::warn!(%error, "a shared quota counter was not lowered: {error}");
        }
    }

    /// Counts in all nodes. `None` when that is not possible now; then the caller counts on this node alone.
    pub(crate) async fn count_shared(&self, key: &CounterKey, what: Quantity, batch: Batch) -> Option<Count> {
        let shared = self.shared.as_ref()?;
        let (units, lasts) = match batch {
            _ if what.mode != CountMode::Enforce => (what.units, 0),
            Batch::Each => (what.units, 0),
            Batch::Units(units) => (units, i64::MAX),
            Batch::Millis(millis) => ((what.allowed / 100).max(1), millis),
        };
        if units > what.units
            && let Some(count) = shared.use_share(key, &what)
        {
            return Some(count);
        }
        match shared.ask(key, what, units.max(what.units), lasts).await {
            Ok(count) => Some(count),
            Err(error) => {
                tracing::warn!(%error, "a shared quota counter is away, this node counts alone: {error}");
                None
            }
        }
    }
}

impl Shared {
    fn use_share(&self, key: &CounterKey, what: &Quantity) -> Option<Count> {
        let now = what.now.as_i64();
        self.shares.update_existing(&key.name(), |share| {
            if now >= share.until || share.left < what.units {
                return None;
            }
            share.left -= what.units;
            Some(Count { granted: true, used: share.seen.used.saturating_sub(share.left), ..share.seen })
        })?
    }

    /// Takes `units`, of which the message uses its own and the rest stays here as a share; when that many are
    /// not to be had, as many as there are.
    async fn ask(
        &self,
        key: &CounterKey,
        what: Quantity,
        units: u64,
        lasts: i64,
    ) -> Result<Count, CountersUnavailable> {
        let Quantity { rule, now, allowed, mode, .. } = what;
        let ask = |units| CounterAsk { counter: key.to_text(), rule, now, units, allowed, mode };
        let mut taken = units;
        let mut count = self.counters.take(ask(taken)).await?;
        if !count.granted && taken > what.units {
            taken = allowed.saturating_sub(count.used).clamp(what.units, taken);
            count = self.counters.take(ask(taken)).await?;
        }
        let left = taken - what.units;
        if count.granted && left > 0 {
            let until = count.ends.min(now.as_i64().saturating_add(lasts));
            self.shares.update(
                &key.name(),
                now.as_i64(),
                || (key.clone(), Share::default()),
                |share| {
                    // Another message may have fetched a share meanwhile; that one is kept, too.
                    let kept = if now.as_i64() < share.until { share.left } else { 0 };
                    *share = Share { left: left + kept, until, seen: count };
                },
            );
            count.used -= left;
        }
        Ok(count)
    }
}

impl CounterKey {
    /// The name of the counter on the way to other nodes.
    fn to_text(&self) -> String {
        format!("{}\u{1f}{}\u{1f}{}\u{1f}{}", self.proxy, self.owner, self.identifier, self.class)
    }
}

/// Shared counters that live in this process: for nodes in one process, and for tests of many.
pub struct InProcessCounters(Quotas);

impl InProcessCounters {
    /// At most `capacity` counters.
    pub fn new(capacity: usize) -> Self {
        Self(Quotas::alone(capacity))
    }
}

impl SharedCounters for InProcessCounters {
    fn take(&self, ask: CounterAsk) -> PortFuture<Result<Count, CountersUnavailable>> {
        let owner: Arc<str> = ask.counter.into();
        let name = CounterName { proxy: &owner, owner: &owner, identifier: "", class: "" };
        let CounterAsk { rule, now, units, allowed, mode, .. } = ask;
        let count = self.0.count(name, Quantity { rule, now, units, allowed, mode });
        Box::pin(async move { Ok(count) })
    }

    fn lower(
        &self,
        counter: String,
        now: EpochMillis,
        by: u64,
    ) -> PortFuture<Result<(), CountersUnavailable>> {
        let owner: Arc<str> = counter.into();
        self.0.lower(CounterName { proxy: &owner, owner: &owner, identifier: "", class: "" }, now, by);
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests;
