//! Who a target is: chain, validity, name.

use std::sync::Arc;

use pierhead_domain::EpochMillis;
use pierhead_vault::Certificate;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// The name that a certificate must carry instead of its host's (`CommonName`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExpectedName {
    pub(super) pattern: Box<str>,
    /// `*.` at its front stands for one label.
    pub(super) wildcard: bool,
}

impl ExpectedName {
    /// Whether a name of a certificate, as it stands there, is the one expected.
    pub(super) fn is(&self, name: &str) -> bool {
        if self.pattern.eq_ignore_ascii_case(name) {
            return true;
        }
        let Some(parent) = self.pattern.strip_prefix("*.").filter(|_| self.wildcard) else { return false };
        name.split_once('.')
            .is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(parent))
    }
}

/// Checks a target's certificate against the design's own store and name.
#[derive(Debug)]
pub(super) struct TargetVerifier {
    roots: Arc<RootCertStore>,
    /// Those of the store: one that is no authority stands for itself.
    pinned: Vec<Certificate>,
    expected: Option<ExpectedName>,
    /// Signatures are nobody's own choice.
    standard: Arc<WebPkiServerVerifier>,
    provider: Arc<CryptoProvider>,
}

impl TargetVerifier {
    pub(super) fn new(
        provider: &Arc<CryptoProvider>,
        public: &Arc<RootCertStore>,
        trusted: Option<&[Certificate]>,
        expected: Option<ExpectedName>,
    ) -> Result<Self, Arc<str>> {
        let roots = match trusted {
            None => Arc::clone(public),
            Some(certificates) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates {
                    roots
                        .add(CertificateDer::from(certificate.der().to_vec()))
                        .map_err(|error| Arc::from(format!("a trusted certificate is unusable: {error}")))?;
                }
                Arc::new(roots)
            }
        };
        let standard = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(provider))
            .build()
            .map_err(|error| Arc::from(error.to_string()))?;
        let pinned = trusted.unwrap_or_default().to_vec();
        Ok(Self { roots, pinned, expected, standard, provider: Arc::clone(provider) })
    }

    fn is_pinned(&self, end: &CertificateDer<'_>, now: UnixTime) -> bool {
        let now = EpochMillis::new(i64::try_from(now.as_secs().saturating_mul(1000)).unwrap_or(i64::MAX));
        self.pinned.iter().any(|one| one.der() == end.as_ref() && one.is_valid_at(now))
    }

    fn verify_name(
        &self,
        end: &CertificateDer<'_>,
        parsed: &ParsedCertificate<'_>,
        host: &ServerName<'_>,
    ) -> Result<(), Error> {
        let Some(expected) = &self.expected else { return verify_server_name(parsed, host) };
        let read = Certificate::read(end).map_err(|_| Error::from(CertificateError::BadEncoding))?;
        if read.dns_names().iter().any(|name| expected.is(name))
            || read.common_name().is_some_and(|name| expected.is(&name))
        {
            return Ok(());
        }
        Err(CertificateError::NotValidForName.into())
    }
}

impl ServerCertVerifier for TargetVerifier {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(end)?;
        if !self.is_pinned(end, now) {
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, between, now, algorithms)?;
        }
        self.verify_name(end, &parsed, host)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.standard.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.standard.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.standard.supported_verify_schemes()
    }
}

/// Believes every certificate; chosen by name in a design or provider, for test systems.
#[derive(Debug)]
pub(crate) struct TrustAll(pub(crate) Arc<CryptoProvider>);

impl ServerCertVerifier for TrustAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
