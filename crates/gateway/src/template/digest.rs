//! Digests and message authentication codes of templates.

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac as _};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digest {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Hex,
    Base64,
    Base64Url,
}

/// `hmacSha256` and its kin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mac(Digest);

const DIGESTS: &[(&str, Digest)] = &[
    ("md5", Digest::Md5),
    ("sha1", Digest::Sha1),
    ("sha224", Digest::Sha224),
    ("sha256", Digest::Sha256),
    ("sha384", Digest::Sha384),
    ("sha512", Digest::Sha512),
];

impl Digest {
    /// `md5Hex`, `sha256Base64`, ….
    pub(super) fn function(name: &str) -> Option<(Self, Encoding)> {
        DIGESTS.iter().find_map(|(prefix, digest)| match name.strip_prefix(prefix)? {
            "Hex" => Some((*digest, Encoding::Hex)),
            "Base64" => Some((*digest, Encoding::Base64)),
            _ => None,
        })
    }

    pub(super) fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => Md5::digest(bytes).to_vec(),
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha224 => Sha224::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

impl Encoding {
    pub(super) fn write(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => STANDARD.encode(bytes),
            Self::Base64Url => URL_SAFE_NO_PAD.encode(bytes),
        }
    }

    fn named(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "hex" | "base16" => Self::Hex,
            "base64url" => Self::Base64Url,
            _ => Self::Base64,
        }
    }
}

impl Mac {
    pub(super) fn function(name: &str) -> Option<Self> {
        Self::with(&name.strip_prefix("hmac")?.to_ascii_lowercase())
    }

    /// The code made with a digest: `sha256`, `md5`, ….
    pub(crate) fn with(digest: &str) -> Option<Self> {
        DIGESTS.iter().find(|(known, _)| *known == digest).map(|(_, digest)| Self(*digest))
    }

    /// Arguments as the original has them: key, value, encoding of the key, encoding of the result.
    pub(super) fn text(
        self,
        key: &str,
        value: &str,
        key_encoding: Option<&str>,
        encoding: Option<&str>,
    ) -> String {
        let key = match key_encoding.map(str::to_ascii_lowercase).as_deref() {
            Some("hex" | "base16") => hex::decode(key).unwrap_or_default(),
            Some("base64" | "base64url") => decode_base64(key).unwrap_or_default(),
            _ => key.as_bytes().to_vec(),
        };
        encoding.map_or(Encoding::Base64, Encoding::named).write(&self.of(&key, value.as_bytes()))
    }

    /// The code itself.
    pub(crate) fn of(self, key: &[u8], value: &[u8]) -> Vec<u8> {
        macro_rules! code {
            ($digest:ty) => {
                // A key may have any length.
                Hmac::<$digest>::new_from_slice(key)
                    .map(|mut mac| {
                        mac.update(value);
                        mac.finalize().into_bytes().to_vec()
                    })
                    .unwrap_or_default()
            };
        }
        match self.0 {
            Digest::Md5 => code!(Md5),
            Digest::Sha1 => code!(Sha1),
            Digest::Sha224 => code!(Sha224),
            Digest::Sha256 => code!(Sha256),
            Digest::Sha384 => code!(Sha384),
            Digest::Sha512 => code!(Sha512),
        }
    }
}

/// Base64 in either alphabet, with or without padding.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &ALPHABET,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let text: String = text
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            c => c,
        })
        .collect();
    LENIENT.decode(text).ok()
}
