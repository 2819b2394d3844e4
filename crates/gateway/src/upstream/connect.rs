//! Opens connections to targets.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::http2::Multiplexed;
use super::key::{Key, Trust};
use super::line::{Line, LineLimits};
use super::resolve::{Resolver, is_forbidden};
use super::stream::Stream;
use crate::compile::Http2;
use crate::limits::Limits;
use crate::target_tls::{H2, Offers, TrustAll};

/// Why there is no connection. The texts are for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the name does not resolve: {0}")]
    Resolve(#[source] std::io::Error),
    #[error("the name has no address")]
    NoAddress,
    #[error("the address is one that no target may have")]
    Forbidden,
    #[error("no connection in time")]
    TimedOut,
    #[error("the connection was refused: {0}")]
    Refused(#[source] std::io::Error),
    #[error("the TLS handshake failed: {0}")]
    Tls(#[source] std::io::Error),
    #[error("the host is no name that a certificate can have")]
    NoTlsName,
    #[error("TLS towards targets is not set up: {0}")]
    NoTls(Arc<str>),
    #[error("HTTP/2 does not begin: {0}")]
    Http2(#[source] h2::Error),
}

/// A new connection.
pub(super) enum Opened {
    Line(Line),
    Multiplexed(Rc<Multiplexed>),
}

/// Makes connections for one thread.
pub(super) struct Connector {
    resolver: Resolver,
    verified: Result<Offers, Arc<str>>,
    anything: Result<Offers, Arc<str>>,
    /// Whom a design believes that names nobody.
    public: Arc<RootCertStore>,
    lines: LineLimits,
    divert: Option<SocketAddr>,
}

impl Connector {
    pub(super) fn new(
        limits: &Limits,
        extra_roots: &[CertificateDer<'static>],
        divert: Option<SocketAddr>,
    ) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for root in extra_roots {
            if let Err(error) = roots.add(root.clone()) {
                tracing::warn!(%error, "a certificate authority for targets is unusable: {error}");
            }
        }
        let public = Arc::new(roots);
        Self {
            resolver: Resolver::new(limits.dns_ttl),
            verified: client_config(&provider, |builder| {
                builder.with_root_certificates(Arc::clone(&public)).with_no_client_auth()
            }),
            anything: client_config(&provider, |builder| {
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(TrustAll(Arc::clone(&provider))))
                    .with_no_client_auth()
            }),
            public,
            lines: LineLimits {
                read_bytes: limits.read_buffer_bytes,
                head_bytes: limits.response_head_bytes,
            },
            divert,
        }
    }

    pub(super) async fn connect(&self, hash: u64, to: &Rc<Key>) -> Result<Opened, ConnectError> {
        let (stream, peer, is_http2) = self.connect_unhurried(to).await?;
        Ok(match is_http2 {
            true => Opened::Multiplexed(Multiplexed::begin(stream, peer, self.lines.head_bytes).await?),
            false => Opened::Line(Line::new(stream, peer, hash, Rc::clone(to), self.lines)),
        })
    }

    /// The connection, whose it is, and whether HTTP/2 is spoken on it.
    pub(super) async fn connect_unhurried(&self, to: &Key) -> Result<(Stream, IpAddr, bool), ConnectError> {
        if let Some(instead) = self.divert {
            let stream = TcpStream::connect(instead).await.map_err(ConnectError::Refused)?;
            let _ = stream.set_nodelay(true);
            return Ok((Stream::Plain(stream), instead.ip(), false));
        }
        let (stream, peer) = self.tcp(to).await?;
        let offers = match &to.trust {
            Trust::Plain => return Ok((Stream::Plain(stream), peer, to.http2 == Http2::Only)),
            Trust::Verified => self.verified.as_ref().map_err(Arc::clone),
            Trust::Anything => self.anything.as_ref().map_err(Arc::clone),
            Trust::Own(own) => own.offers(&self.public),
        };
        let offers = offers.map_err(ConnectError::NoTls)?;
        let stream = tls(offers.of(to.http2), to, stream).await?;
        let chosen = stream.get_ref().1.alpn_protocol() == Some(H2);
        Ok((Stream::Tls(stream), peer, chosen || to.http2 == Http2::Only))
    }

    /// The first address that may be sent to.
    pub(super) async fn datagram_address(&self, host: &str, port: u16) -> Result<SocketAddr, ConnectError> {
        if self.divert.is_some() {
            // What stands in for all targets reads no datagrams.
            return Err(ConnectError::Forbidden);
        }
        let addresses = self.resolver.addresses(host).await.map_err(ConnectError::Resolve)?;
        let allowed = addresses.iter().find(|address| !is_forbidden(**address));
        match allowed {
            Some(address) => Ok((*address, port).into()),
            None if addresses.is_empty() => Err(ConnectError::NoAddress),
            None => Err(ConnectError::Forbidden),
        }
    }

    /// Tries the addresses in turn.
    async fn tcp(&self, to: &Key) -> Result<(TcpStream, IpAddr), ConnectError> {
        let addresses = self.resolver.addresses(&to.host).await.map_err(ConnectError::Resolve)?;
        let mut failed = ConnectError::NoAddress;
        for &address in addresses.iter() {
            if is_forbidden(address) {
                failed = ConnectError::Forbidden;
                continue;
            }
            match TcpStream::connect((address, to.port)).await {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    return Ok((stream, address));
                }
                Err(error) => failed = ConnectError::Refused(error),
            }
        }
        Err(failed)
    }
}

async fn tls(
    connector: &TlsConnector,
    to: &Key,
    stream: TcpStream,
) -> Result<Box<tokio_rustls::client::TlsStream<TcpStream>>, ConnectError> {
    let name = to.host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(name).map_err(|_| ConnectError::NoTlsName)?;
    connector.connect(name, stream).await.map(Box::new).map_err(ConnectError::Tls)
}

type Builder = rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>;

fn client_config(
    provider: &Arc<CryptoProvider>,
    finish: impl FnOnce(Builder) -> ClientConfig,
) -> Result<Offers, Arc<str>> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Arc::from(error.to_string()))?;
    Ok(Offers::new(&finish(builder)))
}
