//! Links to files that need no credentials (`cloudElementsLink`, open-connectors §10): signed and expiring.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pierhead_domain::{EpochMillis, InstanceId, SharedClock};
use pierhead_vault::{LookupKey, constant_time_eq};

use crate::engine::DownloadLink;

const KIND: &str = "download-link";

/// Makes and checks links under the installation's key. A link names an instance, a file and a time; it
/// holds no secret and gives nothing but that file.
#[derive(Debug, Clone)]
pub struct LinkSigner {
    key: LookupKey,
    clock: SharedClock,
    base: String,
    lifetime: Duration,
}

/// What a link names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTarget {
    /// The instance the file is on.
    pub instance: InstanceId,
    /// The hub's id of the file.
    pub file: String,
}

/// Why a link gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLink {
    /// Not a link of this installation.
    #[error("this link was not made here or was changed")]
    Foreign,
    /// Its time is over.
    #[error("this link has expired; ask for a new one")]
    Expired,
}

impl LinkSigner {
    /// Links below `public_url` that work for `lifetime`.
    pub fn new(key: LookupKey, clock: SharedClock, public_url: String, lifetime: Duration) -> Self {
        Self { key, clock, base: format!("{public_url}/elements/api-v2/links/"), lifetime }
    }

    /// A link to `file` of `instance`.
    pub fn link(&self, instance: InstanceId, file: &str) -> DownloadLink {
        let expires = self.clock.now().plus(self.lifetime);
        let payload = format!("{instance}.{expires}.{file}");
        let mac = self.key.digest(KIND, &payload);
        let token = [mac.as_slice(), payload.as_bytes()].concat();
        DownloadLink { url: format!("{}{}", self.base, URL_SAFE_NO_PAD.encode(token)), expires }
    }

    /// What the last part of a link's path names.
    pub fn open(&self, token: &str) -> Result<LinkTarget, BadLink> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| BadLink::Foreign)?;
        let (mac, payload) = bytes.split_first_chunk::<32>().ok_or(BadLink::Foreign)?;
        let payload = std::str::from_utf8(payload).map_err(|_| BadLink::Foreign)?;
        if !constant_time_eq(mac, &self.key.digest(KIND, payload)) {
            return Err(BadLink::Foreign);
        }
        let mut parts = payload.splitn(3, '.');
        let instance = parts.next().and_then(|part| part.parse().ok()).ok_or(BadLink::Foreign)?;
        let expires = parts.next().and_then(|part| part.parse().ok()).ok_or(BadLink::Foreign)?;
        let file = parts.next().ok_or(BadLink::Foreign)?.to_owned();
        if EpochMillis::new(expires) <= self.clock.now() {
            return Err(BadLink::Expired);
        }
        Ok(LinkTarget { instance, file })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pierhead_domain::StoppedClock;

    use super::*;
    use crate::testing::vault;

    fn signer(clock: &StoppedClock) -> LinkSigner {
        let key = vault().lookup().clone();
        LinkSigner::new(key, Arc::new(clock.clone()), "http://hub".into(), Duration::from_secs(60))
    }

    fn token(link: &DownloadLink) -> String {
        link.url.strip_prefix("http://hub/elements/api-v2/links/").unwrap().to_owned()
    }

    #[test]
    fn a_link_names_its_file_until_it_expires() {
        let clock = StoppedClock::at(EpochMillis::new(1_000));
        let signer = signer(&clock);
        let link = signer.link(InstanceId::new(7), "a/b.c.txt");

        let target = LinkTarget { instance: InstanceId::new(7), file: "a/b.c.txt".into() };
        assert_eq!(signer.open(&token(&link)), Ok(target));
        clock.advance(Duration::from_secs(60));
        assert_eq!(signer.open(&token(&link)), Err(BadLink::Expired));
    }

    #[test]
    fn a_changed_or_foreign_link_gives_nothing() {
        let clock = StoppedClock::at(EpochMillis::new(1_000));
        let signer = signer(&clock);
        let good = token(&signer.link(InstanceId::new(7), "a"));
        let bytes = URL_SAFE_NO_PAD.decode(&good).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert_eq!(signer.open(&URL_SAFE_NO_PAD.encode(&changed)), Err(BadLink::Foreign));
        }
        for bad in ["", "!", "AAAA", &good[..20]] {
            assert_eq!(signer.open(bad), Err(BadLink::Foreign));
        }
    }
}
