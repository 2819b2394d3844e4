use super::*;

#[test]
fn what_is_wrong_or_not_supported_is_refused_with_its_line() {
    for (inside, part) in [
        ("\n<xs:element/>", "main.xsd, line 2: element has no name"),
        ("<xs:redefine schemaLocation='x'/>", "not supported"),
        ("<xs:notation name='n' public='p'/>", "notation is not supported"),
        ("<xs:include schemaLocation='none.xsd'/>", "no document none.xsd"),
        ("<xs:element name='a' type='none'/>", "no type none"),
        ("<xs:element name='a' type='xs:none'/>", "no built-in simple type none"),
        ("<xs:element name='a' type='p:none'/>", "prefix p"),
        ("<xs:element name='a'/><xs:element name='a'/>", "declared twice"),
        (
            "<xs:complexType name='a'/><xs:simpleType name='a'><xs:restriction base='xs:int'/></xs:simpleType>",
            "declared twice",
        ),
        ("<xs:element name='a' nope='1'/>", "no attribute nope"),
        ("<xs:complexType name='a'><xs:assert test='1'/></xs:complexType>", "assert is not supported"),
        ("<xs:complexType name='a'><xs:sequence minOccurs='2'/></xs:complexType>", "maxOccurs is less"),
        (
            "<xs:complexType name='a'><xs:all><xs:element name='b' maxOccurs='2'/></xs:all></xs:complexType>",
            "at most once",
        ),
        (
            "<xs:complexType name='a'><xs:sequence><xs:element ref='b'/></xs:sequence></xs:complexType>",
            "no element b",
        ),
        ("<xs:complexType name='a'><xs:group ref='b'/></xs:complexType>", "no group b"),
        ("<xs:complexType name='a'><xs:attributeGroup ref='b'/></xs:complexType>", "no attributeGroup b"),
        (
            "<xs:complexType name='a'><xs:complexContent><xs:extension base='a'/></xs:complexContent></xs:complexType>",
            "derived from itself",
        ),
        ("<xs:simpleType name='a'><xs:restriction base='a'/></xs:simpleType>", "made from itself"),
        ("<xs:group name='a'><xs:sequence><xs:group ref='a'/></xs:sequence></xs:group>", "holds itself"),
        ("<xs:attributeGroup name='a'><xs:attributeGroup ref='a'/></xs:attributeGroup>", "holds itself"),
        ("<xs:element name='a' substitutionGroup='b'/><xs:element name='b' substitutionGroup='a'/>", ""),
        (
            "<xs:simpleType name='a'><xs:restriction base='xs:string'><xs:pattern value='['/></xs:restriction></xs:simpleType>",
            "bracket",
        ),
        (
            "<xs:simpleType name='a'><xs:restriction base='xs:int'><xs:enumeration value='x'/></xs:restriction></xs:simpleType>",
            "enumeration",
        ),
        (
            "<xs:simpleType name='a'><xs:restriction base='xs:int'><xs:maxInclusive value='x'/></xs:restriction></xs:simpleType>",
            "maxInclusive",
        ),
        (
            "<xs:simpleType name='a'><xs:restriction base='xs:string'><xs:maxInclusive value='x'/></xs:restriction></xs:simpleType>",
            "no order",
        ),
        (
            "<xs:element name='a'><xs:key name='k'><xs:selector xpath='a['/><xs:field xpath='b'/></xs:key></xs:element>",
            "XPath",
        ),
        (
            "<xs:element name='a'><xs:key name='k'><xs:selector xpath='a'/></xs:key></xs:element>",
            "a field are needed",
        ),
        ("<xs:element name='a' fixed='1' default='2'/>", "either fixed or default"),
        ("text", "text in a schema"),
    ] {
        if inside.contains("substitutionGroup='a'") {
            // Two that stand for each other stand for nothing else; what matters is that it ends.
            let _ = Schema::compile(
                "m",
                &[("m", &format!("<xs:schema {HEAD}>{inside}</xs:schema>"))],
                &Limits::default(),
            );
            continue;
        }
        let why = refused(inside);
        assert!(why.contains(part), "{inside}: {why}");
    }
    let not = |text: &str| Schema::compile("m", &[("m", text)], &Limits::default()).unwrap_err().to_string();
    assert!(not("<a/>").contains("not a schema"));
    assert!(not("<a").contains("m, line 1"));
}

#[test]
fn groups_in_groups_do_not_multiply_without_end() {
    let mut groups =
        "<xs:group name='g0'><xs:sequence><xs:element name='a'/></xs:sequence></xs:group>".to_owned();
    for level in 1..40 {
        let before = level - 1;
        groups += &format!(
            "<xs:group name='g{level}'><xs:sequence><xs:group ref='g{before}'/><xs:group ref='g{before}'/></xs:sequence></xs:group>"
        );
    }
    assert!(refused(&groups).contains("100000 parts"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(128))]

    #[test]
    fn no_schema_makes_the_compiler_or_the_check_panic(
        parts in proptest::collection::vec(proptest::sample::select(vec![
            "<xs:element name='r'>", "<xs:element name='r' type='t'/>", "</xs:element>", "<xs:complexType name='t'>", "<xs:complexType>",
            "</xs:complexType>", "<xs:sequence>", "</xs:sequence>", "<xs:choice maxOccurs='unbounded'>", "</xs:choice>", "<xs:any/>",
            "<xs:element name='a' minOccurs='0'/>", "<xs:element ref='r'/>", "<xs:attribute name='k' type='xs:int'/>",
            "<xs:simpleType name='s'>", "</xs:simpleType>", "<xs:restriction base='xs:string'>", "</xs:restriction>", "<xs:maxLength value='3'/>",
            "<xs:complexContent>", "</xs:complexContent>", "<xs:extension base='t'>", "</xs:extension>", "<xs:all>", "</xs:all>",
        ]), 0..12),
    ) {
        let text = format!("<xs:schema {HEAD}>{}</xs:schema>", parts.concat());
        if let Ok(schema) = Schema::compile("m", &[("m", &text)], &Limits::default()) {
            wrong(&schema, "<r k='1'><a/><a>x</a><r/></r>");
        }
    }
}
