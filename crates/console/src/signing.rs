//! Keyed fingerprints of what the browser holds for us.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Makes and checks HMAC-SHA256 tags. `purpose` keeps a tag made for one use from serving another.
pub(crate) struct Signer(Hmac<Sha256>);

impl Signer {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        // HMAC pads a key that is shorter than its block with zeros; done here, nothing can fail.
        let mut block = [0; 64];
        block[..32].copy_from_slice(key);
        Self(Hmac::new(&block.into()))
    }

    /// The tag of `text`, 43 URL-safe characters.
    pub(crate) fn tag(&self, purpose: &str, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(purpose, text).finalize().into_bytes())
    }

    /// Whether `tag` was made by [`Signer::tag`] for the same purpose and text; in constant time.
    pub(crate) fn verifies(&self, purpose: &str, text: &str, tag: &str) -> bool {
        URL_SAFE_NO_PAD.decode(tag).is_ok_and(|tag| self.mac(purpose, text).verify_slice(&tag).is_ok())
    }

    fn mac(&self, purpose: &str, text: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_serves_its_own_purpose_and_text_only() {
        let signer = Signer::new(&[7; 32]);
        let tag = signer.tag("form", "session");

        assert!(signer.verifies("form", "session", &tag));
        assert!(!signer.verifies("who", "session", &tag));
        assert!(!signer.verifies("form", "another", &tag));
        assert!(!signer.verifies("form", "session", "no base64 !"));
        assert!(!Signer::new(&[8; 32]).verifies("form", "session", &tag));
    }
}
