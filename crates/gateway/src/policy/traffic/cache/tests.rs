use std::time::Duration;

use crate::testing::*;

/// Remembers the query parameter `v`, and reads it back on a later request.
fn bench(key: &str, settings: &str) -> Bench {
    bench_with(key, key, settings)
}

fn bench_with(put: &str, get: &str, settings: &str) -> Bench {
    let design = design()
        .policy(
            "put",
            &format!("<PopulateCache>{put}{settings}<Source>request.queryparam.v</Source></PopulateCache>"),
        )
        .policy("get", &format!("<LookupCache>{get}<AssignTo>flow.found</AssignTo></LookupCache>"));
    let mut design = design;
    design.proxy().flows.pre.request = vec![step("get"), step("put")];
    Bench::new(&design)
}

const KEY: &str = "<CacheKey><KeyFragment>a</KeyFragment></CacheKey>";

fn key_of(key: &str, path: &str) -> String {
    bench(key, "").get(path).var("lookupcache.get.cachekey")
}

#[test]
fn keys_are_made_of_scope_and_fragments() {
    for (scope, key) in [
        ("", "acme__test__P__3__default__a"),
        ("<Scope>Exclusive</Scope>", "acme__test__P__3__default__a"),
        ("<Scope>Global</Scope>", "acme__test__a"),
        ("<Scope>Application</Scope>", "acme__test__P__a"),
        ("<Scope>Proxy</Scope>", "acme__test__P__3__default__a"),
        // In the proxy's flows there is no target yet.
        ("<Scope>Target</Scope>", "acme__test__P__3__a"),
    ] {
        assert_eq!(key_of(&format!("{KEY}{scope}"), "/p"), key, "{scope}");
    }
}

#[test]
fn in_the_targets_flows_the_target_is_the_endpoint() {
    for scope in ["Exclusive", "Target"] {
        let mut design = design().policy(
            "get",
            &format!("<LookupCache>{KEY}<Scope>{scope}</Scope><AssignTo>x</AssignTo></LookupCache>"),
        );
        design.target().name = "there".into();
        design.proxy().routes[0].target = Some("there".into());
        design.target().flows.pre.request.push(step("get"));
        assert_eq!(
            Bench::new(&design).get("/p").var("lookupcache.get.cachekey"),
            "acme__test__P__3__there__a"
        );
    }
}

#[test]
fn a_prefix_takes_the_place_of_the_scope_and_fragments_are_joined() {
    let key = "<CacheKey><Prefix>mine</Prefix><KeyFragment ref='request.queryparam.q' type='string'/>\
         <KeyFragment>b</KeyFragment><KeyFragment ref='none'>c</KeyFragment></CacheKey><Scope>Global</Scope>";
    assert_eq!(key_of(key, "/p?q=1"), "mine__1__b__c");
    assert_eq!(key_of(key, "/p"), "mine____b__c");
    assert_eq!(
        key_of("<CacheKey><Prefix/><KeyFragment>a</KeyFragment></CacheKey><Scope>Global</Scope>", "/p"),
        "acme__test__a"
    );
}

#[test]
fn what_was_put_is_found_until_it_is_over() {
    let bench = bench(KEY, "<ExpirySettings><TimeoutInSeconds>10</TimeoutInSeconds></ExpirySettings>");
    let first = bench.get("/p?v=one");
    assert_eq!(
        (first.var("lookupcache.get.cachehit"), first.var("flow.found")),
        ("false".into(), "null".into())
    );
    bench.clock.advance(Duration::from_millis(9_999));
    let second = bench.get("/p");
    assert_eq!(
        (second.var("lookupcache.get.cachehit"), second.var("flow.found")),
        ("true".into(), "one".into())
    );
    assert_eq!(second.var("lookupcache.get.assignto"), "flow.found");
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(bench.get("/p").var("flow.found"), "null");
}

/// For how long an entry is found, in seconds.
fn lasts(settings: &str) -> u64 {
    let bench = bench(KEY, settings);
    bench.get("/p?v=one&s=7");
    // One second is cut off of the present one: the clock stands 7 ms into it.
    (0..)
        .find(|_| {
            bench.clock.advance(Duration::from_secs(1));
            bench.get("/p").var("flow.found") == "null"
        })
        .unwrap()
        + 1
}

#[test]
fn entries_are_over_after_seconds_on_a_date_or_at_a_time_of_day() {
    let settings = |inside: &str| format!("<ExpirySettings>{inside}</ExpirySettings>");
    assert_eq!(lasts(""), 300);
    assert_eq!(lasts(&settings("<TimeoutInSec>20</TimeoutInSec>")), 20);
    assert_eq!(
        lasts(&settings("<TimeoutInSec ref=''>20</TimeoutInSec><TimeoutInSeconds>5</TimeoutInSeconds>")),
        5
    );
    assert_eq!(lasts(&settings("<TimeoutInSeconds ref='request.queryparam.s'>20</TimeoutInSeconds>")), 7);
    assert_eq!(lasts(&settings("<TimeoutInSeconds ref='request.queryparam.none'>20</TimeoutInSeconds>")), 20);
    // Now is 18:54:51.
    assert_eq!(lasts(&settings("<TimeOfDay>18:56:00</TimeOfDay>")), 69);
    assert_eq!(
        lasts(&settings("<TimeOfDay ref='none'>18:56:00</TimeOfDay><TimeoutInSeconds>5</TimeoutInSeconds>")),
        5
    );
    assert_eq!(lasts(&settings("<ExpiryDate/><TimeOfDay></TimeOfDay><TimeoutInSec>3</TimeoutInSec>")), 3);
}

#[test]
fn a_time_of_day_that_is_over_is_tomorrows_and_a_date_begins_at_midnight() {
    let until = |settings: &str, after: Duration| {
        let bench = bench(KEY, &format!("<ExpirySettings>{settings}</ExpirySettings>"));
        bench.get("/p?v=one");
        bench.clock.advance(after);
        bench.get("/p").var("flow.found")
    };
    let day = Duration::from_secs(86_400);
    // 18,308,993 ms are left of the day.
    let to_midnight = Duration::from_millis(18_308_993);
    assert_eq!(until("<TimeOfDay>18:00:00</TimeOfDay>", Duration::from_secs(80_000)), "one");
    assert_eq!(until("<TimeOfDay>18:00:00</TimeOfDay>", day), "null");
    assert_eq!(
        until("<ExpiryDate>06-08-2017</ExpiryDate>", to_midnight + day - Duration::from_millis(1)),
        "one"
    );
    assert_eq!(until("<ExpiryDate>06-08-2017</ExpiryDate>", to_midnight + day), "null");
    assert_eq!(until("<ExpiryDate>06-01-2017</ExpiryDate>", Duration::ZERO), "null");
    assert_eq!(
        until("<TimeoutInSeconds>99999999</TimeoutInSeconds>", 30 * day - Duration::from_millis(1)),
        "one"
    );
    assert_eq!(until("<TimeoutInSeconds>99999999</TimeoutInSeconds>", 30 * day), "null", "30 days at most");
}

#[test]
fn caches_are_apart_and_made_when_first_named() {
    let named = format!("{KEY}<CacheResource>tokens</CacheResource>");
    let apart = bench_with(KEY, &named, "");
    apart.get("/p?v=one");
    assert_eq!(apart.get("/p").var("flow.found"), "null");
    let together = bench_with(&named, &named, "");
    together.get("/p?v=one");
    let found = together.get("/p");
    assert_eq!(
        (found.var("flow.found"), found.var("lookupcache.get.cachename")),
        ("one".into(), "tokens".into())
    );
}

#[test]
fn redeploying_the_same_revision_keeps_what_is_cached() {
    let bench = bench(KEY, "");
    bench.get("/p?v=one");
    let again = bench.snapshot.proxy("P").unwrap().clone();
    let bench = bench.with(|old| {
        let mut design = design()
            .policy(
                "put",
                &format!("<PopulateCache>{KEY}<Source>request.queryparam.v</Source></PopulateCache>"),
            )
            .policy("get", &format!("<LookupCache>{KEY}<AssignTo>flow.found</AssignTo></LookupCache>"));
        design.proxy().flows.pre.request = vec![step("get"), step("put")];
        old.with_proxy(compiled(&design)).unwrap()
    });
    assert!(!std::sync::Arc::ptr_eq(&again, bench.snapshot.proxy("P").unwrap()));
    assert_eq!(bench.get("/p").var("flow.found"), "one");
}

#[test]
fn mistakes_of_caches_are_found_at_deploy() {
    for (inside, rule) in [
        ("", "CacheKeyMissing"),
        (&*format!("{KEY}<Scope>World</Scope>"), "InvalidScope"),
        (&*format!("{KEY}<CacheResource>a/b</CacheResource>"), "InvalidCacheResourceReference"),
        (&*format!("{KEY}<CacheLookupTimeoutInSeconds>-1</CacheLookupTimeoutInSeconds>"), "InvalidTimeout"),
        (&*format!("{KEY}<Nope/>"), "UnknownElement"),
        ("<CacheKey><Nope/></CacheKey>", "UnknownElement"),
        ("<CacheKey><KeyFragment of='x'/></CacheKey>", "UnknownAttribute"),
    ] {
        for xml in [
            format!("<PopulateCache>{inside}<Source>v</Source></PopulateCache>"),
            format!("<LookupCache>{inside}<AssignTo>v</AssignTo></LookupCache>"),
            format!("<InvalidateCache>{inside}</InvalidateCache>"),
            format!("<ResponseCache>{inside}</ResponseCache>"),
        ] {
            assert_eq!(problem_of(&xml), rule, "{xml}");
        }
    }
    assert!(problems(&design().policy("X", &format!("<InvalidateCache>{KEY}<CacheLookupTimeoutInSeconds>30</CacheLookupTimeoutInSeconds></InvalidateCache>"))).is_empty());
}

#[test]
fn expiry_settings_must_have_their_form() {
    for setting in [
        "<TimeoutInSeconds>soon</TimeoutInSeconds>",
        "<TimeoutInSeconds>-1</TimeoutInSeconds>",
        "<TimeoutInSec>1.5</TimeoutInSec>",
        "<ExpiryDate>2017-06-01</ExpiryDate>",
        "<ExpiryDate>02-30-2017</ExpiryDate>",
        "<TimeOfDay>25:00:00</TimeOfDay>",
        "<TimeOfDay>12:00</TimeOfDay>",
    ] {
        let xml = format!(
            "<PopulateCache>{KEY}<Source>v</Source><ExpirySettings>{setting}</ExpirySettings></PopulateCache>"
        );
        assert_eq!(problem_of(&xml), "InvalidTimeout", "{setting}");
    }
}
