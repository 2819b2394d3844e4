use super::*;

#[test]
fn what_is_not_supported_is_refused_with_its_line() {
    for (inside, part) in [
        ("\n<xsl:include href='x'/>", "line 2: xsl:include is not allowed"),
        ("<xsl:import href='x'/>", "xsl:import is not allowed"),
        ("<xsl:template match='/'><xsl:apply-imports/></xsl:template>", "xsl:apply-imports"),
        (
            "<xsl:template match='/'><xsl:value-of select=\"document('x')\"/></xsl:template>",
            "the function document is not allowed",
        ),
        ("<xsl:template match='/'><xsl:nope/></xsl:template>", "xsl:nope is not supported"),
        ("<xsl:nope/>", "xsl:nope is not supported"),
        ("<nope/>", "may not stand between templates"),
        ("text", "text between templates"),
        ("<xsl:template/>", "needs a match or a name"),
        ("<xsl:template match='a['/>", "XPath"),
        ("<xsl:template match='1'/>", "no pattern"),
        ("<xsl:template match='ancestor::a'/>", "no pattern"),
        ("<xsl:template match='a' priority='x'/>", "priority"),
        ("<xsl:template match='a' nope='x'/>", "no attribute nope"),
        ("<xsl:template name='t'/><xsl:template name='t'/>", "there already"),
        ("<xsl:template match='/'><xsl:call-template name='t'/></xsl:template>", "no template t"),
        ("<xsl:template match='/'><xsl:value-of/></xsl:template>", "no attribute select"),
        ("<xsl:template match='/'><xsl:value-of select='$v'/></xsl:template>", "no variable $v"),
        (
            "<xsl:template match='/'><xsl:if test='1'><xsl:variable name='v'/></xsl:if><xsl:value-of select='$v'/></xsl:template>",
            "no variable $v",
        ),
        (
            "<xsl:template match='/'><xsl:variable name='v'/><xsl:variable name='v'/></xsl:template>",
            "there already",
        ),
        ("<xsl:variable name='v'/><xsl:variable name='v'/>", "there already"),
        ("<xsl:template match='/'><o k='{'/></xsl:template>", "not closed"),
        ("<xsl:template match='/'><o k='}'/></xsl:template>", "stands alone"),
        ("<xsl:template match='/'><xsl:choose/></xsl:template>", "no xsl:when"),
        ("<xsl:template match='/'><xsl:choose>x</xsl:choose></xsl:template>", "may not hold"),
        ("<xsl:template match='/'><xsl:text><b/></xsl:text></xsl:template>", "text only"),
        (
            "<xsl:template match='/'><xsl:param name='p'/>x<xsl:param name='q'/></xsl:template>",
            "before all else",
        ),
        ("<xsl:template match='/'><xsl:number level='x'/></xsl:template>", "no level"),
        ("<xsl:template match='/'><xsl:number lang='de'/></xsl:template>", "lang"),
        ("<xsl:output method='xhtml'/>", "output method"),
        ("<xsl:output encoding='UTF-16'/>", "output encoding"),
        ("<xsl:output indent='maybe'/>", "neither yes nor no"),
        ("<xsl:attribute-set name='a' use-attribute-sets='a'/>", "uses itself"),
        ("<xsl:decimal-format digit='xx'/>", "one character"),
        ("<xsl:key name='k' match='a'/>", "no attribute use"),
    ] {
        let bad = refused(&sheet(inside)).to_string();
        assert!(bad.contains(part), "{inside}: {bad}");
    }
    assert!(refused("<a/>").why.contains("no version"));
    assert!(refused(&versioned("9", "")).why.contains("none of"));
    assert!(refused("<a").line == 1);
    let extension = format!(
        "<xsl:stylesheet version='1.0' {HEAD} xmlns:e='ue' extension-element-prefixes='e'><xsl:template match='/'><e:x/></xsl:template></xsl:stylesheet>"
    );
    assert!(refused(&extension).why.contains("extension elements"));
}

#[test]
fn recursion_ends_and_deep_enough_recursion_works() {
    let count = |to: usize| {
        sheet(&format!(
            "<xsl:template match='/'><xsl:call-template name='t'><xsl:with-param name='n' select='{to}'/></xsl:call-template></xsl:template>\
             <xsl:template name='t'><xsl:param name='n'/><xsl:choose><xsl:when test='$n > 0'><xsl:call-template name='t'><xsl:with-param name='n' select='$n - 1'/></xsl:call-template></xsl:when>\
             <xsl:otherwise>end</xsl:otherwise></xsl:choose></xsl:template>"
        ))
    };
    assert_eq!(result_of(&count(10), "<r/>"), "end");
    assert_eq!(result_of(&count(2_000), "<r/>"), "end");
    assert_eq!(run(&count(100_000), "<r/>", &[]), Err(TransformError::TooDeep(3_000)));
    let circle = sheet("<xsl:template match='/'><xsl:apply-templates select='.'/></xsl:template>");
    assert_eq!(run(&circle, "<r/>", &[]), Err(TransformError::TooDeep(3_000)));
}

#[test]
fn results_and_work_are_bounded() {
    let double = "<xsl:variable name='b' select=\"concat($a, $a)\"/>";
    let doubled: String = (0..40)
        .map(|i| double.replace("'b'", &format!("'v{}'", i + 1)).replace("$a", &format!("$v{i}")))
        .collect();
    let xsl = sheet(&format!(
        "<xsl:variable name='v0' select=\"'xxxxxxxxxx'\"/>{doubled}<xsl:template match='/'><xsl:value-of select='$v40'/></xsl:template>"
    ));
    assert!(run(&xsl, "<r/>", &[]).unwrap_err().to_string().contains("takes more than"));

    let copies = sheet(
        "<xsl:template match='/'><o><xsl:for-each select='//*'><xsl:for-each select='//*'><xsl:copy-of select='/'/></xsl:for-each></xsl:for-each></o></xsl:template>",
    );
    let xml = format!("<r>{}</r>", "<a>some text</a>".repeat(300));
    assert!(run(&copies, &xml, &[]).is_err());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_stylesheet_makes_the_compiler_or_the_run_panic(
        parts in proptest::collection::vec(proptest::sample::select(vec![
            "<xsl:template match='r'>", "<xsl:template match='*' mode='m'>", "</xsl:template>", "<xsl:value-of select='.'/>",
            "<xsl:apply-templates/>", "<xsl:apply-templates select='//*' mode='m'/>", "<xsl:for-each select='*'>", "</xsl:for-each>",
            "<o k='{.}'>", "</o>", "<xsl:variable name='v' select='1'/>", "<xsl:value-of select='$v'/>", "<xsl:copy>", "</xsl:copy>",
            "<xsl:attribute name='a'>", "</xsl:attribute>", "<xsl:number/>", "<xsl:sort/>", "<xsl:copy-of select='//node()'/>",
            "<xsl:key name='k' match='*' use='.'/>", "<xsl:value-of select=\"key('k', 'x')\"/>", "text", "<xsl:strip-space elements='*'/>",
        ]), 0..10),
        later in proptest::bool::ANY,
    ) {
        let xsl = versioned(if later { "2.0" } else { "1.0" }, &parts.concat());
        if let Ok(sheet) = Stylesheet::compile(&xsl, &Limits::default()) {
            let source = Document::parse("<r>x<a k='1'> <b/></a></r>", &Limits::default()).unwrap();
            let _ = sheet.transform(&source, &[("v", "1")]);
        }
    }
}
