use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt as _;

use super::*;
use crate::state::{RunState, StateLimits};

const NOW: EpochMillis = EpochMillis::new(1_000_000);
const HOUR: WindowRule = WindowRule::Aligned { from: 0, length: 3_600_000 };

fn what(now: EpochMillis, rule: WindowRule, units: u64, allowed: u64) -> Quantity {
    Quantity { rule, now, units, allowed, mode: CountMode::Enforce }
}

fn key() -> CounterKey {
    CounterName { proxy: &"P".into(), owner: &"q".into(), identifier: "i", class: "" }.to_key()
}

#[test]
fn threads_together_never_get_more_than_allowed() {
    for rule in [HOUR, WindowRule::FromFirst { length: 60_000 }, WindowRule::Sliding { length: 60_000 }] {
        let (quotas, granted) = (Quotas::alone(1_000), AtomicU64::new(0));
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    let owner: Arc<str> = "P".into();
                    let name = CounterName { proxy: &owner, owner: &owner, identifier: "i", class: "" };
                    for _ in 0..1_000 {
                        let count = quotas.count(name, what(NOW, rule, 3, 1_000));
                        granted.fetch_add(if count.granted { 3 } else { 0 }, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(granted.into_inner(), 999, "{rule:?}");
    }
}

fn nodes(count: usize) -> Vec<RunState> {
    let shared: Arc<dyn SharedCounters> = Arc::new(InProcessCounters::new(1_000));
    (0..count).map(|_| RunState::sharing(&StateLimits::default(), shared.clone())).collect()
}

fn count(node: &RunState, what: Quantity, batch: Batch) -> Count {
    node.quotas.count_shared(&key(), what, batch).now_or_never().expect("nothing waits").expect("a count")
}

#[test]
fn nodes_that_ask_each_time_share_exactly() {
    let nodes = nodes(3);
    let granted =
        (0..100).filter(|turn| count(&nodes[turn % 3], what(NOW, HOUR, 1, 50), Batch::Each).granted).count();
    assert_eq!(granted, 50);
    assert_eq!(count(&nodes[0], what(NOW, HOUR, 1, 50), Batch::Each).used, 50);
}

proptest::proptest! {
    #[test]
    fn nodes_with_shares_never_pass_more_and_refuse_early_by_less_than_a_share_per_other_node(
        turns in proptest::collection::vec((0usize..3, 1u64..4), 0..300),
        share in 1u64..20,
    ) {
        let nodes = nodes(3);
        let mut granted = 0;
        for (turn, units) in turns {
            let answer = count(&nodes[turn], what(NOW, HOUR, units, 100), Batch::Units(share));
            if answer.granted {
                granted += units;
            } else {
                // What the others hold, and what a message of three could not use.
                proptest::prop_assert!(granted + 2 * share + units > 100, "refused after {granted}");
            }
            proptest::prop_assert!(granted <= 100);
        }
    }
}

#[test]
fn a_share_is_worth_nothing_after_its_time_and_after_its_window() {
    let node = &nodes(1)[0];
    let first = count(node, what(NOW, HOUR, 1, 1_000), Batch::Millis(10_000));
    assert_eq!((first.used, first.granted), (1, true));
    assert_eq!(count(node, what(NOW, HOUR, 1, 1_000), Batch::Millis(10_000)).used, 2);

    let later = EpochMillis::new(NOW.as_i64() + 10_000);
    let next = count(node, what(later, HOUR, 1, 1_000), Batch::Millis(10_000));
    assert_eq!(next.used, 11, "eight units of the first share are lost, and one of the new one is used");

    let next_hour = EpochMillis::new(3_600_000 + 5);
    assert_eq!(count(node, what(next_hour, HOUR, 1, 1_000), Batch::Millis(10_000)).used, 1);
}

#[test]
fn without_the_shared_counters_there_is_no_count() {
    struct Away;
    impl SharedCounters for Away {
        fn take(&self, _: CounterAsk) -> PortFuture<Result<Count, CountersUnavailable>> {
            Box::pin(async { Err(CountersUnavailable("away".into())) })
        }
        fn lower(&self, _: String, _: EpochMillis, _: u64) -> PortFuture<Result<(), CountersUnavailable>> {
            Box::pin(async { Err(CountersUnavailable("away".into())) })
        }
    }
    let node = RunState::sharing(&StateLimits::default(), Arc::new(Away));
    let count = node.quotas.count_shared(&key(), what(NOW, HOUR, 1, 5), Batch::Each).now_or_never();
    assert_eq!(count, Some(None));
}
