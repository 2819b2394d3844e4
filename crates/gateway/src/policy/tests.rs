use super::{FAMILIES, catalogue};
use crate::testing::*;

#[test]
fn each_family_is_sorted_and_each_kind_is_in_one() {
    for family in FAMILIES {
        assert!(family.windows(2).all(|pair| pair[0].kind < pair[1].kind));
    }
    let kinds: std::collections::BTreeSet<_> = catalogue().map(|entry| entry.kind).collect();
    assert_eq!(kinds.len(), catalogue().count());
}

#[test]
fn a_kind_that_neither_original_has_is_named() {
    let problems = problems(&design().policy("X", "<NoSuchThing/>"));
    assert_eq!((problems.len(), problems[0].rule), (1, "UnknownPolicyKind"));
    assert!(problems[0].message.contains("NoSuchThing"), "{}", problems[0].message);
    assert_eq!(problems[0].part.to_string(), "policy X");
}

#[test]
fn no_policy_text_makes_the_compiler_panic() {
    use proptest::prelude::*;
    let words = prop::sample::select(vec![
        "<AssignMessage>",
        "</AssignMessage>",
        "<Set>",
        "</Set>",
        "<Headers>",
        "</Headers>",
        "<Header name=\"a.0\">",
        "<Header name=\"\"/>",
        "</Header>",
        "<Copy source=\"\"/>",
        "<Payload variablePrefix=\"\">",
        "</Payload>",
        "{x(",
        "<KeyValueMapOperations>",
        "<Get assignTo=\"\" index=\"-1\"/>",
        "<Put/>",
        "<RaiseFault>",
        "<OpenConnectors/>",
        "<VerifyAPIKey>",
        "<APIKey ref=\" \"/>",
        "<Quota type=\"calendar\">",
        "<StartTime>2017-02-30 25:00:00</StartTime>",
        "<Allow count=\"-1\"><Class ref=\"\"/></Allow>",
        "<Interval ref=\"{\">0</Interval>",
        "<SpikeArrest>",
        "<Rate>99999999999ps</Rate>",
        "<ResponseCache>",
        "<CacheKey><KeyFragment ref=\"\"/></CacheKey>",
        "<ExpirySettings><ExpiryDate>0-0-0</ExpiryDate><TimeOfDay>::</TimeOfDay></ExpirySettings>",
        "<SkipCacheLookup>((</SkipCacheLookup>",
        "<AccessControl>",
        "<IPRules><MatchRule><SourceAddress mask=\"{\">::</SourceAddress></MatchRule></IPRules>",
        "<CORS>",
        "<MaxAge>-9</MaxAge>",
        "&#0;",
        "é",
        "<AssignVariable>",
        "<Name>",
        "</Name>",
    ]);
    proptest!(|(parts in prop::collection::vec(words, 1..8))| {
        let design = design().policy("X", &format!("<{}", parts.concat().trim_start_matches('<')));
        let _ = crate::compile::compile(&design, "1", &world());
    });
}
