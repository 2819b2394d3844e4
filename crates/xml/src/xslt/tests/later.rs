use super::*;

fn later(inside: &str, xml: &str) -> String {
    result_of(&versioned("2.0", &format!("<xsl:template match='/*'>{inside}</xsl:template>")), xml)
}

const XML: &str = "<r><i g='a'>1</i><i g='b'>2</i><i g='a'>3</i><s>x1y22z</s></r>";

#[test]
fn groups_are_made_in_every_way() {
    for (attributes, expected) in [
        ("select='i' group-by='@g'", "a:1,3;b:2;"),
        ("select='i' group-adjacent='@g'", "a:1;b:2;a:3;"),
        ("select='i' group-starting-with='i[@g = \"b\"]'", ":1;:2,3;"),
        ("select='i' group-ending-with='i[@g = \"b\"]'", ":1,2;:3;"),
    ] {
        let inside = format!(
            "<xsl:for-each-group {attributes}><xsl:value-of select='current-grouping-key()'/>:<xsl:value-of select='current-group()' separator=','/>;</xsl:for-each-group>"
        );
        assert_eq!(later(&inside, XML), expected, "{attributes}");
    }
    let sorted = "<xsl:for-each-group select='i' group-by='@g'><xsl:sort select='current-grouping-key()' order='descending'/>\
                  <xsl:value-of select='current-grouping-key()'/></xsl:for-each-group>";
    assert_eq!(later(sorted, XML), "ba");
}

#[test]
fn values_are_sequences() {
    for (inside, expected) in [
        ("<xsl:value-of select='i'/>", "1 2 3"),
        ("<xsl:value-of select='i' separator=', '/>", "1, 2, 3"),
        ("<xsl:value-of select='1 to 3'/>", "1 2 3"),
        ("<xsl:value-of select=\"for $x in i return concat($x, '!')\"/>", "1! 2! 3!"),
        ("<xsl:value-of select=\"if (i = 2) then 'y' else 'n'\"/>", "y"),
        ("<xsl:value-of select='some $x in i satisfies $x > 2'/>", "true"),
        ("<xsl:value-of select='every $x in i satisfies $x > 2'/>", "false"),
        ("<xsl:value-of select=\"tokenize('a,b,c', ',')\"/>", "a b c"),
        ("<xsl:value-of select=\"matches(s, '[0-9]{2}')\"/>", "true"),
        ("<xsl:value-of select=\"replace(s, '([0-9]+)', '[$1]')\"/>", "x[1]y[22]z"),
        ("<xsl:value-of select=\"string-join(i, '-')\"/>", "1-2-3"),
        ("<xsl:value-of select='distinct-values(i/@g)'/>", "a b"),
        ("<xsl:value-of select=\"upper-case('ab'), lower-case('CD')\"/>", "AB cd"),
        ("<xsl:value-of select='sum(i), avg(i), min(i), max(i), count(i)'/>", "6 2 1 3 3"),
        (
            "<xsl:value-of select=\"exists(i), empty(none), ends-with('ab', 'b'), 7 idiv 2, abs(-1)\"/>",
            "true true true 3 1",
        ),
        (
            "<xsl:value-of select='reverse(1 to 3), subsequence(1 to 5, 2, 2), index-of((5, 6, 5), 5)'/>",
            "3 2 1 2 3 1 3",
        ),
        ("<xsl:value-of select='i[1] eq \"1\", i[1] is i[1], (i except i[1])/@g'/>", "true true b a"),
        ("<xsl:value-of select='*:s'/>", "x1y22z"),
        (
            "<xsl:for-each select='1 to 2'><v><xsl:value-of select='.'/></v></xsl:for-each>",
            "<v>1</v><v>2</v>",
        ),
        ("<o><xsl:sequence select='i[1], 5, 6'/></o>", "<o><i g=\"a\">1</i>5 6</o>"),
        ("<o><xsl:attribute name='k' select='i'/></o>", "<o k=\"1 2 3\"/>"),
        (
            "<xsl:variable name='v' as='xs:string*' xmlns:xs='x'><xsl:sequence select=\"'a', 'b'\"/></xsl:variable><xsl:value-of select='count($v)'/>",
            "2",
        ),
        (
            "<xsl:variable name='v' as='element()'><e>1</e></xsl:variable><xsl:value-of select='name($v)'/>",
            "e",
        ),
        (
            "<xsl:perform-sort select='i'><xsl:sort select='.' order='descending'/></xsl:perform-sort>",
            "<i g=\"a\">3</i><i g=\"b\">2</i><i g=\"a\">1</i>",
        ),
        ("<o><xsl:namespace name='p' select=\"'u'\"/></o>", "<o xmlns:p=\"u\"/>"),
        (
            "<xsl:analyze-string select='s' regex='([0-9])+'><xsl:matching-substring>(<xsl:value-of select='.'/>|<xsl:value-of select='regex-group(1)'/>)</xsl:matching-substring><xsl:non-matching-substring><xsl:value-of select='upper-case(.)'/></xsl:non-matching-substring></xsl:analyze-string>",
            "X(1|1)Y(22|2)Z",
        ),
    ] {
        let result = later(inside, XML);
        assert_eq!(result.replace(" xmlns:xs=\"x\"", ""), expected, "{inside}");
    }
}

#[test]
fn functions_of_the_stylesheet_are_called() {
    let xsl = versioned(
        "2.0",
        "<xsl:function name='f:fact' xmlns:f='uf'><xsl:param name='n'/>\
         <xsl:sequence select='if ($n &lt;= 1) then 1 else $n * f:fact($n - 1)'/></xsl:function>\
         <xsl:template match='/' xmlns:f='uf'><xsl:value-of select='f:fact(5)'/></xsl:template>",
    );
    assert_eq!(result_of(&xsl, "<r/>"), "120");
}

#[test]
fn a_public_pretty_printer_of_version_2_runs() {
    let xsl = format!(
        "<xsl:stylesheet {HEAD} version='2.0'><xsl:strip-space elements='*'/><xsl:output method='xml' omit-xml-declaration='yes' indent='yes'/>\
         <xsl:template match='@*|node()'><xsl:copy><xsl:apply-templates select='@*|node()'/></xsl:copy></xsl:template></xsl:stylesheet>"
    );
    assert_eq!(result_of(&xsl, "<a> <b k='1'>t</b>\n<c/> </a>"), "<a>\n  <b k=\"1\">t</b>\n  <c/>\n</a>");
}

#[test]
fn version_1_knows_none_of_it() {
    for inside in [
        "<xsl:for-each-group select='i' group-by='@g'/>",
        "<xsl:sequence select='1'/>",
        "<xsl:value-of select='1 to 2'/>",
        "<xsl:value-of select='i' separator=','/>",
    ] {
        refused(&sheet(&format!("<xsl:template match='/'>{inside}</xsl:template>")));
    }
}
