use super::*;

fn of_type(kind: &str) -> String {
    format!("<xs:element name='r' type='{kind}'/>")
}

#[test]
fn every_built_in_type_knows_its_texts() {
    for (kind, valid, invalid) in [
        ("xs:string", &["", " a "][..], &[][..]),
        ("xs:boolean", &["true", " 0 "], &["TRUE", "", "2"]),
        ("xs:decimal", &["1", "-1.50", "+.5", "5."], &["1e3", "", ".", "1,0"]),
        ("xs:integer", &["-01", "99999999999999999999"], &["1.0", "a"]),
        ("xs:positiveInteger", &["1"], &["0", "-1"]),
        ("xs:nonNegativeInteger", &["0", "-0"], &["-1"]),
        ("xs:negativeInteger", &["-1"], &["0"]),
        ("xs:nonPositiveInteger", &["0"], &["1"]),
        ("xs:long", &["9223372036854775807", "-9223372036854775808"], &["9223372036854775808"]),
        ("xs:int", &["2147483647"], &["2147483648", "-2147483649"]),
        ("xs:short", &["-32768"], &["32768"]),
        ("xs:byte", &["127"], &["128"]),
        ("xs:unsignedLong", &["18446744073709551615"], &["-1"]),
        ("xs:unsignedByte", &["255"], &["256"]),
        ("xs:float", &["1e3", "INF", "-INF", "NaN", "1.5"], &["inf", "+INF", "x"]),
        ("xs:double", &["-1.5E-3"], &["1d"]),
        (
            "xs:date",
            &["2024-02-29", "2024-01-01Z", "-0044-03-15", "2024-01-01+14:00"],
            &["2023-02-29", "2024-13-01", "24-01-01", "0000-01-01", "2024-01-01+15:00"],
        ),
        (
            "xs:dateTime",
            &["2024-01-01T00:00:00", "2024-01-01T24:00:00Z", "2024-01-01T12:30:01.5-05:00"],
            &["2024-01-01", "2024-01-01T25:00:00", "2024-01-01T00:60:00", "2024-01-01T00:00:00."],
        ),
        ("xs:time", &["12:00:00", "12:00:00.123Z"], &["12:00", "24:00:01"]),
        ("xs:gYear", &["2024", "12024"], &["24", "02024"]),
        ("xs:gYearMonth", &["2024-12"], &["2024-13"]),
        ("xs:gMonthDay", &["--02-29"], &["--02-30", "02-01"]),
        ("xs:gDay", &["---31"], &["---32"]),
        ("xs:gMonth", &["--12"], &["--13"]),
        ("xs:duration", &["P1Y2M3DT4H5M6.7S", "-P1D", "PT1S"], &["P", "PT", "P1S", "1D", "P1.5D", "P1D1Y"]),
        ("xs:hexBinary", &["0aFF", ""], &["0", "xx"]),
        ("xs:base64Binary", &["YWJj", "YQ==", "Y Q = ="], &["YQ=", "Y", "YR==", "=aaa"]),
        ("xs:anyURI", &["http://a/b?c#d", "../x"], &["a b", "<"]),
        ("xs:language", &["en", "de-AT"], &["", "toolongpart", "1a"]),
        ("xs:NMTOKEN", &["-a.b:c"], &["a b", ""]),
        ("xs:NMTOKENS", &["a b"], &["a,b"]),
        ("xs:Name", &["a:b"], &["-a"]),
        ("xs:NCName", &["ab"], &["a:b", "1"]),
        ("xs:QName", &["xsi:a", "b"], &["none:a", "a b"]),
        ("xs:token", &["a"], &[]),
    ] {
        let schema = schema(&of_type(kind));
        for text in valid {
            let text = crate::escape_text(text);
            assert_eq!(wrong(&schema, &format!("<r>{text}</r>")), "", "{kind} {text}");
        }
        for text in invalid {
            let text = crate::escape_text(text);
            assert!(
                wrong(&schema, &format!("<r>{text}</r>")).contains("value of r is not of type"),
                "{kind} {text}"
            );
        }
    }
}

#[test]
fn every_facet_holds() {
    for (base, facets, valid, invalid) in [
        ("xs:string", "<xs:length value='2'/>", &["äb"][..], &["a", "abc"][..]),
        ("xs:string", "<xs:minLength value='2'/><xs:maxLength value='3'/>", &["ab", "abc"], &["a", "abcd"]),
        ("xs:hexBinary", "<xs:length value='2'/>", &["0a0b"], &["0a"]),
        ("xs:NMTOKENS", "<xs:maxLength value='2'/>", &["a b"], &["a b c"]),
        (
            "xs:string",
            "<xs:pattern value='[A-Z]{2}\\d+'/><xs:pattern value='x'/>",
            &["AB1", "x"],
            &["AB", "xAB1", "ax"],
        ),
        ("xs:string", "<xs:pattern value='a^b$'/>", &["a^b$"], &["ab"]),
        ("xs:string", "<xs:enumeration value='a'/><xs:enumeration value='b'/>", &["a", "b"], &["c", " a"]),
        ("xs:decimal", "<xs:enumeration value='1.0'/>", &["1", "01.00"], &["2"]),
        ("xs:int", "<xs:minInclusive value='2'/><xs:maxExclusive value='5'/>", &["2", "4"], &["1", "5"]),
        (
            "xs:decimal",
            "<xs:minExclusive value='-1.5'/><xs:maxInclusive value='10'/>",
            &["-1.49", "10.0"],
            &["-1.5", "10.01"],
        ),
        (
            "xs:decimal",
            "<xs:totalDigits value='3'/><xs:fractionDigits value='1'/>",
            &["12.3", "012.30"],
            &["1234", "1.23"],
        ),
        ("xs:date", "<xs:minInclusive value='2024-01-31'/>", &["2024-02-01"], &["2023-12-31"]),
        (
            "xs:dateTime",
            "<xs:maxInclusive value='2024-01-01T00:00:00Z'/>",
            &["2024-01-01T01:00:00+01:00"],
            &["2024-01-01T00:00:00-01:00"],
        ),
        ("xs:duration", "<xs:maxInclusive value='P1M'/>", &["P27D"], &["P32D", "P30D"]),
        ("xs:string", "<xs:whiteSpace value='collapse'/><xs:length value='3'/>", &["  a b  "], &["ab"]),
    ] {
        let schema = schema(&format!(
            "<xs:element name='r'><xs:simpleType><xs:restriction base='{base}'>{facets}</xs:restriction></xs:simpleType></xs:element>"
        ));
        for text in valid {
            assert_eq!(wrong(&schema, &format!("<r>{text}</r>")), "", "{facets} {text}");
        }
        for text in invalid {
            assert!(
                wrong(&schema, &format!("<r>{text}</r>")).contains("against the facet"),
                "{facets} {text}"
            );
        }
    }
}

#[test]
fn lists_unions_and_steps_of_restrictions() {
    check(
        "<xs:simpleType name='n'><xs:restriction base='xs:int'><xs:minInclusive value='1'/></xs:restriction></xs:simpleType>\
         <xs:simpleType name='m'><xs:restriction base='n'><xs:maxInclusive value='9'/></xs:restriction></xs:simpleType>\
         <xs:simpleType name='list'><xs:list itemType='m'/></xs:simpleType>\
         <xs:simpleType name='either'><xs:union memberTypes='m xs:boolean'><xs:simpleType><xs:restriction base='xs:string'><xs:enumeration value='x'/></xs:restriction></xs:simpleType></xs:union></xs:simpleType>\
         <xs:element name='l' type='list'/><xs:element name='e' type='either'/>",
        &["<l>1 2\n9</l>", "<l/>", "<e>5</e>", "<e>true</e>", "<e>x</e>"],
        &[
            ("<l>1 0</l>", "minInclusive"),
            ("<l>10</l>", "maxInclusive"),
            ("<l>a</l>", "not of type"),
            ("<e>y</e>", "union"),
        ],
    );
}
