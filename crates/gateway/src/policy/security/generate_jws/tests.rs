use serde_json::json;

use crate::policy::security::jose::testing::*;
use crate::testing::*;

const HS256: &str = "<Algorithm>HS256</Algorithm><SecretKey><Value ref=\"private.secret\"/></SecretKey>";

fn sent(inside: &str) -> Sent {
    through(&[&format!("<GenerateJWS>{HS256}{inside}</GenerateJWS>")], "/p?m=hello")
}

#[test]
fn any_payload_is_signed() {
    let sent = sent("<Payload ref=\"request.queryparam.m\"/>");
    let token = sent.var("jws.s1.generated_jws");
    assert_eq!(token.split('.').nth(1), Some("aGVsbG8"));
    assert_eq!(part(&token, 0), json!({"alg": "HS256"}));
    let template = through(
        &[&format!(
            "<GenerateJWS>{HS256}<Payload>{{request.queryparam.m}}!</Payload><OutputVariable>o</OutputVariable></GenerateJWS>"
        )],
        "/p?m=hello",
    );
    assert_eq!(template.var("o").split('.').nth(1), Some("aGVsbG8h"));
}

#[test]
fn the_payload_may_be_left_out() {
    let whole = sent("<Payload>x</Payload>").var("jws.s1.generated_jws");
    let detached =
        sent("<Payload>x</Payload><DetachContent>true</DetachContent>").var("jws.s1.generated_jws");
    let parts: Vec<&str> = whole.split('.').collect();
    assert_eq!(detached, format!("{}..{}", parts[0], parts[2]));
}

#[test]
fn headers_are_added() {
    let token = sent(
        "<Payload>x</Payload><AdditionalHeaders><Claim name=\"v\">1</Claim></AdditionalHeaders><CriticalHeaders>v</CriticalHeaders>",
    );
    let header = part(&token.var("jws.s1.generated_jws"), 0);
    assert_eq!(header, json!({"v": "1", "crit": ["v"], "alg": "HS256"}));
}

#[test]
fn faults_of_generating() {
    assert_eq!(fault(&sent("<Payload ref=\"none\"/>")), (401, "steps.jws.GenerationFailed".into()));
    let ignore = "<IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>";
    let empty = sent(&format!("<Payload ref=\"none\"/>{ignore}"));
    assert_eq!(fault(&empty), (401, "steps.jws.MissingPayload".into()));
    assert_eq!(empty.var("jws.s1.failed"), "true");
    let short = "<GenerateJWS><Algorithm>HS256</Algorithm><SecretKey><Value ref=\"private.short\"/></SecretKey><Payload>x</Payload></GenerateJWS>";
    assert_eq!(fault(&through(&[short], "/p")), (401, "steps.jws.InsufficientKeyLength".into()));
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        (HS256.to_owned(), "MissingConfigurationElement"),
        (format!("{HS256}<Payload>x</Payload><Subject/>"), "UnknownElement"),
        ("<Algorithm>dir</Algorithm><Payload>x</Payload>".into(), "InvalidValueForElement"),
    ] {
        assert_eq!(problem_of(&format!("<GenerateJWS>{inside}</GenerateJWS>")), rule, "{inside}");
    }
}
