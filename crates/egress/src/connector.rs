//! Opens connections: looks the name up once, checks the addresses, dials the checked ones, speaks TLS.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use http::Uri;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use url::Host;

use crate::wire::Wire;
use crate::{AddressGuard, Cause, EgressError, Resolve};

/// Head start of an address before the next one is tried beside it (RFC 8305 §5).
const HEAD_START: Duration = Duration::from_millis(250);

#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) guard: AddressGuard,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) tls: TlsConnector,
    pub(crate) timeout: Duration,
    pub(crate) connections: Arc<Semaphore>,
}

impl tower::Service<Uri> for Connector {
    type Response = Wire;
    type Error = EgressError;
    type Future = BoxFuture<'static, Result<Wire, EgressError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), EgressError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, origin: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let host = origin.host().unwrap_or_default().to_owned();
            // hyper may finish this in the background, after the call that asked for it has gone.
            match tokio::time::timeout(connector.timeout, connector.connect(&origin, &host)).await {
                Ok(connected) => connected,
                Err(_) => Err(EgressError::ConnectTimeout { host, after: connector.timeout }),
            }
        })
    }
}

impl Connector {
    async fn connect(&self, origin: &Uri, host: &str) -> Result<Wire, EgressError> {
        let secure = origin.scheme() == Some(&http::uri::Scheme::HTTPS);
        let port = origin.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let addresses = self.addresses(host).await?;
        let counted = Arc::clone(&self.connections).acquire_owned().await;
        let counted = counted.map_err(|closed| refused(host, closed))?;
        let tcp = dial(&addresses, port).await.map_err(|error| refused(host, error))?;
        let _ = tcp.set_nodelay(true);
        let tcp = TokioIo::new(tcp);
        let stream = if secure {
            let name = host.trim_start_matches('[').trim_end_matches([']', '.']).to_owned();
            let bad_name = EgressError::BadUrl { rule: "its host must be a name or an address" };
            let name = ServerName::try_from(name).map_err(|_| bad_name)?;
            let tls = self.tls.connect(name, TokioIo::new(tcp)).await;
            let failed = |error| EgressError::Tls { host: host.into(), source: Cause::new(error) };
            MaybeHttpsStream::Https(TokioIo::new(tls.map_err(failed)?))
        } else {
            MaybeHttpsStream::Http(tcp)
        };
        Ok(Wire { stream, _counted: counted })
    }

    /// The addresses of `host` that may be dialled, in dialling order; never none.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, EgressError> {
        // The URL standard's reading of hosts: `0x7f.1`, `017700000001` and `[::ffff:7f00:1]` are addresses.
        let parsed = Host::parse(host)
            .map_err(|_| EgressError::BadUrl { rule: "its host must be a name or an address" })?;
        let found = match parsed {
            Host::Ipv4(address) => vec![IpAddr::V4(address)],
            Host::Ipv6(address) => vec![IpAddr::V6(address)],
            // Loopback by definition, whatever a resolver says (RFC 6761 §6.3).
            Host::Domain(name) if is_localhost(&name) => {
                vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]
            }
            Host::Domain(name) => self
                .resolver
                .resolve(&name)
                .await
                .map_err(|error| EgressError::Dns { host: host.into(), source: Cause::new(error) })?,
        };
        let mut first_denied = None;
        let mut open = Vec::with_capacity(found.len());
        for address in found {
            match self.guard.check(address) {
                Ok(()) => open.push(address),
                Err(denied) => first_denied = first_denied.or(Some(denied)),
            }
        }
        match (open.is_empty(), first_denied) {
            (false, _) => Ok(alternate(open)),
            (true, Some(denied)) => {
                Err(EgressError::Refused { host: host.into(), address: denied.address, rule: denied.rule })
            }
            (true, None) => {
                Err(EgressError::Dns { host: host.into(), source: Cause::new("the name has no addresses") })
            }
        }
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

fn refused(host: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> EgressError {
    EgressError::Connect { host: host.into(), source: Cause::new(error) }
}

/// The same addresses with the two families taking turns, beginning with the preferred one (RFC 8305 §4).
fn alternate(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let first_is_v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
    let (preferred, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut order = Vec::new();
    loop {
        let (one, two) = (preferred.next(), other.next());
        if one.is_none() && two.is_none() {
            return order;
        }
        order.extend(one);
        order.extend(two);
    }
}

/// The first connection that stands. A slow address does not hold up the next one; a failed one even less.
async fn dial(addresses: &[IpAddr], port: u16) -> std::io::Result<TcpStream> {
    let mut waiting = addresses.iter();
    let mut dialling = FuturesUnordered::new();
    let mut failure = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    loop {
        let more = match waiting.next() {
            Some(address) => {
                dialling.push(TcpStream::connect(SocketAddr::new(*address, port)));
                !waiting.as_slice().is_empty()
            }
            None => false,
        };
        let next = if more {
            match tokio::time::timeout(HEAD_START, dialling.next()).await {
                Ok(next) => next,
                Err(_) => continue,
            }
        } else {
            dialling.next().await
        };
        match next {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => failure = error,
            None => return Err(failure),
        }
    }
}
