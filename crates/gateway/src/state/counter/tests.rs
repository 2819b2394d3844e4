use proptest::prelude::*;

use super::*;

const MINUTE: i64 = 60_000;

fn take(counter: &mut Counter, rule: WindowRule, now: i64, allowed: u64) -> Count {
    counter.take(rule, now, 1, allowed, CountMode::Enforce)
}

#[test]
fn a_window_that_is_over_begins_anew_and_remembers_what_it_refused() {
    let rule = WindowRule::Aligned { from: 0, length: MINUTE };
    let mut counter = Counter::new(rule, 0);
    assert!(take(&mut counter, rule, 0, 1).granted);
    let refused = take(&mut counter, rule, MINUTE - 1, 1);
    assert_eq!((refused.granted, refused.used, refused.refused, refused.ends), (false, 1, 1, MINUTE));

    let next = take(&mut counter, rule, MINUTE, 1);

    assert_eq!((next.granted, next.used, next.refused, next.refused_ever), (true, 1, 0, 1));
}

#[test]
fn a_window_of_its_own_begins_with_the_first_that_is_counted() {
    let rule = WindowRule::FromFirst { length: MINUTE };
    let mut counter = Counter::new(rule, 500);
    assert_eq!(take(&mut counter, rule, 500, 1).ends, 500 + MINUTE);
    assert!(!take(&mut counter, rule, 499 + MINUTE, 1).granted);
    assert_eq!(take(&mut counter, rule, 900 + MINUTE, 1).ends, 900 + 2 * MINUTE);
}

#[test]
fn a_sliding_window_forgets_each_message_at_its_own_time() {
    let rule = WindowRule::Sliding { length: MINUTE };
    let mut counter = Counter::new(rule, 0);
    assert!(take(&mut counter, rule, 0, 2).granted);
    assert!(take(&mut counter, rule, 30_000, 2).granted);
    assert!(!take(&mut counter, rule, MINUTE - 1, 2).granted);
    assert!(take(&mut counter, rule, MINUTE, 2).granted);
    assert!(!take(&mut counter, rule, MINUTE + 1, 2).granted);
    assert!(take(&mut counter, rule, 90_000, 2).granted);
}

#[test]
fn a_clock_that_goes_back_gives_nobody_a_new_window() {
    for rule in [
        WindowRule::Aligned { from: 0, length: MINUTE },
        WindowRule::FromFirst { length: MINUTE },
        WindowRule::Sliding { length: MINUTE },
        WindowRule::Months(1),
    ] {
        let mut counter = Counter::new(rule, 10 * MINUTE);
        assert!(take(&mut counter, rule, 10 * MINUTE, 1).granted);
        assert!(!take(&mut counter, rule, 7 * MINUTE, 1).granted, "{rule:?}");
        assert!(!take(&mut counter, rule, 10 * MINUTE + 1, 1).granted, "{rule:?}");
    }
}

#[test]
fn another_rule_keeps_what_was_used_in_the_present_window() {
    let minute = WindowRule::Aligned { from: 0, length: MINUTE };
    let hour = WindowRule::Aligned { from: 0, length: 60 * MINUTE };
    let sliding = WindowRule::Sliding { length: MINUTE };
    let mut counter = Counter::new(minute, 0);
    assert!(take(&mut counter, minute, 0, 1).granted);
    for rule in [hour, minute, sliding, hour, WindowRule::FromFirst { length: MINUTE }] {
        assert!(!take(&mut counter, rule, 1_000, 1).granted, "{rule:?}");
    }
}

#[test]
fn units_can_be_taken_back_from_any_window() {
    for rule in [WindowRule::FromFirst { length: MINUTE }, WindowRule::Sliding { length: MINUTE }] {
        let mut counter = Counter::new(rule, 0);
        for now in 0..5 {
            assert!(take(&mut counter, rule, now, 5).granted);
        }
        counter.lower(5, 2);
        assert_eq!(counter.take(rule, 6, 0, 5, CountMode::Enforce).used, 3);
        counter.lower(6, 100);
        assert_eq!(counter.take(rule, 7, 5, 5, CountMode::Enforce).used, 5, "{rule:?}");
    }
}

fn rules() -> impl Strategy<Value = WindowRule> {
    prop_oneof![
        (-1_000_000i64..1_000_000, 1i64..5_000)
            .prop_map(|(from, length)| WindowRule::Aligned { from, length }),
        (1i64..5_000).prop_map(|length| WindowRule::FromFirst { length }),
        (1i64..5_000).prop_map(|length| WindowRule::Sliding { length }),
        (1u32..4).prop_map(WindowRule::Months),
    ]
}

proptest! {
    #[test]
    fn never_more_than_allowed_in_a_window(
        rule in rules(),
        allowed in 0u64..20,
        steps in prop::collection::vec((0i64..1_500, 0u64..6), 1..400),
    ) {
        let scale = if matches!(rule, WindowRule::Months(_)) { 2_000_000 } else { 1 };
        let mut counter = Counter::new(rule, 0);
        let mut now = 0;
        let mut granted: Vec<(i64, u64, i64)> = Vec::new();
        for (after, units) in steps {
            now += after * scale;
            let count = counter.take(rule, now, units, allowed, CountMode::Enforce);
            prop_assert!(count.used <= allowed);
            if count.granted {
                granted.push((now, units, count.ends));
            }
        }
        for (index, (begin, _, ends)) in granted.iter().enumerate() {
            let in_window: u64 = match rule {
                WindowRule::Sliding { length } => granted[index..]
                    .iter()
                    .take_while(|(at, ..)| *at < begin + length)
                    .map(|(_, units, _)| units)
                    .sum(),
                _ => granted.iter().filter(|(.., other)| other == ends).map(|(_, units, _)| units).sum(),
            };
            prop_assert!(in_window <= allowed, "{in_window} in the window of {begin}");
        }
    }

    #[test]
    fn a_busy_sliding_window_keeps_few_entries_and_still_lets_all_pass_after_its_time(
        steps in prop::collection::vec(1i64..4, 1..2_000),
    ) {
        let rule = WindowRule::Sliding { length: 1_000 };
        let mut counter = Counter::new(rule, 0);
        let mut now = 0;
        for after in steps {
            now += after;
            counter.take(rule, now, 1, 200, CountMode::Enforce);
            prop_assert!(counter.log.len() <= ENTRIES + 1);
        }
        prop_assert_eq!(counter.take(rule, now + 1_000, 200, 200, CountMode::Enforce).granted, true);
    }
}
