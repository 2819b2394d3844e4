//! Quota counters of several nodes, kept in their common database (decision 044).

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};

use pierhead_domain::EpochMillis;
use pierhead_gateway::ports::{CounterAsk, CountersUnavailable, PortFuture, SharedCounters};
use pierhead_gateway::state::{Count, KeptCounter};

use crate::management::Management;

/// How long a counter is kept after its last window: nodes' clocks differ a little.
const KEEP_OVER_MS: i64 = 3_600_000;
/// After so many messages that asked here, this node forgets what is over.
const ASKS_BETWEEN_SWEEPS: u64 = 4096;

pub(crate) struct Counters {
    management: Management,
    asked: AtomicU64,
}

type Failure = Box<dyn Error + Send + Sync>;

impl Counters {
    pub(crate) fn new(management: &Management) -> Self {
        Self { management: management.clone(), asked: AtomicU64::new(0) }
    }

    /// What a counter is called in the database. Names hold identifiers that callers send.
    fn name(&self, counter: &str) -> String {
        self.management.parts().vault.lookup_hash("quota counter", counter).as_str().to_owned()
    }
}

async fn take(management: &Management, name: &str, ask: &CounterAsk) -> Result<Count, Failure> {
    let parts = management.parts();
    let organization = parts.organization();
    let tx = parts.store.write().await?;
    let kept = tx.hold_counter(organization, name).await?;
    let mut counter = KeptCounter::open(kept.as_deref(), ask);
    let count = counter.take(ask);
    tx.put_counter(organization, name, counter.text(), counter.over().as_i64()).await?;
    tx.commit().await?;
    Ok(count)
}

async fn lower(management: &Management, name: &str, now: EpochMillis, by: u64) -> Result<(), Failure> {
    let parts = management.parts();
    let organization = parts.organization();
    let tx = parts.store.write().await?;
    let kept = tx.hold_counter(organization, name).await?;
    if let Some(mut counter) = kept.as_deref().and_then(KeptCounter::read) {
        counter.lower(now, by);
        tx.put_counter(organization, name, counter.text(), counter.over().as_i64()).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn sweep(management: Management, now: EpochMillis) {
    let parts = management.parts();
    let swept = async {
        let tx = parts.store.write().await?;
        tx.remove_old_counters(parts.organization(), now.as_i64() - KEEP_OVER_MS).await?;
        tx.commit().await
    };
    if let Err(error) = swept.await {
        tracing::warn!(%error, "old quota counters cannot be removed: {error}");
    }
}

impl SharedCounters for Counters {
    fn take(&self, ask: CounterAsk) -> PortFuture<Result<Count, CountersUnavailable>> {
        let (management, name) = (self.management.clone(), self.name(&ask.counter));
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            if asked.is_multiple_of(ASKS_BETWEEN_SWEEPS) {
                tokio::spawn(sweep(management.clone(), ask.now));
            }
            take(&management, &name, &ask).await.map_err(unavailable)
        })
    }

    fn lower(
        &self,
        counter: String,
        now: EpochMillis,
        by: u64,
    ) -> PortFuture<Result<(), CountersUnavailable>> {
        let (management, name) = (self.management.clone(), self.name(&counter));
        Box::pin(async move { lower(&management, &name, now, by).await.map_err(unavailable) })
    }
}

fn unavailable(failure: Failure) -> CountersUnavailable {
    CountersUnavailable(failure.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pierhead_gateway::state::{CountMode, WindowRule};
    use pierhead_store::on_both_databases;

    use super::*;
    use crate::testing::Nodes;

    const MINUTE: WindowRule = WindowRule::Aligned { from: 0, length: 60_000 };

    fn ask(units: u64, now: i64) -> CounterAsk {
        let now = EpochMillis::new(now);
        CounterAsk {
            counter: "c\u{1f}x".into(),
            rule: MINUTE,
            now,
            units,
            allowed: 10,
            mode: CountMode::Enforce,
        }
    }

    on_both_databases! {
        async fn nodes_that_count_at_once_let_exactly_as_many_pass_as_are_allowed(store: Store) {
            let nodes = Nodes::over(store);
            let counters: Vec<Arc<Counters>> =
                (0..3).map(|_| Arc::new(Counters::new(&nodes.management()))).collect();
            let asking: Vec<_> = (0..30)
                .map(|index| {
                    let counters = Arc::clone(&counters[index % 3]);
                    tokio::spawn(async move { counters.take(ask(1, 5)).await.unwrap().granted })
                })
                .collect();
            let mut granted = 0;
            for one in asking {
                granted += u64::from(one.await.unwrap());
            }
            assert_eq!(granted, 10);

            let refused = counters[0].take(ask(1, 59_999)).await.unwrap();
            assert_eq!((refused.granted, refused.used, refused.refused, refused.ends), (false, 10, 21, 60_000));
            assert!(counters[1].take(ask(10, 60_000)).await.unwrap().granted, "the next window");
        }

        async fn units_that_one_node_takes_back_are_there_for_another(store: Store) {
            let nodes = Nodes::over(store);
            let (one, other) = (Counters::new(&nodes.management()), Counters::new(&nodes.management()));
            assert!(one.take(ask(10, 0)).await.unwrap().granted);

            one.lower("c\u{1f}x".into(), EpochMillis::new(1), 3).await.unwrap();
            one.lower("nobody's".into(), EpochMillis::new(1), 3).await.unwrap();

            assert!(!other.take(ask(4, 2)).await.unwrap().granted);
            assert!(other.take(ask(3, 2)).await.unwrap().granted);
        }
    }
}
