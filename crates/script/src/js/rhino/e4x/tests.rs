use crate::js::rhino::translate;

fn written(source: &str) -> String {
    translate(source, true).unwrap_or_else(|bad| panic!("{source}: {bad:?}"))
}

#[test]
fn attributes_descendants_and_namespaces_become_members_and_calls() {
    for (source, expected) in [
        ("x.a.@b", "x.a[\"@b\"]"),
        ("x.@*", "x[\"@*\"]"),
        ("x.*", "x[\"*\"]"),
        ("x..item", "x.descendants(\"item\")"),
        ("x..@id", "x.descendants(\"@id\")"),
        ("x.y::a.@z::b", "x[__xmlName(y, \"a\")][__xmlName(z, \"@b\")]"),
        ("x.*::a", "x[__xmlName(\"*\", \"a\")]"),
        ("x..u::a", "x.descendants(__xmlName(u, \"a\"))"),
        ("x.@[k]", "x[\"@\"+(k)]"),
        ("default xml namespace = 'u';", "globalThis.__xmlDefault = 'u';"),
        ("delete x.a.@b", "delete x.a[\"@b\"]"),
    ] {
        assert_eq!(written(source), expected, "{source}");
    }
}

#[test]
fn filters_become_functions_in_whose_scope_the_parts_are() {
    assert_eq!(
        written("x.item.(@id > 1 && name() != y).b"),
        "x.item.__where(function(__it){with(__it){return(__it[\"@id\"] > 1 && !__xmlSame(__it.name() , y))}}).b"
    );
    assert_eq!(
        written("x.(a.(b == 1).c == 2)"),
        "x.__where(function(__it){with(__it){return(__xmlSame(a.__where(function(__it){with(__it){return(__xmlSame(b , 1))}}).c , 2))}})"
    );
}

#[test]
fn comparisons_of_operands_that_may_be_xml_are_calls() {
    for (source, expected) in [
        ("if (x.@a == 'b') y()", "if (__xmlSame(x[\"@a\"] , 'b')) y()"),
        ("a = x.b != undefined", "a = !__xmlSame(x.b , undefined)"),
        ("f(x.a(1)[2] == new XML(y), z)", "f(__xmlSame(x.a(1)[2] , new XML(y)), z)"),
        ("(a) == b ? 1 : 2", "__xmlSame((a) , b) ? 1 : 2"),
        ("if (c) a == b", "if (c) __xmlSame(a , b)"),
        ("a && b == c || d", "a && __xmlSame(b , c) || d"),
    ] {
        assert_eq!(written(source), expected, "{source}");
    }
    for same in
        ["a === b", "a !== b", "a + b == c", "a == -b", "!a == b", "a <= b", "typeof a == b", "a == b + c"]
    {
        assert_eq!(written(same), same);
    }
}

#[test]
fn literals_become_calls_and_keep_their_lines() {
    for (source, expected) in [
        ("var x = <a b=\"1\">t</a>;", "var x = XML(\"<a b=\\\"1\\\">t</a>\");"),
        ("f(<a/>, 1)", "f(XML(\"<a/>\"), 1)"),
        ("x = <a>\n<b/></a>", "x = XML(\"<a>\\n<b/></a>\"\n)"),
        (
            "x = <a b={c.d}>{e['}']}</a>",
            "x = XML(\"<a b=\"+__xmlQuoted(c.d)+\">\"+__xmlText(e['}'])+\"</a>\")",
        ),
        ("x = <></>", "x = XMLList(\"\")"),
        ("x = <><a/>b</>", "x = XMLList(\"<a/>b\")"),
        ("x.list += <i>1</i>;", "x.list = __xmlAdd(x.list,  XML(\"<i>1</i>\"));"),
        ("x = <a><![CDATA[{<]]></a>", "x = XML(\"<a><![CDATA[{<]]></a>\")"),
    ] {
        assert_eq!(written(source), expected, "{source}");
    }
}

#[test]
fn what_is_not_written_anew_is_refused_with_line_and_name() {
    for (source, line, part) in [
        ("\nx = @a", 2, "attribute"),
        ("\n\na::b", 3, "namespace"),
        ("XML.prettyPrinting = false", 1, "settings"),
        ("x.inScopeNamespaces()", 1, "inScopeNamespaces"),
        ("isXMLName('a')", 1, "isXMLName"),
        ("if (typeof x == 'xml') y(<a/>)", 1, "typeof"),
        ("x = <{n}/>", 1, "computed name"),
        ("x = <a/> + <b/>", 1, "sum"),
        ("x = <a {b}='c'/>", 1, "computed name"),
    ] {
        let bad = translate(source, true).unwrap_err();
        assert_eq!(bad.line, line, "{source}");
        assert!(bad.message.contains("E4X") && bad.message.contains(part), "{source}: {}", bad.message);
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_rewriting_panic(
        source in "(for each|\\(|in|\\)|default xml namespace|==|\\.@|\\.\\.|::|<a>|</a>|<>|</>|[<>/@:.'\"`\\\\\\n\\[\\] a-z0-9é{}*=+!]){0,40}"
    ) {
        let _ = translate(&source, true);
    }
}
