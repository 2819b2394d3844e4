//! What a flow can know of the TLS connection its request came on (api-management §7).

use rustls::{CipherSuite, ProtocolVersion, ServerConnection};

use super::peer::{OfCertificate, PeerCertificate};

/// One client's TLS connection. Belongs to one thread; texts are made when they are asked for.
#[derive(Debug, Clone)]
pub struct TlsSession {
    protocol: &'static str,
    cipher: &'static str,
    server_name: Option<Box<str>>,
    id: [u8; 32],
    client: Option<PeerCertificate>,
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
            client: shown.map(PeerCertificate::new),
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
    pub(crate) fn client(&self, what: OfCertificate) -> Option<String> {
        self.client.as_ref()?.tell(what)
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
