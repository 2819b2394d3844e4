use crate::policy::security::oauth::testing::*;
use crate::testing::*;

fn xml(entity: &str, kind: &str, rest: &str) -> String {
    format!(
        "<AccessEntity><EntityType value=\"{entity}\"/><EntityIdentifier ref=\"request.queryparam.i\" type=\"{kind}\"/>{rest}</AccessEntity>"
    )
}

fn shown(entity: &str, kind: &str, rest: &str, identifier: &str) -> Sent {
    let mut stage = stage();
    let app = std::sync::Arc::make_mut(&mut stage.key.app);
    app.attributes = [("a".into(), "<&>".into())].into_iter().collect();
    stage.proxy(&[&xml(entity, kind, rest)]).get(&format!("/p?i={identifier}"))
}

#[test]
fn entities_are_shown_as_xml() {
    for (entity, kind, identifier, parts) in [
        (
            "developer",
            "consumerkey",
            "k-1",
            ["<Developer><Email>ann@example.com</Email>", "<DeveloperId>d-1</DeveloperId>"],
        ),
        ("developer", "developeremail", "ann@example.com", ["<Status>active</Status>", "</Developer>"]),
        ("developer", "developerid", "d-1", ["<Email>ann@example.com</Email>", "<Attributes>"]),
        ("developer", "appid", "a-1", ["<Email>ann@example.com</Email>", "<Apps>"]),
        ("app", "consumerkey", "k-1", ["<App>", "<Name>shop</Name>"]),
        ("app", "appname", "shop", ["<AppId>a-1</AppId>", "<Name>a</Name><Value>&lt;&amp;&gt;</Value>"]),
        (
            "app",
            "appid",
            "a-1",
            ["<CallbackUrl>https://shop.example/cb</CallbackUrl>", "<ApiProduct>gold</ApiProduct>"],
        ),
        (
            "consumerkey",
            "consumerkey",
            "k-1",
            ["<ConsumerKey>k-1</ConsumerKey>", "<Status>approved</Status>"],
        ),
        (
            "apiproduct",
            "apiproductname",
            "silver",
            ["<ApiProduct><Name>silver</Name>", "<Name>tier</Name><Value>top</Value>"],
        ),
        ("apiproduct", "consumerkey", "k-1", ["<Name>gold</Name>", "<Scope>read</Scope>"]),
    ] {
        let sent = shown(entity, kind, "", identifier);
        assert!(!sent.is_answered(), "{}", sent.body());
        let text = sent.var("AccessEntity.s0");
        for part in parts {
            assert!(text.contains(part), "{entity} by {kind}: {part}: {text}");
        }
        assert!(!text.contains("s-1"), "the secret is not shown: {text}");
    }
}

#[test]
fn a_secondary_identifier_narrows() {
    let by = |kind: &str, value: &str| {
        format!("<SecondaryIdentifier type=\"{kind}\">{value}</SecondaryIdentifier>")
    };
    assert!(!shown("app", "appname", &by("developeremail", "ann@example.com"), "shop").is_answered());
    assert!(shown("app", "appname", &by("developeremail", "bob@example.com"), "shop").is_answered());
    assert!(
        shown("app", "appname", "<SecondaryIdentifier ref=\"none\" type=\"developerid\"/>", "shop")
            .is_answered()
    );
    let sent = shown("apiproduct", "consumerkey", &by("apiproductresource", "/a"), "k-1");
    assert!(sent.var("AccessEntity.s0").contains("<Name>gold</Name>"));
}

#[test]
fn fault_resource_not_found() {
    for (entity, kind, identifier) in [
        ("developer", "consumerkey", "k-2"),
        ("app", "appname", "x"),
        ("apiproduct", "apiproductname", "x"),
        ("app", "appid", ""),
    ] {
        let sent = shown(entity, kind, "", identifier);
        let code = "steps.accessentity.ResourceNotFoundException";
        assert_eq!((sent.status(), sent.code().as_str()), (500, code));
        assert_eq!(sent.var("accessentity.s0.failed"), "true");
    }
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (xml, rule) in [
        (xml("company", "consumerkey", ""), "UnsupportedEntityType"),
        (xml("app", "color", ""), "InvalidIdentifierType"),
        (xml("app", "appid", "").replace("ref=\"request.queryparam.i\"", ""), "InvalidIdentifier"),
        (xml("app", "appid", "<OutputFormat>JSON</OutputFormat>"), "InvalidValueForElement"),
        (xml("app", "appid", "<X/>"), "UnknownElement"),
        ("<AccessEntity><EntityType value=\"app\"/></AccessEntity>".into(), "MissingConfigurationElement"),
        (
            "<AccessEntity><EntityIdentifier ref=\"a\" type=\"appid\"/></AccessEntity>".into(),
            "MissingConfigurationElement",
        ),
    ] {
        assert_eq!(problem_of(&xml), rule, "{xml}");
    }
    assert!(
        problems(&design().policy("X", &xml("app", "appid", "<OutputFormat>XML</OutputFormat>"))).is_empty()
    );
}
