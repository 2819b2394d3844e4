use super::*;
use crate::testing::*;

const KEY: &str = "<AssignMessage><AssignVariable><Name>private.key</Name><Value>Jefe</Value></AssignVariable></AssignMessage>";

fn xml(algorithm: &str, rest: &str) -> String {
    format!("<HMAC><Algorithm>{algorithm}</Algorithm><SecretKey ref=\"private.key\"/>{rest}</HMAC>")
}

fn sent(algorithm: &str, rest: &str, path: &str) -> Sent {
    Bench::new(&design().step(KEY).step(&xml(algorithm, rest))).get(path)
}

const MESSAGE: &str = "<Message>{request.queryparam.m}</Message>";
/// RFC 4231, test case 2.
const PATH: &str = "/p?m=what%20do%20ya%20want%20for%20nothing%3F";
const SHA256: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

#[test]
fn codes_are_those_of_rfc_4231_and_2202() {
    for (algorithm, code) in [
        ("SHA256", SHA256),
        ("SHA-256", SHA256),
        ("sha-224", "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"),
        (
            "SHA384",
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
        ),
        (
            "SHA512",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
        ("SHA-1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        ("MD5", "750c783e6ab0b503eaa86e310a5db738"),
    ] {
        let output = "<Output encoding=\"base16\">code</Output>";
        assert_eq!(sent(algorithm, &format!("{MESSAGE}{output}"), PATH).var("code"), code, "{algorithm}");
    }
}

#[test]
fn without_output_the_code_is_in_a_variable_of_the_policy_in_base64() {
    let code = STANDARD.encode(hex::decode(SHA256).unwrap());
    assert_eq!(sent("SHA256", MESSAGE, PATH).var("hmac.s1.output"), code);
    let url = sent("SHA256", &format!("{MESSAGE}<Output encoding=\"base64url\">c</Output>"), PATH).var("c");
    assert_eq!(url, URL_SAFE_NO_PAD.encode(hex::decode(SHA256).unwrap()));
}

#[test]
fn the_key_may_be_encoded() {
    for (encoding, value) in [
        ("hex", "4a656665"),
        ("base16", "4A65 6665"),
        ("base64", "SmVmZQ=="),
        ("base64url", "SmVmZQ"),
        ("utf8", "Jefe"),
    ] {
        let set = KEY.replace("Jefe", value);
        let xml = format!(
            "<HMAC><Algorithm>SHA256</Algorithm><SecretKey encoding=\"{encoding}\" ref=\"private.key\"/>{MESSAGE}<Output encoding=\"hex\">c</Output></HMAC>"
        );
        assert_eq!(Bench::new(&design().step(&set).step(&xml)).get(PATH).var("c"), SHA256, "{encoding}");
    }
}

#[test]
fn fault_hmac_verification_failed_and_the_right_value_passes() {
    let verify = "<VerificationValue encoding=\"hex\" ref=\"request.queryparam.c\"/>";
    let with = |code: &str| sent("SHA256", &format!("{MESSAGE}{verify}"), &format!("{PATH}&c={code}"));
    assert!(!with(SHA256).is_answered());
    assert!(!with(&SHA256.to_uppercase()).is_answered());
    for wrong in [SHA256.replace('5', "6"), SHA256[2..].to_owned(), "00".to_owned()] {
        let sent = with(&wrong);
        assert_eq!((sent.status(), sent.code().as_str()), (401, "steps.hmac.HmacVerificationFailed"));
        assert!(!sent.body().contains(SHA256), "the right code is not told");
        assert_eq!(sent.var("hmac.s1.failed"), "true");
    }
}

#[test]
fn a_verification_value_may_be_a_text() {
    let verify = format!("{MESSAGE}<VerificationValue encoding=\"hex\">{SHA256}</VerificationValue>");
    assert!(!sent("SHA256", &verify, PATH).is_answered());
    assert!(sent("SHA256", &verify, "/p?m=other").is_answered());
}

#[test]
fn fault_unresolved_variable() {
    let unresolved = |sent: Sent, name: &str| {
        assert_eq!((sent.status(), sent.code().as_str()), (401, "steps.hmac.UnresolvedVariable"));
        assert!(sent.body().contains(&format!("Unresolved variable : {name}")), "{}", sent.body());
    };
    unresolved(sent("SHA256", MESSAGE, "/p"), "request.queryparam.m");
    unresolved(Bench::new(&design().step(&xml("SHA256", MESSAGE))).get(PATH), "private.key");
    let verify = format!("{MESSAGE}<VerificationValue ref=\"no.such\"/>");
    unresolved(sent("SHA256", &verify, PATH), "no.such");
}

#[test]
fn unresolved_variables_of_the_message_can_be_ignored() {
    let ignore = "<IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>";
    let sent = sent("SHA256", &format!("{MESSAGE}{ignore}<Output encoding=\"hex\">c</Output>"), "/p");
    assert_eq!(sent.var("c"), hex::encode(Mac::with("sha256").unwrap().of(b"Jefe", b"")));
}

#[test]
fn fault_empty_key_and_wrong_encoding() {
    let empty = KEY.replace("<Value>Jefe</Value>", "<Template/>");
    let code = |sent: Sent| (sent.status(), sent.code());
    let ignore = "<IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>";
    let with_empty = Bench::new(&design().step(&empty).step(&xml("SHA256", &format!("{MESSAGE}{ignore}"))));
    assert_eq!(code(with_empty.get(PATH)), (401, "steps.hmac.HmacEmptySecretKey".to_owned()));
    let verify = format!("{MESSAGE}<VerificationValue encoding=\"hex\">zz</VerificationValue>");
    assert_eq!(code(sent("SHA256", &verify, PATH)), (401, "steps.hmac.HmacEncodingFailed".to_owned()));
}

#[test]
fn mistakes_are_found_at_deploy() {
    let key = "<SecretKey ref=\"private.key\"/>";
    let all = format!("<Algorithm>SHA256</Algorithm>{key}{MESSAGE}");
    for (inside, rule) in [
        (format!("{key}{MESSAGE}"), "MissingConfigurationElement"),
        (format!("<Algorithm>SHA256</Algorithm>{key}"), "MissingConfigurationElement"),
        (format!("<Algorithm>SHA256</Algorithm>{MESSAGE}"), "MissingConfigurationElement"),
        (format!("<Algorithm>SHA3</Algorithm>{key}{MESSAGE}"), "InvalidValueForElement"),
        (format!("<Algorithm>SHA256</Algorithm><SecretKey>x</SecretKey>{MESSAGE}"), "InvalidSecretInConfig"),
        (format!("{all}<Output encoding=\"rot13\"/>"), "InvalidValueForElement"),
        (format!("{all}<Output>a b</Output>"), "InvalidVariableName"),
        (format!("{all}<VerificationValue/>"), "InvalidValueForElement"),
        (format!("{all}<Salt/>"), "UnknownElement"),
    ] {
        assert_eq!(problem_of(&format!("<HMAC>{inside}</HMAC>")), rule, "{inside}");
    }
}
