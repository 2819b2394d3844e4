//! The handshake with one client, paced such that many of them do not hold up the requests of others.

use std::io;
use std::time::Duration;

use rustls::server::Acceptor;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::Tls;

/// The turns of the handshakes of one thread or runtime.
///
/// Answering a client's hello is the costly step: a signature and a key exchange, up to a millisecond. One is made
/// at a time, and whatever else is ready runs before the next. Nobody holds a turn while waiting for a client, so
/// that those who stall hold up nobody.
#[derive(Debug)]
pub struct Handshakes(Semaphore);

impl Default for Handshakes {
    fn default() -> Self {
        Self(Semaphore::new(1))
    }
}

/// Why there is no TLS with a client. Told to nobody but the log: it is the client's affair.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeFailed {
    /// It took too long.
    #[error("the client did not finish the TLS handshake in time")]
    TimedOut,
    /// The client left, speaks no TLS, or something is wrong with what it showed.
    #[error("the TLS handshake failed: {0}")]
    Refused(#[source] io::Error),
}

impl Tls {
    /// Speaks TLS with a client that has just connected.
    ///
    /// # Errors
    /// When that does not succeed `within` the time; the connection is closed then.
    pub async fn accept(
        &self,
        stream: TcpStream,
        turns: &Handshakes,
        within: Duration,
    ) -> Result<TlsStream<TcpStream>, HandshakeFailed> {
        let shaking = async {
            let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
            let turn = turns.0.acquire().await.map_err(io::Error::other)?;
            let accepting = hello.into_stream(self.config());
            tokio::task::yield_now().await;
            drop(turn);
            accepting.await
        };
        match tokio::time::timeout(within, shaking).await {
            Ok(done) => done.map_err(HandshakeFailed::Refused),
            Err(_) => Err(HandshakeFailed::TimedOut),
        }
    }
}
