//! The certificate that the other end of a connection showed, as flows see it (api-management §7).

use std::fmt::Write as _;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use sha1::{Digest as _, Sha1};

use super::name::DistinguishedName;

/// A client's or a target's certificate. Texts are made when they are asked for.
#[derive(Debug, Clone)]
pub(crate) struct PeerCertificate {
    der: CertificateDer<'static>,
    subject: OnceLock<DistinguishedName>,
}

/// A fact about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OfCertificate {
    /// An attribute of its subject, by its short name.
    Subject(&'static str),
    SubjectName,
    IssuerName,
    Pem,
    Serial,
    Fingerprint,
}

impl PeerCertificate {
    pub(crate) fn new(der: &CertificateDer<'_>) -> Self {
        Self { der: der.clone().into_owned(), subject: OnceLock::new() }
    }

    /// `None` when it does not say that.
    pub(crate) fn tell(&self, what: OfCertificate) -> Option<String> {
        let read = || webpki::EndEntityCert::try_from(&self.der).ok();
        Some(match what {
            OfCertificate::Subject(short) => self.subject().value(short)?.to_owned(),
            OfCertificate::SubjectName => self.subject().to_text(),
            OfCertificate::IssuerName => DistinguishedName::read(read()?.issuer()).to_text(),
            OfCertificate::Pem => pem(&self.der),
            OfCertificate::Serial => {
                let all = read()?;
                let serial = all.serial();
                // The first zero only keeps the number from being negative.
                let zeros =
                    serial.iter().take_while(|byte| **byte == 0).count().min(serial.len().saturating_sub(1));
                hex::encode_upper(&serial[zeros..])
            }
            OfCertificate::Fingerprint => hex::encode(Sha1::digest(&self.der)),
        })
    }

    fn subject(&self) -> &DistinguishedName {
        self.subject.get_or_init(|| {
            webpki::EndEntityCert::try_from(&self.der)
                .map(|certificate| DistinguishedName::read(certificate.subject()))
                .unwrap_or_default()
        })
    }
}

/// RFC 7468, with the line end after the last line that the originals write.
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        let _ = writeln!(out, "{}", String::from_utf8_lossy(line));
    }
    out.push_str("-----END CERTIFICATE-----\n");
    out
}
