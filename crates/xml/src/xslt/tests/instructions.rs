use super::*;

const XML: &str = "<r a='1' b='2'><n v='3'>c</n><n v='10'>A</n><n v='2'>b</n><e/>t<!--k--><?p q?></r>";

#[test]
fn every_instruction_does_what_the_recommendation_says() {
    for (inside, expected) in [
        ("<o><xsl:value-of select='n'/></o>", "<o>c</o>"),
        ("<o x='{@a}-{{{n[2]}}}'/>", "<o x=\"1-{A}\"/>"),
        ("<o><xsl:text> a </xsl:text> b</o>", "<o> a  b</o>"),
        ("<o> <p/> </o>", "<o><p/></o>"),
        ("<o xml:space='preserve'> <p/></o>", "<o xml:space=\"preserve\"> <p/></o>"),
        ("<xsl:element name='x{@a}'>y</xsl:element>", "<x1>y</x1>"),
        ("<xsl:element name='p:x' namespace='u{@a}'/>", "<p:x xmlns:p=\"u1\"/>"),
        ("<o><xsl:attribute name='k'>v<xsl:value-of select='@b'/></xsl:attribute></o>", "<o k=\"v2\"/>"),
        ("<o k='1'><xsl:attribute name='k'>2</xsl:attribute></o>", "<o k=\"2\"/>"),
        (
            "<o><xsl:attribute name='k' namespace='u'>1</xsl:attribute></o>",
            "<o xmlns:ns0=\"u\" ns0:k=\"1\"/>",
        ),
        ("<o><xsl:attribute name='q:k' namespace='u'>1</xsl:attribute></o>", "<o xmlns:q=\"u\" q:k=\"1\"/>"),
        ("<o><xsl:comment>x<xsl:value-of select='@a'/></xsl:comment></o>", "<o><!--x1--></o>"),
        ("<o><xsl:processing-instruction name='p{@a}'>d</xsl:processing-instruction></o>", "<o><?p1 d?></o>"),
        ("<xsl:copy><xsl:copy-of select='@a'/></xsl:copy>", "<r a=\"1\"/>"),
        (
            "<o><xsl:copy-of select='@*|n[2]|comment()|processing-instruction()|text()'/></o>",
            "<o a=\"1\" b=\"2\"><n v=\"10\">A</n>t<!--k--><?p q?></o>",
        ),
        ("<o><xsl:copy-of select='1+1'/></o>", "<o>2</o>"),
        (
            "<o><xsl:for-each select='n'><xsl:value-of select='position()'/>/<xsl:value-of select='last()'/>,</xsl:for-each></o>",
            "<o>1/3,2/3,3/3,</o>",
        ),
        (
            "<o><xsl:for-each select='n'><xsl:value-of select='current()'/><xsl:value-of select='../n[@v=current()/@v]'/></xsl:for-each></o>",
            "<o>ccAAbb</o>",
        ),
        ("<o><xsl:if test='n'>y</xsl:if><xsl:if test='none'>n</xsl:if></o>", "<o>y</o>"),
        (
            "<o><xsl:choose><xsl:when test='none'>1</xsl:when><xsl:when test='n'>2</xsl:when><xsl:otherwise>3</xsl:otherwise></xsl:choose></o>",
            "<o>2</o>",
        ),
        (
            "<o><xsl:choose><xsl:when test='none'>1</xsl:when><xsl:otherwise>3</xsl:otherwise></xsl:choose></o>",
            "<o>3</o>",
        ),
        ("<xsl:variable name='v' select='@a'/><o><xsl:value-of select='$v + 1'/></o>", "<o>2</o>"),
        (
            "<xsl:variable name='v'><i>1</i><i>2</i></xsl:variable><o><xsl:value-of select='$v'/><xsl:copy-of select='$v'/></o>",
            "<o>12<i>1</i><i>2</i></o>",
        ),
        ("<xsl:variable name='v'/><o><xsl:value-of select='string-length($v)'/></o>", "<o>0</o>"),
        (
            "<o xmlns:e='http://exslt.org/common' xsl:exclude-result-prefixes='e'><xsl:variable name='v'><i>1</i><i>2</i></xsl:variable><xsl:value-of select='count(e:node-set($v)/i)'/></o>",
            "<o>2</o>",
        ),
        (
            "<o><xsl:text disable-output-escaping='yes'>&lt;b&gt;</xsl:text><xsl:value-of select=\"'&lt;'\"/></o>",
            "<o><b>&lt;</o>",
        ),
        ("<o><xsl:message>m</xsl:message></o>", "<o/>"),
        ("<o><xsl:fallback>f</xsl:fallback></o>", "<o/>"),
    ] {
        assert_eq!(body(inside, XML), expected, "{inside}");
    }
}

#[test]
fn sorts_order_by_text_and_number_and_case() {
    let by = |sort: &str| {
        body(&format!("<o><xsl:for-each select='n'>{sort}<xsl:value-of select='.'/></xsl:for-each></o>"), XML)
    };
    for (sort, expected) in [
        ("<xsl:sort/>", "Abc"),
        ("<xsl:sort order='descending'/>", "cbA"),
        ("<xsl:sort select='@v'/>", "Abc"),
        ("<xsl:sort select='@v' data-type='number'/>", "bcA"),
        ("<xsl:sort select='@v' data-type='number' order='{substring(\"descending\", 1)}'/>", "Acb"),
        ("<xsl:sort select='string-length(.)'/><xsl:sort select='.' order='descending'/>", "cbA"),
        ("<xsl:sort select='none'/>", "cAb"),
    ] {
        assert_eq!(by(sort), format!("<o>{expected}</o>"), "{sort}");
    }
    let letters = "<r><l>b</l><l>B</l><l>a</l><l>A</l></r>";
    let by_case = |order: &str| {
        body(
            &format!(
                "<xsl:for-each select='l'><xsl:sort case-order='{order}'/><xsl:value-of select='.'/></xsl:for-each>"
            ),
            letters,
        )
    };
    assert_eq!((by_case("upper-first").as_str(), by_case("lower-first").as_str()), ("AaBb", "aAbB"));
    assert!(
        failure("<xsl:for-each select='n'><xsl:sort order='{@v}'/></xsl:for-each>", XML)
            .contains("neither ascending")
    );
}

#[test]
fn numbers_count_in_every_way() {
    let xml = "<d><c><s/><s/></c><c><s/><x/><s><s/></s></c></d>";
    let number = |attributes: &str| {
        result_of(
            &sheet(&format!(
                "<xsl:template match='/'><xsl:for-each select='//s'><xsl:number {attributes}/>;</xsl:for-each></xsl:template>"
            )),
            xml,
        )
    };
    assert_eq!(number(""), "1;2;1;2;1;");
    assert_eq!(number("level='multiple' count='c|s' format='1.a'"), "1.a;1.b;2.a;2.b;2.b.a;");
    assert_eq!(number("level='any'"), "1;2;3;4;5;");
    assert_eq!(number("level='any' from='c'"), "1;2;1;2;3;");
    assert_eq!(number("level='single' count='c'"), "1;1;2;2;2;");
    assert_eq!(number("level='multiple' count='s' from='c' format='(i)'"), "(i);(ii);(i);(ii);(ii.i);");
    for (value, format, expected) in [
        ("4", "01", "04"),
        ("27", "a", "aa"),
        ("28", "A", "AB"),
        ("1999", "I", "MCMXCIX"),
        ("4", "i", "iv"),
        ("2.5", "1", "3"),
        ("7", "[1]", "[7]"),
        ("0 div 0", "1", "NaN"),
        ("0", "a", "0"),
    ] {
        let inside = format!("<xsl:number value='{value}' format='{format}'/>");
        assert_eq!(body(&inside, "<r/>"), expected, "{inside}");
    }
    let inside = "<xsl:number value='1234567' grouping-separator=',' grouping-size='3'/>";
    assert_eq!(body(inside, "<r/>"), "1,234,567");
}

#[test]
fn numbers_are_formatted_by_patterns() {
    let formats = "<xsl:decimal-format decimal-separator=',' grouping-separator='.' NaN='nix'/>\
                   <xsl:decimal-format name='f' infinity='inf' minus-sign='~'/>";
    for (call, expected) in [
        ("format-number(1234.5, '#.##0,00')", "1.234,50"),
        ("format-number(0 div 0, '0')", "nix"),
        ("format-number(1234567.891, '#,##0.##', 'f')", "1,234,567.89"),
        ("format-number(0.5, '0%', 'f')", "50%"),
        ("format-number(0.5, '#.##', 'f')", ".5"),
        ("format-number(0, '#', 'f')", "0"),
        ("format-number(5, '000', 'f')", "005"),
        ("format-number(-5, '0', 'f')", "~5"),
        ("format-number(-5, '0;(0)', 'f')", "(5)"),
        ("format-number(1 div 0, '0', 'f')", "inf"),
        ("format-number(2.5, '0', 'f')", "2"),
        ("format-number(3.14159, '$0.00 EUR', 'f')", "$3.14 EUR"),
    ] {
        let xsl = sheet(&format!(
            "{formats}<xsl:template match='/'><xsl:value-of select=\"{call}\"/></xsl:template>"
        ));
        assert_eq!(result_of(&xsl, "<r/>"), expected, "{call}");
    }
    for call in [
        "format-number(1, 'x')",
        "format-number(1, '0', 'none')",
        "format-number(1, '0;0;0')",
        "format-number(1, '0#')",
    ] {
        assert!(
            failure(&format!("<xsl:value-of select=\"{call}\"/>"), "<r/>").contains("format-number"),
            "{call}"
        );
    }
}

#[test]
fn keys_find_nodes_and_functions_of_xslt_answer() {
    let xml = "<r><p id='a'>1</p><p id='b'>2</p><q ref='b'/><q ref='a'/></r>";
    let xsl = sheet(
        "<xsl:key name='k' match='p' use='@id'/><xsl:key name='all' match='p|q' use='@id|@ref'/>\
         <xsl:template match='/'><xsl:for-each select='r/q'><xsl:value-of select=\"key('k', @ref)\"/></xsl:for-each>;\
         <xsl:value-of select=\"count(key('all', 'a'))\"/>;<xsl:value-of select=\"count(key('k', r/q/@ref))\"/>;\
         <xsl:value-of select=\"generate-id(r) = generate-id(r/p/..)\"/>;<xsl:value-of select=\"generate-id(r) = generate-id(r/p)\"/>;\
         <xsl:value-of select=\"system-property('xsl:version')\"/>;<xsl:value-of select=\"element-available('xsl:copy')\"/>;\
         <xsl:value-of select=\"element-available('xsl:nope')\"/>;<xsl:value-of select=\"function-available('key')\"/>;\
         <xsl:value-of select=\"function-available('matches')\"/></xsl:template>",
    );
    assert_eq!(result_of(&xsl, xml), "21;2;2;true;false;1.0;true;false;true;false");
    assert!(failure("<xsl:value-of select=\"key('none', 1)\"/>", "<r/>").contains("no key none"));
}

#[test]
fn what_fails_names_its_line() {
    for (inside, part) in [
        ("\n<o>t<xsl:attribute name='k'/></o>", "line 2: an attribute or namespace must come before"),
        ("<xsl:element name='{@none}'/>", "'' is no name"),
        ("<xsl:element name='p:x{@a}'/>", "the prefix p is not bound"),
        ("<xsl:for-each select='1'/>", "needs nodes"),
        ("<xsl:apply-templates select='1'/>", "needs nodes"),
        ("<xsl:comment>a--b</xsl:comment>", "comment"),
        ("<xsl:message terminate='yes'>over</xsl:message>", "terminated by the stylesheet: over"),
        ("<o><xsl:attribute name='xmlns'>u</xsl:attribute></o>", "xmlns"),
        ("<xsl:value-of select='count(1)'/>", "count() needs nodes"),
    ] {
        let why = failure(inside, XML);
        assert!(why.contains(part), "{inside}: {why}");
    }
}

#[test]
fn messages_are_kept() {
    let xsl = sheet(
        "<xsl:template match='/'><xsl:message>a<xsl:value-of select='r'/></xsl:message><xsl:message>b</xsl:message></xsl:template>",
    );
    assert_eq!(run(&xsl, "<r>x</r>", &[]).unwrap().messages, ["ax", "b"]);
}
