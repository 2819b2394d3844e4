//! What a flow can know of the TLS connection its request came on (api-management §7).

use std::fmt::Write as _;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::{CipherSuite, ProtocolVersion, ServerConnection};
use sha1::{Digest as _, Sha1};

use super::name::DistinguishedName;

/// One client's TLS connection. Belongs to one thread; texts are made when they are asked for.
#[derive(Debug, Clone)]
pub struct TlsSession {
    protocol: &'static str,
    cipher: &'static str,
    server_name: Option<Box<str>>,
    id: [u8; 32],
    client: Option<ClientCertificate>,
}

#[derive(Debug, Clone)]
struct ClientCertificate {
    der: CertificateDer<'static>,
    subject: OnceLock<DistinguishedName>,
}

/// A fact about a client's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OfClient {
    /// An attribute of its subject, by its short name.
    Subject(&'static str),
    SubjectName,
    IssuerName,
    Pem,
    Serial,
    Fingerprint,
}

impl TlsSession {
    /// What a finished handshake agreed on.
    pub(crate) fn of(connection: &ServerConnection) -> Self {
        // The library shows no session ids; this names the connection as well and tells nothing about its keys.
        let id = connection.export_keying_material([0; 32], b"EXPORTER-pierhead-session-id", None);
        let shown = connection.peer_certificates().and_then(<[_]>::first);
        Self {
            protocol: protocol(connection.protocol_version()),
            cipher: connection.negotiated_cipher_suite().map_or("", |suite| cipher(suite.suite())),
            server_name: connection.server_name().map(Into::into),
            id: id.unwrap_or_default(),
            client: shown
                .map(|der| ClientCertificate { der: der.clone().into_owned(), subject: OnceLock::new() }),
        }
    }

    /// `tls.protocol`, as OpenSSL writes it.
    pub(crate) fn protocol(&self) -> &'static str {
        self.protocol
    }

    /// `tls.cipher`, as OpenSSL names it.
    pub(crate) fn cipher(&self) -> &'static str {
        self.cipher
    }

    /// `tls.server.name`: the host the client asked for, when it did.
    pub(crate) fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// `tls.session.id`: 64 hex digits.
    pub(crate) fn id(&self) -> String {
        hex::encode(self.id)
    }

    /// A fact about the certificate the client showed; `None` when it showed none or that does not say it.
    pub(crate) fn client(&self, what: OfClient) -> Option<String> {
        let client = self.client.as_ref()?;
        let read = || webpki::EndEntityCert::try_from(&client.der).ok();
        Some(match what {
            OfClient::Subject(short) => client.subject().value(short)?.to_owned(),
            OfClient::SubjectName => client.subject().to_text(),
            OfClient::IssuerName => DistinguishedName::read(read()?.issuer()).to_text(),
            OfClient::Pem => pem(&client.der),
            OfClient::Serial => {
                let all = read()?;
                let serial = all.serial();
                // The first zero only keeps the number from being negative.
                let zeros =
                    serial.iter().take_while(|byte| **byte == 0).count().min(serial.len().saturating_sub(1));
                hex::encode_upper(&serial[zeros..])
            }
            OfClient::Fingerprint => hex::encode(Sha1::digest(&client.der)),
        })
    }
}

impl ClientCertificate {
    fn subject(&self) -> &DistinguishedName {
        self.subject.get_or_init(|| {
            webpki::EndEntityCert::try_from(&self.der)
                .map(|certificate| DistinguishedName::read(certificate.subject()))
                .unwrap_or_default()
        })
    }
}

fn protocol(version: Option<ProtocolVersion>) -> &'static str {
    match version {
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
        _ => "",
    }
}

fn cipher(suite: CipherSuite) -> &'static str {
    match suite {
        CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => "ECDHE-ECDSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => "ECDHE-ECDSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-ECDSA-CHACHA20-POLY1305",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => "ECDHE-RSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => "ECDHE-RSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-RSA-CHACHA20-POLY1305",
        _ => "",
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
