//! Calls that steps make themselves: ServiceCallout, JavaScript's `httpClient`, key sets.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::uri::PathAndQuery;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::compile::{Endpoint, TargetTimeouts};
use crate::exchange::{Message, encode, normalise};
use crate::fault::EngineFault;
use crate::logging::LogLine;

/// A call to a server, whole in memory.
#[derive(Debug, Clone)]
pub struct Callout {
    /// Where the server listens.
    pub endpoint: Endpoint,
    /// A request; its target is the head's path and query, and its body is not streaming.
    pub request: Message,
    /// Times of the connection.
    pub timeouts: TargetTimeouts,
    /// The whole call must be over by then.
    pub within: Duration,
    /// The largest answer that is read, in bytes.
    pub answer_limit: usize,
}

impl Callout {
    /// Where it goes.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.endpoint.tls { "https" } else { "http" };
        let target = self.request.as_request().map_or("/", |head| head.uri.as_str());
        format!("{scheme}://{}:{}{target}", self.endpoint.host, self.endpoint.port)
    }
}

/// An owned future that stays on its thread.
pub type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// The way out for callouts; one per thread.
pub trait Outbound {
    /// Makes the call and reads the whole answer. What a target's failure would be is the fault.
    fn call(&self, callout: Callout) -> LocalFuture<Result<Message, EngineFault>>;

    /// Takes a line to be logged elsewhere. Never waits; `false` when there was no room for it and it is lost.
    fn log(&self, line: LogLine) -> bool;

    /// Makes the call that an exchange is forwarded by, where its transport is this.
    fn forward(&self, callout: Callout) -> LocalFuture<Result<Message, EngineFault>> {
        self.call(callout)
    }

    /// The answer of a target that is not to be called, where one is laid ready; nearly always none is.
    fn target(&self, _method: &http::Method, _url: &str) -> Option<Result<Message, EngineFault>> {
        None
    }
}

/// The server and the request target of an absolute `http` or `https` URL; `None` when it is none, carries
/// credentials, or has a path that servers read differently from each other. What a URL may not hold as it
/// is (blanks, quotes, letters outside ASCII) is escaped.
pub(crate) fn locate(url: &str) -> Option<(Endpoint, PathAndQuery)> {
    const ESCAPED: &AsciiSet =
        &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'{').add(b'}').add(b'|').add(b'^');
    let uri: Uri = utf8_percent_encode(url.trim(), ESCAPED).to_string().parse().ok()?;
    let tls = match uri.scheme_str()? {
        "http" => false,
        "https" => true,
        _ => return None,
    };
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let host: Arc<str> = authority.host().into();
    if host.is_empty() {
        return None;
    }
    let port = match authority.as_str().strip_prefix(&*host)?.strip_prefix(':') {
        None => {
            if tls {
                443
            } else {
                80
            }
        }
        Some(port) => port.parse().ok()?,
    };
    let path = normalise(uri.path()).ok()?;
    let (mark, query) = uri.query().map_or(("", ""), |query| ("?", query));
    let target = format!("{}{mark}{query}", encode(&path)).parse().ok()?;
    Some((Endpoint::new(tls, host, port), target))
}

#[cfg(test)]
mod tests {
    use super::locate;

    #[test]
    fn a_url_is_a_server_and_a_request_target() {
        for (url, host, port, target) in [
            ("http://a.example", "a.example", 80, "/"),
            (" https://a.example:8443/x y?q=\u{e9} 1#f ", "a.example", 8443, "/x%20y?q=%C3%A9%201"),
            ("https://[::1]/a%2fb", "[::1]", 443, "/a%2Fb"),
        ] {
            let (endpoint, found) = locate(url).unwrap();
            assert_eq!((&*endpoint.host, endpoint.port, found.as_str()), (host, port, target), "{url}");
        }
        for bad in
            ["", "/x", "ftp://a/", "http://u:p@a/", "http:///x", "http://a/../x", "http:/a/x", "http://a:b/"]
        {
            assert!(locate(bad).is_none(), "{bad}");
        }
    }
}
