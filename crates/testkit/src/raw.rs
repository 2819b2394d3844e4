//! Requests written byte by byte: a client library would tidy what a test wants to send.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A server that says nothing for so long has failed the test.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came back: everything up to the end of the connection.
#[derive(Debug, Clone)]
pub struct RawAnswer {
    /// Its status.
    pub status: u16,
    /// Status line, headers and body as text.
    pub text: String,
}

/// Sends `request` to the listener of `url` and reads until the server closes; the request should ask for
/// that with `Connection: close`.
pub async fn raw(url: &str, request: &[u8]) -> RawAnswer {
    let address = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
    let mut stream = TcpStream::connect(address).await.expect("the listener takes a connection");
    let shown = String::from_utf8_lossy(&request[..request.len().min(120)]).into_owned();
    // A server that refuses early may close while the rest is under way.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.is_ok();
    assert!(read, "no end of the answer to {shown:?}: {:?}", String::from_utf8_lossy(&answer));
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    RawAnswer { status: status.unwrap_or_else(|| panic!("no answer to {shown:?}: {text:?}")), text }
}

/// GETs `path` as it stands, with more header lines, each ending in CRLF.
pub async fn raw_get(url: &str, path: &str, headers: &str) -> RawAnswer {
    let request = format!("GET {path} HTTP/1.1\r\nHost: server\r\nConnection: close\r\n{headers}\r\n");
    raw(url, request.as_bytes()).await
}
