//! One request to a gateway on this machine.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
pub(super) enum Answer {
    /// A response.
    Response {
        status: u16,
        /// `errorcode` of a fault in the originals' form; empty when there is none.
        code: String,
    },
    /// The connection broke, or nothing came in time.
    Broken(String),
}

impl Answer {
    /// Why the answer is a failure of the gateway and not of the request or the bundle's own doing.
    pub(super) fn our_failure(&self) -> Option<String> {
        let Self::Response { status, code } = self else { return Some(self.to_string()) };
        let of_engine = code.starts_with("messaging.") || code.starts_with("protocol.");
        let ours = match status {
            404 => code.ends_with("ApplicationNotFound"),
            501..=504 => true,
            500.. => of_engine || code.is_empty(),
            _ => false,
        };
        ours.then(|| self.to_string())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response { status, code } if code.is_empty() => write!(f, "{status}"),
            Self::Response { status, code } => write!(f, "{status} {code}"),
            Self::Broken(why) => write!(f, "broken: {why}"),
        }
    }
}

/// `GET path`, the connection closed afterwards.
pub(super) async fn get(gateway: SocketAddr, path: &str) -> Answer {
    match tokio::time::timeout(Duration::from_secs(20), exchange(gateway, path)).await {
        Ok(Ok(bytes)) => read(&bytes),
        Ok(Err(error)) => Answer::Broken(error.to_string()),
        Err(_) => Answer::Broken("no answer within 20 seconds".to_owned()),
    }
}

async fn exchange(gateway: SocketAddr, path: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(gateway).await?;
    let path = path.replace(' ', "%20");
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {gateway}\r\naccept: */*\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    Ok(bytes)
}

fn read(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes);
    let status = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let Some(status) = status else { return Answer::Broken("no response came".to_owned()) };
    let after = text.split_once("\"errorcode\":\"").map_or("", |(_, after)| after);
    let code = after.split_once('"').map_or("", |(code, _)| code).to_owned();
    Answer::Response { status, code }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(response: &str) -> Option<String> {
        read(response.as_bytes()).our_failure()
    }

    #[test]
    fn only_the_gateways_own_failures_count() {
        let fault = |status: u16, code: &str| {
            let body =
                format!("{{\"fault\":{{\"faultstring\":\"x\",\"detail\":{{\"errorcode\":\"{code}\"}}}}}}");
            failure(&format!("HTTP/1.1 {status} X\r\ncontent-length: 1\r\n\r\n{body}"))
        };
        assert!(failure("").is_some());
        assert!(fault(501, "steps.pierhead.PolicyNotSupported").is_some());
        assert!(fault(500, "messaging.runtime.RouteFailed").is_some());
        assert!(fault(404, "messaging.adaptors.http.flow.ApplicationNotFound").is_some());
        assert!(failure("HTTP/1.1 500 X\r\n\r\nboom").is_some());
        assert_eq!(fault(401, "steps.oauth.v2.FailedToResolveAPIKey"), None);
        assert_eq!(fault(500, "steps.raisefault.RaiseFault"), None);
        assert_eq!(failure("HTTP/1.1 404 Not Found\r\n\r\n{}"), None);
    }
}
