//! Certificates (RFC 5280): what keys are bound to, who signed it, and until when it holds.
//!
//! This is for signatures in messages, where a trust store says whom to believe; TLS has its own.

use pierhead_domain::EpochMillis;
use ring::signature::{self as ring_signature, UnparsedPublicKey};

use crate::jose::der::{BOOLEAN, Der, INTEGER, OCTET_STRING, OID};
use crate::jose::{Curve, JoseError, PublicKey};

mod facts;

/// How many certificates may lie between a signer and one that is trusted.
const MAX_BETWEEN: usize = 8;

/// A certificate as it is in a key store or in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    signed: Vec<u8>,
    issuer: Vec<u8>,
    subject: Vec<u8>,
    from: EpochMillis,
    until: EpochMillis,
    is_authority: bool,
    key: PublicKey,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

impl Certificate {
    /// Reads DER. Its key must be RSA, or EC on a curve of NIST's.
    pub fn read(der: &[u8]) -> Result<Self, JoseError> {
        parse(der).ok_or(JoseError::BadKey("the certificate is damaged"))?
    }

    /// All certificates of a text in PEM.
    pub fn read_pem(text: &str) -> Result<Vec<Self>, JoseError> {
        let blocks = crate::jose::pem::blocks(text);
        blocks
            .iter()
            .filter(|block| block.label == "CERTIFICATE")
            .map(|block| Self::read(&block.bytes))
            .collect()
    }

    /// As it was read.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The key it binds.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether its time has come and is not over.
    pub fn is_valid_at(&self, now: EpochMillis) -> bool {
        (self.from..=self.until).contains(&now)
    }

    /// Whether `issuer` may sign certificates and has signed this one.
    pub fn is_issued_by(&self, issuer: &Self) -> bool {
        issuer.is_authority && self.issuer == issuer.subject && self.is_signed_with(&issuer.key)
    }

    /// Whether it is one of `trusted`, or leads to one of them over `between`; all of them valid at `now`.
    /// A trusted certificate that is no authority stands for itself only.
    pub fn is_trusted(&self, trusted: &[Self], between: &[Self], now: EpochMillis) -> bool {
        let mut last = self;
        for _ in 0..=MAX_BETWEEN {
            if !last.is_valid_at(now) {
                return false;
            }
            let leads_to =
                |one: &Self| one.der == last.der || (one.is_valid_at(now) && last.is_issued_by(one));
            if trusted.iter().any(leads_to) {
                return true;
            }
            match between.iter().find(|one| one.der != last.der && last.is_issued_by(one)) {
                Some(next) => last = next,
                None => return false,
            }
        }
        false
    }

    fn is_signed_with(&self, key: &PublicKey) -> bool {
        let verified = match key {
            PublicKey::Rsa { n, e } => {
                let algorithm = match self.algorithm.as_slice() {
                    RSA_SHA256 => &ring_signature::RSA_PKCS1_2048_8192_SHA256,
                    RSA_SHA384 => &ring_signature::RSA_PKCS1_2048_8192_SHA384,
                    RSA_SHA512 => &ring_signature::RSA_PKCS1_2048_8192_SHA512,
                    _ => return false,
                };
                let key = ring_signature::RsaPublicKeyComponents { n, e };
                key.verify(algorithm, &self.signed, &self.signature)
            }
            PublicKey::Ec { curve, point } => {
                let algorithm = match (curve, self.algorithm.as_slice()) {
                    (Curve::P256, ECDSA_SHA256) => &ring_signature::ECDSA_P256_SHA256_ASN1,
                    (Curve::P256, ECDSA_SHA384) => &ring_signature::ECDSA_P256_SHA384_ASN1,
                    (Curve::P384, ECDSA_SHA256) => &ring_signature::ECDSA_P384_SHA256_ASN1,
                    (Curve::P384, ECDSA_SHA384) => &ring_signature::ECDSA_P384_SHA384_ASN1,
                    _ => return false,
                };
                UnparsedPublicKey::new(algorithm, point).verify(&self.signed, &self.signature)
            }
        };
        verified.is_ok()
    }
}

const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const RSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c];
const RSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];

fn parse(der: &[u8]) -> Option<Result<Certificate, JoseError>> {
    const VERSION: u8 = 0xa0;
    const EXTENSIONS: u8 = 0xa3;
    let mut outer = Der::new(der).sequence()?;
    let (signed, mut inner) = outer.sequence_with_its_bytes()?;
    let algorithm = outer.sequence()?.value(OID)?;
    let signature = outer.bits()?;
    if inner.peek() == Some(VERSION) {
        inner.value(VERSION)?;
    }
    inner.value(INTEGER)?;
    inner.sequence()?;
    let (issuer, _) = inner.sequence_with_its_bytes()?;
    let mut validity = inner.sequence()?;
    let (from, until) = (moment(&mut validity)?, moment(&mut validity)?);
    let (subject, _) = inner.sequence_with_its_bytes()?;
    let key = match crate::jose::pkcs::key_info(inner.sequence()?) {
        Ok(key) => key,
        Err(why) => return Some(Err(why)),
    };
    let mut is_authority = false;
    while let Some(tag) = inner.peek() {
        let value = inner.value(tag)?;
        if tag == EXTENSIONS {
            is_authority = is_authority_in(Der::new(value).sequence()?)?;
        }
    }
    Some(Ok(Certificate {
        der: der.to_vec(),
        signed: signed.to_vec(),
        issuer: issuer.to_vec(),
        subject: subject.to_vec(),
        from,
        until,
        is_authority,
        key,
        algorithm: algorithm.to_vec(),
        signature: signature.to_vec(),
    }))
}

fn is_authority_in(mut extensions: Der<'_>) -> Option<bool> {
    while !extensions.is_empty() {
        let mut extension = extensions.sequence()?;
        let id = extension.value(OID)?;
        if extension.peek() == Some(BOOLEAN) {
            extension.value(BOOLEAN)?;
        }
        let value = extension.value(OCTET_STRING)?;
        if id == BASIC_CONSTRAINTS {
            let mut constraints = Der::new(value).sequence()?;
            return Some(constraints.peek() == Some(BOOLEAN) && constraints.value(BOOLEAN)? == [0xff]);
        }
    }
    Some(false)
}

/// UTCTime (`YYMMDDHHMMSSZ`, 1950 to 2049) or GeneralizedTime (`YYYYMMDDHHMMSSZ`).
fn moment(validity: &mut Der<'_>) -> Option<EpochMillis> {
    const UTC_TIME: u8 = 0x17;
    const GENERALIZED_TIME: u8 = 0x18;
    let tag = validity.peek()?;
    let text = std::str::from_utf8(validity.value(tag)?).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match (tag, text.len()) {
        (UTC_TIME, 12) => {
            let year: i64 = text[..2].parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, &text[2..])
        }
        (GENERALIZED_TIME, 14) => (text[..4].parse().ok()?, &text[4..]),
        _ => return None,
    };
    let part = |at: usize| rest[at..at + 2].parse::<i64>().ok();
    let (month, day) = (part(0)?, part(2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = days_from_civil(year, month, day) * 86_400 + part(4)? * 3600 + part(6)? * 60 + part(8)?;
    Some(EpochMillis::new(seconds * 1000))
}

/// Days from 1970-01-01 in the Gregorian calendar; the year begins in March, so that leap days come last.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests;
