use super::*;

#[test]
fn built_in_rules_write_text_and_go_inside() {
    assert_eq!(result_of(&sheet(""), "<r a='1'>x<b>y</b><!--c--><?p d?></r>"), "xy");
}

#[test]
fn the_identity_copies_everything() {
    let xml = "<p:r xmlns:p=\"u\" a=\"1\"><b c=\"2\">x</b><!--c--><?p d?></p:r>";
    let xsl = sheet(
        "<xsl:template match='@*|node()'><xsl:copy><xsl:apply-templates select='@*|node()'/></xsl:copy></xsl:template>",
    );
    assert_eq!(result_of(&xsl, xml), xml);
}

#[test]
fn the_most_specific_rule_wins_then_the_last() {
    let rules = |rules: &[(&str, &str)]| {
        let templates = rules
            .iter()
            .map(|(attributes, text)| format!("<xsl:template {attributes}>{text}</xsl:template>"));
        result_of(&sheet(&templates.collect::<String>()), "<r xmlns:q='u'><a k='1'/></r>").to_owned()
    };
    let go = ("match='/'", "<xsl:apply-templates select='r/a'/>");
    for (candidates, expected) in [
        (vec![("match='node()'", "1"), ("match='*'", "2")], "2"),
        (vec![("match='*'", "1"), ("match='node()'", "2")], "2"),
        (vec![("match='a'", "1"), ("match='*'", "2")], "1"),
        (vec![("match='r/a'", "1"), ("match='a'", "2")], "1"),
        (vec![("match='a[@k]'", "1"), ("match='a'", "2")], "1"),
        (vec![("match='a' priority='1'", "1"), ("match='r/a'", "2")], "1"),
        (vec![("match='a' priority='-1'", "1"), ("match='*'", "2")], "2"),
        (vec![("match='a'", "1"), ("match='a'", "2")], "2"),
        (vec![("match='b|a'", "1"), ("match='*'", "2")], "1"),
        (vec![("match='a[2]'", "1"), ("match='*'", "2")], "2"),
        (vec![("match='a[1]'", "1"), ("match='*'", "2")], "1"),
        (vec![("match='r//a'", "1"), ("match='*'", "2")], "1"),
        (vec![("match='/a'", "1"), ("match='*'", "2")], "2"),
        (vec![("match='/r/a'", "1"), ("match='*'", "2")], "1"),
        (vec![("match='//a'", "1"), ("match='*'", "2")], "1"),
        (vec![("match='x/a'", "1"), ("match='*'", "2")], "2"),
        (vec![("match='q:a' xmlns:q='u'", "1"), ("match='*'", "2")], "2"),
    ] {
        let all = [&[go], candidates.as_slice()].concat();
        assert_eq!(rules(&all), expected, "{candidates:?}");
    }
}

#[test]
fn patterns_match_attributes_text_and_keys() {
    let xsl = sheet(
        "<xsl:key name='k' match='b' use='@id'/><xsl:template match='@id'>I</xsl:template>\
         <xsl:template match='text()'>T</xsl:template><xsl:template match='comment()'>C</xsl:template>\
         <xsl:template match=\"processing-instruction('p')\">P</xsl:template>\
         <xsl:template match=\"key('k', 'x')\">K</xsl:template><xsl:template match=\"id('y')/c\">Y</xsl:template>\
         <xsl:template match='r'><xsl:apply-templates select='@*|node()'/></xsl:template>",
    );
    let xml = "<r id='1'>t<!--c--><?p d?><?q d?><b id='x'/><b id='z'>u</b><d xml:id='y'><c/></d></r>";
    assert_eq!(result_of(&xsl, xml), "ITCPKTY");
}

#[test]
fn modes_keep_rules_apart() {
    let xsl = sheet(
        "<xsl:template match='r'><xsl:apply-templates/>|<xsl:apply-templates mode='m'/></xsl:template>\
         <xsl:template match='a'>1</xsl:template><xsl:template match='a' mode='m'>2<xsl:apply-templates/></xsl:template>\
         <xsl:template match='b'>3</xsl:template>",
    );
    assert_eq!(result_of(&xsl, "<r><a><b/></a></r>"), "1|23");
}

#[test]
fn templates_are_called_with_parameters() {
    let xsl = sheet(
        "<xsl:template match='/'><xsl:call-template name='t'><xsl:with-param name='p' select='1'/>\
         <xsl:with-param name='unknown' select='2'/></xsl:call-template>;<xsl:call-template name='t'/>;\
         <xsl:apply-templates select='r/a'><xsl:with-param name='p'>tree</xsl:with-param></xsl:apply-templates></xsl:template>\
         <xsl:template name='t'><xsl:param name='p' select=\"'default'\"/><xsl:param name='q' select='$p'/>\
         <xsl:value-of select='$q'/></xsl:template>\
         <xsl:template match='a'><xsl:param name='p'/><xsl:value-of select='$p'/></xsl:template>",
    );
    assert_eq!(result_of(&xsl, "<r><a/></r>"), "1;default;tree");
}

#[test]
fn global_variables_come_in_any_order_and_parameters_from_outside() {
    let xsl = sheet(
        "<xsl:variable name='a' select=\"concat($b, 'x')\"/><xsl:variable name='b' select='$p'/><xsl:param name='p' select=\"'d'\"/>\
         <xsl:template match='/'><xsl:value-of select='$a'/></xsl:template>",
    );
    assert_eq!(result_of(&xsl, "<r/>"), "dx");
    assert_eq!(
        run(&xsl, "<r/>", &[("p", "given"), ("b", "not a parameter"), ("z", "unknown")]).unwrap().text,
        "givenx"
    );
    assert_eq!(compiled(&xsl).parameters().collect::<Vec<_>>(), ["p"]);
    let circle = sheet(
        "<xsl:variable name='a' select='$b'/><xsl:variable name='b' select='$a'/><xsl:template match='/'><xsl:value-of select='$a'/></xsl:template>",
    );
    assert!(run(&circle, "<r/>", &[]).unwrap_err().to_string().contains("needs itself"));
}

#[test]
fn attribute_sets_build_on_each_other() {
    let xsl = sheet(
        "<xsl:attribute-set name='base'><xsl:attribute name='a'>1</xsl:attribute><xsl:attribute name='b'>1</xsl:attribute></xsl:attribute-set>\
         <xsl:attribute-set name='more' use-attribute-sets='base'><xsl:attribute name='b'>2</xsl:attribute></xsl:attribute-set>\
         <xsl:template match='/'><o xsl:use-attribute-sets='more' c='3'/><xsl:element name='e' use-attribute-sets='base'/></xsl:template>",
    );
    assert_eq!(result_of(&xsl, "<r/>"), "<o a=\"1\" b=\"2\" c=\"3\"/><e a=\"1\" b=\"1\"/>");
}

#[test]
fn white_space_of_the_source_is_stripped_where_asked() {
    let xml = "<r> <a> x </a> <k> </k> <p xml:space='preserve'> </p> </r>";
    let xsl = |rules: &str| {
        sheet(&format!("{rules}<xsl:template match='/'><xsl:copy-of select='r'/></xsl:template>"))
    };
    assert_eq!(
        result_of(&xsl("<xsl:strip-space elements='*'/><xsl:preserve-space elements='k'/>"), xml),
        "<r><a> x </a><k> </k><p xml:space=\"preserve\"> </p></r>"
    );
    assert_eq!(result_of(&xsl("<xsl:strip-space elements='k'/>"), xml).matches("<k/>").count(), 1);
    assert!(result_of(&xsl(""), xml).starts_with("<r> <a>"));
}

#[test]
fn namespaces_of_the_result_are_those_of_the_stylesheet_that_are_not_excluded() {
    let xsl = format!(
        "<xsl:stylesheet version='1.0' {HEAD} xmlns:a='ua' xmlns:b='ub' xmlns:s='us' exclude-result-prefixes='b'>\
         <xsl:output omit-xml-declaration='yes'/><xsl:namespace-alias stylesheet-prefix='s' result-prefix='xsl'/>\
         <xsl:template match='/'><o><i/><s:x s:k='1'/></o></xsl:template></xsl:stylesheet>"
    );
    assert_eq!(
        result_of(&xsl, "<r/>"),
        "<o xmlns:a=\"ua\" xmlns:s=\"http://www.w3.org/1999/XSL/Transform\"><i/><s:x s:k=\"1\"/></o>"
    );
}

#[test]
fn a_copy_keeps_the_default_namespace_right() {
    let xsl = sheet("<xsl:template match='/'><o xmlns='d'><xsl:copy-of select='r'/></o></xsl:template>");
    assert_eq!(result_of(&xsl, "<r/>"), "<o xmlns=\"d\"><r xmlns=\"\"/></o>");
}

#[test]
fn a_literal_element_may_be_the_whole_stylesheet() {
    let xsl = format!("<o xsl:version='1.0' {HEAD}><xsl:value-of select='r'/></o>");
    assert_eq!(result_of(&xsl, "<r>x</r>"), "<?xml version=\"1.0\" encoding=\"UTF-8\"?><o>x</o>");
}
