//! Keyed fingerprints of what the browser holds for us.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pierhead_vault::{LookupKey, constant_time_eq};

/// Makes and checks tags. `purpose` keeps a tag made for one use from serving another, here or elsewhere.
pub(crate) struct Signer(LookupKey);

impl Signer {
    pub(crate) fn new(key: LookupKey) -> Self {
        Self(key)
    }

    /// The tag of `text`, 43 URL-safe characters.
    pub(crate) fn tag(&self, purpose: &str, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.0.digest(&format!("console:{purpose}"), text))
    }

    /// Whether `tag` was made by [`Signer::tag`] for the same purpose and text; in constant time.
    pub(crate) fn verifies(&self, purpose: &str, text: &str, tag: &str) -> bool {
        constant_time_eq(self.tag(purpose, text).as_bytes(), tag.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::lookup_key;

    #[test]
    fn a_tag_serves_its_own_purpose_and_text_only() {
        let signer = Signer::new(lookup_key(7).unwrap());
        let tag = signer.tag("form", "session");

        assert!(signer.verifies("form", "session", &tag));
        assert!(!signer.verifies("who", "session", &tag));
        assert!(!signer.verifies("form", "another", &tag));
        assert!(!signer.verifies("form", "session", "no base64 !"));
        assert!(!Signer::new(lookup_key(8).unwrap()).verifies("form", "session", &tag));
    }
}
