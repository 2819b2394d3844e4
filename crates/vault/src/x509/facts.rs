//! What a certificate says about its holder, for people and for names that must match.

use pierhead_domain::EpochMillis;

use super::Certificate;
use crate::jose::der::{BOOLEAN, Der, INTEGER, OCTET_STRING, OID, SEQUENCE, SET};

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const SUBJECT_ALTERNATIVES: &[u8] = &[0x55, 0x1d, 0x11];

impl Certificate {
    /// When its time comes.
    pub const fn valid_from(&self) -> EpochMillis {
        self.from
    }

    /// When its time is over.
    pub const fn valid_until(&self) -> EpochMillis {
        self.until
    }

    /// `CN` of its holder, the most specific one.
    pub fn common_name(&self) -> Option<String> {
        common_name(&self.subject)
    }

    /// `CN` of who signed it.
    pub fn issuer_common_name(&self) -> Option<String> {
        common_name(&self.issuer)
    }

    /// The serial number in hex digits.
    pub fn serial(&self) -> String {
        serial(&self.der).unwrap_or_default().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The DNS names it is for (RFC 5280 §4.2.1.6), as they stand there.
    pub fn dns_names(&self) -> Vec<String> {
        dns_names(&self.der).unwrap_or_default()
    }
}

fn common_name(name: &[u8]) -> Option<String> {
    let mut sets = Der::new(name).sequence()?;
    let mut found = None;
    while let Some(mut set) = sets.value(SET).map(Der::new) {
        while let Some(mut pair) = set.value(SEQUENCE).map(Der::new) {
            if pair.value(OID) == Some(COMMON_NAME)
                && let Some(tag) = pair.peek()
                && let Some(text) = pair.value(tag)
            {
                found = Some(String::from_utf8_lossy(text).into_owned());
            }
        }
    }
    found
}

/// The parts of the signed part, up to and with the serial number read.
fn signed_part(der: &[u8]) -> Option<(Der<'_>, &[u8])> {
    const VERSION: u8 = 0xa0;
    let mut inner = Der::new(der).sequence()?.sequence()?;
    if inner.peek() == Some(VERSION) {
        inner.value(VERSION)?;
    }
    let serial = inner.value(INTEGER)?;
    Some((inner, serial))
}

fn serial(der: &[u8]) -> Option<&[u8]> {
    signed_part(der).map(|(_, serial)| serial)
}

fn dns_names(der: &[u8]) -> Option<Vec<String>> {
    const EXTENSIONS: u8 = 0xa3;
    const DNS_NAME: u8 = 0x82;
    let (mut inner, _) = signed_part(der)?;
    while let Some(tag) = inner.peek() {
        let value = inner.value(tag)?;
        if tag != EXTENSIONS {
            continue;
        }
        let mut extensions = Der::new(value).sequence()?;
        while !extensions.is_empty() {
            let mut extension = extensions.sequence()?;
            let id = extension.value(OID)?;
            if extension.peek() == Some(BOOLEAN) {
                extension.value(BOOLEAN)?;
            }
            let value = extension.value(OCTET_STRING)?;
            if id != SUBJECT_ALTERNATIVES {
                continue;
            }
            let (mut names, mut found) = (Der::new(value).sequence()?, Vec::new());
            while let Some(tag) = names.peek() {
                let name = names.value(tag)?;
                if tag == DNS_NAME {
                    found.push(String::from_utf8_lossy(name).into_owned());
                }
            }
            return Some(found);
        }
    }
    Some(Vec::new())
}
