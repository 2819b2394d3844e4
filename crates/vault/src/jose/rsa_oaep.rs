//! RSAES-OAEP (RFC 8017 §7.1) over constant-time arithmetic.
//!
//! Why not a crate: the one permissive RSA crate has an open timing advisory (RUSTSEC-2023-0071), and ring does
//! not decrypt. Here the secret exponentiation is `crypto-bigint`'s, whose time depends on sizes only, and the
//! padding is taken off without a branch on it: a wrong padding, a wrong label and a wrong length are one error.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use pierhead_domain::Rng;
use sha1::Sha1;
use sha2::Sha256;
use sha2::digest::{Digest, Output};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use super::JoseError;
use super::key::RsaPrivate;

/// The digest of label and mask.
#[derive(Clone, Copy)]
pub(super) enum Hash {
    Sha1,
    Sha256,
}

/// Moduli of 2048 to 8192 bits.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// Encrypts `message` for the key of `n` and `e`.
pub(super) fn encrypt(
    hash: Hash,
    n: &[u8],
    e: &[u8],
    message: &[u8],
    rng: &dyn Rng,
) -> Result<Vec<u8>, JoseError> {
    let padded = match hash {
        Hash::Sha1 => pad::<Sha1>(n.len(), message, rng),
        Hash::Sha256 => pad::<Sha256>(n.len(), message, rng),
    };
    power(n, e, &padded.ok_or(JoseError::CannotEncrypt)?).ok_or(JoseError::CannotEncrypt)
}

/// Decrypts what was encrypted for `key`.
pub(super) fn decrypt(
    hash: Hash,
    key: &RsaPrivate,
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, JoseError> {
    if ciphertext.len() != key.n.len() {
        return Err(JoseError::DoesNotDecrypt);
    }
    let padded = Zeroizing::new(power(&key.n, &key.d, ciphertext).ok_or(JoseError::DoesNotDecrypt)?);
    let message = match hash {
        Hash::Sha1 => unpad::<Sha1>(&padded),
        Hash::Sha256 => unpad::<Sha256>(&padded),
    };
    message.ok_or(JoseError::DoesNotDecrypt)
}

/// `base ^ exponent mod n`, as long as `n`. Its time depends on the lengths of `n` and `exponent` alone.
pub(super) fn power(n: &[u8], exponent: &[u8], base: &[u8]) -> Option<Vec<u8>> {
    if !MODULUS_BYTES.contains(&n.len()) || exponent.len() > n.len() {
        return None;
    }
    let bits = u32::try_from(n.len() * 8).ok()?;
    let modulus: Odd<BoxedUint> = Option::from(Odd::new(BoxedUint::from_be_slice(n, bits).ok()?))?;
    let mut exponent_number = BoxedUint::from_be_slice(exponent, bits).ok()?;
    let base = BoxedUint::from_be_slice(base, bits).ok()?;
    // Both are public, or the base begins with a zero.
    if base >= *modulus.as_ref() {
        return None;
    }
    let parameters = BoxedMontyParams::new_vartime(modulus);
    let exponent_bits = u32::try_from(exponent.len() * 8).ok()?;
    let result = BoxedMontyForm::new(base, &parameters)
        .pow_bounded_exp(&exponent_number, exponent_bits)
        .retrieve()
        .to_be_bytes();
    zeroize::Zeroize::zeroize(&mut exponent_number);
    // The number may have more limbs than the modulus has bytes.
    Some(result[result.len().checked_sub(n.len())?..].to_vec())
}

fn pad<D: Digest>(length: usize, message: &[u8], rng: &dyn Rng) -> Option<Zeroizing<Vec<u8>>> {
    let digest_bytes = <D as Digest>::output_size();
    let zeros = length.checked_sub(2 * digest_bytes + 2)?.checked_sub(message.len())?;
    let mut seed = Zeroizing::new(vec![0; digest_bytes]);
    rng.fill(&mut seed);
    let mut block = Zeroizing::new(D::digest([]).to_vec());
    block.resize(digest_bytes + zeros, 0);
    block.push(1);
    block.extend_from_slice(message);
    mask::<D>(&mut block, &seed);
    mask::<D>(&mut seed, &block);
    Some(Zeroizing::new([&[0], seed.as_slice(), block.as_slice()].concat()))
}

fn unpad<D: Digest>(padded: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let digest_bytes = <D as Digest>::output_size();
    let (first, rest) = padded.split_first()?;
    let (seed, block) = rest.split_at_checked(digest_bytes)?;
    if block.len() <= digest_bytes {
        return None;
    }
    let (mut seed, mut block) = (Zeroizing::new(seed.to_vec()), Zeroizing::new(block.to_vec()));
    mask::<D>(&mut seed, &block);
    mask::<D>(&mut block, &seed);
    let label: Output<D> = D::digest([]);
    let mut good = first.ct_eq(&0) & block[..digest_bytes].ct_eq(&label);
    // The first byte behind the zeros must be a one; every byte is looked at.
    let mut looking = Choice::from(1);
    let mut start = 0_u64;
    for (at, byte) in block.iter().enumerate().skip(digest_bytes) {
        let (is_zero, is_one) = (byte.ct_eq(&0), byte.ct_eq(&1));
        let here = looking & is_one;
        start = u64::conditional_select(&start, &(at as u64 + 1), here);
        good &= !(looking & !is_zero & !is_one);
        looking &= is_zero;
    }
    good &= !looking;
    let start = usize::try_from(start).ok()?;
    bool::from(good).then(|| Zeroizing::new(block[start..].to_vec()))
}

/// MGF1 of `seed`, added to `block`.
fn mask<D: Digest>(block: &mut [u8], seed: &[u8]) {
    for (counter, chunk) in (0_u32..).zip(block.chunks_mut(<D as Digest>::output_size())) {
        let stream = D::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize();
        for (byte, mask) in chunk.iter_mut().zip(stream) {
            *byte ^= mask;
        }
    }
}
