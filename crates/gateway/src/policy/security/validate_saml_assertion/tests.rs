use http::Method;

use super::*;
use crate::dialect::Dialect;
use crate::policy::security::saml::testing::*;
use crate::testing::*;

const NAMESPACES: &str = "<Namespaces><Namespace prefix='p'>urn:oasis:names:tc:SAML:2.0:protocol</Namespace>\
     <Namespace prefix='a'>urn:oasis:names:tc:SAML:2.0:assertion</Namespace></Namespaces>";

fn policy(attributes: &str, paths: &str, rest: &str) -> String {
    format!(
        "<ValidateSAMLAssertion {attributes}><Source name='request'>{NAMESPACES}{paths}</Source>{rest}</ValidateSAMLAssertion>"
    )
}

fn usual(rest: &str) -> String {
    policy("", "<XPath>/p:Response/a:Assertion</XPath>", rest)
}

fn trusting(store: &str) -> String {
    usual(&format!("<TrustStore>{store}</TrustStore>"))
}

fn send_in(policy: &str, xml: &str, dialect: Dialect) -> Sent {
    let bench = bench(&design().step(policy), dialect);
    bench.send(request(Method::POST, "/p", &[("host", "h"), ("content-type", "application/xml")], xml))
}

fn send(policy: &str, xml: &str) -> Sent {
    send_in(policy, xml, Dialect::Apigee)
}

fn refused(policy: &str, xml: &str) -> (u16, String) {
    let sent = send(policy, xml);
    assert_eq!(sent.var("saml.valid"), "false");
    assert_eq!(sent.var("saml.subject"), "null", "nothing is believed");
    (sent.status(), sent.code())
}

fn invalid() -> (u16, String) {
    (401, "steps.saml.InvalidSignature".into())
}

#[test]
fn what_another_program_signed_is_believed() {
    for xml in SIGNED {
        for store in ["trust", "pinned"] {
            // Without a certificate in the signature only the signer's own in the trust store helps.
            if store == "trust" && !xml.contains("X509Certificate") {
                assert_eq!(refused(&trusting(store), xml).1, "steps.saml.InvalidSignature");
                continue;
            }
            let sent = send(&trusting(store), xml);
            assert_eq!(sent.var("saml.valid"), "true", "{} {xml}", sent.body());
            assert_eq!(sent.var("saml.subject"), "ann@example.org");
        }
    }
}

#[test]
fn an_assertion_becomes_variables() {
    let sent = send(&trusting("trust"), RSA_SHA256);
    for (name, value) in [
        ("saml.id", "_a1"),
        ("saml.issuer", "https://idp.example"),
        ("saml.issueInstant", "2017-06-06T18:54:00Z"),
        ("saml.subject", "ann@example.org"),
        ("saml.subjectFormat", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"),
        ("saml.scmethod", "urn:oasis:names:tc:SAML:2.0:cm:bearer"),
        ("saml.scdaddress", "192.0.2.7"),
        ("saml.scdinresponse", "_r9"),
        ("saml.scdrcpt", "https://gateway.example/acs"),
        ("saml.authnSnooa", "2017-06-07T02:54:00Z"),
        ("saml.authnContextClassRef", "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"),
        ("saml.authnInstant", "2017-06-06T18:50:00Z"),
        ("saml.authnSessionIndex", "s-1"),
        ("saml.audience", "urn:us,urn:others"),
        ("saml.valid", "true"),
    ] {
        assert_eq!(sent.var(name), value, "{name}");
    }
}

#[test]
fn fault_invalid_signature_for_every_change() {
    for (from, to) in [
        ("ann@example.org", "eve@example.org"),
        ("2017-06-06T18:59:00Z\" Recipient", "2027-06-06T18:59:00Z\" Recipient"),
        ("<saml:OneTimeUse/>", ""),
        ("a &amp; b", "a &amp; c"),
        ("#_a1", "#_a2"),
        ("rsa-sha256", "rsa-sha384"),
        ("UqcfXKy6", "UqcfXKy7"),
        ("</ds:Reference>", "</ds:Reference><ds:Reference URI=\"#_a1\"/>"),
        ("</ds:KeyInfo>", "</ds:KeyInfo><ds:Object/>"),
        ("#enveloped-signature", "#base64"),
    ] {
        let changed = RSA_SHA256.replacen(from, to, 1);
        assert_ne!(changed, RSA_SHA256, "{from}");
        assert_eq!(refused(&trusting("trust"), &changed), invalid(), "{from}");
    }
    // What does not change the canonical form changes nothing.
    let same = RSA_SHA256.replacen("ID=\"_a1\"", "ID='_a1' ", 1).replacen(
        "<saml:OneTimeUse/>",
        "<saml:OneTimeUse ></saml:OneTimeUse>",
        1,
    );
    assert_eq!(send(&trusting("trust"), &same).var("saml.valid"), "true");
}

#[test]
fn only_who_is_trusted_now_may_sign() {
    assert_eq!(refused(&trusting("trust"), STRANGER), invalid());
    assert_eq!(refused(&trusting("pinned"), STRANGER), invalid());
    assert_eq!(refused(&trusting("trust"), OLD), invalid());
    assert_eq!(refused(&trusting("empty"), RSA_SHA256), invalid());
}

/// The signed assertion as the fixture has it.
fn signed() -> String {
    let start = RSA_SHA256.find("<saml:Assertion").unwrap();
    RSA_SHA256[start..].trim().trim_end_matches("</samlp:Response>").to_owned()
}

fn forged() -> String {
    let start = signed().find("<ds:Signature").unwrap();
    let end = signed().find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    let mut forged = signed();
    forged.replace_range(start..end, "");
    forged.replace("ann@example.org", "eve@example.org")
}

fn response(inside: &str) -> String {
    format!("<p:Response xmlns:p='urn:oasis:names:tc:SAML:2.0:protocol'>{inside}</p:Response>")
}

#[test]
fn a_signature_counts_for_the_element_it_is_in_only() {
    let signature = {
        let whole = signed();
        let start = whole.find("<ds:Signature").unwrap();
        whole[start..whole.find("</ds:Signature>").unwrap() + "</ds:Signature>".len()].to_owned()
    };
    let evil = forged();
    let other_id = evil.replace("_a1", "_evil");
    let with_signature =
        |xml: &str, inside: &str| xml.replacen("</saml:Issuer>", &format!("</saml:Issuer>{inside}"), 1);
    let wrapped = [
        // A forged one before or behind the signed one.
        response(&format!("{other_id}{}", signed())),
        response(&format!("{}{other_id}", signed())),
        // The signed one hidden in the forged one, in several places.
        response(&with_signature(&other_id, &format!("<x>{}</x>", signed()))),
        response(&with_signature(&other_id, &signature)),
        response(&with_signature(&evil, &signature)),
        response(&with_signature(
            &evil,
            &signature
                .replace("</ds:Signature>", &format!("<ds:Object>{}</ds:Object></ds:Signature>", signed())),
        )),
        response(&with_signature(
            &other_id,
            &signature.replace("</ds:KeyInfo>", &format!("{}</ds:KeyInfo>", signed())),
        )),
        // Two elements with one ID.
        response(&format!("{}<x>{}</x>", with_signature(&evil, &signature), signed())),
        response(&format!("{}<x Id='_a1'/>", signed())),
        response(&evil),
    ];
    for xml in wrapped {
        let sent = send(&trusting("trust"), &xml);
        assert_eq!(sent.status(), 401, "{xml}");
        assert_eq!(sent.var("saml.subject"), "null");
    }
    assert_eq!(send(&trusting("trust"), &response(&signed())).var("saml.valid"), "true");
}

#[test]
fn a_comment_cannot_cut_a_name() {
    let xml = RSA_SHA256.replace("ann@example.org", "ann@example.org<!-- -->");
    assert_eq!(send(&trusting("trust"), &xml).var("saml.subject"), "ann@example.org");
    let xml = RSA_SHA256.replace("ann@example.org", "ann<!-- -->@example.org");
    assert_eq!(send(&trusting("trust"), &xml).var("saml.subject"), "ann@example.org");
}

#[test]
fn a_document_type_is_refused() {
    let xml = RSA_SHA256.replace("?>\n", "?>\n<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>");
    assert_eq!(refused(&trusting("trust"), &xml), (500, "steps.saml.SourceNotAvailable".into()));
}

#[test]
fn the_response_around_an_assertion_may_be_signed() {
    let paths = "<AssertionXPath>/p:Response/a:Assertion</AssertionXPath>\
                 <SignedElementXPath>/p:Response</SignedElementXPath>";
    let policy = policy("", paths, "<TrustStore>trust</TrustStore>");
    assert_eq!(send(&policy, SIGNED_RESPONSE).var("saml.subject"), "ann@example.org");
    assert_eq!(refused(&policy, &SIGNED_RESPONSE.replace("ann@", "eve@")), invalid());
    assert_eq!(refused(&trusting("trust"), SIGNED_RESPONSE), invalid());
    // The assertion must be in what is signed.
    let around = format!("<o>{}{}</o>", SIGNED_RESPONSE.replace("<?xml version=\"1.0\"?>", ""), forged());
    let elsewhere = policy
        .replace("/p:Response/a:Assertion", "/o/a:Assertion")
        .replace(">/p:Response<", ">/o/p:Response<");
    assert_eq!(refused(&elsewhere, &around), (401, "steps.saml.AssertionNotFound".into()));
}

#[test]
fn fault_invalid_assertion_out_of_its_time() {
    let bench = bench(&design().step(&trusting("trust")), Dialect::Apigee);
    let at = |offset: i64| {
        // Behind or ahead of 18:54:51, in seconds.
        bench.clock.advance(std::time::Duration::from_secs(offset.unsigned_abs()));
        let message = request(Method::POST, "/p", &[("content-type", "text/xml")], RSA_SHA256);
        bench.send(message)
    };
    // Until 18:59:00, and a minute more for clocks that differ.
    assert_eq!(at(249 + 59).var("saml.valid"), "true");
    let late = at(1);
    assert_eq!((late.status(), late.code()), (401, "steps.saml.InvalidAssertion".into()));
    assert!(late.body().contains("any more"), "{}", late.body());
}

/// The conditions, looked at without a signature.
fn check(conditions: &str, audience: Option<&str>) -> Result<(), String> {
    use crate::policy::security::saml::assertion::Assertion;
    let xml = format!(
        "<a:Assertion xmlns:a='urn:oasis:names:tc:SAML:2.0:assertion' Version='2.0'><a:Issuer>i</a:Issuer>{conditions}</a:Assertion>"
    );
    let document = Document::parse(&xml, &pierhead_xml::Limits::default()).unwrap();
    Assertion::check(document.element().unwrap(), audience, NOW).map(drop).map_err(|why| why.to_string())
}

#[test]
fn every_condition_must_hold() {
    let conditions =
        |attributes: &str, inside: &str| format!("<a:Conditions {attributes}>{inside}</a:Conditions>");
    let heard = |names: &[&str]| {
        let names: String = names.iter().map(|name| format!("<a:Audience>{name}</a:Audience>")).collect();
        format!("<a:AudienceRestriction>{names}</a:AudienceRestriction>")
    };
    let confirmed = |at: &str| {
        format!(
            "<a:Subject><a:SubjectConfirmation Method='m'><a:SubjectConfirmationData {at}/></a:SubjectConfirmation></a:Subject>"
        )
    };
    assert_eq!(check("", None), Ok(()));
    assert_eq!(check(&conditions("NotBefore='2017-06-06T18:55:50Z'", ""), None), Ok(()), "within the skew");
    for (inside, audience, part) in [
        (conditions("NotBefore='2017-06-06T18:55:52Z'", ""), None, "not hold yet"),
        (conditions("NotOnOrAfter='2017-06-06T18:53:51Z'", ""), None, "any more"),
        (conditions("NotOnOrAfter='soon'", ""), None, "no moment"),
        (conditions("NotOnOrAfter='2018-01-01T00:00:00'", ""), None, "no moment"),
        (conditions("", "<a:Condition/>"), None, "not understood"),
        (conditions("", "<x:Special xmlns:x='urn:x'/>"), None, "not understood"),
        (conditions("", &heard(&["urn:other"])), Some("urn:us"), "another audience"),
        (
            conditions("", &format!("{}{}", heard(&["urn:us"]), heard(&["urn:other"]))),
            Some("urn:us"),
            "another audience",
        ),
        (String::new(), Some("urn:us"), "another audience"),
        (confirmed("NotOnOrAfter='2017-06-06T18:00:00Z'"), None, "not confirmed"),
        (confirmed("NotBefore='2017-06-06T19:00:00Z'"), None, "not confirmed"),
    ] {
        let why = check(&inside, audience).unwrap_err();
        assert!(why.contains(part), "{inside}: {why}");
    }
    assert_eq!(check(&conditions("", &heard(&["urn:other", "urn:us"])), Some("urn:us")), Ok(()));
    assert_eq!(check(&conditions("", &heard(&["urn:other"])), None), Ok(()));
    let one_of_two = format!("{}{}", confirmed("NotOnOrAfter='2017-06-06T18:00:00Z'"), confirmed(""));
    assert_eq!(check(&one_of_two, None), Ok(()));
}

#[test]
fn the_audience_can_be_asked_for() {
    let asking = |audience: &str| usual(&format!("<TrustStore>trust</TrustStore><Audience{audience}"));
    assert_eq!(send(&asking(">urn:us</Audience>"), RSA_SHA256).var("saml.valid"), "true");
    assert_eq!(
        refused(&asking(">urn:them</Audience>"), RSA_SHA256),
        (401, "steps.saml.InvalidAssertion".into())
    );
    assert_eq!(send(&asking(" ref='no.such'>urn:us</Audience>"), RSA_SHA256).var("saml.valid"), "true");
    assert_eq!(
        refused(&asking(" ref='no.such'/>"), RSA_SHA256),
        (500, "steps.saml.UnresolvedVariable".into())
    );
}

#[test]
fn the_assertion_can_be_removed() {
    let policy = usual("<TrustStore>trust</TrustStore><RemoveAssertion>true</RemoveAssertion>");
    let sent = send(&policy, RSA_SHA256);
    let body = sent.cx.request.content().into_owned();
    assert!(body.starts_with("<samlp:Response") && body.contains("<!-- c -->"), "{body}");
    assert!(!body.contains("Assertion"), "{body}");
    assert_eq!(sent.var("saml.subject"), "ann@example.org");
    let kept = send(&trusting("trust"), RSA_SHA256);
    assert_eq!(kept.cx.request.content(), RSA_SHA256);
}

#[test]
fn fault_invalid_media_tpe_unless_ignored() {
    let policy = trusting("trust");
    let any = policy.replacen("ValidateSAMLAssertion ", "ValidateSAMLAssertion ignoreContentType='true' ", 1);
    let json = |policy: &str| {
        let bench = bench(&design().step(policy), Dialect::Sap);
        bench.send(request(Method::POST, "/p", &[("content-type", "application/json")], RSA_SHA256))
    };
    assert_eq!(json(&any).var("saml.valid"), "true");
    let refused = json(&policy);
    assert_eq!((refused.status(), refused.code()), (500, "steps.saml.InvalidMediaTpe".into()));
    assert_eq!(refused.var("ValidateSAMLAssertion.s0.failed"), "true");
}

#[test]
fn fault_assertion_not_found() {
    for xml in ["<a/>", "<p:Response xmlns:p='urn:oasis:names:tc:SAML:2.0:protocol'/>"] {
        assert_eq!(refused(&trusting("trust"), xml), (401, "steps.saml.AssertionNotFound".into()));
        assert_eq!(send_in(&trusting("trust"), xml, Dialect::Sap).status(), 500);
    }
    let elsewhere = trusting("trust").replace("/p:Response/a:Assertion", "/p:Response");
    assert_eq!(refused(&elsewhere, RSA_SHA256), (401, "steps.saml.AssertionNotFound".into()));
}

#[test]
fn fault_source_not_available() {
    assert_eq!(refused(&trusting("trust"), "<a"), (500, "steps.saml.SourceNotAvailable".into()));
    let variable = trusting("trust").replace("name='request'", "name='no.such'");
    assert_eq!(refused(&variable, RSA_SHA256), (500, "steps.saml.SourceNotAvailable".into()));
}

#[test]
fn the_trust_store_can_come_from_a_variable() {
    let by = |name: &str| usual(&format!("<TrustStore ref='request.queryparam.t'>{name}</TrustStore>"));
    let bench = bench(&design().step(&by("trust")), Dialect::Apigee);
    let send =
        |path: &str| bench.send(request(Method::POST, path, &[("content-type", "text/xml")], RSA_SHA256));
    assert_eq!(send("/p").var("saml.valid"), "true");
    assert_eq!(send("/p?t=pinned").var("saml.valid"), "true");
    let sent = send("/p?t=no");
    assert_eq!((sent.status(), sent.code()), (500, "steps.saml.TrustStoreNotAvailable".into()));
}

#[test]
fn the_source_can_be_a_variable() {
    let set = crate::policy::security::jose::testing::set(&[("xml", RSA_SHA256)]);
    let policy = usual("<TrustStore>trust</TrustStore><RemoveAssertion>true</RemoveAssertion>");
    let policy = policy.replace("name='request'", "name='xml'");
    let sent = bench(&design().step(&set).step(&policy), Dialect::Apigee).get("/p");
    assert_eq!(sent.var("saml.valid"), "true");
    assert!(!sent.var("xml").contains("Assertion") && sent.var("xml").contains("Response"));
}

#[test]
fn mistakes_are_found_at_deploy() {
    let trust = "<TrustStore>t</TrustStore>";
    for (xml, rule) in [
        (usual(""), "TrustStoreNotConfigured"),
        (usual("<TrustStore/>"), "TrustStoreNotConfigured"),
        (format!("<ValidateSAMLAssertion>{trust}</ValidateSAMLAssertion>"), "SourceNotConfigured"),
        (policy("", "", trust), "SourceNotConfigured"),
        (policy("", "<XPath>string(/a)</XPath>", trust), "SourceNotConfigured"),
        (policy("", "<XPath>/z:a</XPath>", trust), "XPathCompilationFailed"),
        (
            policy("", "<XPath>/a</XPath><SignedElementXPath>[</SignedElementXPath>", trust),
            "XPathCompilationFailed",
        ),
        (usual(&format!("{trust}<RemoveAssertion>perhaps</RemoveAssertion>")), "NotABoolean"),
        (usual(&format!("{trust}<Other/>")), "UnknownElement"),
    ] {
        assert_eq!(problem_of(&xml), rule, "{xml}");
    }
}
