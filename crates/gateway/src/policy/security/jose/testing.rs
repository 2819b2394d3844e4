//! Keys and variables of tests about tokens.

use crate::testing::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../../../vault/src/jose/fixtures/", $name))
    };
}

pub(crate) const RSA: &str = fixture!("rsa.pem");
pub(crate) const RSA_ENCRYPTED: &str = fixture!("rsa-encrypted.pem");
pub(crate) const RSA_PUBLIC: &str = fixture!("rsa.pub");
pub(crate) const RSA_CERTIFICATE: &str = fixture!("rsa.crt");
/// One key with the id `k-1`: [`RSA_PUBLIC`].
pub(crate) const RSA_SET: &str = fixture!("rsa.jwks.json");
pub(crate) const P256: &str = fixture!("p256.pem");
pub(crate) const P256_PUBLIC: &str = fixture!("p256.pub");
pub(crate) const P384: &str = fixture!("p384.pem");
pub(crate) const P521: &str = fixture!("p521.pem");
pub(crate) const P521_PUBLIC: &str = fixture!("p521.pub");
/// Long enough for each digest.
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A step that sets variables.
pub(crate) fn set(variables: &[(&str, &str)]) -> String {
    let each: String = variables
        .iter()
        .map(|(name, value)| {
            format!("<AssignVariable><Name>{name}</Name><Value><![CDATA[{value}]]></Value></AssignVariable>")
        })
        .collect();
    format!("<AssignMessage>{each}</AssignMessage>")
}

/// Every key in a variable.
pub(crate) fn keys() -> String {
    set(&[
        ("private.rsa", RSA),
        ("private.encrypted", RSA_ENCRYPTED),
        ("private.password", "open-sesame"),
        ("rsa.public", RSA_PUBLIC),
        ("rsa.certificate", RSA_CERTIFICATE),
        ("rsa.set", RSA_SET),
        ("private.p256", P256),
        ("private.p384", P384),
        ("private.p521", P521),
        ("p256.public", P256_PUBLIC),
        ("p521.public", P521_PUBLIC),
        ("private.secret", SECRET),
        ("private.short", "short"),
        ("private.bad", "no key at all"),
        ("private.k16", "0123456789abcdef"),
        ("private.k32", "0123456789abcdef0123456789abcdef"),
    ])
}

/// `GET path` through the keys and these steps; the last one is `s<number of steps>`.
pub(crate) fn through(steps: &[&str], path: &str) -> Sent {
    bench(steps).get(path)
}

pub(crate) fn bench(steps: &[&str]) -> Bench {
    let design = steps.iter().fold(design().step(&keys()), |design, step| design.step(step));
    Bench::new(&design)
}

/// The middle part of a token.
pub(crate) fn part(token: &str, at: usize) -> serde_json::Value {
    use base64::Engine as _;
    let part = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Status and code.
pub(crate) fn fault(sent: &Sent) -> (u16, String) {
    (sent.status(), sent.code())
}
