use crate::testing::*;

const QUOTA: &str = "<Quota><Allow count=\"2\"><Class ref='request.header.tier'><Allow class='gold' count='2'/></Class></Allow>\
     <Interval>1</Interval><TimeUnit>hour</TimeUnit><Identifier ref='request.header.app'/></Quota>";

/// Counts, then resets when the caller asks for it.
fn bench(reset: &str) -> Bench {
    let mut design = design().step(QUOTA).policy("reset", &format!("<ResetQuota>{reset}</ResetQuota>"));
    design.policies[0].name = "q".into();
    design.proxy().flows.pre.request[0] = step_if("reset", "request.queryparam.reset is \"1\"");
    design.proxy().flows.pre.request.push(step("q"));
    Bench::new(&design)
}

fn used(sent: &Sent) -> String {
    sent.var("ratelimit.q.used.count")
}

fn send(bench: &Bench, path: &str, headers: &[(&str, &str)]) -> Sent {
    bench.send(request(http::Method::GET, path, &[&[("host", "api.example")], headers].concat(), ""))
}

#[test]
fn a_reset_lets_as_many_more_pass() {
    let bench = bench("<Quota name='q'><Identifier name='_default'><Allow>1</Allow></Identifier></Quota>");
    bench.get("/p");
    assert_eq!(used(&bench.get("/p")), "2");
    assert!(bench.get("/p").is_answered());

    assert_eq!(used(&bench.get("/p?reset=1")), "2", "one was given back and used at once");

    assert!(bench.get("/p").is_answered());
}

#[test]
fn a_counter_never_falls_below_nothing() {
    let bench = bench("<Quota name='q'><Identifier name='_default'><Allow>100</Allow></Identifier></Quota>");
    bench.get("/p");
    assert_eq!(used(&bench.get("/p?reset=1")), "1");
}

#[test]
fn names_can_come_from_variables_and_the_variable_wins() {
    let bench = bench(
        "<Quota name='none' ref='request.header.quota'><Identifier name='none' ref='request.header.app'>\
         <Allow ref='request.header.more'>9</Allow></Identifier></Quota>",
    );
    let headers = [("app", "a"), ("quota", "q"), ("more", "1")];
    send(&bench, "/p", &headers);
    send(&bench, "/p", &headers);
    assert!(send(&bench, "/p", &headers).is_answered());
    assert_eq!(used(&send(&bench, "/p?reset=1", &headers)), "2");
}

#[test]
fn a_class_is_reset_by_name_with_the_count_beside_or_inside() {
    for class in
        ["<Class ref='request.header.tier'/><Allow>1</Allow>", "<Class name='gold'><Allow>1</Allow></Class>"]
    {
        let bench =
            bench(&format!("<Quota name='q'><Identifier name='_default'>{class}</Identifier></Quota>"));
        let gold = [("tier", "gold")];
        send(&bench, "/p", &gold);
        send(&bench, "/p", &gold);
        bench.get("/p");
        assert_eq!(used(&send(&bench, "/p?reset=1", &gold)), "2", "{class}");
        assert_eq!(used(&bench.get("/p")), "2", "other classes keep what they have");
    }
}

#[test]
fn what_nodes_count_together_is_lowered_for_all() {
    use crate::state::{InProcessCounters, RunState, StateLimits};
    let shared: std::sync::Arc<dyn crate::ports::SharedCounters> =
        std::sync::Arc::new(InProcessCounters::new(100));
    let node = || {
        let mut bench =
            bench("<Quota name='q'><Identifier name='_default'><Allow>1</Allow></Identifier></Quota>");
        let mut design = design()
            .policy("reset", "<ResetQuota><Quota name='q'><Identifier name='_default'><Allow>1</Allow></Identifier></Quota></ResetQuota>")
            .policy("q", &QUOTA.replace("</Quota>", "<Distributed>true</Distributed><Synchronous>true</Synchronous></Quota>"));
        design.proxy().flows.pre.request =
            vec![step_if("reset", "request.queryparam.reset is \"1\""), step("q")];
        bench = bench.with(|old| old.with_proxy(compiled(&design)).unwrap());
        bench.state = std::sync::Arc::new(RunState::sharing(&StateLimits::default(), shared.clone()));
        bench
    };
    let (one, other) = (node(), node());
    one.get("/p");
    other.get("/p");
    assert!(one.get("/p").is_answered());
    assert_eq!(used(&other.get("/p?reset=1")), "2");
    assert!(one.get("/p").is_answered());
}

#[test]
fn faults_name_what_is_wrong() {
    for (reset, code) in [
        (
            "<Quota ref='none'><Identifier name='a'><Allow>1</Allow></Identifier></Quota>",
            "FailedToResolveRLPolicy",
        ),
        ("<Quota name='none'><Identifier name='a'><Allow>1</Allow></Identifier></Quota>", "NoRLPolicy"),
        ("<Quota name='reset'><Identifier name='a'><Allow>1</Allow></Identifier></Quota>", "InvalidRLPolicy"),
        (
            "<Quota name='q'><Identifier name='a'><Allow ref='none'/></Identifier></Quota>",
            "FailedToResolveAllowCountRef",
        ),
        ("<Quota name='q'><Identifier name='a'><Allow>some</Allow></Identifier></Quota>", "InvalidCount"),
    ] {
        let sent = bench(reset).get("/p?reset=1");
        assert_eq!((sent.status(), sent.code()), (500, format!("policies.resetquota.{code}")), "{reset}");
        assert_eq!(sent.var("resetquota.reset.failed"), "true");
    }
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        ("", "QuotaIsMissing"),
        ("<Quota name='q'/>", "IdentifierIsMissing"),
        ("<Quota><Identifier name='a'><Allow>1</Allow></Identifier></Quota>", "NameIsMissing"),
        ("<Quota name='q'><Identifier><Allow>1</Allow></Identifier></Quota>", "NameIsMissing"),
        ("<Quota name='q'><Identifier name='a'/></Quota>", "AllowIsMissing"),
        (
            "<Quota name='q'><Identifier name='a'><Allow>1</Allow></Identifier><Nope/></Quota>",
            "UnknownElement",
        ),
    ] {
        assert_eq!(problem_of(&format!("<ResetQuota>{inside}</ResetQuota>")), rule, "{inside}");
    }
}
