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
