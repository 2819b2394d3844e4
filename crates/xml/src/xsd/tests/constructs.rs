use super::*;

#[test]
fn sequences_choices_and_occurrences() {
    check(
        "<xs:element name='r'><xs:complexType><xs:sequence><xs:element name='a' type='xs:string'/>\
         <xs:choice minOccurs='0' maxOccurs='2'><xs:element name='b'/><xs:element name='c'/></xs:choice>\
         <xs:sequence minOccurs='0' maxOccurs='unbounded'><xs:element name='d'/><xs:element name='e' minOccurs='0'/></xs:sequence>\
         </xs:sequence></xs:complexType></xs:element>",
        &["<r><a/></r>", "<r><a/><b/><c/></r>", "<r><a/><d/><d/><e/><d/></r>", "<r> <a>x</a> <!--c--></r>"],
        &[
            ("<r/>", "element a is missing"),
            ("<r><b/></r>", "before b: element a is missing"),
            ("<r><a/><b/><b/><b/></r>", "b is not expected"),
            ("<r><a/><e/></r>", "e is not expected"),
            ("<r><a/>text</r>", "may not hold text"),
            ("<r><a/><x/></r>", "x is not expected in r"),
            ("<r>\n<a/>\n<x/></r>", "line 3"),
            ("<x/>", "x is not declared"),
        ],
    );
}

#[test]
fn all_comes_in_any_order() {
    check(
        "<xs:element name='r'><xs:complexType><xs:all><xs:element name='a'/><xs:element name='b' minOccurs='0'/></xs:all></xs:complexType></xs:element>",
        &["<r><a/></r>", "<r><b/><a/></r>", "<r><a/><b/></r>"],
        &[
            ("<r><b/></r>", "element a is missing"),
            ("<r><a/><a/></r>", "a is not expected"),
            ("<r/>", "missing"),
        ],
    );
}

#[test]
fn attributes_are_required_fixed_and_prohibited() {
    check(
        "<xs:attribute name='g' type='xs:int'/><xs:attributeGroup name='ag'><xs:attribute name='x' type='xs:int'/></xs:attributeGroup>\
         <xs:complexType name='base'><xs:attribute name='a' use='required'/><xs:attribute name='gone'/></xs:complexType>\
         <xs:element name='r'><xs:complexType><xs:complexContent><xs:restriction base='base'><xs:attribute name='gone' use='prohibited'/>\
         <xs:attribute name='f' type='xs:int' fixed='1'/><xs:attribute ref='g'/><xs:attributeGroup ref='ag'/>\
         </xs:restriction></xs:complexContent></xs:complexType></xs:element>",
        &["<r a=''/>", "<r a='' f='01' x='2'/>", "<r a='' p:g='1' xmlns:p='u'/>"],
        &[
            ("<r/>", "lacks the attribute a"),
            ("<r a='' f='2'/>", "fixed value"),
            ("<r a='' gone=''/>", "no attribute gone"),
            ("<r a='' x='y'/>", "attribute x of r"),
            ("<r a='' g='1'/>", "no attribute g"),
            ("<r a='' p:g='y' xmlns:p='u'/>", "attribute g of r"),
        ],
    );
}

#[test]
fn types_are_extended_and_restricted_and_stand_in_for_each_other() {
    check(
        "<xs:complexType name='base'><xs:sequence><xs:element name='a'/></xs:sequence></xs:complexType>\
         <xs:complexType name='more'><xs:complexContent><xs:extension base='base'><xs:sequence><xs:element name='b'/></xs:sequence><xs:attribute name='k'/></xs:extension></xs:complexContent></xs:complexType>\
         <xs:complexType name='other'/><xs:complexType name='abs' abstract='true'/>\
         <xs:element name='r' type='base'/><xs:element name='m' type='more'/><xs:element name='n' type='base' block='extension'/><xs:element name='x' type='abs'/>",
        &["<r><a/></r>", "<m k=''><a/><b/></m>", "<r xsi:type='more' k=''><a/><b/></r>"],
        &[
            ("<r><a/><b/></r>", "b is not expected"),
            ("<m><a/></m>", "element b is missing"),
            ("<r xsi:type='other'/>", "not derived"),
            ("<r xsi:type='nope'/>", "names no type"),
            ("<n xsi:type='more'><a/><b/></n>", "not derived"),
            ("<x/>", "abstract"),
        ],
    );
}

#[test]
fn simple_content_has_a_value_and_attributes() {
    check(
        "<xs:complexType name='price'><xs:simpleContent><xs:extension base='xs:decimal'><xs:attribute name='currency' use='required'/></xs:extension></xs:simpleContent></xs:complexType>\
         <xs:element name='p' type='price'/><xs:element name='q'><xs:complexType><xs:simpleContent><xs:restriction base='price'><xs:maxInclusive value='10'/></xs:restriction></xs:simpleContent></xs:complexType></xs:element>",
        &["<p currency='EUR'>1.5</p>", "<q currency='EUR'>10</q>"],
        &[
            ("<p currency=''>x</p>", "value of p"),
            ("<p>1</p>", "lacks"),
            ("<q currency=''>11</q>", "maxInclusive"),
            ("<p currency=''><a/></p>", "may not hold elements"),
        ],
    );
}

#[test]
fn groups_mixed_content_and_wildcards() {
    check(
        "<xs:group name='g'><xs:choice><xs:element name='a'/><xs:element name='b'/></xs:choice></xs:group>\
         <xs:element name='known' type='xs:int'/>\
         <xs:element name='r'><xs:complexType mixed='true'><xs:group ref='g' maxOccurs='2'/></xs:complexType></xs:element>\
         <xs:element name='lax'><xs:complexType><xs:sequence><xs:any processContents='lax' maxOccurs='unbounded'/></xs:sequence><xs:anyAttribute processContents='lax'/></xs:complexType></xs:element>\
         <xs:element name='other'><xs:complexType><xs:sequence><xs:any namespace='##other' processContents='skip'/></xs:sequence></xs:complexType></xs:element>\
         <xs:element name='strict'><xs:complexType><xs:sequence><xs:any namespace='##targetNamespace v'/></xs:sequence></xs:complexType></xs:element>",
        &[
            "<r>x<a/>y<b/>z</r>",
            "<lax any='1'><what><ever k='1'>x</ever></what><known>1</known></lax>",
            "<other><x xmlns='v'><y/></x></other>",
            "<strict><known>1</known></strict>",
        ],
        &[
            ("<r>x</r>", "missing"),
            ("<r><a/><a/><a/></r>", "not expected"),
            ("<lax><known>x</known></lax>", "value of known"),
            ("<other><x/></other>", "missing"),
            ("<strict><x xmlns='v'/></strict>", "not declared"),
            ("<strict><x xmlns='w'/></strict>", "missing"),
        ],
    );
}

#[test]
fn elements_stand_for_the_head_of_their_group() {
    check(
        "<xs:element name='head' type='xs:string' abstract='true'/><xs:element name='a' substitutionGroup='head'/>\
         <xs:element name='b' substitutionGroup='a' type='xs:token'/>\
         <xs:element name='r'><xs:complexType><xs:sequence><xs:element ref='head' maxOccurs='3'/></xs:sequence></xs:complexType></xs:element>",
        &["<r><a>x</a><b>y</b></r>"],
        &[
            ("<r><head>x</head></r>", "abstract"),
            ("<r><c/></r>", "missing"),
            ("<r><a><x/></a></r>", "may not hold elements"),
        ],
    );
}

#[test]
fn nil_default_and_fixed() {
    check(
        "<xs:element name='n' type='xs:int' nillable='true'/><xs:element name='m' type='xs:int'/>\
         <xs:element name='d' type='xs:int' default='7'/><xs:element name='f' type='xs:int' fixed='7'/>",
        &["<n xsi:nil='true'/>", "<n>1</n>", "<d/>", "<f/>", "<f>07</f>"],
        &[
            ("<n xsi:nil='true'>1</n>", "not empty"),
            ("<n/>", "value of n"),
            ("<m xsi:nil='true'/>", "may not be nil"),
            ("<f>8</f>", "fixed value"),
        ],
    );
}

#[test]
fn keys_are_unique_and_references_lead_to_them() {
    check(
        "<xs:element name='r'><xs:complexType><xs:sequence><xs:element name='k' maxOccurs='unbounded'><xs:complexType><xs:attribute name='id' type='xs:int'/></xs:complexType></xs:element>\
         <xs:element name='ref' type='xs:int' minOccurs='0' maxOccurs='unbounded'/></xs:sequence></xs:complexType>\
         <xs:key name='key' xmlns:p='u'><xs:selector xpath='p:k'/><xs:field xpath='@id'/></xs:key>\
         <xs:keyref name='to' refer='key' xmlns:p='u'><xs:selector xpath='.//p:ref'/><xs:field xpath='.'/></xs:keyref></xs:element>\
         <xs:element name='s'><xs:complexType><xs:sequence><xs:any maxOccurs='unbounded' processContents='lax'/></xs:sequence></xs:complexType>\
         <xs:unique name='u'><xs:selector xpath='*'/><xs:field xpath='@id'/></xs:unique></xs:element>",
        &["<r><k id='1'/><k id='2'/><ref>02</ref></r>", "<s><a id='1'/><a/><a/></s>"],
        &[
            ("<r><k id='1'/><k id='01'/></r>", "twice"),
            ("<r><k/></r>", "no value"),
            ("<r><k id='1'/><ref>2</ref></r>", "no such key"),
            ("<s><a id='1'/><a id='1'/></s>", "twice"),
        ],
    );
}

#[test]
fn ids_are_unique_and_references_to_them_exist() {
    check(
        "<xs:element name='r'><xs:complexType><xs:sequence><xs:element name='i' maxOccurs='9'><xs:complexType><xs:attribute name='id' type='xs:ID'/><xs:attribute name='to' type='xs:IDREFS'/></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>",
        &["<r><i id='a' to='b a'/><i id='b'/></r>"],
        &[("<r><i id='a'/><i id='a'/></r>", "ID is there twice"), ("<r><i to='a'/></r>", "not there")],
    );
}

#[test]
fn recursive_types_end_with_the_document() {
    check(
        "<xs:complexType name='t'><xs:sequence><xs:element name='t' type='t' minOccurs='0' maxOccurs='2'/></xs:sequence></xs:complexType><xs:element name='t' type='t'/>",
        &["<t><t><t/><t/></t></t>"],
        &[("<t><t/><t/><t/></t>", "not expected")],
    );
}

#[test]
fn documents_include_and_import_each_other_by_name() {
    let main = format!(
        "<xs:schema {HEAD} xmlns:v='v'><xs:include schemaLocation='dir/same.xsd'/><xs:include schemaLocation='./none.xsd'/><xs:import namespace='v' schemaLocation='http://host/v.xsd'/>\
         <xs:import namespace='http://www.w3.org/XML/1998/namespace' schemaLocation='http://www.w3.org/2001/xml.xsd'/>\
         <xs:element name='r'><xs:complexType><xs:sequence><xs:element name='a' type='same'/><xs:element ref='v:b'/><xs:element name='c' type='none'/></xs:sequence><xs:attribute ref='xml:lang'/></xs:complexType></xs:element></xs:schema>"
    );
    let same = format!(
        "<xs:schema {HEAD}><xs:include schemaLocation='main.xsd'/><xs:simpleType name='same'><xs:restriction base='xs:int'/></xs:simpleType></xs:schema>"
    );
    let none = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:simpleType name='none'><xs:restriction base='inner'/></xs:simpleType><xs:simpleType name='inner'><xs:restriction base='xs:int'/></xs:simpleType></xs:schema>";
    let other = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' targetNamespace='v'><xs:element name='b' type='xs:int'/></xs:schema>";
    let documents = [("main.xsd", main.as_str()), ("same.xsd", &same), ("none.xsd", none), ("v.xsd", other)];
    let compile = |documents: &[(&str, &str)]| Schema::compile("main.xsd", documents, &Limits::default());
    let schema = compile(&documents).unwrap_or_else(|bad| panic!("{bad}"));

    assert_eq!(wrong(&schema, "<r xml:lang='en'><a>1</a><b xmlns='v'>2</b><c>3</c></r>"), "");
    assert!(wrong(&schema, "<r><a>1</a><b xmlns='v'>x</b><c>3</c></r>").contains("value of b"));
    assert!(wrong(&schema, "<r><a>1</a><b xmlns='v'>2</b><c>x</c></r>").contains("value of c"));
    assert!(schema.declares("v", "b") && !schema.declares("u", "b"));
    let missing = compile(&documents[..3]).unwrap_err().to_string();
    assert!(missing.contains("main.xsd, line 1: there is no document v.xsd"), "{missing}");
}
