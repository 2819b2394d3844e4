use crate::testing::*;

/// The bench's client is 203.0.113.9.
fn bench(rules: &str, besides: &str) -> Bench {
    Bench::new(&design().step(&format!("<AccessControl>{rules}{besides}</AccessControl>")))
}

fn rules(otherwise: &str, inside: &str) -> String {
    format!("<IPRules noRuleMatchAction='{otherwise}'>{inside}</IPRules>")
}

fn rule(action: &str, mask: &str, address: &str) -> String {
    format!("<MatchRule action='{action}'><SourceAddress mask='{mask}'>{address}</SourceAddress></MatchRule>")
}

fn from(bench: &Bench, headers: &[(&str, &str)]) -> bool {
    let sent =
        bench.send(request(http::Method::GET, "/p", &[&[("host", "api.example")], headers].concat(), ""));
    !sent.is_answered()
}

fn forwarded(bench: &Bench, addresses: &str) -> bool {
    from(bench, &[("x-forwarded-for", addresses)])
}

#[test]
fn the_connections_address_is_checked_when_nothing_was_forwarded() {
    assert!(!from(&bench(&rules("ALLOW", &rule("DENY", "32", "203.0.113.9")), ""), &[]));
    assert!(from(&bench(&rules("ALLOW", &rule("DENY", "32", "203.0.113.8")), ""), &[]));
    assert!(from(&bench(&rules("DENY", &rule("ALLOW", "24", "203.0.113.1")), ""), &[]));
    assert!(!from(&bench(&rules("DENY", ""), ""), &[]));
    assert!(from(&bench("", ""), &[]), "without rules all may pass");
    assert!(from(&bench("<IPRules/>", ""), &[]));
}

#[test]
fn masks_say_how_much_of_an_address_counts() {
    let bench = bench(&rules("ALLOW", &rule("DENY", "30", "198.51.100.1")), "");
    for (address, passes) in
        [("198.51.100.0", false), ("198.51.100.3", false), ("198.51.100.4", true), ("198.51.99.255", true)]
    {
        assert_eq!(forwarded(&bench, address), passes, "{address}");
    }
    let whole = Bench::new(&design().step("<AccessControl><IPRules><MatchRule action='DENY'><SourceAddress>198.51.100.1</SourceAddress></MatchRule></IPRules></AccessControl>"));
    assert!(!forwarded(&whole, "198.51.100.1") && forwarded(&whole, "198.51.100.2"));
}

#[test]
fn ipv6_has_rules_too_and_mapped_ipv4_addresses_are_ipv4() {
    let bench = bench(
        &rules(
            "ALLOW",
            &format!("{}{}", rule("DENY", "48", "2001:db8:1::"), rule("DENY", "32", "198.51.100.1")),
        ),
        "",
    );
    for (address, passes) in [
        ("2001:db8:1:ffff::1", false),
        ("2001:db8:2::1", true),
        ("::ffff:198.51.100.1", false),
        ("[2001:db8:1::5]:443", false),
        ("198.51.100.1:8080", false),
    ] {
        assert_eq!(forwarded(&bench, address), passes, "{address}");
    }
}

#[test]
fn the_first_rule_that_matches_decides() {
    let several = "<MatchRule action='DENY'><SourceAddress mask='24'>192.0.2.1</SourceAddress><SourceAddress mask='24'>198.51.100.1</SourceAddress></MatchRule>";
    let bench = bench(&rules("DENY", &format!("{several}{}", rule("ALLOW", "16", "198.51.0.0"))), "");
    for (address, passes) in
        [("198.51.100.7", false), ("192.0.2.7", false), ("198.51.7.7", true), ("10.0.0.1", false)]
    {
        assert_eq!(forwarded(&bench, address), passes, "{address}");
    }
}

#[test]
fn first_last_or_all_forwarded_addresses_count() {
    let rules =
        rules("DENY", &format!("{}{}", rule("ALLOW", "8", "10.0.0.0"), rule("ALLOW", "32", "203.0.113.9")));
    let bench = |mode: &str| bench(&rules, &format!("<ValidateBasedOn>{mode}</ValidateBasedOn>"));
    let passes = |mode: &str, addresses: &str| forwarded(&bench(mode), addresses);
    for mode in ["X_FORWARDED_FOR_FIRST_IP", ""] {
        assert!(passes(mode, "10.0.0.1, 192.0.2.1") && !passes(mode, "192.0.2.1, 10.0.0.1"));
    }
    assert!(passes("X_FORWARDED_FOR_LAST_IP", "192.0.2.1, 192.0.2.2"), "the last one is the connection's");
    assert!(passes("X_FORWARDED_FOR_ALL_IP", "10.0.0.1, 10.0.0.2"));
    assert!(!passes("X_FORWARDED_FOR_ALL_IP", "10.0.0.1, 192.0.2.1"));
    let two_lines = [("x-forwarded-for", "10.0.0.1"), ("x-forwarded-for", "192.0.2.1")];
    assert!(!from(&bench("X_FORWARDED_FOR_ALL_IP"), &two_lines));
}

#[test]
fn the_true_client_ip_wins_unless_it_is_ignored() {
    let rules = rules("ALLOW", &rule("DENY", "32", "192.0.2.1"));
    let headers = [("true-client-ip", "192.0.2.1"), ("x-forwarded-for", "10.0.0.1")];
    assert!(!from(&bench(&rules, ""), &headers));
    assert!(from(&bench(&rules, "<IgnoreTrueClientIPHeader>true</IgnoreTrueClientIPHeader>"), &headers));
}

#[test]
fn an_address_that_is_none_matches_no_rule() {
    assert!(forwarded(&bench(&rules("ALLOW", &rule("DENY", "0", "0.0.0.0")), ""), "pwned"));
    assert!(!forwarded(&bench(&rules("DENY", &rule("ALLOW", "0", "0.0.0.0")), ""), "pwned"));
}

#[test]
fn a_variable_can_name_the_address() {
    let bench = bench(
        &rules("DENY", &rule("ALLOW", "8", "10.0.0.0")),
        "<ClientIPVariable>request.header.who</ClientIPVariable>",
    );
    assert!(from(&bench, &[("who", "10.1.1.1"), ("true-client-ip", "192.0.2.1")]));
    assert!(!from(&bench, &[("who", "192.0.2.1")]));
}

#[test]
fn addresses_and_masks_can_be_templates() {
    let bench =
        bench(&rules("ALLOW", &rule("DENY", "{request.header.mask}", "{request.header.address}")), "");
    let send = |mask: &str, address: &str| from(&bench, &[("mask", mask), ("address", address)]);
    assert!(!send("24", "203.0.113.200"));
    assert!(send("32", "203.0.113.200"));
    let mask_only = Bench::new(&design().step(&format!(
        "<AccessControl>{}</AccessControl>",
        rules("ALLOW", &rule("DENY", "{request.header.mask}", "203.0.113.200"))
    )));
    assert!(!from(&mask_only, &[("mask", "24")]));
}

#[test]
fn fault_ip_denied_access() {
    let sent = bench(&rules("DENY", ""), "").get("/p");
    assert_eq!((sent.status(), sent.code().as_str()), (403, "steps.accesscontrol.IPDeniedAccess"));
    assert!(sent.body().contains("Access Denied for client ip : 203.0.113.9"), "{}", sent.body());
    assert_eq!(sent.var("acl.s0.failed"), "true");
}

#[test]
fn fault_client_ip_extraction_failed_and_invalid_address_in_variable() {
    let by_variable = bench(&rules("ALLOW", ""), "<ClientIPVariable>request.header.who</ClientIPVariable>");
    let sent = by_variable.get("/p");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.accesscontrol.ClientIpExtractionFailed"));
    let sent =
        by_variable.send(request(http::Method::GET, "/p", &[("host", "api.example"), ("who", "pwned")], ""));
    assert_eq!(
        (sent.status(), sent.code().as_str()),
        (500, "steps.accesscontrol.InvalidIPAddressInVariable")
    );
    let by_template = bench(&rules("ALLOW", &rule("DENY", "32", "{request.header.address}")), "");
    for sent in [
        by_template.get("/p"),
        bench(&rules("ALLOW", &rule("DENY", "{request.verb}", "10.0.0.1")), "").get("/p"),
    ] {
        assert_eq!(
            (sent.status(), sent.code().as_str()),
            (500, "steps.accesscontrol.InvalidIPAddressInVariable")
        );
    }
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        (rules("ALLOW", &rule("DENY", "24", "300.1.1.1")), "InvalidIPv4Address"),
        (rules("ALLOW", &rule("DENY", "24", "2001:db8:::1")), "InvalidIPv6Address"),
        (rules("ALLOW", &rule("DENY", "33", "10.0.0.1")), "InvalidRulePattern"),
        (rules("ALLOW", &rule("DENY", "x", "10.0.0.1")), "InvalidRulePattern"),
        (rules("ALLOW", &rule("MAYBE", "32", "10.0.0.1")), "InvalidAction"),
        (rules("PERHAPS", ""), "InvalidAction"),
        ("<ValidateBasedOn>X</ValidateBasedOn>".into(), "InvalidValidateBasedOn"),
        ("<ClientIPVariable>a b</ClientIPVariable>".into(), "InvalidVariableName"),
        ("<IPRules><Nope/></IPRules>".into(), "UnknownElement"),
    ] {
        assert_eq!(problem_of(&format!("<AccessControl>{inside}</AccessControl>")), rule, "{inside}");
    }
}
