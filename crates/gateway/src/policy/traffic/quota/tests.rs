use std::time::Duration;

use crate::dialect::Dialect;
use crate::testing::*;

/// A bench whose proxy counts in PreFlow; `inside` is what a Quota has besides.
fn bench(attributes: &str, inside: &str) -> Bench {
    Bench::new(&design().step(&format!("<Quota {attributes}>{inside}</Quota>")))
}

const TWO_A_MINUTE: &str = "<Allow count=\"2\"/><Interval>1</Interval><TimeUnit>minute</TimeUnit>";

fn passes(bench: &Bench) -> bool {
    !bench.get("/p").is_answered()
}

fn with_header(name: &str, value: &str) -> crate::exchange::Message {
    request(http::Method::GET, "/p", &[("host", "api.example"), (name, value)], "")
}

/// 2017-06-06T18:54:51.007Z is where the clock stands: 8,993 ms before the next minute.
const TO_THE_MINUTE: Duration = Duration::from_millis(8_993);

#[test]
fn fault_quota_violation_is_429_in_apigee_and_500_in_sap() {
    let design = design().step(&format!("<Quota>{TWO_A_MINUTE}</Quota>"));
    for (dialect, status) in [(Dialect::Apigee, 429), (Dialect::Sap, 500)] {
        let mut design = design.clone();
        if dialect == Dialect::Sap {
            design.policies[0].xml = format!("<Quota type='default'>{TWO_A_MINUTE}</Quota>");
        }
        let bench = Bench::in_dialect(&design, dialect);
        assert!(passes(&bench) && passes(&bench));

        let third = bench.get("/p");

        assert_eq!((third.status(), third.code().as_str()), (status, "policies.ratelimit.QuotaViolation"));
        let text = "Rate limit quota violation. Quota limit  exceeded. Identifier : _default";
        assert!(third.body().contains(text), "{}", third.body());
        assert_eq!(third.var("ratelimit.s0.failed"), "true");
        assert_eq!(third.var("fault.name"), "QuotaViolation");
    }
}

#[test]
fn a_quota_without_a_type_ends_with_the_unit_of_the_calendar() {
    let bench = bench("", TWO_A_MINUTE);
    assert!(passes(&bench) && passes(&bench) && !passes(&bench));
    bench.clock.advance(TO_THE_MINUTE - Duration::from_millis(1));
    assert!(!passes(&bench));
    bench.clock.advance(Duration::from_millis(1));
    assert!(passes(&bench));
}

#[test]
fn each_unit_ends_where_the_calendar_says() {
    for (unit, ends) in [
        ("minute", "2017-06-06T18:55:00Z"),
        ("hour", "2017-06-06T19:00:00Z"),
        ("day", "2017-06-07T00:00:00Z"),
        // A Tuesday: weeks begin on Sunday.
        ("week", "2017-06-11T00:00:00Z"),
        ("month", "2017-07-01T00:00:00Z"),
    ] {
        let bench =
            bench("", &format!("<Allow count='1'/><Interval>1</Interval><TimeUnit>{unit}</TimeUnit>"));
        let ends = time::OffsetDateTime::parse(ends, &time::format_description::well_known::Rfc3339).unwrap();
        let expiry = (ends.unix_timestamp() * 1000).to_string();
        assert_eq!(bench.get("/p").var("ratelimit.s0.expiry.time"), expiry, "{unit}");
    }
}

#[test]
fn a_calendar_quota_follows_its_start_time_in_utc() {
    let plan = "<Allow count='1'/><Interval>1</Interval><TimeUnit>hour</TimeUnit><StartTime>2015-2-11 12:54:52</StartTime>";
    let bench = bench("type='calendar'", plan);
    let sent = bench.get("/p");
    // 993 ms after now.
    assert_eq!(sent.var("ratelimit.s0.expiry.time"), "1496775292000");
    assert!(!passes(&bench));
    bench.clock.advance(Duration::from_millis(993));
    assert!(passes(&bench));
    assert!(!passes(&bench));
}

#[test]
fn a_calendar_month_is_28_days_long() {
    let plan = "<Allow count='1'/><Interval>1</Interval><TimeUnit>month</TimeUnit><StartTime>2017-06-01 00:00:00</StartTime>";
    let bench = bench("type='calendar'", plan);
    assert_eq!(bench.get("/p").var("ratelimit.s0.expiry.time"), "1498694400000", "2017-06-29");
}

#[test]
fn a_flexi_quota_begins_with_each_callers_first_message() {
    let bench = bench("type='flexi'", &format!("{TWO_A_MINUTE}<Identifier ref='request.header.app'/>"));
    assert_eq!(bench.send(with_header("app", "a")).var("ratelimit.s0.expiry.time"), "1496775351007");
    bench.clock.advance(Duration::from_secs(30));
    assert_eq!(bench.send(with_header("app", "b")).var("ratelimit.s0.expiry.time"), "1496775381007");
    bench.clock.advance(Duration::from_secs(30));
    assert_eq!(bench.send(with_header("app", "a")).var("ratelimit.s0.used.count"), "1");
    assert_eq!(bench.send(with_header("app", "b")).var("ratelimit.s0.used.count"), "2");
}

#[test]
fn a_rolling_window_is_always_the_time_just_past() {
    let bench = bench("type='rollingwindow'", TWO_A_MINUTE);
    assert!(passes(&bench));
    bench.clock.advance(Duration::from_secs(40));
    assert!(passes(&bench) && !passes(&bench));
    bench.clock.advance(Duration::from_secs(20));
    assert!(passes(&bench) && !passes(&bench));
}

#[test]
fn windows_are_precise_with_and_without_precise_at_seconds_level() {
    for precise in [
        "",
        "<PreciseAtSecondsLevel>true</PreciseAtSecondsLevel>",
        "<PreciseAtSecondsLevel>false</PreciseAtSecondsLevel>",
    ] {
        let bench = bench("type='flexi'", &format!("{TWO_A_MINUTE}{precise}"));
        assert!(passes(&bench) && passes(&bench));
        bench.clock.advance(Duration::from_millis(59_999));
        assert!(!passes(&bench));
        bench.clock.advance(Duration::from_millis(1));
        assert!(passes(&bench));
    }
}

#[test]
fn seconds_are_a_unit_of_quotas_that_are_not_distributed() {
    let bench = bench(
        "type='flexi'",
        "<Allow count='1'/><Interval>2</Interval><TimeUnit>second</TimeUnit><Distributed>false</Distributed>",
    );
    assert!(passes(&bench) && !passes(&bench));
    bench.clock.advance(Duration::from_secs(2));
    assert!(passes(&bench));
}

#[test]
fn variables_tell_what_is_used_and_what_is_left() {
    let bench = bench("", &format!("{TWO_A_MINUTE}<Identifier ref='request.header.app'/>"));
    let first = bench.send(with_header("app", "a"));
    let var = |sent: &Sent, name: &str| sent.var(&format!("ratelimit.s0.{name}"));
    for (name, value) in [
        ("allowed.count", "2"),
        ("used.count", "1"),
        ("available.count", "1"),
        ("exceed.count", "0"),
        ("total.exceed.count", "0"),
        ("expiry.time", "1496775300000"),
        ("identifier", "a"),
        ("failed", "false"),
        ("class", "null"),
        ("class.allowed.count", "null"),
    ] {
        assert_eq!(var(&first, name), value, "{name}");
    }
    bench.send(with_header("app", "a"));
    bench.send(with_header("app", "a"));
    let fourth = bench.send(with_header("app", "a"));
    for (name, value) in
        [("used.count", "2"), ("available.count", "0"), ("exceed.count", "1"), ("failed", "true")]
    {
        assert_eq!(var(&fourth, name), value, "{name}");
    }
    bench.clock.advance(TO_THE_MINUTE);
    let later = bench.send(with_header("app", "a"));
    assert_eq!(
        (var(&later, "exceed.count").as_str(), var(&later, "total.exceed.count").as_str()),
        ("0", "1")
    );
}

#[test]
fn classes_have_counts_and_counters_of_their_own() {
    let bench = bench(
        "",
        "<Interval>1</Interval><TimeUnit>hour</TimeUnit><Allow count='9'><Class ref='request.header.tier'>\
         <Allow class='gold' count='2'/><Allow class='tin' count='1' countRef='request.header.none'/></Class></Allow>",
    );
    let gold = bench.send(with_header("tier", "gold"));
    for (name, value) in [
        ("class", "gold"),
        ("class.allowed.count", "2"),
        ("class.used.count", "1"),
        ("class.available.count", "1"),
        ("class.exceed.count", "0"),
    ] {
        assert_eq!(gold.var(&format!("ratelimit.s0.{name}")), value, "{name}");
    }
    assert!(!bench.send(with_header("tier", "tin")).is_answered());
    assert!(bench.send(with_header("tier", "tin")).is_answered());
    let refused = bench.send(with_header("tier", "tin"));
    assert_eq!(refused.var("ratelimit.s0.class.exceed.count"), "2");
    assert_eq!(refused.var("ratelimit.s0.class.total.exceed.count"), "2");
    assert!(!bench.send(with_header("tier", "gold")).is_answered());
    assert_eq!(bench.send(with_header("tier", "lead")).var("ratelimit.s0.allowed.count"), "9");
}

#[test]
fn variables_win_over_texts_where_they_have_a_value() {
    let bench = bench(
        "type='flexi'",
        "<Allow count='5' countRef='request.header.allowed'/><Interval ref='request.header.length' type='integer'>1</Interval>\
         <TimeUnit ref='request.header.unit' type='string'>minute</TimeUnit>",
    );
    let plain = bench.get("/p");
    assert_eq!(
        (plain.var("ratelimit.s0.allowed.count"), plain.var("ratelimit.s0.expiry.time")),
        ("5".into(), (NOW.as_i64() + 60_000).to_string())
    );
    let headers = [("host", "api.example"), ("allowed", "7"), ("length", "2"), ("unit", "hour")];
    let sent = bench.send(request(http::Method::GET, "/p", &headers, ""));
    assert_eq!(
        (sent.var("ratelimit.s0.allowed.count"), sent.var("ratelimit.s0.expiry.time")),
        ("7".into(), (NOW.as_i64() + 7_200_000).to_string())
    );
    assert_eq!(sent.var("ratelimit.s0.used.count"), "2", "what was used still counts");
}

#[test]
fn without_a_count_two_thousand_are_allowed_and_a_text_is_a_count() {
    let plan = "<Interval>1</Interval><TimeUnit>minute</TimeUnit>";
    assert_eq!(bench("", plan).get("/p").var("ratelimit.s0.allowed.count"), "2000");
    let plan = format!("{plan}<Allow countRef='request.header.none'>5</Allow>");
    assert_eq!(bench("", &plan).get("/p").var("ratelimit.s0.allowed.count"), "5");
}

#[test]
fn a_message_counts_for_its_weight_and_one_that_does_not_fit_counts_for_nothing() {
    let bench = bench(
        "",
        "<Allow count='5'/><Interval>1</Interval><TimeUnit>hour</TimeUnit><MessageWeight ref='request.header.weight'/>",
    );
    assert_eq!(bench.send(with_header("weight", "4")).var("ratelimit.s0.used.count"), "4");
    assert!(bench.send(with_header("weight", "2")).is_answered());
    assert_eq!(bench.send(with_header("weight", "0")).var("ratelimit.s0.used.count"), "4");
    assert_eq!(bench.get("/p").var("ratelimit.s0.used.count"), "5");
}

#[test]
fn fault_invalid_message_weight() {
    let bench = bench("", &format!("{TWO_A_MINUTE}<MessageWeight ref='request.header.weight'/>"));
    for weight in ["x", "-1", "1.5"] {
        let sent = bench.send(with_header("weight", weight));
        assert_eq!((sent.status(), sent.code().as_str()), (500, "policies.ratelimit.InvalidMessageWeight"));
    }
}

#[test]
fn fault_failed_to_resolve_interval_and_time_unit() {
    let unit = "<TimeUnit>minute</TimeUnit>";
    for inside in [
        unit,
        "<Interval ref='none'/><TimeUnit>minute</TimeUnit>",
        "<Interval ref='request.path'/><TimeUnit>minute</TimeUnit>",
    ] {
        let sent = bench("", inside).get("/p");
        assert_eq!(
            (sent.status(), sent.code().as_str()),
            (500, "policies.ratelimit.FailedToResolveQuotaIntervalReference")
        );
    }
    for inside in ["<Interval>1</Interval>", "<Interval>1</Interval><TimeUnit ref='request.path'/>"] {
        let sent = bench("", inside).get("/p");
        assert_eq!(
            (sent.status(), sent.code().as_str()),
            (500, "policies.ratelimit.FailedToResolveQuotaIntervalTimeUnitReference")
        );
    }
}

#[test]
fn the_same_policy_in_several_flows_has_one_counter() {
    let mut design = design().step(&format!("<Quota>{TWO_A_MINUTE}</Quota>"));
    design.proxy().flows.post.request.push(step("s0"));
    let bench = Bench::new(&design);
    assert_eq!(bench.get("/p").var("ratelimit.s0.used.count"), "2");
    assert!(!passes(&bench));
}

#[test]
fn policies_with_a_shared_name_count_together_and_one_counts_while_the_other_enforces() {
    let plan = |extra: &str| {
        format!("<Quota type='flexi'>{TWO_A_MINUTE}<SharedName>tokens</SharedName>{extra}</Quota>")
    };
    let mut design = design()
        .step(&plan("<EnforceOnly>true</EnforceOnly>"))
        .policy("counter", &plan("<CountOnly>true</CountOnly><MessageWeight ref='response.header.tokens'/>"));
    design.proxy().flows.post.response.push(step("counter"));
    let bench = Bench::new(&design);

    let sent = bench.get("/p");
    assert_eq!(sent.var("ratelimit.s0.used.count"), "0");
    let answered = sent.receive(response(200, &[("tokens", "50")], ""));

    assert_eq!(answered.status(), 200, "what only counts refuses nothing");
    assert_eq!(answered.var("ratelimit.counter.used.count"), "50");
    assert!(!passes(&bench));
}

#[test]
fn redeploying_a_proxy_keeps_its_counters() {
    let design = design().step(&format!("<Quota>{TWO_A_MINUTE}</Quota>"));
    let bench = Bench::new(&design);
    assert!(passes(&bench) && passes(&bench));
    let bench = bench.with(|old| old.with_proxy(compiled(&design)).unwrap());
    assert!(!passes(&bench));
}

#[test]
fn proxies_with_policies_of_one_name_count_apart() {
    let design = design().step(&format!("<Quota>{TWO_A_MINUTE}</Quota>"));
    let bench = Bench::new(&design);
    let other = crate::design::ProxyDesign { name: "Q".into(), ..design };
    assert!(passes(&bench) && passes(&bench) && !passes(&bench));
    let bench = bench.with(|old| old.without_proxy("P").with_proxy(compiled(&other)).unwrap());
    assert!(passes(&bench));
}

#[test]
fn one_node_is_exact_however_it_is_distributed() {
    for distributed in [
        "<Distributed>true</Distributed><Synchronous>true</Synchronous>",
        "<Distributed>true</Distributed><Synchronous>false</Synchronous><AsynchronousConfiguration><SyncIntervalInSeconds>20</SyncIntervalInSeconds></AsynchronousConfiguration>",
        "<Distributed>true</Distributed><AsynchronousConfiguration><SyncMessageCount>5</SyncMessageCount></AsynchronousConfiguration>",
        "<Distributed>false</Distributed>",
    ] {
        let bench = bench("", &format!("{TWO_A_MINUTE}{distributed}"));
        assert!(passes(&bench) && passes(&bench) && !passes(&bench), "{distributed}");
    }
}

#[test]
fn nodes_count_distributed_quotas_together_and_others_apart() {
    use crate::state::{InProcessCounters, RunState, StateLimits};
    for (distributed, together) in [("true", true), ("false", false)] {
        let shared: std::sync::Arc<dyn crate::ports::SharedCounters> =
            std::sync::Arc::new(InProcessCounters::new(100));
        let node = || {
            let mut bench = bench(
                "",
                &format!(
                    "{TWO_A_MINUTE}<Distributed>{distributed}</Distributed><Synchronous>true</Synchronous>"
                ),
            );
            bench.state = std::sync::Arc::new(RunState::sharing(&StateLimits::default(), shared.clone()));
            bench
        };
        let (one, other) = (node(), node());
        assert!(passes(&one) && passes(&one));
        assert_eq!(passes(&other), !together);
    }
}

#[test]
fn a_product_gives_the_quota_and_without_one_the_default_holds() {
    let inside = "<UseQuotaConfigInAPIProduct stepName='key'><DefaultConfig><Allow count='3'/>\
         <Interval>1</Interval><TimeUnit>hour</TimeUnit></DefaultConfig></UseQuotaConfigInAPIProduct>";
    let set = |prefix: &str| {
        let assign = |name: &str, value: &str| {
            format!(
                "<AssignVariable><Name>{prefix}apiproduct.developer.quota.{name}</Name><Value>{value}</Value></AssignVariable>"
            )
        };
        format!(
            "<AssignMessage>{}{}{}</AssignMessage>",
            assign("limit", "7"),
            assign("interval", "1"),
            assign("timeunit", "day")
        )
    };
    for (prefix, allowed) in [
        ("verifyapikey.key.", "7"),
        ("oauthv2accesstoken.key.", "7"),
        ("", "7"),
        ("verifyapikey.other.", "3"),
    ] {
        let bench = Bench::new(&design().step(&set(prefix)).step(&format!("<Quota>{inside}</Quota>")));
        assert_eq!(bench.get("/p").var("ratelimit.s1.allowed.count"), allowed, "{prefix}");
    }
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (attributes, inside, rule) in [
        ("", "<Interval>0.1</Interval>", "InvalidQuotaInterval"),
        ("", "<Interval>0</Interval>", "InvalidQuotaInterval"),
        ("", "<TimeUnit>fortnight</TimeUnit>", "InvalidQuotaTimeUnit"),
        ("type='weekly'", "", "InvalidQuotaType"),
        ("type='calendar'", "", "InvalidStartTime"),
        ("type='calendar'", "<StartTime>8-15-2024 12:00:00</StartTime>", "InvalidStartTime"),
        ("type='calendar'", "<StartTime>2024-02-30 12:00:00</StartTime>", "InvalidStartTime"),
        ("type='flexi'", "<StartTime>2024-02-03 12:00:00</StartTime>", "StartTimeNotSupported"),
        ("", "<StartTime>2024-02-03 12:00:00</StartTime>", "StartTimeNotSupported"),
        (
            "",
            "<TimeUnit>second</TimeUnit><Distributed>true</Distributed>",
            "InvalidTimeUnitForDistributedQuota",
        ),
        (
            "",
            "<AsynchronousConfiguration><SyncIntervalInSeconds>-1</SyncIntervalInSeconds></AsynchronousConfiguration>",
            "InvalidSynchronizeIntervalForAsyncConfiguration",
        ),
        (
            "",
            "<Synchronous>true</Synchronous><AsynchronousConfiguration/>",
            "InvalidAsynchronizeConfigurationForSynchronousQuota",
        ),
        ("", "<CountOnly>true</CountOnly><EnforceOnly>true</EnforceOnly>", "CountOnlyAndEnforceOnly"),
        ("", "<Allow count='many'/>", "InvalidCount"),
        ("", "<RequestCountAlgorithm>x</RequestCountAlgorithm>", "NotSupported"),
        ("", "<UseQuotaConfigInAPIProduct/>", "StepNameIsMissing"),
        ("", "<Nope/>", "UnknownElement"),
        ("nope='1'", "", "UnknownAttribute"),
        ("", "<Allow><Class/></Allow>", "InvalidVariableName"),
    ] {
        assert_eq!(
            problem_of(&format!("<Quota {attributes}>{inside}</Quota>")),
            rule,
            "{attributes}{inside}"
        );
    }
}

#[test]
fn in_sap_a_quota_without_a_type_follows_the_calendar() {
    let quota = |start: &str| design().step(&format!("<Quota>{TWO_A_MINUTE}{start}</Quota>"));
    let mut world = world();
    world.dialect = Dialect::Sap;
    let problems = crate::compile::compile(&quota(""), "1", &world).unwrap_err();
    assert_eq!(problems[0].rule, "InvalidStartTime");
    assert!(
        crate::compile::compile(&quota("<StartTime>2015-02-11 12:00:00</StartTime>"), "1", &world).is_ok()
    );
}

/// Nodes that share a quota of 200 an hour.
fn nodes(asynchronous: &str) -> impl Fn() -> Bench {
    use crate::state::{InProcessCounters, RunState, StateLimits};
    let shared: std::sync::Arc<dyn crate::ports::SharedCounters> =
        std::sync::Arc::new(InProcessCounters::new(100));
    let quota = format!(
        "<Allow count='200'/><Interval>1</Interval><TimeUnit>hour</TimeUnit><Distributed>true</Distributed>\
         <AsynchronousConfiguration>{asynchronous}</AsynchronousConfiguration>"
    );
    move || {
        let mut node = bench("", &quota);
        node.state = std::sync::Arc::new(RunState::sharing(&StateLimits::default(), shared.clone()));
        node
    }
}

fn used(node: &Bench) -> String {
    node.get("/p").var("ratelimit.s0.used.count")
}

#[test]
fn nodes_fetch_as_many_units_at_once_as_the_sync_message_count_says() {
    let node = nodes("<SyncMessageCount>100</SyncMessageCount>");
    let (one, other, third) = (node(), node(), node());
    assert_eq!((used(&one), used(&one)), ("1".into(), "2".into()));
    assert_eq!(used(&other), "101", "a hundred are the first node's");
    assert!(!passes(&third), "all are held by the others");
    assert!((0..98).all(|_| passes(&one)) && !passes(&one));
}

#[test]
fn a_nodes_share_lasts_for_the_sync_interval() {
    let node = nodes("<SyncIntervalInSeconds>20</SyncIntervalInSeconds>");
    let (one, other) = (node(), node());
    assert_eq!(
        (used(&one), used(&other)),
        ("1".into(), "3".into()),
        "a share is a hundredth of what is allowed"
    );
    one.clock.advance(Duration::from_secs(20));
    assert_eq!(used(&one), "5", "what is left of it is lost");

    let exact = nodes("<SyncIntervalInSeconds>0</SyncIntervalInSeconds>");
    let (one, other) = (exact(), exact());
    assert_eq!((used(&one), used(&other)), ("1".into(), "2".into()));
}
