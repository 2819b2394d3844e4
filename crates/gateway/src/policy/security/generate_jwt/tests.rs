use serde_json::json;

use crate::policy::security::jose::testing::*;
use crate::testing::*;

const HS256: &str = "<Algorithm>HS256</Algorithm><SecretKey><Value ref=\"private.secret\"/></SecretKey>";

fn xml(inside: &str) -> String {
    format!("<GenerateJWT>{inside}<OutputVariable>out</OutputVariable></GenerateJWT>")
}

fn made(inside: &str, path: &str) -> String {
    let sent = through(&[&xml(inside)], path);
    assert!(!sent.is_answered(), "{}", sent.body());
    sent.var("out")
}

fn claims(inside: &str) -> serde_json::Value {
    part(&made(&format!("{HS256}{inside}"), "/p?who=ann"), 1)
}

#[test]
fn registered_claims_are_written() {
    let made = claims(
        "<Subject ref=\"request.queryparam.who\">nobody</Subject><Issuer>urn:i</Issuer><Audience>a</Audience>\
         <Id>id-1</Id><ExpiresIn>60m</ExpiresIn><NotBefore>2017-06-06T18:54:51Z</NotBefore>",
    );
    let now = NOW.seconds();
    assert_eq!(
        made,
        json!({"sub": "ann", "iss": "urn:i", "aud": "a", "jti": "id-1", "iat": now, "exp": now + 3600, "nbf": now})
    );
    assert_eq!(claims(""), json!({"iat": now}));
}

#[test]
fn an_empty_id_becomes_a_new_one_and_lists_become_audiences() {
    assert!(claims("<Id/>")["jti"].as_str().unwrap().len() > 20);
    assert_eq!(claims("<Audience>a, b</Audience>")["aud"], json!(["a", "b"]));
    assert_eq!(claims("<Audience multiple=\"true\">a</Audience>")["aud"], json!(["a"]));
}

#[test]
fn expiry_may_come_from_a_variable() {
    let xml = format!("{HS256}<ExpiresIn ref=\"request.queryparam.t\">1h</ExpiresIn>");
    let after = |path: &str| part(&made(&xml, path), 1)["exp"].as_i64().unwrap() - NOW.seconds();
    assert_eq!((after("/p?t=30"), after("/p")), (30, 3600));
    assert_eq!(
        fault(&through(&[&super::tests::xml(&xml)], "/p?t=soon")),
        (401, "steps.jwt.GenerationFailed".into())
    );
    let before = format!("{HS256}<NotBefore ref=\"request.queryparam.t\"/>");
    assert_eq!(part(&made(&before, "/p?t=2017-08-14T11:00:21Z"), 1)["nbf"], 1_502_708_421);
}

#[test]
fn additional_claims_are_typed() {
    let made = claims(
        "<AdditionalClaims><Claim name=\"t\">x</Claim><Claim name=\"n\" type=\"number\">1.5</Claim>\
         <Claim name=\"b\" type=\"boolean\">true</Claim><Claim name=\"m\" type=\"map\">{\"a\":1}</Claim>\
         <Claim name=\"l\" type=\"number\" array=\"true\">1,2</Claim><Claim name=\"r\" ref=\"request.queryparam.who\"/>\
         <Claim name=\"s\" array=\"true\">x, y</Claim></AdditionalClaims>",
    );
    for (name, value) in [
        ("t", json!("x")),
        ("n", json!(1.5)),
        ("b", json!(true)),
        ("m", json!({"a": 1})),
        ("l", json!([1, 2])),
        ("r", json!("ann")),
        ("s", json!(["x", "y"])),
    ] {
        assert_eq!(made[name], value, "{name}");
    }
}

#[test]
fn claims_may_come_from_a_json_variable() {
    let set = set(&[("more", "{\"a\":[1],\"b\":\"c\"}"), ("none", "[]")]);
    let xml = |inside: &str| {
        format!("<GenerateJWT>{HS256}{inside}<OutputVariable>out</OutputVariable></GenerateJWT>")
    };
    let sent = through(&[&set, &xml("<AdditionalClaims ref=\"more\"/>")], "/p");
    assert_eq!(part(&sent.var("out"), 1)["a"], json!([1]));
    let sent = through(&[&set, &xml("<CustomClaims ref=\"more\"/>")], "/p");
    assert_eq!(part(&sent.var("out"), 1)["b"], "c");
    for inside in ["<AdditionalClaims ref=\"none\"/>", "<CustomClaims ref=\"none\"/>"] {
        let sent = through(&[&set, &xml(inside)], "/p");
        assert_eq!(fault(&sent), (401, "steps.jwt.InvalidJsonFormat".into()));
    }
}

#[test]
fn headers_say_type_algorithm_key_and_what_is_added() {
    let token = made(
        "<Algorithm>HS256</Algorithm><SecretKey><Value ref=\"private.secret\"/><Id>k-9</Id></SecretKey>\
         <AdditionalHeaders><Claim name=\"cty\">x</Claim><Claim name=\"v\" type=\"number\">2</Claim></AdditionalHeaders>\
         <CriticalHeaders>v</CriticalHeaders>",
        "/p",
    );
    assert_eq!(
        part(&token, 0),
        json!({"typ": "JWT", "kid": "k-9", "cty": "x", "v": 2, "crit": ["v"], "alg": "HS256"})
    );
}

#[test]
fn without_an_output_variable_the_token_is_a_variable_of_the_policy() {
    let sent = through(&[&format!("<GenerateJWT>{HS256}</GenerateJWT>")], "/p");
    assert_eq!(sent.var("jwt.s1.generated_jwt").split('.').count(), 3);
}

#[test]
fn a_known_token_is_made() {
    // HMAC-SHA256 of this header and payload, computed by another implementation.
    let token = made(&format!("{HS256}<Subject>s</Subject>"), "/p");
    let head = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzIiwiaWF0IjoxNDk2Nzc1MjkxfQ";
    assert_eq!(token, format!("{head}.lWKeMwOlxB6nQTyzUs4Kac4R5ztv0MbUcRkShUwUr8Y"));
}

#[test]
fn every_algorithm_signs() {
    for (algorithm, key) in [
        ("HS256", "SecretKey:secret"),
        ("HS384", "SecretKey:secret"),
        ("HS512", "SecretKey:secret"),
        ("RS256", "PrivateKey:rsa"),
        ("RS384", "PrivateKey:rsa"),
        ("RS512", "PrivateKey:rsa"),
        ("PS256", "PrivateKey:rsa"),
        ("PS384", "PrivateKey:rsa"),
        ("PS512", "PrivateKey:rsa"),
        ("ES256", "PrivateKey:p256"),
        ("ES384", "PrivateKey:p384"),
        ("ES512", "PrivateKey:p521"),
    ] {
        let (element, name) = key.split_once(':').unwrap();
        let key = format!("<{element}><Value ref=\"private.{name}\"/></{element}>");
        let token = made(&format!("<Algorithm>{algorithm}</Algorithm>{key}"), "/p");
        assert_eq!(part(&token, 0)["alg"], algorithm);
    }
}

#[test]
fn an_encrypted_private_key_opens_with_its_password() {
    let key = |password: &str| {
        format!(
            "<Algorithm>RS256</Algorithm><PrivateKey><Value ref=\"private.encrypted\"/><Password ref=\"{password}\"/></PrivateKey>"
        )
    };
    assert_eq!(made(&key("private.password"), "/p").split('.').count(), 3);
    assert_eq!(
        fault(&through(&[&xml(&key("private.short"))], "/p")),
        (401, "steps.jwt.KeyParsingFailed".into())
    );
}

#[test]
fn tokens_are_encrypted_with_every_kind_of_key() {
    for (key, content, element) in [
        ("RSA-OAEP-256", "A128GCM", "<PublicKey><Value ref=\"rsa.public\"/></PublicKey>"),
        ("RSA-OAEP-256", "A256GCM", "<PublicKey><Certificate ref=\"rsa.certificate\"/></PublicKey>"),
        ("RSA-OAEP-256", "A256GCM", "<PublicKey><JWKS ref=\"rsa.set\"/><Id>k-1</Id></PublicKey>"),
        ("ECDH-ES", "A128CBC-HS256", "<PublicKey><Value ref=\"p256.public\"/></PublicKey>"),
        ("ECDH-ES+A256KW", "A192GCM", "<PublicKey><Value ref=\"p521.public\"/></PublicKey>"),
        ("A128KW", "A128GCM", "<SecretKey><Value ref=\"private.k16\"/></SecretKey>"),
        ("A256GCMKW", "A256CBC-HS512", "<SecretKey><Value ref=\"private.k32\"/></SecretKey>"),
        ("dir", "A256GCM", "<DirectKey><Value ref=\"private.k32\"/></DirectKey>"),
        (
            "PBES2-HS256+A128KW",
            "A128GCM",
            "<PasswordKey><Value ref=\"private.password\"/><SaltLength>20</SaltLength><PBKDF2Iterations>2000</PBKDF2Iterations></PasswordKey>",
        ),
    ] {
        let algorithms = format!("<Algorithms><Key>{key}</Key><Content>{content}</Content></Algorithms>");
        let token = made(&format!("<Type>Encrypted</Type>{algorithms}{element}"), "/p");
        let header = part(&token, 0);
        assert_eq!((&header["alg"], &header["enc"]), (&json!(key), &json!(content)));
        assert_eq!(token.split('.').count(), 5);
        if key.starts_with("PBES2") {
            assert_eq!((&header["p2c"], header["p2s"].as_str().unwrap().len()), (&json!(2000), 27));
        }
    }
}

#[test]
fn faults_of_keys_and_claims() {
    let code = |inside: &str| {
        let sent = through(&[&xml(inside)], "/p");
        assert_eq!((sent.status(), sent.var("jwt.s1.failed").as_str()), (401, "true"), "{inside}");
        assert!(!sent.body().contains("no key at all"), "{}", sent.body());
        sent.code().strip_prefix("steps.jwt.").unwrap().to_owned()
    };
    let key = |algorithm: &str, element: &str, name: &str| {
        format!("<Algorithm>{algorithm}</Algorithm><{element}><Value ref=\"private.{name}\"/></{element}>")
    };
    assert_eq!(code(&key("HS256", "SecretKey", "short")), "InsufficientKeyLength");
    assert_eq!(code(&key("HS256", "SecretKey", "none")), "InvalidKeyConfiguration");
    assert_eq!(code(&key("RS256", "PrivateKey", "bad")), "KeyParsingFailed");
    assert_eq!(code(&key("RS256", "PrivateKey", "p256")), "WrongKeyType");
    assert_eq!(code(&key("ES256", "PrivateKey", "p384")), "InvalidCurve");
    assert_eq!(code(&format!("{HS256}<Subject ref=\"none\"/>")), "GenerationFailed");
    let claim = "<AdditionalClaims><Claim name=\"n\" type=\"number\" ref=\"rsa.public\"/></AdditionalClaims>";
    assert_eq!(code(&format!("{HS256}{claim}")), "InvalidClaim");
    let oaep = "<Algorithms><Key>RSA-OAEP-256</Key><Content>A128GCM</Content></Algorithms>";
    let set = |id: &str| format!("{oaep}<PublicKey><JWKS ref=\"rsa.set\"/>{id}</PublicKey>");
    assert_eq!(code(&set("")), "KeyIdMissing");
    assert_eq!(code(&set("<Id>k-2</Id>")), "NoMatchingPublicKey");
    assert_eq!(code(&format!("{oaep}<PublicKey><Value ref=\"p256.public\"/></PublicKey>")), "WrongKeyType");
    let direct = "<Algorithms><Key>dir</Key><Content>A256GCM</Content></Algorithms><DirectKey><Value ref=\"private.k16\"/></DirectKey>";
    assert_eq!(code(direct), "InsufficientKeyLength");
    let sent = through(
        &[&format!("<GenerateJWT>{HS256}<OutputVariable>system.timestamp</OutputVariable></GenerateJWT>")],
        "/p",
    );
    assert_eq!(fault(&sent), (401, "steps.jwt.GenerationFailed".into()));
}

#[test]
fn unresolved_variables_can_be_ignored() {
    let ignore = "<IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>";
    assert_eq!(claims(&format!("<Subject ref=\"none\"/>{ignore}")), json!({"iat": NOW.seconds()}));
}

#[test]
fn secrets_may_be_encoded() {
    let set = set(&[("private.hex", &SECRET.bytes().map(|b| format!("{b:02x}")).collect::<String>())]);
    for element in [
        "<SecretKey encoding=\"hex\"><Value ref=\"private.hex\"/></SecretKey>",
        "<SecretKey><Value encoding=\"base16\" ref=\"private.hex\"/></SecretKey>",
    ] {
        let xml = xml(&format!("<Algorithm>HS256</Algorithm>{element}"));
        let sent = through(&[&set, &xml], "/p");
        assert_eq!(sent.var("out"), made(HS256, "/p"));
    }
}

#[test]
fn mistakes_are_found_at_deploy() {
    let secret = "<SecretKey><Value ref=\"private.k\"/></SecretKey>";
    let with = |inside: &str| format!("{HS256}{inside}");
    for (inside, rule) in [
        (secret.to_owned(), "MissingConfigurationElement"),
        (format!("<Algorithm>none</Algorithm>{secret}"), "InvalidValueForElement"),
        (format!("<Algorithm>HS256,HS384</Algorithm>{secret}"), "InvalidValueForElement"),
        (format!("<Algorithm>RS256</Algorithm>{secret}"), "InvalidKeyConfiguration"),
        ("<Algorithm>RS256</Algorithm>".into(), "MissingConfigurationElement"),
        ("<Algorithm>HS256</Algorithm><SecretKey/>".into(), "EmptyElementForKeyConfiguration"),
        (
            "<Algorithm>HS256</Algorithm><SecretKey><Value>x</Value></SecretKey>".into(),
            "InvalidSecretInConfig",
        ),
        (
            "<Algorithm>HS256</Algorithm><SecretKey><Value ref=\"k\"/></SecretKey>".into(),
            "InvalidVariableNameForSecret",
        ),
        (
            format!(
                "<Algorithm>HS256</Algorithm>{}",
                secret.replace("<SecretKey>", "<SecretKey encoding=\"x\">")
            ),
            "InvalidValueForElement",
        ),
        (
            "<Algorithms><Key>RSA1_5</Key><Content>A128GCM</Content></Algorithms>".into(),
            "InvalidValueForElement",
        ),
        ("<Algorithms><Key>dir</Key><Content>DES</Content></Algorithms>".into(), "InvalidValueForElement"),
        (with("<Algorithms><Key>dir</Key><Content>A128GCM</Content></Algorithms>"), "InvalidConfiguration"),
        (with("<Type>Encrypted</Type>"), "InvalidValueForElement"),
        (with("<ExpiresIn>soon</ExpiresIn>"), "InvalidValueForElement"),
        (with("<NotBefore>soon</NotBefore>"), "InvalidValueForElement"),
        (with("<Compress>true</Compress>"), "InvalidValueForElement"),
        (with("<AdditionalClaims><Claim>x</Claim></AdditionalClaims>"), "MissingNameForAdditionalClaim"),
        (
            with("<AdditionalClaims><Claim name=\"iss\">x</Claim></AdditionalClaims>"),
            "InvalidNameForAdditionalClaim",
        ),
        (
            with("<AdditionalClaims><Claim name=\"a\" type=\"date\">x</Claim></AdditionalClaims>"),
            "InvalidTypeForAdditionalClaim",
        ),
        (
            with("<AdditionalClaims><Claim name=\"a\" type=\"number\">x</Claim></AdditionalClaims>"),
            "InvalidTypeForAdditionalClaim",
        ),
        (
            with("<AdditionalClaims><Claim name=\"a\" array=\"1\">x</Claim></AdditionalClaims>"),
            "InvalidValueOfArrayAttribute",
        ),
        (
            with("<AdditionalHeaders><Claim name=\"alg\">x</Claim></AdditionalHeaders>"),
            "InvalidNameForAdditionalHeader",
        ),
        (
            with("<AdditionalHeaders><Claim name=\"a\" type=\"x\">x</Claim></AdditionalHeaders>"),
            "InvalidTypeForAdditionalHeader",
        ),
        (with("<AdditionalHeaders><Claim>x</Claim></AdditionalHeaders>"), "MissingNameForAdditionalHeader"),
        (with("<Realm/>"), "UnknownElement"),
    ] {
        let found = problems(&design().policy("X", &format!("<GenerateJWT>{inside}</GenerateJWT>")));
        assert!(found.iter().any(|problem| problem.rule == rule), "{inside}: {found:#?}");
    }
    let cost = "<Algorithms><Key>PBES2-HS256+A128KW</Key><Content>A128GCM</Content></Algorithms><PasswordKey><Value ref=\"private.p\"/><PBKDF2Iterations>1</PBKDF2Iterations></PasswordKey>";
    assert_eq!(problem_of(&format!("<GenerateJWT>{cost}</GenerateJWT>")), "InvalidValueForElement");
}
