//! Encrypted tokens in compact form (RFC 7516).

use pierhead_domain::Rng;
use serde_json::Value;
use zeroize::Zeroizing;

use super::algorithm::{ContentAlgorithm, KeyAlgorithm};
use super::compact::{Encrypted, Header, decode, encode};
use super::content::{self, Sealed};
use super::key::{Key, PrivateKey, PublicKey};
use super::rsa_oaep::{self, Hash};
use super::{JoseError, ecdh, key_wrap};

/// The most rounds that a password-based token may ask for: whoever sends it chooses them, and they run before
/// anything is known of the sender. About 50 ms.
pub const MAX_ITERATIONS: u32 = 100_000;
/// The fewest, as RFC 7518 §4.8.1.2 advises.
const MIN_ITERATIONS: u32 = 1000;
/// What a token made here asks for.
const ITERATIONS: u32 = 10_000;
const SALT_BYTES: usize = 16;

type Secret = Zeroizing<Vec<u8>>;

/// Encrypts `clear`. `alg`, `enc` and what the algorithm needs are added to `header`; members of these names
/// that are there already are replaced, but `apu` and `apv` of Diffie-Hellman, and `p2c` and `p2s` of passwords,
/// are used as they are.
pub fn encrypt(
    mut header: Header,
    key_algorithm: KeyAlgorithm,
    content_algorithm: ContentAlgorithm,
    key: &Key,
    clear: &[u8],
    rng: &dyn Rng,
) -> Result<String, JoseError> {
    header.insert("alg".into(), key_algorithm.name().into());
    header.insert("enc".into(), content_algorithm.name().into());
    let mut fresh = Zeroizing::new(vec![0; content_algorithm.key_bytes()]);
    rng.fill(&mut fresh);
    let (content_key, wrapped) = give(&mut header, key_algorithm, content_algorithm, key, fresh, rng)?;
    let encoded_header = encode(Value::Object(header).to_string().as_bytes());
    let Sealed { iv, ciphertext, tag } =
        content::seal(content_algorithm, &content_key, encoded_header.as_bytes(), clear, rng)
            .ok_or(JoseError::CannotEncrypt)?;
    let parts = [encode(&wrapped), encode(&iv), encode(&ciphertext), encode(&tag)];
    Ok(format!("{encoded_header}.{}", parts.join(".")))
}

/// The key of the content and what of it goes into the token.
fn give(
    header: &mut Header,
    algorithm: KeyAlgorithm,
    content: ContentAlgorithm,
    key: &Key,
    fresh: Secret,
    rng: &dyn Rng,
) -> Result<(Secret, Vec<u8>), JoseError> {
    use KeyAlgorithm::*;
    let wrapped_by = |key: &[u8], fresh: Secret| {
        let size = algorithm.aes().ok_or(JoseError::CannotEncrypt)?;
        if key.len() != size.bytes() {
            return Err(JoseError::ShortKey);
        }
        let wrapped = key_wrap::wrap(size, key, &fresh).ok_or(JoseError::CannotEncrypt)?;
        Ok((fresh, wrapped))
    };
    match (algorithm, key) {
        (Direct, Key::Secret(secret)) if secret.len() == content.key_bytes() => {
            Ok((secret.clone(), Vec::new()))
        }
        (Direct, Key::Secret(_)) => Err(JoseError::ShortKey),
        (RsaOaep | RsaOaep256, Key::Public(PublicKey::Rsa { n, e })) => {
            let hash = if algorithm == RsaOaep { Hash::Sha1 } else { Hash::Sha256 };
            let wrapped = rsa_oaep::encrypt(hash, n, e, &fresh, rng)?;
            Ok((fresh, wrapped))
        }
        (A128Kw | A192Kw | A256Kw, Key::Secret(secret)) => wrapped_by(secret, fresh),
        (A128GcmKw | A192GcmKw | A256GcmKw, Key::Secret(secret)) => {
            let size = algorithm.aes().filter(|size| size.bytes() == secret.len());
            let size = size.ok_or(JoseError::ShortKey)?;
            let sealed = content::seal_gcm(size, secret, &[], &fresh, rng).ok_or(JoseError::CannotEncrypt)?;
            header.insert("iv".into(), encode(&sealed.iv).into());
            header.insert("tag".into(), encode(&sealed.tag).into());
            Ok((fresh, sealed.ciphertext))
        }
        (Pbes2Hs256A128Kw | Pbes2Hs384A192Kw | Pbes2Hs512A256Kw, Key::Secret(password)) => {
            let salt = match header.get("p2s").and_then(Value::as_str) {
                Some(given) => decode(given)?,
                None => {
                    let mut salt = vec![0; SALT_BYTES];
                    rng.fill(&mut salt);
                    salt
                }
            };
            let rounds = match header.get("p2c").and_then(Value::as_u64) {
                Some(given) => u32::try_from(given).map_err(|_| JoseError::Iterations)?,
                None => ITERATIONS,
            };
            check_password_cost(rounds, &salt)?;
            header.insert("p2s".into(), encode(&salt).into());
            header.insert("p2c".into(), rounds.into());
            let size = algorithm.aes().ok_or(JoseError::CannotEncrypt)?;
            let key = key_wrap::of_password(size, algorithm.name(), password, &salt, rounds);
            wrapped_by(&key, fresh)
        }
        (EcdhEs | EcdhEsA128Kw | EcdhEsA192Kw | EcdhEsA256Kw, Key::Public(public)) => {
            let PublicKey::Ec { curve, .. } = public else { return Err(JoseError::WrongKeyType) };
            let ephemeral = ecdh::ephemeral(*curve, rng)?;
            header.insert("epk".into(), ephemeral.public().to_jwk().into());
            let derived = derived(header, algorithm, content, &ephemeral, public)?;
            if algorithm == EcdhEs { Ok((derived, Vec::new())) } else { wrapped_by(&derived, fresh) }
        }
        _ => Err(JoseError::WrongKeyType),
    }
}

/// Decrypts a token whose algorithms the caller allowed: they are read from its header.
pub fn decrypt(token: &Encrypted<'_>, key: &Key) -> Result<Secret, JoseError> {
    let name = |member| token.header.get(member).and_then(Value::as_str).ok_or(JoseError::Malformed);
    let algorithm = KeyAlgorithm::named(name("alg")?).ok_or(JoseError::DoesNotDecrypt)?;
    let content = ContentAlgorithm::named(name("enc")?).ok_or(JoseError::DoesNotDecrypt)?;
    // Compression lets a small token become a huge one.
    if token.header.contains_key("zip") {
        return Err(JoseError::DoesNotDecrypt);
    }
    let content_key = take(token, algorithm, content, key)?;
    let sealed =
        Sealed { iv: token.iv.clone(), ciphertext: token.ciphertext.clone(), tag: token.tag.clone() };
    content::open(content, &content_key, token.encoded_header.as_bytes(), &sealed)
}

fn take(
    token: &Encrypted<'_>,
    algorithm: KeyAlgorithm,
    content: ContentAlgorithm,
    key: &Key,
) -> Result<Secret, JoseError> {
    use KeyAlgorithm::*;
    let bytes = |member: &str| {
        token.header.get(member).and_then(Value::as_str).ok_or(JoseError::Malformed).and_then(decode)
    };
    let unwrapped_by = |key: &[u8]| {
        let size = algorithm.aes().ok_or(JoseError::DoesNotDecrypt)?;
        if key.len() != size.bytes() {
            return Err(JoseError::ShortKey);
        }
        key_wrap::unwrap(size, key, &token.key).ok_or(JoseError::DoesNotDecrypt)
    };
    match (algorithm, key) {
        (Direct, Key::Secret(secret)) if secret.len() != content.key_bytes() => Err(JoseError::ShortKey),
        (Direct, Key::Secret(secret)) if token.key.is_empty() => Ok(secret.clone()),
        (Direct, Key::Secret(_)) => Err(JoseError::Malformed),
        (RsaOaep, Key::Private(PrivateKey::Rsa(key))) => rsa_oaep::decrypt(Hash::Sha1, key, &token.key),
        (RsaOaep256, Key::Private(PrivateKey::Rsa(key))) => rsa_oaep::decrypt(Hash::Sha256, key, &token.key),
        (A128Kw | A192Kw | A256Kw, Key::Secret(secret)) => unwrapped_by(secret),
        (A128GcmKw | A192GcmKw | A256GcmKw, Key::Secret(secret)) => {
            let size = algorithm.aes().filter(|size| size.bytes() == secret.len());
            let size = size.ok_or(JoseError::ShortKey)?;
            let sealed = Sealed { iv: bytes("iv")?, ciphertext: token.key.clone(), tag: bytes("tag")? };
            let opened = content::open_gcm(size, secret, &[], &sealed);
            opened.map(Zeroizing::new).ok_or(JoseError::DoesNotDecrypt)
        }
        (Pbes2Hs256A128Kw | Pbes2Hs384A192Kw | Pbes2Hs512A256Kw, Key::Secret(password)) => {
            let salt = bytes("p2s")?;
            let rounds = token.header.get("p2c").and_then(Value::as_u64).ok_or(JoseError::Malformed)?;
            let rounds = u32::try_from(rounds).map_err(|_| JoseError::Iterations)?;
            check_password_cost(rounds, &salt)?;
            let size = algorithm.aes().ok_or(JoseError::DoesNotDecrypt)?;
            unwrapped_by(&key_wrap::of_password(size, algorithm.name(), password, &salt, rounds))
        }
        (EcdhEs | EcdhEsA128Kw | EcdhEsA192Kw | EcdhEsA256Kw, Key::Private(private)) => {
            let public = PublicKey::of_jwk(token.header.get("epk").ok_or(JoseError::Malformed)?)?;
            let derived = derived(&token.header, algorithm, content, private, &public)?;
            match algorithm {
                EcdhEs if token.key.is_empty() => Ok(derived),
                EcdhEs => Err(JoseError::Malformed),
                _ => unwrapped_by(&derived),
            }
        }
        _ => Err(JoseError::WrongKeyType),
    }
}

fn check_password_cost(rounds: u32, salt: &[u8]) -> Result<(), JoseError> {
    if salt.len() < 8 {
        return Err(JoseError::ShortSalt);
    }
    let allowed = (MIN_ITERATIONS..=MAX_ITERATIONS).contains(&rounds);
    allowed.then_some(()).ok_or(JoseError::Iterations)
}

/// The key that two sides agree on, for the content or for wrapping.
fn derived(
    header: &Header,
    algorithm: KeyAlgorithm,
    content: ContentAlgorithm,
    private: &PrivateKey,
    public: &PublicKey,
) -> Result<Secret, JoseError> {
    let party = |member: &str| match header.get(member) {
        None => Ok(Vec::new()),
        Some(text) => text.as_str().ok_or(JoseError::Malformed).and_then(decode),
    };
    let secret = ecdh::agree(private, public)?;
    let (name, length) = match algorithm.aes() {
        Some(size) => (algorithm.name(), size.bytes()),
        None => (content.name(), content.key_bytes()),
    };
    Ok(ecdh::derive(&secret, name, &party("apu")?, &party("apv")?, length))
}
