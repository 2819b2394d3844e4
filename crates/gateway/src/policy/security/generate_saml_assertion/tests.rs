use http::Method;

use super::*;
use crate::dialect::Dialect;
use crate::policy::security::saml::testing::*;
use crate::policy::security::saml::verify::verify;
use crate::testing::*;

const KEYS: &str = "<KeyStore><Name>keys</Name><Alias>rsa</Alias></KeyStore>";
const ISSUER: &str =
    "<Issuer>https://us.example</Issuer><Subject ref='request.queryparam.user'>nobody</Subject>";
const OUT: &str = "<OutputVariable><FlowVariable name='made'/></OutputVariable>";

fn policy(inside: &str) -> String {
    format!("<GenerateSAMLAssertion>{inside}</GenerateSAMLAssertion>")
}

fn usual(more: &str) -> String {
    policy(&format!("{ISSUER}{KEYS}{OUT}{more}"))
}

fn sent(policy: &str, path: &str) -> Sent {
    bench(&design().step(policy), Dialect::Apigee).get(path)
}

fn parse(xml: &str) -> Document {
    Document::parse(xml, &Limits::default()).unwrap()
}

/// Whether the assertions in a text, all of them, are signed by keys of the authority.
fn is_signed(xml: &str) -> bool {
    let document = parse(xml);
    let mut all = document.root().descendants().filter(|node| node.is_named(SAML, "Assertion")).peekable();
    let trust = stores();
    all.peek().is_some() && all.all(|one| verify(one, trust.get("trust").unwrap(), NOW).is_ok())
}

#[test]
fn without_a_template_issuer_and_subject_are_signed() {
    let sent = sent(&usual(""), "/p?user=ann");
    let made = sent.var("made");
    assert!(is_signed(&made), "{made}");
    let expected = format!(
        "<saml:Assertion xmlns:saml=\"{SAML}\" ID=\"{}\" IssueInstant=\"2017-06-06T18:54:51.007Z\" Version=\"2.0\">\
         <saml:Issuer>https://us.example</saml:Issuer><ds:Signature",
        sent.var("saml.id")
    );
    assert!(made.starts_with(&expected), "{made}");
    assert!(made.ends_with("<saml:Subject><saml:NameID>ann</saml:NameID></saml:Subject></saml:Assertion>"));
    assert!(sent.var("saml.id").starts_with('_') && sent.var("saml.id").len() == 33);
    assert!(made.contains("#rsa-sha1\"") && made.contains("<ds:X509Certificate>"));
    assert_eq!(sent.var("saml.issueInstant"), "2017-06-06T18:54:51.007Z");
    assert!(self::sent(&usual(""), "/p").var("made").contains("<saml:NameID>nobody<"));
}

#[test]
fn every_algorithm_signs_what_is_verified() {
    for (name, alias) in [
        ("", "rsa"),
        ("rsa-sha1", "rsa"),
        ("rsa-sha256", "rsa"),
        ("rsa-sha384", "rsa"),
        ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", "rsa"),
        ("ecdsa-sha256", "ec"),
    ] {
        for canonical in
            ["", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "http://www.w3.org/2001/10/xml-exc-c14n#"]
        {
            let more = format!(
                "<SignatureAlgorithm>{name}</SignatureAlgorithm>\
                 <CanonicalizationAlgorithm>{canonical}</CanonicalizationAlgorithm>"
            );
            let made = sent(&usual(&more).replace(">rsa<", &format!(">{alias}<")), "/p").var("made");
            assert!(is_signed(&made), "{name} {canonical} {made}");
            assert!(made.contains(name) && made.contains(canonical));
            assert!(!is_signed(&made.replace(">nobody<", ">somebody<")));
        }
    }
}

const TEMPLATE: &str = "<![CDATA[\n<s:Assertion xmlns:s='urn:oasis:names:tc:SAML:2.0:assertion' ID='{saml.id}' \
    IssueInstant='{saml.issueInstant}' Version='2.0'>\n <s:Issuer>{saml.issuer}</s:Issuer>\n <s:Subject><s:NameID>{saml.subject}</s:NameID></s:Subject>\n\
    {groups}<plain/></s:Assertion>]]>";

fn templated(lenient: bool) -> String {
    usual(&format!("<Template ignoreUnresolvedVariables='{lenient}'>{TEMPLATE}</Template>"))
}

#[test]
fn a_template_is_filled_and_signed_behind_the_issuer() {
    let set = crate::policy::security::jose::testing::set(&[("groups", "<s:AttributeStatement/>")]);
    let sent = bench(&design().step(&set).step(&templated(false)), Dialect::Sap).get("/p?user=ann");
    let made = sent.var("made");
    assert!(is_signed(&made), "{} {made}", sent.body());
    assert!(made.contains("</s:Issuer><ds:Signature") && made.contains("<s:AttributeStatement/>"));
}

#[test]
fn a_subject_cannot_write_markup_into_a_template() {
    let sent = sent(&templated(true), "/p?user=a%3C%2Fs%3ANameID%3E%22%26");
    let made = sent.var("made");
    assert!(is_signed(&made), "{} {made}", sent.body());
    let document = parse(&made);
    let name = document.root().descendants().find(|node| node.is_named(SAML, "NameID")).unwrap();
    assert_eq!(name.text(), "a</s:NameID>\"&");
    assert_eq!(sent.var("saml.subject"), "a</s:NameID>\"&");
}

#[test]
fn fault_unresolved_variable_unless_ignored() {
    let sent = sent(&templated(false), "/p");
    assert_eq!((sent.status(), sent.code()), (500, "steps.saml.UnresolvedVariable".into()));
    assert_eq!(sent.var("GenerateSAMLAssertion.s0.failed"), "true");
    for part in ["<Issuer ref='no.such'/>", "<Subject ref='no.such'/>"] {
        let issuer =
            if part.starts_with("<Issuer") { part.to_owned() } else { format!("<Issuer>i</Issuer>{part}") };
        let sent = self::sent(&policy(&format!("{issuer}{KEYS}{OUT}")), "/p");
        assert_eq!(sent.code(), "steps.saml.UnresolvedVariable");
    }
}

const SOAP: &str = "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/' xmlns='urn:d'><e:Header><w:Security xmlns:w='urn:w'><first/></w:Security></e:Header><e:Body/></e:Envelope>";

fn into_message(canonical: &str, template: &str) -> String {
    let out = "<OutputVariable><FlowVariable name='made'/><Message name='request'><Namespaces>\
        <Namespace prefix='e'>http://schemas.xmlsoap.org/soap/envelope/</Namespace><Namespace prefix='w'>urn:w</Namespace></Namespaces>\
        <XPath>/e:Envelope/e:Header/w:Security</XPath></Message></OutputVariable>";
    policy(&format!(
        "{ISSUER}{KEYS}{out}<CanonicalizationAlgorithm>{canonical}</CanonicalizationAlgorithm>\
         <SignatureAlgorithm>rsa-sha256</SignatureAlgorithm>{template}"
    ))
}

fn soap(policy: &str, body: &str, kind: &str) -> Sent {
    bench(&design().step(policy), Dialect::Apigee).send(request(
        Method::POST,
        "/p",
        &[("content-type", kind)],
        body,
    ))
}

#[test]
fn an_assertion_is_put_into_a_message_and_is_signed_there() {
    let template = format!("<Template ignoreUnresolvedVariables='true'>{TEMPLATE}</Template>");
    for canonical in ["", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"] {
        for template in ["", &template] {
            let sent = soap(&into_message(canonical, template), SOAP, "application/soap+xml");
            let body = sent.cx.request.content().into_owned();
            assert!(is_signed(&body), "{} {body}", sent.body());
            assert!(is_signed(&sent.var("made")), "a variable may have it too");
            let document = parse(&body);
            let assertion =
                document.root().descendants().find(|node| node.is_named(SAML, "Assertion")).unwrap();
            assert!(assertion.parent().unwrap().is_named("urn:w", "Security"));
            if !template.is_empty() {
                let plain = assertion.child_elements().last().unwrap();
                assert_eq!(
                    (plain.local_name(), plain.namespace()),
                    ("plain", ""),
                    "not in the message's namespace"
                );
            }
        }
    }
}

#[test]
fn fault_invalid_media_tpe_unless_ignored() {
    let strict = into_message("", "");
    let any = strict.replacen("<GenerateSAMLAssertion", "<GenerateSAMLAssertion ignoreContentType='true'", 1);
    assert!(is_signed(&soap(&any, SOAP, "text/plain").cx.request.content()));
    let sent = soap(&strict, SOAP, "text/plain");
    assert_eq!((sent.status(), sent.code()), (500, "steps.saml.InvalidMediaTpe".into()));
    assert_eq!(soap(&strict, "<a", "text/xml").code(), "steps.saml.SourceNotAvailable");
}

#[test]
fn fault_key_not_available() {
    let by_variable = KEYS
        .replace("<Name>keys", "<Name ref='request.queryparam.s'>keys")
        .replace("<Alias>rsa", "<Alias ref='request.queryparam.a'>rsa");
    let policy = usual("").replace(KEYS, &by_variable);
    assert!(is_signed(&sent(&policy, "/p").var("made")));
    for path in ["/p?s=none", "/p?a=none", "/p?s=trust&a=ca"] {
        let sent = sent(&policy, path);
        assert_eq!((sent.status(), sent.code()), (500, "steps.saml.KeyNotAvailable".into()), "{path}");
    }
    let missing = usual("").replace(KEYS, "<KeyStore><Name ref='no.such'/><Alias>rsa</Alias></KeyStore>");
    assert_eq!(sent(&missing, "/p").code(), "steps.saml.UnresolvedVariable");
}

#[test]
fn fault_generation_failed() {
    for template in [
        "no xml",
        "<![CDATA[<a/>]]>",
        "<![CDATA[<s:Assertion xmlns:s='urn:oasis:names:tc:SAML:2.0:assertion' ID='i'/>]]>",
        "<![CDATA[<s:Assertion xmlns:s='urn:oasis:names:tc:SAML:2.0:assertion'><s:Issuer/></s:Assertion>]]>",
        "<![CDATA[<!DOCTYPE a []><a/>]]>",
    ] {
        let sent = sent(&usual(&format!("<Template>{template}</Template>")), "/p");
        assert_eq!((sent.status(), sent.code()), (500, "steps.saml.GenerationFailed".into()), "{template}");
    }
    let wrong_key = usual("<SignatureAlgorithm>ecdsa-sha256</SignatureAlgorithm>");
    assert_eq!(sent(&wrong_key, "/p").code(), "steps.saml.GenerationFailed");
    let nowhere = into_message("", "").replace("/e:Envelope/e:Header/w:Security", "/e:Envelope/e:Nowhere");
    assert_eq!(soap(&nowhere, SOAP, "text/xml").code(), "steps.saml.GenerationFailed");
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (xml, rule) in [
        (policy(&format!("{KEYS}{OUT}")), "NullIssuer"),
        (policy(&format!("<Issuer/>{KEYS}{OUT}")), "NullIssuer"),
        (policy(&format!("<Issuer>i</Issuer><KeyStore><Alias>a</Alias></KeyStore>{OUT}")), "NullKeyStore"),
        (
            policy(&format!("<Issuer>i</Issuer><KeyStore><Name>a</Name><Alias/></KeyStore>{OUT}")),
            "NullKeyStoreAlias",
        ),
        (policy(&format!("<Issuer>i</Issuer>{KEYS}")), "InvalidOutputVariable"),
        (policy(&format!("<Issuer>i</Issuer>{KEYS}<OutputVariable/>")), "InvalidOutputVariable"),
        (
            policy(&format!(
                "<Issuer>i</Issuer>{KEYS}<OutputVariable><Message name='request'/></OutputVariable>"
            )),
            "InvalidOutputVariable",
        ),
        (usual("<SignatureAlgorithm>rsa-md5</SignatureAlgorithm>"), "InvalidSignatureAlgorithm"),
        (
            usual("<CanonicalizationAlgorithm>x</CanonicalizationAlgorithm>"),
            "InvalidCanonicalizationAlgorithm",
        ),
        (usual("<Template ignoreUnresolvedVariables='x'>a</Template>"), "NotABoolean"),
        (usual("<Other/>"), "UnknownElement"),
    ] {
        assert_eq!(problem_of(&xml), rule, "{xml}");
    }
    let weak = compiled(&design().step(&usual(""))).warnings;
    assert_eq!(weak.iter().map(|one| one.rule).collect::<Vec<_>>(), ["WeakSignature"]);
    assert!(
        compiled(&design().step(&usual("<SignatureAlgorithm>rsa-sha256</SignatureAlgorithm>")))
            .warnings
            .is_empty()
    );
}

/// `xmlsec1` says whether what is made here verifies there; `cargo xtask test` brings it.
#[test]
fn another_program_verifies_what_is_signed() {
    let Ok(program) = std::env::var("PIERHEAD_TEST_XMLSEC") else { return };
    let folder = std::env::temp_dir().join(format!("pierhead-saml-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (authority, file) = (folder.join("ca.pem"), folder.join("signed.xml"));
    std::fs::write(&authority, AUTHORITY).unwrap();
    let verifies = |xml: &str| {
        std::fs::write(&file, xml).unwrap();
        std::process::Command::new(&program)
            .args(["--verify", "--id-attr:ID", &format!("{SAML}:Assertion"), "--trusted-pem"])
            .args([&authority, &file])
            .output()
            .unwrap()
            .status
            .success()
    };
    for (name, alias) in
        [("rsa-sha1", "rsa"), ("rsa-sha256", "rsa"), ("rsa-sha512", "rsa"), ("ecdsa-sha256", "ec")]
    {
        let more = format!("<SignatureAlgorithm>{name}</SignatureAlgorithm>");
        let made = sent(&usual(&more).replace(">rsa<", &format!(">{alias}<")), "/p").var("made");
        assert!(verifies(&made), "{name} {made}");
        assert!(!verifies(&made.replace(">nobody<", ">somebody<")), "{name}");
    }
    for canonical in ["", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"] {
        let template = format!("<Template ignoreUnresolvedVariables='true'>{TEMPLATE}</Template>");
        let sent = soap(&into_message(canonical, &template), SOAP, "application/soap+xml");
        assert!(verifies(&sent.cx.request.content()), "{canonical}");
    }
    let _ = std::fs::remove_dir_all(folder);
}
