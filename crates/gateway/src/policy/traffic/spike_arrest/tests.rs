use std::time::Duration;

use crate::dialect::Dialect;
use crate::testing::*;

fn bench(inside: &str) -> Bench {
    Bench::new(&design().step(&format!("<SpikeArrest>{inside}</SpikeArrest>")))
}

fn passes(bench: &Bench) -> bool {
    !bench.get("/p").is_answered()
}

fn with_header(name: &str, value: &str) -> crate::exchange::Message {
    request(http::Method::GET, "/p", &[("host", "api.example"), (name, value)], "")
}

#[test]
fn a_rate_a_minute_is_smoothed_to_one_per_share_of_it() {
    let bench = bench("<Rate>30pm</Rate>");
    assert!(passes(&bench) && !passes(&bench));
    bench.clock.advance(Duration::from_millis(1_999));
    assert!(!passes(&bench));
    bench.clock.advance(Duration::from_millis(1));
    assert!(passes(&bench) && !passes(&bench));
}

#[test]
fn a_rate_a_second_is_smoothed_by_the_millisecond() {
    let bench = bench("<Rate>10ps</Rate>");
    assert!(passes(&bench));
    bench.clock.advance(Duration::from_millis(99));
    assert!(!passes(&bench));
    bench.clock.advance(Duration::from_millis(1));
    assert!(passes(&bench));
}

#[test]
fn with_the_effective_count_a_periods_messages_may_come_at_once() {
    let bench = bench("<Rate>3ps</Rate><UseEffectiveCount>true</UseEffectiveCount>");
    assert!(passes(&bench) && passes(&bench) && passes(&bench) && !passes(&bench));
    bench.clock.advance(Duration::from_millis(334));
    assert!(passes(&bench) && !passes(&bench));
}

#[test]
fn fault_spike_arrest_violation_is_429_in_apigee_and_500_in_sap() {
    for (dialect, status) in [(Dialect::Apigee, 429), (Dialect::Sap, 500)] {
        let bench =
            Bench::in_dialect(&design().step("<SpikeArrest><Rate>10ps</Rate></SpikeArrest>"), dialect);
        assert!(passes(&bench));

        let refused = bench.get("/p");

        assert_eq!(
            (refused.status(), refused.code().as_str()),
            (status, "policies.ratelimit.SpikeArrestViolation")
        );
        let text = "Spike arrest violation. Allowed rate : MessageRate{messagesPerPeriod=10, periodInMicroseconds=1000000, maxBurstMessageCount=1.0}";
        assert!(refused.body().contains(text), "{}", refused.body());
        assert_eq!(refused.var("ratelimit.s0.failed"), "true");
    }
}

#[test]
fn each_identifier_has_a_rate_of_its_own() {
    let bench = bench("<Rate>1pm</Rate><Identifier ref='request.header.app'/>");
    for app in ["a", "b"] {
        assert!(!bench.send(with_header("app", app)).is_answered());
        assert!(bench.send(with_header("app", app)).is_answered());
    }
    assert!(passes(&bench) && !passes(&bench), "those without one share one");
}

#[test]
fn a_heavy_message_keeps_others_off_for_longer() {
    let bench = bench("<Rate>10pm</Rate><MessageWeight ref='request.header.weight'/>");
    assert!(!bench.send(with_header("weight", "2")).is_answered());
    bench.clock.advance(Duration::from_millis(11_999));
    assert!(!passes(&bench));
    bench.clock.advance(Duration::from_millis(1));
    assert!(passes(&bench));
}

#[test]
fn fault_invalid_message_weight_of_a_spike_arrest() {
    let bench = bench("<Rate>10pm</Rate><MessageWeight ref='request.header.weight'/>");
    let sent = bench.send(with_header("weight", "heavy"));
    assert_eq!((sent.status(), sent.code().as_str()), (500, "policies.ratelimit.InvalidMessageWeight"));
}

#[test]
fn a_rate_can_come_from_a_variable() {
    let bench = bench("<Rate ref='request.header.rate'>1pm</Rate>");
    assert!(passes(&bench) && !passes(&bench));
    bench.clock.advance(Duration::from_secs(60));
    assert!(!bench.send(with_header("rate", "60pm")).is_answered());
    assert!(bench.send(with_header("rate", "60pm")).is_answered());
    bench.clock.advance(Duration::from_secs(1));
    assert!(!bench.send(with_header("rate", "60pm")).is_answered());
}

#[test]
fn fault_failed_to_resolve_spike_arrest_rate() {
    for sent in
        [bench("<Rate ref='none'/>").get("/p"), bench("<Rate ref='request.path'>1pm</Rate>").get("/p")]
    {
        assert_eq!(
            (sent.status(), sent.code().as_str()),
            (500, "policies.ratelimit.FailedToResolveSpikeArrestRate")
        );
    }
}

#[test]
fn mistakes_are_found_at_deploy() {
    for inside in [
        "",
        "<Rate/>",
        "<Rate>30</Rate>",
        "<Rate>ps</Rate>",
        "<Rate>0pm</Rate>",
        "<Rate>1.5ps</Rate>",
        "<Rate ref='x'>5ph</Rate>",
    ] {
        assert_eq!(
            problem_of(&format!("<SpikeArrest>{inside}</SpikeArrest>")),
            "InvalidAllowedRate",
            "{inside}"
        );
    }
    assert_eq!(problem_of("<SpikeArrest><Rate>1pm</Rate><Nope/></SpikeArrest>"), "UnknownElement");
    assert_eq!(problem_of("<SpikeArrest><Rate per='x'>1pm</Rate></SpikeArrest>"), "UnknownAttribute");
}
