use super::*;

fn written(output: &str, result: &str) -> String {
    result_of(
        &sheet(&format!("<xsl:output {output}/><xsl:template match='/'>{result}</xsl:template>")),
        "<r/>",
    )
}

#[test]
fn xml_is_declared_and_indented_as_asked() {
    for (output, result, expected) in [
        ("method='xml'", "<o/>", "<?xml version=\"1.0\" encoding=\"UTF-8\"?><o/>"),
        ("standalone='yes'", "<o/>", "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><o/>"),
        (
            "omit-xml-declaration='yes' indent='yes'",
            "<o><p><q>x</q><q/></p><xsl:comment>c</xsl:comment></o>",
            "<o>\n  <p>\n    <q>x</q>\n    <q/>\n  </p>\n  <!--c-->\n</o>",
        ),
        ("omit-xml-declaration='yes' indent='yes'", "<o>t<p/></o>", "<o>t<p/></o>"),
        (
            "omit-xml-declaration='yes' cdata-section-elements='c'",
            "<o><c>&lt;]]&gt;</c><d>&lt;</d></o>",
            "<o><c><![CDATA[<]]]]><![CDATA[>]]></c><d>&lt;</d></o>",
        ),
        ("omit-xml-declaration='yes' doctype-system='s.dtd'", "<o/>", "<!DOCTYPE o SYSTEM \"s.dtd\">\n<o/>"),
        (
            "omit-xml-declaration='yes' doctype-public='p' doctype-system='s'",
            "<o/>",
            "<!DOCTYPE o PUBLIC \"p\" \"s\">\n<o/>",
        ),
        (
            "encoding='US-ASCII'",
            "<o k='ä'>ö</o>",
            "<?xml version=\"1.0\" encoding=\"US-ASCII\"?><o k=\"&#228;\">&#246;</o>",
        ),
    ] {
        assert_eq!(written(output, result), expected, "{output}");
    }
}

#[test]
fn text_is_text_alone() {
    assert_eq!(
        written("method='text'", "<o>a &lt; b<p>c</p></o><!--d-->".replace("<!--d-->", "").as_str()),
        "a < bc"
    );
}

#[test]
fn html_has_its_own_ways() {
    let result = "<html><head><title>ä</title><script>a &lt; b</script></head><body><br/><p></p>\
                  <input checked='checked' value='&lt;&amp;'/><a href='/ä?a&amp;b'>x &lt; y</a></body></html>";
    let html = written("method='html' indent='no'", result);
    assert_eq!(
        html,
        "<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=UTF-8\"><title>ä</title>\
         <script>a < b</script></head><body><br><p></p><input checked value=\"<&amp;\"><a href=\"/%C3%A4?a&amp;b\">x &lt; y</a></body></html>"
    );
    assert!(
        written("indent='no'", "<HTML><br/></HTML>").contains("<br>"),
        "the outermost element says it is html"
    );
    assert!(written("indent='no' method='xml'", "<html><br/></html>").contains("<br/>"));
}

#[test]
fn the_media_type_is_told_where_it_is_named() {
    let media_type = |output: &str| {
        let xsl = sheet(&format!("<xsl:output {output}/><xsl:template match='/'><o/></xsl:template>"));
        run(&xsl, "<r/>", &[]).unwrap().media_type
    };
    assert_eq!(media_type("method='html'"), None);
    assert_eq!(media_type("media-type='application/json'").as_deref(), Some("application/json"));
}
