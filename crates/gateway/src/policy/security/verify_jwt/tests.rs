use std::time::Duration;

use crate::policy::security::jose::testing::*;
use crate::testing::*;

const SECRET_KEY: &str = "<SecretKey><Value ref=\"private.secret\"/></SecretKey>";

fn generate(inside: &str) -> String {
    format!(
        "<GenerateJWT><Algorithm>HS256</Algorithm>{SECRET_KEY}{inside}<OutputVariable>t</OutputVariable></GenerateJWT>"
    )
}

fn verify(inside: &str) -> String {
    format!("<VerifyJWT><Algorithm>HS256</Algorithm><Source>t</Source>{SECRET_KEY}{inside}</VerifyJWT>")
}

/// Makes a token and verifies it.
fn both(made: &str, expected: &str) -> Sent {
    through(&[&generate(made), &verify(expected)], "/p?who=ann")
}

#[track_caller]
fn passes(sent: &Sent) {
    assert!(!sent.is_answered(), "{}", sent.body());
}

#[track_caller]
fn fails(sent: &Sent, code: &str) {
    assert_eq!(fault(sent), (401, format!("steps.jwt.{code}")), "{}", sent.body());
}

/// Verifies a token that the client sends.
fn sent_token(policy: &str, token: &str) -> Sent {
    bench(&[policy]).send(request(http::Method::GET, "/p", &[("Authorization", token)], ""))
}

fn signed(header: &str, payload: &str) -> String {
    use base64::Engine as _;
    let encode = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    let input = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
    let code = crate::template::Mac::with("sha256").unwrap().of(SECRET.as_bytes(), input.as_bytes());
    format!("{input}.{}", encode(&code))
}

const FROM_HEADER: &str = "<VerifyJWT><Algorithm>HS256</Algorithm><SecretKey><Value ref=\"private.secret\"/></SecretKey></VerifyJWT>";

#[test]
fn a_good_token_passes_and_sets_every_variable() {
    let sent = both(
        "<Subject>s</Subject><Issuer>i</Issuer><Audience>a</Audience><Id>j</Id><ExpiresIn>1h</ExpiresIn>\
         <NotBefore>2017-06-06T18:54:51Z</NotBefore><AdditionalClaims><Claim name=\"n\" type=\"number\">7</Claim>\
         <Claim name=\"l\" array=\"true\">x,y</Claim></AdditionalClaims>\
         <AdditionalHeaders><Claim name=\"h\">v</Claim></AdditionalHeaders>",
        "",
    );
    passes(&sent);
    for (name, value) in [
        ("claim.subject", "s"),
        ("claim.issuer", "i"),
        ("claim.audience", "a"),
        ("claim.jti", "j"),
        ("claim.expiry", "1496778891000"),
        ("claim.issuedat", "1496775291000"),
        ("claim.notbefore", "1496775291000"),
        ("claim.n", "7"),
        ("claim.l", "[\"x\",\"y\"]"),
        ("decoded.claim.sub", "s"),
        ("decoded.header.h", "v"),
        ("header.algorithm", "HS256"),
        ("header.type", "JWT"),
        ("header.h", "v"),
        ("header.kid", "null"),
        ("header-json", "{\"typ\":\"JWT\",\"h\":\"v\",\"alg\":\"HS256\"}"),
        ("header-claim-names", "[typ, h, alg]"),
        ("payload-claim-names", "[sub, iss, aud, jti, iat, exp, nbf, n, l]"),
        ("expiry_formatted", "2017-06-06T19:54:51.000+0000"),
        ("seconds_remaining", "3599"),
        ("time_remaining_formatted", "00:59:59.993"),
        ("is_expired", "false"),
        ("valid", "true"),
    ] {
        assert_eq!(sent.var(&format!("jwt.s2.{name}")), value, "{name}");
    }
    assert!(sent.var("jwt.s2.payload-json").starts_with("{\"sub\":\"s\""));
}

#[test]
fn the_token_is_in_the_authorization_header_by_default() {
    let token = signed("{\"alg\":\"HS256\"}", "{\"sub\":\"s\"}");
    passes(&sent_token(FROM_HEADER, &format!("Bearer {token}")));
    passes(&sent_token(FROM_HEADER, &format!("bearer {token}")));
    passes(&sent_token(FROM_HEADER, &token));
    let none = bench(&[FROM_HEADER]).get("/p");
    fails(&none, "InvalidToken");
    assert_eq!(none.var("jwt.s1.failed"), "true");
}

#[test]
fn fault_invalid_token_for_a_changed_signature() {
    let token = signed("{\"alg\":\"HS256\"}", "{\"sub\":\"s\"}");
    let other = signed("{\"alg\":\"HS256\"}", "{\"sub\":\"t\"}");
    let (head, _) = token.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    fails(&sent_token(FROM_HEADER, &format!("{head}.{signature}")), "InvalidToken");
    fails(&sent_token(FROM_HEADER, &format!("{head}.")), "InvalidToken");
}

#[test]
fn faults_of_what_is_no_token() {
    for token in ["x", "a.b.c", "e30", "...", "Bearer"] {
        fails(&sent_token(FROM_HEADER, token), "FailedToDecode");
    }
    fails(&sent_token(FROM_HEADER, &signed("{\"typ\":\"JWT\"}", "{}")), "NoAlgorithmFoundInHeader");
    fails(&sent_token(FROM_HEADER, &signed("{\"alg\":\"none\"}", "{}")), "AlgorithmMismatch");
    let two = FROM_HEADER.replace("HS256", "HS256, HS512");
    fails(
        &sent_token(&two, &signed("{\"alg\":\"none\"}", "{}")),
        "AlgorithmInTokenNotPresentInConfiguration",
    );
    passes(&sent_token(&two, &signed("{\"alg\":\"HS256\"}", "{}")));
    fails(&sent_token(FROM_HEADER, &signed("{\"alg\":\"HS256\"}", "")), "MissingPayload");
    for payload in ["[]", "text", "{"] {
        fails(&sent_token(FROM_HEADER, &signed("{\"alg\":\"HS256\"}", payload)), "InvalidJsonFormat");
    }
}

#[test]
fn faults_of_times_and_the_allowance_for_clocks() {
    let at = |made: &str, expected: &str, later: u64| {
        let first = through(&[&generate(made)], "/p");
        let verifying = bench(&[&set(&[("t", &first.var("t"))]), &verify(expected)]);
        verifying.clock.advance(Duration::from_secs(later));
        verifying.get("/p")
    };
    passes(&at("<ExpiresIn>10s</ExpiresIn>", "", 9));
    fails(&at("<ExpiresIn>10s</ExpiresIn>", "", 10), "TokenExpired");
    passes(&at("<ExpiresIn>10s</ExpiresIn>", "<TimeAllowance>5s</TimeAllowance>", 14));
    fails(&at("<ExpiresIn>10s</ExpiresIn>", "<TimeAllowance>5s</TimeAllowance>", 15), "TokenExpired");
    let soon = "<NotBefore>2017-06-06T18:55:00Z</NotBefore>";
    fails(&at(soon, "", 0), "TokenNotYetValid");
    passes(&at(soon, "<TimeAllowance>1m</TimeAllowance>", 0));
    passes(&at(soon, "", 9));
    let header = "{\"alg\":\"HS256\"}";
    let future = signed(header, "{\"iat\":1496779000}");
    fails(&sent_token(FROM_HEADER, &future), "TokenNotYetValid");
    let ignoring = FROM_HEADER.replace("</VerifyJWT>", "<IgnoreIssuedAt>true</IgnoreIssuedAt></VerifyJWT>");
    passes(&sent_token(&ignoring, &future));
    for payload in ["{\"exp\":\"1496779000\"}", "{\"nbf\":null}"] {
        fails(&sent_token(FROM_HEADER, &signed(header, payload)), "InvalidClaim");
    }
}

#[test]
fn a_token_may_not_live_longer_than_the_policy_says() {
    let expected = "<MaxLifespan>10m</MaxLifespan>";
    passes(&both("<ExpiresIn>10m</ExpiresIn>", expected));
    fails(&both("<ExpiresIn>11m</ExpiresIn>", expected), "InvalidClaim");
    fails(&both("", expected), "InvalidClaim");
    let old = signed("{\"alg\":\"HS256\"}", "{\"iat\":1496770000,\"nbf\":1496775000,\"exp\":1496775400}");
    let with = |attribute: &str| {
        FROM_HEADER.replace("</VerifyJWT>", &format!("<MaxLifespan{attribute}>10m</MaxLifespan></VerifyJWT>"))
    };
    passes(&sent_token(&with(""), &old));
    fails(&sent_token(&with(" useIssueTime=\"true\""), &old), "InvalidClaim");
}

#[test]
fn faults_of_claims_that_are_not_the_expected_ones() {
    for (made, right, wrong, code) in [
        ("<Subject>s</Subject>", "<Subject>s</Subject>", "<Subject>t</Subject>", "JwtSubjectMismatch"),
        (
            "<Issuer>s</Issuer>",
            "<Issuer>s</Issuer>",
            "<Issuer ref=\"request.queryparam.who\"/>",
            "JwtIssuerMismatch",
        ),
        (
            "<Audience>a,b</Audience>",
            "<Audience>c,b</Audience>",
            "<Audience>c</Audience>",
            "JwtAudienceMismatch",
        ),
        (
            "<Audience>a</Audience>",
            "<Audience multiple=\"true\">b,a</Audience>",
            "<Audience>aa</Audience>",
            "JwtAudienceMismatch",
        ),
        ("<Id>1</Id>", "<Id>1</Id>", "<Id>2</Id>", "InvalidClaim"),
        (
            "<AdditionalClaims><Claim name=\"n\" type=\"number\">1</Claim></AdditionalClaims>",
            "<AdditionalClaims><Claim name=\"n\" type=\"number\">1</Claim></AdditionalClaims>",
            "<AdditionalClaims><Claim name=\"n\">1</Claim></AdditionalClaims>",
            "InvalidClaim",
        ),
        (
            "<AdditionalHeaders><Claim name=\"h\">1</Claim></AdditionalHeaders>",
            "<AdditionalHeaders><Claim name=\"h\">1</Claim></AdditionalHeaders>",
            "<AdditionalHeaders><Claim name=\"h\">2</Claim></AdditionalHeaders>",
            "InvalidClaim",
        ),
    ] {
        passes(&both(made, right));
        fails(&both(made, wrong), code);
        fails(&both("", wrong), code);
    }
    let custom = set(&[("want", "{\"a\":1}")]);
    let made = generate("<AdditionalClaims><Claim name=\"a\" type=\"number\">1</Claim></AdditionalClaims>");
    passes(&through(&[&custom, &made, &verify("<CustomClaims ref=\"want\"/>")], "/p"));
    fails(&through(&[&custom, &generate(""), &verify("<CustomClaims ref=\"want\"/>")], "/p"), "InvalidClaim");
}

#[test]
fn unresolved_expectations_fail_unless_ignored() {
    fails(&both("<Subject>s</Subject>", "<Subject ref=\"none\"/>"), "JwtSubjectMismatch");
    let ignore = "<IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>";
    passes(&both("<Subject>s</Subject>", &format!("<Subject ref=\"none\"/>{ignore}")));
}

#[test]
fn fault_unhandled_critical_header() {
    let critical = "<AdditionalHeaders><Claim name=\"v\">1</Claim></AdditionalHeaders><CriticalHeaders>v</CriticalHeaders>";
    fails(&both(critical, ""), "UnhandledCriticalHeader");
    passes(&both(critical, "<KnownHeaders>u,v</KnownHeaders>"));
    passes(&both(critical, "<IgnoreCriticalHeaders>true</IgnoreCriticalHeaders>"));
    fails(&both(critical, "<KnownHeaders>u</KnownHeaders>"), "UnhandledCriticalHeader");
}

fn rsa(algorithm: &str, key: &str) -> Sent {
    let generate = format!(
        "<GenerateJWT><Algorithm>{algorithm}</Algorithm><PrivateKey><Value ref=\"private.rsa\"/><Id>k-1</Id></PrivateKey><OutputVariable>t</OutputVariable></GenerateJWT>"
    );
    let verify = format!(
        "<VerifyJWT><Algorithm>{algorithm}</Algorithm><Source>t</Source><PublicKey>{key}</PublicKey></VerifyJWT>"
    );
    through(&[&generate, &verify], "/p")
}

#[test]
fn public_keys_come_in_every_form() {
    for algorithm in ["RS256", "RS512", "PS384"] {
        passes(&rsa(algorithm, "<Value ref=\"rsa.public\"/>"));
    }
    passes(&rsa("RS256", &format!("<Value>{RSA_PUBLIC}</Value>")));
    passes(&rsa("RS256", "<Value ref=\"rsa.certificate\"/>"));
    passes(&rsa("RS256", "<Certificate ref=\"rsa.certificate\"/>"));
    passes(&rsa("RS256", "<JWKS ref=\"rsa.set\"/>"));
    fails(&rsa("RS256", "<Value ref=\"p256.public\"/>"), "WrongKeyType");
    fails(&rsa("RS256", "<Value ref=\"private.bad\"/>"), "KeyParsingFailed");
    fails(&rsa("RS256", "<Value ref=\"none\"/>"), "InvalidKeyConfiguration");
}

#[test]
fn elliptic_curves_verify_and_other_curves_do_not() {
    let with = |algorithm: &str, private: &str, public: &str| {
        let generate = format!(
            "<GenerateJWT><Algorithm>{algorithm}</Algorithm><PrivateKey><Value ref=\"private.{private}\"/></PrivateKey><OutputVariable>t</OutputVariable></GenerateJWT>"
        );
        let verify = format!(
            "<VerifyJWT><Algorithm>{algorithm}</Algorithm><Source>t</Source><PublicKey><Value ref=\"{public}.public\"/></PublicKey></VerifyJWT>"
        );
        through(&[&generate, &verify], "/p")
    };
    passes(&with("ES256", "p256", "p256"));
    passes(&with("ES512", "p521", "p521"));
    fails(&with("ES256", "p256", "p521"), "InvalidCurve");
}

#[test]
fn faults_of_key_ids() {
    let none = "<GenerateJWT><Algorithm>RS256</Algorithm><PrivateKey><Value ref=\"private.rsa\"/></PrivateKey><OutputVariable>t</OutputVariable></GenerateJWT>";
    let verify = "<VerifyJWT><Algorithm>RS256</Algorithm><Source>t</Source><PublicKey><JWKS ref=\"rsa.set\"/></PublicKey></VerifyJWT>";
    fails(&through(&[none, verify], "/p"), "KeyIdMissing");
    let other = none.replace("</PrivateKey>", "<Id>k-2</Id></PrivateKey>");
    fails(&through(&[&other, verify], "/p"), "NoMatchingPublicKey");
}

const AT: &str = "<JWKS uri=\"https://idp.example/keys?v=1\"/>";

fn set_at(key: &str) -> Bench {
    let generate = "<GenerateJWT><Algorithm>RS256</Algorithm><PrivateKey><Value ref=\"private.rsa\"/><Id ref=\"request.queryparam.kid\">k-1</Id></PrivateKey><OutputVariable>t</OutputVariable></GenerateJWT>";
    let verify = format!(
        "<VerifyJWT><Algorithm>RS256</Algorithm><Source>t</Source><PublicKey>{key}</PublicKey></VerifyJWT>"
    );
    bench(&[&set(&[("where", "https://idp.example/keys?v=1")]), generate, &verify])
}

fn answers(bench: &Bench, answer: crate::exchange::Message) {
    bench.outside.answers.borrow_mut().push(Ok(answer));
}

#[test]
fn a_key_set_is_fetched_once_and_kept_for_its_age() {
    for key in [AT, "<JWKS uriRef=\"where\"/>"] {
        let bench = set_at(key);
        answers(&bench, response(200, &[("cache-control", "public, max-age=60")], RSA_SET));
        passes(&bench.get("/p"));
        passes(&bench.get("/p"));
        bench.clock.advance(Duration::from_secs(59));
        passes(&bench.get("/p"));
        assert_eq!(bench.outside.called.borrow().len(), 1);
        {
            let called = bench.outside.called.borrow();
            let head = called[0].request.as_request().unwrap();
            assert_eq!((&*called[0].endpoint.host, called[0].endpoint.port), ("idp.example", 443));
            assert_eq!(head.uri.as_str(), "/keys?v=1");
        }
        bench.clock.advance(Duration::from_secs(1));
        answers(&bench, response(200, &[], RSA_SET));
        passes(&bench.get("/p"));
        assert_eq!(bench.outside.called.borrow().len(), 2);
    }
}

#[test]
fn a_failed_fetch_is_not_tried_again_at_once() {
    let bench = set_at(AT);
    fails(&bench.get("/p"), "NoMatchingPublicKey");
    fails(&bench.get("/p"), "NoMatchingPublicKey");
    assert_eq!(bench.outside.called.borrow().len(), 1);
    bench.clock.advance(Duration::from_secs(10));
    for bad in [response(500, &[], RSA_SET), response(200, &[], "<html/>")] {
        answers(&bench, bad);
        fails(&bench.get("/p"), "NoMatchingPublicKey");
        bench.clock.advance(Duration::from_secs(10));
    }
    answers(&bench, response(200, &[], RSA_SET));
    passes(&bench.get("/p"));
}

#[test]
fn an_old_set_is_used_while_its_server_is_away_for_an_hour() {
    let bench = set_at(AT);
    answers(&bench, response(200, &[("cache-control", "max-age=10")], RSA_SET));
    passes(&bench.get("/p"));
    bench.clock.advance(Duration::from_secs(100));
    passes(&bench.get("/p"));
    assert_eq!(bench.outside.called.borrow().len(), 2);
    bench.clock.advance(Duration::from_secs(2 * 3600));
    fails(&bench.get("/p"), "NoMatchingPublicKey");
}

#[test]
fn a_new_key_id_has_the_set_fetched_anew_but_not_for_every_token() {
    let bench = set_at(AT);
    answers(&bench, response(200, &[], RSA_SET));
    passes(&bench.get("/p"));
    fails(&bench.get("/p?kid=k-2"), "NoMatchingPublicKey");
    assert_eq!(bench.outside.called.borrow().len(), 1, "the set is a moment old");
    bench.clock.advance(Duration::from_secs(31));
    answers(&bench, response(200, &[], &RSA_SET.replace("k-1", "k-2")));
    passes(&bench.get("/p?kid=k-2"));
    assert_eq!(bench.outside.called.borrow().len(), 2);
}

#[test]
fn encrypted_tokens_are_opened_with_every_kind_of_key() {
    let both = |key: &str, content: &str, encrypt: &str, decrypt: &str| {
        let algorithms = format!("<Algorithms><Key>{key}</Key><Content>{content}</Content></Algorithms>");
        let generate = format!(
            "<GenerateJWT>{algorithms}{encrypt}<Subject>s</Subject><ExpiresIn>1h</ExpiresIn><OutputVariable>t</OutputVariable></GenerateJWT>"
        );
        let verify = format!(
            "<VerifyJWT><Type>Encrypted</Type>{algorithms}<Source>t</Source>{decrypt}<Subject>s</Subject></VerifyJWT>"
        );
        through(&[&generate, &verify], "/p")
    };
    let public = "<PublicKey><Value ref=\"rsa.public\"/></PublicKey>";
    let private = |name: &str| format!("<PrivateKey><Value ref=\"private.{name}\"/></PrivateKey>");
    let sent = both("RSA-OAEP-256", "A128GCM", public, &private("rsa"));
    passes(&sent);
    assert_eq!(sent.var("jwt.s2.claim.subject"), "s");
    assert_eq!(sent.var("jwt.s2.header.enc"), "A128GCM");
    let point = "<PublicKey><Value ref=\"p256.public\"/></PublicKey>";
    passes(&both("ECDH-ES+A128KW", "A256GCM", point, &private("p256")));
    for (key, element) in [
        ("A128KW", "SecretKey:k16"),
        ("A256GCMKW", "SecretKey:k32"),
        ("dir", "DirectKey:k32"),
        ("PBES2-HS512+A256KW", "PasswordKey:password"),
    ] {
        let (element, name) = element.split_once(':').unwrap();
        let key_element = format!("<{element}><Value ref=\"private.{name}\"/></{element}>");
        passes(&both(key, "A256GCM", &key_element, &key_element));
    }
    fails(&both("ECDH-ES", "A256GCM", point, &private("p384")), "InvalidCurve");
    let other = "<SecretKey><Value ref=\"private.k16\"/></SecretKey>";
    let short = "<SecretKey><Value ref=\"private.k32\"/></SecretKey>";
    fails(&both("A128KW", "A256GCM", other, short), "InsufficientKeyLength");
}

#[test]
fn faults_of_encrypted_tokens() {
    let verify = "<VerifyJWT><Algorithms><Key>PBES2-HS256+A128KW</Key><Content>A128GCM</Content></Algorithms><PasswordKey><Value ref=\"private.password\"/></PasswordKey></VerifyJWT>";
    let with = |header: &str| {
        use base64::Engine as _;
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
        sent_token(verify, &format!("{header}.AAAA.AAAA.AAAA.AAAA"))
    };
    let head = "\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A128GCM\"";
    fails(&with(&format!("{{{head},\"p2c\":1,\"p2s\":\"AAAAAAAAAAAA\"}}")), "InvalidIterationCount");
    fails(&with(&format!("{{{head},\"p2c\":1000000,\"p2s\":\"AAAAAAAAAAAA\"}}")), "InvalidIterationCount");
    fails(&with(&format!("{{{head},\"p2c\":1000,\"p2s\":\"AAAA\"}}")), "InvalidSaltLength");
    fails(&with(&format!("{{{head},\"p2c\":1000,\"p2s\":\"AAAAAAAAAAAA\"}}")), "FailedToDecode");
    fails(&with("{\"alg\":\"dir\",\"enc\":\"A128GCM\"}"), "AlgorithmMismatch");
    fails(&with("{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A256GCM\"}"), "AlgorithmMismatch");
    fails(&with("{}"), "NoAlgorithmFoundInHeader");
    fails(&sent_token(verify, "a.b.c"), "FailedToDecode");
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        ("<Algorithm>HS256,RS256</Algorithm>".to_owned() + SECRET_KEY, "InvalidValueForElement"),
        ("<Algorithm>RS256</Algorithm><PublicKey/>".into(), "EmptyElementForKeyConfiguration"),
        (
            "<Algorithm>RS256</Algorithm><PublicKey><JWKS uri=\"ftp://x/\"/></PublicKey>".into(),
            "InvalidValueForElement",
        ),
        (
            format!("<Algorithm>HS256</Algorithm>{SECRET_KEY}<TimeAllowance>x</TimeAllowance>"),
            "InvalidValueForElement",
        ),
        (
            format!("<Algorithm>HS256</Algorithm>{SECRET_KEY}<MaxLifespan>x</MaxLifespan>"),
            "InvalidValueForElement",
        ),
        (format!("<Algorithm>HS256</Algorithm>{SECRET_KEY}<Leeway/>"), "UnknownElement"),
    ] {
        assert_eq!(problem_of(&format!("<VerifyJWT>{inside}</VerifyJWT>")), rule, "{inside}");
    }
}
