use pierhead_domain::{SeededRng, SystemRng};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("fixtures/", $name))
    };
}

/// Tokens and keys of RFC 7520; of each payload only its digest.
fn rfc_7520(kind: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_json::from_str(fixture!("rfc7520.json")).unwrap();
    all.into_iter().filter(|vector| vector["kind"] == kind).collect()
}

fn key_of(vector: &Value) -> Key {
    match vector["password"].as_str() {
        Some(password) => Key::secret(password.into()),
        None => WebKey::read(&vector["key"].to_string()).unwrap().key,
    }
}

/// The half that verifies or encrypts.
fn public(key: &Key) -> Key {
    match key {
        Key::Secret(secret) => Key::Secret(secret.clone()),
        key => Key::Public(key.public().unwrap()),
    }
}

fn private_pem(text: &str) -> Key {
    Key::Private(PrivateKey::read(text, None).unwrap())
}

fn changed(token: &str, part: usize) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let first = if parts[part].starts_with('A') { "B" } else { "A" };
    parts[part].replace_range(..1, first);
    parts.join(".")
}

#[test]
fn signatures_of_rfc_7520_verify_and_changed_ones_do_not() {
    let vectors = rfc_7520("jws");
    assert_eq!(vectors.len(), 4);
    for vector in vectors {
        let (token, key) = (vector["token"].as_str().unwrap(), public(&key_of(&vector)));
        let signed = Signed::parse(token).unwrap();
        let algorithm = SignatureAlgorithm::named(signed.header["alg"].as_str().unwrap()).unwrap();
        assert_eq!(hex::encode(Sha256::digest(&signed.payload)), vector["sha256"], "{}", vector["name"]);
        let input = signed.signing_input.as_bytes();
        verify(algorithm, &key, input, &signed.signature).unwrap();
        let mut wrong = signed.signature.clone();
        wrong[9] ^= 1;
        assert_eq!(verify(algorithm, &key, input, &wrong), Err(JoseError::BadSignature));
        assert_eq!(verify(algorithm, &key, &input[1..], &signed.signature), Err(JoseError::BadSignature));
        assert_eq!(verify(algorithm, &key, input, &[]), Err(JoseError::BadSignature));
    }
}

#[test]
fn deterministic_signatures_of_rfc_7520_are_made_again() {
    for vector in rfc_7520("jws") {
        let signed = Signed::parse(vector["token"].as_str().unwrap()).unwrap();
        let name = signed.header["alg"].as_str().unwrap();
        if matches!(name, "RS256" | "HS256") {
            let algorithm = SignatureAlgorithm::named(name).unwrap();
            let made = sign(algorithm, &key_of(&vector), signed.signing_input.as_bytes()).unwrap();
            assert_eq!(made, signed.signature, "{name}");
        }
    }
}

#[test]
fn tokens_of_rfc_7520_decrypt_and_changed_ones_do_not() {
    let vectors = rfc_7520("jwe");
    assert_eq!(vectors.len(), 7);
    for vector in vectors {
        let (token, key) = (vector["token"].as_str().unwrap(), key_of(&vector));
        let clear = decrypt(&Encrypted::parse(token).unwrap(), &key).unwrap();
        assert_eq!(hex::encode(Sha256::digest(&*clear)), vector["sha256"], "{}", vector["name"]);
        for part in [1, 2, 3, 4] {
            if token.split('.').nth(part) != Some("") {
                let changed = changed(token, part);
                let why = decrypt(&Encrypted::parse(&changed).unwrap(), &key).unwrap_err();
                assert_eq!(why, JoseError::DoesNotDecrypt, "{} part {part}", vector["name"]);
            }
        }
    }
}

#[test]
fn every_signature_algorithm_verifies_what_it_signs_and_no_other() {
    let rsa = private_pem(fixture!("rsa.pem"));
    let secret = Key::secret((0..64).collect());
    let ec = [fixture!("p256.pem"), fixture!("p384.pem"), fixture!("p521.pem")].map(private_pem);
    for algorithm in SignatureAlgorithm::ALL {
        let key = match algorithm {
            SignatureAlgorithm::Es256 => &ec[0],
            SignatureAlgorithm::Es384 => &ec[1],
            SignatureAlgorithm::Es512 => &ec[2],
            _ if algorithm.key_kind() == KeyKind::Rsa => &rsa,
            _ => &secret,
        };
        let signature = sign(algorithm, key, b"input").unwrap();
        verify(algorithm, &public(key), b"input", &signature).unwrap();
        assert!(verify(algorithm, &public(key), b"inpuu", &signature).is_err());
        for other in SignatureAlgorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            assert!(verify(other, &public(key), b"input", &signature).is_err(), "{algorithm:?} {other:?}");
        }
        let wrong_kind = if algorithm.key_kind() == KeyKind::Rsa { &secret } else { &rsa };
        assert_eq!(sign(algorithm, wrong_kind, b""), Err(JoseError::WrongKeyType));
    }
    assert_eq!(sign(SignatureAlgorithm::Es256, &ec[1], b""), Err(JoseError::WrongCurve));
    // A public key is never taken for the secret of a code.
    assert_eq!(
        verify(SignatureAlgorithm::Hs256, &public(&rsa), b"input", b"x"),
        Err(JoseError::WrongKeyType)
    );
}

#[test]
fn a_key_shorter_than_its_digest_is_refused() {
    for (algorithm, bytes) in
        [(SignatureAlgorithm::Hs256, 31), (SignatureAlgorithm::Hs384, 47), (SignatureAlgorithm::Hs512, 63)]
    {
        assert_eq!(sign(algorithm, &Key::secret(vec![1; bytes]), b""), Err(JoseError::ShortKey));
        sign(algorithm, &Key::secret(vec![1; bytes + 1]), b"").unwrap();
    }
}

#[test]
fn every_pair_of_encryption_algorithms_decrypts_what_it_encrypts() {
    let rsa = private_pem(fixture!("rsa.pem"));
    let ec = [fixture!("p256.pem"), fixture!("p384.pem"), fixture!("p521.pem")].map(private_pem);
    let rng = SeededRng::new(3);
    for algorithm in KeyAlgorithm::ALL {
        for content in ContentAlgorithm::ALL {
            let keys: Vec<Key> = match algorithm.key_kind() {
                KeyKind::Rsa => vec![private_pem(fixture!("rsa.pem"))],
                KeyKind::Ec => ec
                    .iter()
                    .map(|key| match key {
                        Key::Private(PrivateKey::Ec { curve, scalar, .. }) => {
                            Key::Private(key::ec_key(*curve, scalar).unwrap())
                        }
                        _ => unreachable!(),
                    })
                    .collect(),
                KeyKind::Password => vec![Key::secret(b"a password".to_vec())],
                KeyKind::Direct => vec![Key::secret(vec![7; content.key_bytes()])],
                KeyKind::Secret => {
                    vec![Key::secret(vec![9; algorithm.aes().unwrap().bytes()])]
                }
            };
            for key in keys {
                let token =
                    encrypt(Header::new(), algorithm, content, &public(&key), b"clear", &rng).unwrap();
                let parsed = Encrypted::parse(&token).unwrap();
                assert_eq!(parsed.header["alg"], algorithm.name());
                assert_eq!(parsed.header["enc"], content.name());
                assert_eq!(&**decrypt(&parsed, &key).unwrap(), b"clear", "{algorithm:?} {content:?}");
                // The header is authenticated too.
                let mut forged = parsed.clone();
                let other = compact::encode(b"{\"alg\":\"dir\"}");
                forged.encoded_header = &other;
                assert_eq!(decrypt(&forged, &key).unwrap_err(), JoseError::DoesNotDecrypt);
            }
        }
    }
    let wrong =
        encrypt(Header::new(), KeyAlgorithm::A128Kw, ContentAlgorithm::A128Gcm, &public(&rsa), b"", &rng);
    assert_eq!(wrong.unwrap_err(), JoseError::WrongKeyType);
}

#[test]
fn oaep_with_sha_256_opens_what_another_implementation_sealed() {
    use base64::Engine as _;
    let sealed =
        base64::engine::general_purpose::STANDARD.decode(fixture!("oaep-sha256.b64").trim()).unwrap();
    let Key::Private(PrivateKey::Rsa(key)) = private_pem(fixture!("rsa.pem")) else { panic!() };
    let clear = rsa_oaep::decrypt(rsa_oaep::Hash::Sha256, &key, &sealed).unwrap();
    assert_eq!(clear.as_slice(), b"thirty-two bytes of a secret key");
    assert!(rsa_oaep::decrypt(rsa_oaep::Hash::Sha1, &key, &sealed).is_err());
    assert!(rsa_oaep::decrypt(rsa_oaep::Hash::Sha256, &key, &sealed[1..]).is_err());
    assert!(rsa_oaep::decrypt(rsa_oaep::Hash::Sha256, &key, &[0xff; 256]).is_err());
}

#[test]
fn one_key_reads_the_same_from_every_container() {
    let key = PrivateKey::read(fixture!("rsa.pem"), None).unwrap().public();
    for text in [fixture!("rsa.pub"), fixture!("rsa-pkcs1.pub"), fixture!("rsa.crt")] {
        assert_eq!(PublicKey::read(text).unwrap(), key);
    }
    assert_eq!(PrivateKey::read(fixture!("rsa-pkcs1.pem"), None).unwrap().public(), key);
    let encrypted = PrivateKey::read(fixture!("rsa-encrypted.pem"), Some("open-sesame")).unwrap();
    assert_eq!(encrypted.public(), key);
    let one_line = fixture!("rsa.pub").replace('\n', "\\n");
    assert_eq!(PublicKey::read(&one_line).unwrap(), key, "line breaks that came through JSON");
    assert_eq!(PublicKey::read(&fixture!("rsa.pub").replace('\n', " ")).unwrap(), key);
    for (pkcs8, sec1, public) in [
        (fixture!("p256.pem"), fixture!("p256-sec1.pem"), fixture!("p256.pub")),
        (fixture!("p384.pem"), fixture!("p384-sec1.pem"), fixture!("p384.pub")),
        (fixture!("p521.pem"), fixture!("p521-sec1.pem"), fixture!("p521.pub")),
    ] {
        let public = PublicKey::read(public).unwrap();
        assert_eq!(PrivateKey::read(pkcs8, None).unwrap().public(), public);
        assert_eq!(PrivateKey::read(sec1, None).unwrap().public(), public);
        assert_eq!(PublicKey::of_jwk(&public.to_jwk().into()).unwrap(), public);
    }
}

#[test]
fn what_is_no_key_is_refused_and_never_quoted() {
    for (text, password) in [
        ("", None),
        ("secret-text", None),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", None),
        (fixture!("rsa.pub"), None),
        (fixture!("rsa-encrypted.pem"), None),
        (fixture!("rsa-encrypted.pem"), Some("wrong")),
        (fixture!("rsa-old-encrypted.pem"), Some("x")),
        ("{\"kty\":\"oct\",\"k\":\"AAAA\"}", None),
        ("{\"kty\":\"RSA\"}", None),
    ] {
        let why = PrivateKey::read(text, password).unwrap_err();
        assert!(!why.to_string().contains("secret-text"), "{why}");
    }
    for text in
        ["x", fixture!("rsa.pem"), "{}", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}"]
    {
        assert!(PublicKey::read(text).is_err());
    }
    // Every truncation of a certificate.
    let block = pem::blocks(fixture!("rsa.crt")).remove(0);
    for end in 0..block.bytes.len().min(400) {
        assert!(pkcs::certificate_key(&block.bytes[..end]).is_err());
    }
}

#[test]
fn nothing_prints_a_key() {
    let secret = format!("{:?}", Key::secret(b"hunter2".to_vec()));
    let private = format!("{:?}", private_pem(fixture!("rsa.pem")));
    assert_eq!((secret.as_str(), private.as_str()), ("Secret(***)", "Private(***)"));
}

#[test]
fn keys_of_a_set_are_found_by_id_use_and_algorithm() {
    let set = JwkSet::read(
        r#"{"keys":[{"kty":"oct","k":"AAAA","kid":"a"},{"kty":"OKP","crv":"X"},
            {"kty":"oct","k":"AQEB","kid":"b","use":"enc"},{"kty":"oct","k":"AgIC","kid":"b","use":"sig","alg":"HS256"}]}"#,
    )
    .unwrap();
    assert_eq!(set.candidates(Some("a"), "sig", "HS256").count(), 1);
    assert_eq!(set.candidates(Some("b"), "sig", "HS256").count(), 1);
    assert_eq!(set.candidates(Some("b"), "sig", "HS512").count(), 0);
    assert_eq!(set.candidates(Some("c"), "sig", "HS256").count(), 0);
    assert_eq!(set.candidates(None, "sig", "HS256").count(), 2);
    assert!(JwkSet::read("{\"keys\":1}").is_err());
    assert!(JwkSet::read("[]").is_err());
}

#[test]
fn a_sender_cannot_choose_how_long_we_work_or_how_large_the_clear_text_is() {
    let key = Key::secret(b"a password".to_vec());
    let (algorithm, content) = (KeyAlgorithm::Pbes2Hs256A128Kw, ContentAlgorithm::A128Gcm);
    let token = encrypt(Header::new(), algorithm, content, &key, b"x", &SystemRng).unwrap();
    let with = |member: &str, value: Value| {
        let mut token = Encrypted::parse(&token).unwrap();
        token.header.insert(member.into(), value);
        decrypt(&token, &key).unwrap_err()
    };
    assert_eq!(with("p2c", 999.into()), JoseError::Iterations);
    assert_eq!(with("p2c", (u64::from(MAX_ITERATIONS) + 1).into()), JoseError::Iterations);
    assert_eq!(with("p2s", "AAAA".into()), JoseError::ShortSalt);
    assert_eq!(with("zip", "DEF".into()), JoseError::DoesNotDecrypt);
}

#[test]
fn malformed_tokens_are_refused() {
    for token in ["", ".", "..", "a.b", "e30.e30", "e30.e30.!", "W10.e30.", "e30.e30.e30.e30"] {
        assert!(Signed::parse(token).is_err(), "{token}");
    }
    for token in ["e30.e30.e30", "e30....!", "x....", "e30.....", ""] {
        assert!(Encrypted::parse(token).is_err(), "{token}");
    }
    assert!(Signed::parse("e30.e30.").is_ok());
}

#[test]
fn rsa_with_sha_1_is_for_old_messages() {
    let key = PrivateKey::read(fixture!("rsa.pem"), None).unwrap();
    let signature = sign_rsa_sha1(&key, b"input").unwrap();
    assert_eq!(verify_rsa_sha1(&key.public(), b"input", &signature), Ok(()));
    assert_eq!(verify_rsa_sha1(&key.public(), b"other", &signature), Err(JoseError::BadSignature));
}
