use super::*;
use crate::soap::SoapVersion;

const HEAD: &str = "xmlns='http://schemas.xmlsoap.org/wsdl/' xmlns:s='http://schemas.xmlsoap.org/wsdl/soap/' xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:t='u' targetNamespace='u'";

const TYPES: &str = "<types><xs:schema targetNamespace='u' elementFormDefault='qualified'><xs:element name='ask' type='xs:int'/><xs:element name='told' type='xs:string'/><xs:element name='other'/><xs:complexType name='pair'><xs:sequence><xs:element name='a' type='xs:int'/></xs:sequence></xs:complexType></xs:schema></types>";

fn document_style() -> String {
    format!(
        "<definitions {HEAD}>{TYPES}<message name='in'><part name='p' element='t:ask'/></message><message name='out'><part name='p' element='t:told'/></message>\
         <portType name='P'><operation name='op'><input message='t:in'/><output message='t:out'/></operation></portType>\
         <binding name='B' type='t:P'><s:binding style='document' transport='x'/><operation name='op'><input><s:body use='literal'/></input></operation></binding></definitions>"
    )
}

fn compile(documents: &[(&str, &str)]) -> Result<Wsdl, String> {
    Wsdl::compile(documents[0].0, documents, &Limits::default()).map_err(|bad| bad.to_string())
}

fn check(wsdl: &Wsdl, body: &str) -> Result<(), String> {
    let xml = format!(
        "<s:Envelope xmlns:s='{}' xmlns:u='u'><s:Body>{body}</s:Body></s:Envelope>",
        SoapVersion::V11.namespace()
    );
    let document = Document::parse(&xml, &Limits::default()).unwrap();
    let envelope = Envelope::read(&document, &[SoapVersion::V11]).unwrap();
    wsdl.validate(&envelope).map_err(|invalid| invalid.why)
}

#[test]
fn messages_of_document_style_are_elements_of_the_types() {
    let wsdl = compile(&[("s.wsdl", &document_style())]).unwrap();
    assert_eq!(check(&wsdl, "<u:ask>1</u:ask>"), Ok(()));
    assert_eq!(check(&wsdl, "<u:told>x</u:told>"), Ok(()));
    assert_eq!(check(&wsdl, "<s:Fault/>"), Ok(()));
    assert!(check(&wsdl, "<u:ask>x</u:ask>").unwrap_err().contains("value of ask"));
    assert!(check(&wsdl, "<u:other/>").unwrap_err().contains("no message of the service"));
    assert!(wsdl.knows("u", "ask") && !wsdl.knows("u", "nope"));
}

#[test]
fn messages_of_rpc_style_are_calls_with_parts() {
    let text = format!(
        "<definitions {HEAD}>{TYPES}<message name='in'><part name='n' type='xs:int'/><part name='p' type='t:pair'/></message><message name='out'><part name='r' type='xs:string'/></message>\
         <portType name='P'><operation name='op'><input message='t:in'/><output message='t:out'/></operation></portType>\
         <binding name='B' type='t:P'><s:binding style='rpc' transport='x'/><operation name='op'><input><s:body use='literal' namespace='u'/></input></operation></binding></definitions>"
    );
    let wsdl = compile(&[("s.wsdl", &text)]).unwrap();
    assert_eq!(check(&wsdl, "<u:op><n>1</n><p><u:a>2</u:a></p></u:op>"), Ok(()));
    assert_eq!(check(&wsdl, "<u:opResponse><r>x</r></u:opResponse>"), Ok(()));
    for (body, part) in [
        ("<u:op><n>1</n></u:op>", "lacks the part p"),
        ("<u:op><n>x</n><p><u:a>2</u:a></p></u:op>", "value of n"),
        ("<u:op><n>1</n><p><u:b/></p></u:op>", "missing"),
        ("<u:op><n>1</n><p><u:a>2</u:a></p><x/></u:op>", "x is no part"),
    ] {
        let why = check(&wsdl, body).unwrap_err();
        assert!(why.contains(part), "{body}: {why}");
    }
}

#[test]
fn types_and_descriptions_are_imported_by_name() {
    let main = format!(
        "<definitions {HEAD}><import namespace='u' location='http://host/parts.wsdl'/><portType name='P'><operation name='op'><input message='t:in'/></operation></portType></definitions>"
    );
    let parts = format!(
        "<definitions {HEAD}><types><xs:schema><xs:import namespace='u' schemaLocation='types.xsd'/></xs:schema></types><message name='in'><part name='p' element='t:ask'/></message></definitions>"
    );
    let types = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' targetNamespace='u'><xs:element name='ask' type='xs:int'/></xs:schema>";
    let wsdl = compile(&[("main.wsdl", &main), ("parts.wsdl", &parts), ("types.xsd", types)]).unwrap();
    assert_eq!(check(&wsdl, "<u:ask>1</u:ask>"), Ok(()));
    assert!(
        compile(&[("main.wsdl", &main), ("parts.wsdl", &parts)])
            .unwrap_err()
            .contains("no document types.xsd")
    );
    assert!(
        compile(&[("main.wsdl", &main)])
            .unwrap_err()
            .contains("main.wsdl, line 1: there is no document parts.wsdl")
    );
}

#[test]
fn imports_nest_ten_deep_and_no_deeper() {
    let chain = |length: usize| -> Vec<(String, String)> {
        (0..=length)
            .map(|i| {
                let import =
                    if i < length { format!("<import location='{}.wsdl'/>", i + 1) } else { String::new() };
                (format!("{i}.wsdl"), format!("<definitions {HEAD}>{import}</definitions>"))
            })
            .collect()
    };
    let compile_chain = |length: usize| {
        let chain = chain(length);
        let documents: Vec<(&str, &str)> =
            chain.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        compile(&documents).map(drop)
    };
    assert_eq!(compile_chain(10), Ok(()));
    assert!(compile_chain(11).unwrap_err().contains("deeper than 10"));
}

#[test]
fn what_is_no_description_is_refused() {
    for (text, part) in [
        ("<a/>".to_owned(), "not a description"),
        ("<a".to_owned(), "line 1"),
        (document_style().replace("t:ask", "t:none"), "no element none"),
        (document_style().replace("message='t:in'", "message='t:none'"), "names no message"),
        (document_style().replace("type='xs:int'", "type='xs:none'"), "no built-in simple type"),
    ] {
        let why = compile(&[("s.wsdl", &text)]).map(drop).unwrap_err();
        assert!(why.contains(part), "{why}");
    }
}
