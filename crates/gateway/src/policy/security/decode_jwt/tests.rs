use crate::policy::security::jose::testing::*;
use crate::testing::*;

const DECODE: &str = "<DecodeJWT><Source>request.queryparam.t</Source></DecodeJWT>";
/// `{"alg":"HS256","kid":"k"}`, `{"sub":"s","exp":1496775290}` and no good signature.
const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ.eyJzdWIiOiJzIiwiZXhwIjoxNDk2Nzc1MjkwfQ.AAAA";

#[test]
fn a_token_is_shown_and_not_believed() {
    let sent = through(&[DECODE], &format!("/p?t={TOKEN}"));
    assert!(!sent.is_answered(), "{}", sent.body());
    for (name, value) in [
        ("header.kid", "k"),
        ("header.algorithm", "HS256"),
        ("claim.subject", "s"),
        ("decoded.claim.exp", "1496775290"),
        ("is_expired", "true"),
        ("seconds_remaining", "-2"),
        ("time_remaining_formatted", "-00:00:01.007"),
        ("valid", "false"),
    ] {
        assert_eq!(sent.var(&format!("jwt.s1.{name}")), value, "{name}");
    }
}

#[test]
fn the_source_is_the_authorization_header_by_default() {
    let header = format!("Bearer {TOKEN}");
    let sent =
        bench(&["<DecodeJWT/>"]).send(request(http::Method::GET, "/p", &[("Authorization", &header)], ""));
    assert_eq!(sent.var("jwt.s1.claim.subject"), "s");
}

#[test]
fn of_an_encrypted_token_the_header_is_shown() {
    let sent = through(&[DECODE], "/p?t=eyJhbGciOiJkaXIifQ....");
    assert_eq!(
        (sent.var("jwt.s1.header.algorithm"), sent.var("jwt.s1.claim.subject")),
        ("dir".into(), "null".into())
    );
}

#[test]
fn faults_of_what_cannot_be_decoded() {
    for (token, code) in [
        ("x", "FailedToDecode"),
        ("e30.e30", "FailedToDecode"),
        ("e30..", "MissingPayload"),
        ("e30.W10.", "InvalidJsonFormat"),
    ] {
        let sent = through(&[DECODE], &format!("/p?t={token}"));
        assert_eq!(fault(&sent), (401, format!("steps.jwt.{code}")));
    }
    assert_eq!(fault(&through(&[DECODE], "/p")), (401, "steps.jwt.InvalidToken".into()));
    assert_eq!(problem_of("<DecodeJWT><Algorithm>HS256</Algorithm></DecodeJWT>"), "UnknownElement");
}
