use std::time::Duration;

use crate::design::ProxyDesign;
use crate::dialect::Dialect;
use crate::testing::*;

const KEY: &str = "<CacheKey><KeyFragment ref='request.uri' type='string'/></CacheKey>";

fn cached(settings: &str) -> ProxyDesign {
    let mut design = design().step(&format!("<ResponseCache>{KEY}{settings}</ResponseCache>"));
    design.proxy().flows.post.response.push(step("s0"));
    design
}

fn bench(settings: &str) -> Bench {
    Bench::new(&cached(settings))
}

/// Fills the cache with an answer, and says whether the next request gets it.
fn keeps(bench: &Bench, answer: crate::exchange::Message) -> bool {
    bench.get("/p/a").receive(answer);
    bench.get("/p/a").is_answered()
}

#[test]
fn a_response_is_answered_from_memory_until_it_is_over() {
    let bench = bench("<ExpirySettings><TimeoutInSeconds>12</TimeoutInSeconds></ExpirySettings>");
    let missed = bench.get("/p/a?x=1");
    assert_eq!(missed.var("responsecache.s0.cachehit"), "false");
    missed.receive(response(203, &[("x-from", "target"), ("content-type", "text/plain")], "hello"));

    bench.clock.advance(Duration::from_millis(11_999));
    let hit = bench.get("/p/a?x=1");

    assert!(hit.is_answered());
    assert_eq!(
        (hit.status(), hit.body(), hit.response_header("x-from")),
        (203, "hello".into(), "target".into())
    );
    for (name, value) in [
        ("cachename", "default"),
        ("cachehit", "true"),
        ("invalidentry", "false"),
        ("cachekey", "acme__test__P__3__default__/p/a?x=1"),
    ] {
        assert_eq!(hit.var(&format!("responsecache.s0.{name}")), value, "{name}");
    }
    assert!(!bench.get("/p/a?x=2").is_answered());
    bench.clock.advance(Duration::from_millis(1));
    assert!(!bench.get("/p/a?x=1").is_answered());
}

#[test]
fn a_hit_goes_on_behind_the_response_step() {
    let mut design = cached("")
        .policy("before", &mark("before"))
        .policy("after", &mark("after"))
        .policy("target", &mark("target"));
    design.proxy().flows.pre.response.push(step("before"));
    design.proxy().flows.post.response.insert(0, step("before"));
    design.proxy().flows.post.response.push(step("after"));
    design.target().flows.pre.response.push(step("target"));
    let bench = Bench::new(&design);

    let missed = bench.get("/p/a").receive(response(200, &[], "x"));
    assert_eq!(missed.var("trail"), "target,before,before,after,");
    assert_eq!(bench.get("/p/a").var("trail"), "after,");
}

#[test]
fn a_hit_goes_on_in_the_targets_response_flows_when_the_step_is_there() {
    for attached_in_target in [false, true] {
        let mut design =
            design().step("<ResponseCache><CacheKey><Prefix>p</Prefix></CacheKey></ResponseCache>");
        design = design
            .policy("before", &mark("before"))
            .policy("after", &mark("after"))
            .policy("proxy", &mark("proxy"));
        if attached_in_target {
            let steps = std::mem::take(&mut design.proxy().flows.pre.request);
            design.target().flows.pre.request = steps;
        }
        design.target().flows.pre.response = vec![step("before"), step("s0"), step("after")];
        design.proxy().flows.pre.response.push(step("proxy"));
        let bench = Bench::new(&design);

        bench.get("/p/a").receive(response(200, &[], "x"));
        let hit = bench.get("/p/a");

        assert_eq!(
            (hit.var("trail"), hit.body()),
            ("after,proxy,".into(), "x".into()),
            "{attached_in_target}"
        );
    }
}

#[test]
fn in_a_conditional_flow_a_hit_goes_on_there() {
    let mut design = design()
        .policy("c", &format!("<ResponseCache>{KEY}</ResponseCache>"))
        .policy("after", &mark("after"))
        .policy("pre", &mark("pre"));
    design.proxy().flows.conditional.push(conditional("other", "request.verb = \"POST\"", &[], &["pre"]));
    design.proxy().flows.conditional.push(conditional(
        "get",
        "request.verb = \"GET\"",
        &["c"],
        &["c", "after"],
    ));
    design.proxy().flows.pre.response.push(step("pre"));
    let bench = Bench::new(&design);
    bench.get("/p/a").receive(response(200, &[], "x"));
    assert_eq!(bench.get("/p/a").var("trail"), "after,");
}

#[test]
fn where_the_flows_do_not_come_to_the_response_step_all_of_the_proxys_run() {
    let mut design =
        design().step(&format!("<ResponseCache>{KEY}</ResponseCache>")).policy("after", &mark("after"));
    design.proxy().flows.conditional.push(conditional(
        "only",
        "request.queryparam.hide is null",
        &[],
        &["s0"],
    ));
    design.proxy().flows.post.response.push(step("after"));
    let mut key = design.clone();
    key.policies[0].xml = "<ResponseCache><CacheKey><Prefix>p</Prefix></CacheKey></ResponseCache>".into();
    let bench = Bench::new(&key);
    bench.get("/p").receive(response(200, &[], "x"));
    let hit = bench.get("/p?hide=1");
    assert_eq!((hit.is_answered(), hit.var("trail")), (true, "after,".into()));
}

#[test]
fn a_response_cache_is_attached_once_in_each_direction() {
    let rule = |design: &ProxyDesign| problems(design).first().map(|problem| problem.rule);
    assert_eq!(rule(&cached("")), None);
    assert_eq!(
        rule(&design().policy("s0", &format!("<ResponseCache>{KEY}</ResponseCache>"))),
        None,
        "nowhere"
    );
    let mut in_target = design().step(&format!("<ResponseCache>{KEY}</ResponseCache>"));
    assert_eq!(rule(&in_target), Some("ResponseCacheAttachment"), "in the request only");
    in_target.target().flows.post.response.push(step("s0"));
    assert_eq!(rule(&in_target), None);
    let mut twice = cached("");
    twice.proxy().flows.pre.response.push(step("s0"));
    assert_eq!(rule(&twice), Some("ResponseCacheAttachment"));
    let mut sent_twice = cached("");
    sent_twice.target().flows.pre.request.push(step("s0"));
    assert_eq!(rule(&sent_twice), Some("ResponseCacheAttachment"));
}

#[test]
fn errors_are_cached_in_sap_and_not_in_apigee_unless_said() {
    let keeps = |dialect, settings: &str, status: u16| {
        let mut design = cached(settings);
        design.target().properties = vec![crate::design::Property {
            name: "success.codes".into(),
            value: "1xx,2xx,3xx,4xx,5xx".into(),
        }];
        keeps(&Bench::in_dialect(&design, dialect), response(status, &[], "x"))
    };
    for (status, is_error) in [(200, false), (205, false), (206, true), (301, true), (404, true), (500, true)]
    {
        assert_eq!(keeps(Dialect::Apigee, "", status), !is_error, "{status}");
        assert!(keeps(Dialect::Sap, "", status), "{status}");
        assert!(
            keeps(Dialect::Apigee, "<ExcludeErrorResponse>false</ExcludeErrorResponse>", status),
            "{status}"
        );
        assert_eq!(
            keeps(Dialect::Sap, "<ExcludeErrorResponse>true</ExcludeErrorResponse>", status),
            !is_error,
            "{status}"
        );
    }
}

#[test]
fn conditions_skip_the_lookup_or_the_population() {
    let lookup = bench("<SkipCacheLookup>request.header.bypass = \"true\"</SkipCacheLookup>");
    assert!(keeps(&lookup, response(200, &[], "x")));
    let headers = [("host", "api.example"), ("bypass", "true")];
    assert!(!lookup.send(request(http::Method::GET, "/p/a", &headers, "")).is_answered());

    let population = bench(
        "<SkipCachePopulation>response.header.secret = \"true\"</SkipCachePopulation><SkipCacheLookup></SkipCacheLookup>",
    );
    assert!(!keeps(&population, response(200, &[("secret", "true")], "x")));
    assert!(keeps(&population, response(200, &[], "x")));
}

#[test]
fn accept_headers_tell_representations_apart_when_asked_to() {
    for (settings, apart) in [("<UseAcceptHeader>true</UseAcceptHeader>", true), ("", false)] {
        let bench = bench(settings);
        let send = |name: &str, value: &str| {
            bench.send(request(http::Method::GET, "/p/a", &[("host", "api.example"), (name, value)], ""))
        };
        send("accept", "text/xml").receive(response(200, &[], "<x/>"));
        assert!(send("accept", "text/xml").is_answered());
        for (name, value) in [
            ("accept", "text/plain"),
            ("accept-language", "text/xml"),
            ("accept-encoding", "gzip"),
            ("accept-charset", "utf-8"),
        ] {
            assert_eq!(send(name, value).is_answered(), !apart, "{name}");
        }
    }
}

#[test]
fn the_responses_own_headers_count_when_asked_to() {
    let settings = "<UseResponseCacheHeaders>true</UseResponseCacheHeaders><ExpirySettings><TimeoutInSeconds>100</TimeoutInSeconds></ExpirySettings>";
    let lasts = |settings: &str, control: &str| {
        let bench = bench(settings);
        bench.get("/p/a").receive(response(200, &[("cache-control", control)], "x"));
        (0..200)
            .take_while(|_| {
                let hit = bench.get("/p/a").is_answered();
                bench.clock.advance(Duration::from_secs(1));
                hit
            })
            .count()
    };
    assert_eq!(lasts(settings, "max-age=10"), 10);
    assert_eq!(lasts(settings, "max-age=10, s-maxage=20"), 20);
    assert_eq!(lasts(settings, "max-age=1000"), 100);
    assert_eq!(lasts(settings, "no-store"), 0);
    assert_eq!(
        lasts("<ExpirySettings><TimeoutInSeconds>50</TimeoutInSeconds></ExpirySettings>", "no-store"),
        50
    );
}

#[test]
fn what_is_too_large_is_not_cached_and_told() {
    let bench = bench("");
    let large = "x".repeat(512 * 1024);
    let sent = bench.get("/p/a").receive(response(200, &[("x", "y")], &large));
    assert_eq!(sent.var("responsecache.s0.invalidentry"), "true");
    assert_eq!(sent.body().len(), large.len());
    assert!(!bench.get("/p/a").is_answered());
    assert!(keeps(&bench, response(200, &[], &large[64..])));
}

#[test]
fn what_changes_in_the_request_meanwhile_changes_no_key() {
    let change = "<AssignMessage><Set><QueryParams><QueryParam name=\"q\">new</QueryParam></QueryParams></Set><AssignTo>request</AssignTo></AssignMessage>";
    let mut design = design()
        .step("<ResponseCache><CacheKey><KeyFragment ref='request.queryparam.q'/></CacheKey></ResponseCache>")
        .step(change);
    design.proxy().flows.post.response.push(step("s0"));
    let bench = Bench::new(&design);
    bench.get("/p?q=1").receive(response(200, &[], "x"));
    assert!(bench.get("/p?q=1").is_answered());
    assert!(!bench.get("/p?q=new").is_answered());
}

#[test]
fn a_response_without_a_body_because_of_head_is_not_cached() {
    let bench = bench("");
    let head = request(http::Method::HEAD, "/p/a", &[("host", "api.example")], "");
    bench.send(head).receive(response(200, &[], ""));
    assert!(!bench.get("/p/a").is_answered());
}

#[test]
fn a_response_that_streams_is_recorded_only_where_it_is_not_too_large() {
    use crate::exchange::MessageBody;
    let bench = bench("");
    for (length, recorded) in [("100", true), ("600000", false)] {
        let mut answer = response(200, &[("content-length", length)], "");
        answer.set_body(MessageBody::Streaming);
        let mut sent = bench.get("/p/a").receive(answer);
        assert_eq!(sent.cx.traffic.recording.is_some(), recorded, "{length}");
        assert!(!bench.get("/p/a").is_answered(), "nothing is there before the body has gone by");
        if let Some(mut recording) = sent.cx.traffic.recording.take() {
            assert!(recording.note(b"body"));
            recording.finish();
            assert_eq!(bench.get("/p/a").body(), "body");
            assert!(!sent.cx.reads().response, "no body is read whole for a cache");
            bench.clock.advance(Duration::from_secs(400));
        }
    }
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (settings, rule) in [
        ("<SkipCacheLookup>a = = b</SkipCacheLookup>", "BadCondition"),
        ("<SkipCachePopulation>(</SkipCachePopulation>", "BadCondition"),
        ("<UseAcceptHeader>maybe</UseAcceptHeader>", "NotABoolean"),
    ] {
        assert_eq!(
            problem_of(&format!("<ResponseCache>{KEY}{settings}</ResponseCache>")),
            rule,
            "{settings}"
        );
    }
}
