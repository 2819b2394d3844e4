use crate::policy::security::jose::testing::*;
use crate::testing::*;

const KEY: &str = "<SecretKey><Value ref=\"private.secret\"/></SecretKey>";

fn both(made: &str, expected: &str) -> Sent {
    let generate = format!(
        "<GenerateJWS><Algorithm>HS256</Algorithm>{KEY}<Payload ref=\"request.queryparam.m\"/>{made}<OutputVariable>t</OutputVariable></GenerateJWS>"
    );
    let verify =
        format!("<VerifyJWS><Algorithm>HS256</Algorithm>{KEY}<Source>t</Source>{expected}</VerifyJWS>");
    through(&[&generate, &verify], "/p?m=hello&other=hallo")
}

#[track_caller]
fn fails(sent: &Sent, code: &str) {
    assert_eq!(fault(sent), (401, format!("steps.jws.{code}")), "{}", sent.body());
}

#[test]
fn a_good_token_passes_and_shows_its_payload() {
    let sent = both("<AdditionalHeaders><Claim name=\"v\">1</Claim></AdditionalHeaders>", "");
    assert!(!sent.is_answered(), "{}", sent.body());
    for (name, value) in [
        ("payload", "hello"),
        ("header.algorithm", "HS256"),
        ("header.v", "1"),
        ("header-json", "{\"v\":\"1\",\"alg\":\"HS256\"}"),
        ("valid", "true"),
    ] {
        assert_eq!(sent.var(&format!("jws.s2.{name}")), value, "{name}");
    }
}

#[test]
fn a_detached_payload_is_verified_where_it_is() {
    let detached = "<DetachContent>true</DetachContent>";
    let at = |name: &str| format!("<DetachedContent>request.queryparam.{name}</DetachedContent>");
    assert!(!both(detached, &at("m")).is_answered());
    fails(&both(detached, &at("other")), "InvalidToken");
    fails(&both(detached, &at("none")), "MissingPayload");
    fails(&both(detached, ""), "MissingPayload");
    fails(&both("", &at("m")), "InvalidToken");
}

#[test]
fn faults_of_headers() {
    let added = "<AdditionalHeaders><Claim name=\"v\">1</Claim></AdditionalHeaders>";
    assert!(!both(added, added).is_answered());
    fails(&both("", added), "InvalidClaim");
    let critical = format!("{added}<CriticalHeaders>v</CriticalHeaders>");
    fails(&both(&critical, ""), "UnhandledCriticalHeader");
    assert!(!both(&critical, "<KnownHeaders>v</KnownHeaders>").is_answered());
    assert!(!both(&critical, "<IgnoreCriticalHeaders>true</IgnoreCriticalHeaders>").is_answered());
}

#[test]
fn faults_of_tokens_and_keys() {
    let verify = |inside: &str, token: &str| {
        through(
            &[&format!("<VerifyJWS><Source>request.queryparam.t</Source>{inside}</VerifyJWS>")],
            &format!("/p?t={token}"),
        )
    };
    let hs256 = format!("<Algorithm>HS256</Algorithm>{KEY}");
    fails(&verify(&hs256, "x"), "FailedToDecode");
    fails(&verify(&hs256, "e30.e30.AA"), "NoAlgorithmFoundInHeader");
    fails(&verify(&hs256, "eyJhbGciOiJIUzI1NiJ9.e30.AA"), "InvalidToken");
    fails(&verify(&hs256, "eyJhbGciOiJub25lIn0.e30."), "AlgorithmMismatch");
    let two = format!("<Algorithm>HS256,HS384</Algorithm>{KEY}");
    fails(&verify(&two, "eyJhbGciOiJub25lIn0.e30."), "AlgorithmInTokenNotPresentInConfiguration");
    let rs256 = "<Algorithm>RS256</Algorithm><PublicKey><JWKS ref=\"rsa.set\"/></PublicKey>";
    fails(&verify(rs256, "eyJhbGciOiJSUzI1NiJ9.e30.AA"), "KeyIdMissing");
    let none = through(&[&format!("<VerifyJWS>{hs256}</VerifyJWS>")], "/p");
    fails(&none, "InvalidToken");
    assert_eq!(none.var("jws.s1.failed"), "true");
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        (format!("<Algorithm>X</Algorithm>{KEY}"), "InvalidValueForElement"),
        ("<Algorithm>RS256</Algorithm>".into(), "MissingConfigurationElement"),
        (format!("<Algorithm>HS256</Algorithm>{KEY}<Issuer/>"), "UnknownElement"),
    ] {
        assert_eq!(problem_of(&format!("<VerifyJWS>{inside}</VerifyJWS>")), rule, "{inside}");
    }
}
