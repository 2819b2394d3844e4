use http::Method;

use crate::testing::*;

fn encode(rest: &str) -> String {
    format!("<BasicAuthentication><Operation>Encode</Operation>{rest}</BasicAuthentication>")
}

fn decode(rest: &str) -> String {
    format!("<BasicAuthentication><Operation>Decode</Operation>{rest}</BasicAuthentication>")
}

const PAIR: &str = "<User ref=\"request.queryparam.u\"/><Password ref=\"request.queryparam.p\"/>";
const INTO: &str = "<User ref=\"found.user\"/><Password ref=\"found.password\"/>";

fn encoded(rest: &str, path: &str) -> Sent {
    Bench::new(&design().step(&encode(&format!("{PAIR}{rest}")))).get(path)
}

fn decoded(rest: &str, credential: &str) -> Sent {
    Bench::new(&design().step(&decode(&format!("{INTO}{rest}")))).send(request(
        Method::GET,
        "/p",
        &[("Authorization", credential)],
        "",
    ))
}

#[test]
fn encode_writes_a_basic_credential() {
    let sent = encoded("<AssignTo>request.header.Authorization</AssignTo>", "/p?u=Aladdin&p=open%20sesame");
    assert_eq!(sent.header("authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

#[test]
fn encode_keeps_a_variable_that_has_a_value_unless_create_new() {
    for (create_new, expected) in [("false", "old"), ("true", "Basic YTpi")] {
        let xml = encode(&format!("{PAIR}<AssignTo createNew=\"{create_new}\">credential</AssignTo>"));
        let set = "<AssignMessage><AssignVariable><Name>credential</Name><Value>old</Value></AssignVariable></AssignMessage>";
        let sent = Bench::new(&design().step(set).step(&xml)).get("/p?u=a&p=b");
        assert_eq!(sent.var("credential"), expected);
    }
}

#[test]
fn encode_takes_texts_where_there_is_no_variable() {
    let xml = encode("<User>a</User><Password ref=\"none\">b</Password><AssignTo>c</AssignTo>");
    assert_eq!(Bench::new(&design().step(&xml)).get("/p").var("c"), "Basic YTpi");
}

#[test]
fn fault_unresolved_variable_names_it() {
    let sent = encoded("<AssignTo>c</AssignTo>", "/p?u=a");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.basicauthentication.UnresolvedVariable"));
    assert!(sent.body().contains("Unresolved variable : request.queryparam.p"), "{}", sent.body());
    assert_eq!(sent.var("BasicAuthentication.s0.failed"), "true");
    let sent = Bench::new(&design().step(&decode(INTO))).get("/p");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.basicauthentication.UnresolvedVariable"));
}

#[test]
fn unresolved_variables_can_be_ignored() {
    let ignore = "<IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>";
    let sent = encoded(&format!("<AssignTo>c</AssignTo>{ignore}"), "/p?u=a");
    assert_eq!(sent.var("c"), "Basic YTo=");
    let sent = Bench::new(&design().step(&decode(&format!("{INTO}{ignore}")))).get("/p");
    assert!(!sent.is_answered());
    assert_eq!(sent.var("found.user"), "null");
}

#[test]
fn decode_sets_user_and_password() {
    for credential in ["Basic dXNlcjpwYXNzOndvcmQ=", "basic dXNlcjpwYXNzOndvcmQ"] {
        let sent = decoded("", credential);
        assert_eq!(sent.var("found.user"), "user");
        assert_eq!(sent.var("found.password"), "pass:word", "only the first colon parts");
    }
}

#[test]
fn decode_reads_the_source_it_is_told() {
    let xml = decode(&format!("{INTO}<Source>request.queryparam.c</Source>"));
    let sent = Bench::new(&design().step(&xml)).get("/p?c=Basic%20YTpi");
    assert_eq!((sent.var("found.user"), sent.var("found.password")), ("a".into(), "b".into()));
}

#[test]
fn fault_invalid_basic_authentication_source() {
    for credential in ["Bearer YTpi", "Basic", "Basic !!!", "Basic YWI=", "Basic /w==", "YTpi"] {
        let sent = decoded("", credential);
        let code = "steps.basicauthentication.InvalidBasicAuthenticationSource";
        assert_eq!((sent.status(), sent.code().as_str()), (500, code), "{credential}");
        assert!(!sent.body().contains("YTpi"), "{}", sent.body());
    }
}

#[test]
fn fault_set_variable_failed_when_the_variable_cannot_be_set() {
    let sent = encoded("<AssignTo createNew=\"true\">system.timestamp</AssignTo>", "/p?u=a&p=b");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.basicauthentication.SetVariableFailed"));
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (xml, rule) in [
        (encode("<Password ref=\"p\"/><AssignTo>c</AssignTo>"), "UserNameRequired"),
        (encode("<User/><Password ref=\"p\"/><AssignTo>c</AssignTo>"), "UserNameRequired"),
        (encode("<User ref=\"u\"/><AssignTo>c</AssignTo>"), "PasswordRequired"),
        (encode(PAIR), "AssignToRequired"),
        (encode(&format!("{PAIR}<AssignTo/>")), "AssignToRequired"),
        (encode(&format!("{PAIR}<AssignTo create=\"x\">c</AssignTo>")), "UnknownAttribute"),
        (decode(&format!("{INTO}<Source/>")), "SourceRequired"),
        (decode("<Password ref=\"p\"/>"), "UserNameRequired"),
        (decode("<User ref=\"u\"/>"), "PasswordRequired"),
        ("<BasicAuthentication/>".to_owned(), "InvalidOperation"),
        (encode(&format!("{PAIR}<AssignTo>c</AssignTo><Realm/>")), "UnknownElement"),
    ] {
        assert_eq!(problem_of(&xml), rule, "{xml}");
    }
}
