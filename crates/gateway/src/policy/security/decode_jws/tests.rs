use crate::policy::security::jose::testing::*;
use crate::testing::*;

const DECODE: &str = "<DecodeJWS><Source>request.queryparam.t</Source></DecodeJWS>";

#[test]
fn a_token_is_shown_and_not_believed() {
    let sent = through(&[DECODE], "/p?t=eyJhbGciOiJIUzI1NiJ9.aGVsbG8.AAAA");
    assert_eq!(sent.var("jws.s1.payload"), "hello");
    assert_eq!(sent.var("jws.s1.header.algorithm"), "HS256");
    assert_eq!(sent.var("jws.s1.valid"), "false");
}

#[test]
fn faults_of_what_cannot_be_decoded() {
    assert_eq!(fault(&through(&[DECODE], "/p?t=x")), (401, "steps.jws.FailedToDecode".into()));
    assert_eq!(fault(&through(&[DECODE], "/p")), (401, "steps.jws.InvalidToken".into()));
    assert_eq!(problem_of("<DecodeJWS><Key/></DecodeJWS>"), "UnknownElement");
}
