use std::time::Duration;

use crate::testing::*;

/// Attached in the target's request and, as `ended`, in its response and its faults.
fn bench(inside: &str, ended: bool) -> Bench {
    let mut design = design().policy("c", &format!("<ConcurrentRatelimit>{inside}</ConcurrentRatelimit>"));
    design.target().flows.pre.request.push(step("c"));
    if ended {
        design.target().flows.post.response.push(step("c"));
    }
    Bench::new(&design)
}

#[test]
fn as_many_as_allowed_are_with_the_target_at_once() {
    let bench = bench("<AllowConnections count='2'/>", true);
    let (first, second) = (bench.get("/p"), bench.get("/p"));
    assert!(!first.is_answered() && !second.is_answered());
    assert!(bench.get("/p").is_answered());
    for (name, value) in
        [("allowed.count", "2"), ("used.count", "2"), ("available.count", "0"), ("identifier", "_default")]
    {
        assert_eq!(second.var(&format!("concurrentratelimit.c.{name}")), value, "{name}");
    }

    let answered = first.receive(response(200, &[], ""));

    assert!(!bench.get("/p").is_answered(), "the response ends counting, before the exchange is over");
    drop(answered);
}

#[test]
fn an_exchange_that_ends_is_counted_no_more_whatever_became_of_it() {
    let bench = bench("<AllowConnections count='1'/>", false);
    for _ in 0..3 {
        assert!(!bench.get("/p").is_answered());
    }
    let answered = bench.get("/p").fail(crate::fault::EngineFault::GatewayTimeout);
    assert!(bench.get("/p").is_answered());
    drop(answered);
    assert!(!bench.get("/p").is_answered());
}

#[test]
fn fault_concurrent_ratelimit_violation() {
    let bench = bench("<AllowConnections count='1'/>", true);
    let _held = bench.get("/p");
    let refused = bench.get("/p");
    assert_eq!(
        (refused.status(), refused.code().as_str()),
        (503, "policies.concurrentratelimit.ConcurrentRatelimtViolation")
    );
    assert!(refused.body().contains("Connection limit : 1"));
    assert_eq!(refused.var("concurrentratelimit.c.failed"), "true");
}

#[test]
fn one_that_lasts_longer_than_its_time_is_not_counted_any_more() {
    let bench = bench("<AllowConnections count='1' ttl='5'/>", true);
    let held = bench.get("/p");
    bench.clock.advance(Duration::from_millis(4_999));
    assert!(bench.get("/p").is_answered());
    bench.clock.advance(Duration::from_millis(1));
    let next = bench.get("/p");
    assert!(!next.is_answered());
    drop(held);
    assert!(bench.get("/p").is_answered(), "the late end of the first ends not the second");
}

#[test]
fn strictly_each_counts_for_its_whole_time() {
    let bench = bench(
        "<AllowConnections count='1' ttl='5'/><StrictOnTtl>true</StrictOnTtl><Distributed>true</Distributed>",
        true,
    );
    bench.get("/p").receive(response(200, &[], ""));
    assert!(bench.get("/p").is_answered());
    bench.clock.advance(Duration::from_secs(5));
    assert!(!bench.get("/p").is_answered());
}

#[test]
fn each_identifier_has_connections_of_its_own() {
    let bench =
        bench("<AllowConnections count='1'/><TargetIdentifier name='x' ref='request.queryparam.to'/>", true);
    let held = (bench.get("/p?to=a"), bench.get("/p?to=b"), bench.get("/p"));
    assert!(!held.0.is_answered() && !held.1.is_answered() && !held.2.is_answered());
    assert_eq!(held.2.var("concurrentratelimit.c.identifier"), "x");
    assert!(bench.get("/p?to=a").is_answered());
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        ("", "InvalidCountValue"),
        ("<AllowConnections count='many'/>", "InvalidCountValue"),
        ("<AllowConnections count='1' ttl='x'/>", "InvalidTtl"),
        ("<AllowConnections count='1'/><Nope/>", "UnknownElement"),
    ] {
        assert_eq!(
            problem_of(&format!("<ConcurrentRatelimit>{inside}</ConcurrentRatelimit>")),
            rule,
            "{inside}"
        );
    }
}
