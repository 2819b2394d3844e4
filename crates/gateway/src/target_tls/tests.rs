use super::plan::TlsAsked;
use super::verifier::ExpectedName;
use crate::design::TlsSettings;
use crate::key_stores::KeyStores;

fn asked(settings: TlsSettings) -> Result<TlsAsked, String> {
    let settings = TlsSettings { enabled: true, ..settings };
    TlsAsked::read(&settings, &KeyStores::default()).map_err(|unmet| unmet.to_string())
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn a_wildcard_stands_for_one_label_and_only_where_it_is_asked_for() {
    let name = |pattern: &str, wildcard| ExpectedName { pattern: pattern.into(), wildcard };
    for (pattern, wildcard, found, is) in [
        ("abc.example", false, "ABC.example", true),
        ("*.example", false, "*.example", true),
        ("*.example", false, "abc.example", false),
        ("*.example", true, "abc.example", true),
        ("*.example", true, "a.b.example", false),
        ("*.example", true, ".example", false),
        ("*.example", true, "example", false),
    ] {
        assert_eq!(name(pattern, wildcard).is(found), is, "{pattern} {wildcard} {found}");
    }
}

#[test]
fn what_cannot_be_had_is_named_with_its_element() {
    let mutual = |key_store: &str| TlsSettings {
        client_auth: true,
        key_store: key_store.into(),
        ..TlsSettings::default()
    };
    for (settings, why) in [
        (mutual(""), "SSLInfo/KeyStore: a store must be named"),
        (mutual("mine"), "SSLInfo/KeyStore: there is no key store 'mine'"),
        (mutual("ref://mine"), "SSLInfo/KeyStore: there is no key store 'ref://mine'"),
        (
            TlsSettings { trust_store: "theirs".into(), ..TlsSettings::default() },
            "SSLInfo/TrustStore: there is no trust store 'theirs'",
        ),
        (
            TlsSettings { protocols: words(&["TLSv1", "SSLv3"]), ..TlsSettings::default() },
            "SSLInfo/Protocols: only TLSv1.2 and TLSv1.3 are spoken",
        ),
        (
            TlsSettings { ciphers: words(&["TLS_RSA_WITH_RC4_128_MD5"]), ..TlsSettings::default() },
            "SSLInfo/Ciphers: none of the named suites is spoken",
        ),
    ] {
        assert_eq!(asked(settings).map(drop), Err(why.to_owned()));
    }
}

#[test]
fn errors_are_ignored_only_where_nothing_enforces_them() {
    let ignoring = TlsSettings { ignore_validation_errors: true, ..TlsSettings::default() };
    let enforced = TlsSettings { enforce: true, ..ignoring.clone() };
    assert!(asked(ignoring.clone()).is_ok_and(|asked| asked.trust_all && asked.plan.is_none()));
    assert!(asked(enforced).is_ok_and(|asked| !asked.trust_all));
    assert!(asked(TlsSettings::default()).is_ok_and(|asked| !asked.trust_all && asked.plan.is_none()));
    // A store that nothing is verified against need not be there.
    assert!(asked(TlsSettings { trust_store: "gone".into(), ..ignoring }).is_ok());
}

#[test]
fn of_protocols_and_suites_those_that_are_safe_are_spoken_and_the_others_reported() {
    let asked = asked(TlsSettings {
        protocols: words(&["TLSv1.1", "TLSv1.2"]),
        ciphers: words(&["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA"]),
        ..TlsSettings::default()
    })
    .expect("enough is left");
    let plan = asked.plan.expect("a choice");
    let tls = plan.fixed().expect("known");
    assert_eq!((tls.versions.len(), tls.provider.cipher_suites.len()), (1, 1));
    assert_eq!(asked.warnings.len(), 2, "{:?}", asked.warnings);
}
