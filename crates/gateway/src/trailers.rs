//! Fields that follow a body (RFC 9110 §6.5): passed on only where somebody asked for them, and never those that
//! belong before it (hostile-input §4.2 line 1).
//!
//! A response's go to a client that said `TE: trailers`, a request's to the target when `Trailer` announced them;
//! gRPC calls carry theirs without saying so.

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};

use crate::proxy::{is_hop_by_hop, is_protected};

/// More announced names than this are not remembered.
const MAX_NAMES: usize = 32;

/// The fields that a message announces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Announced(Vec<HeaderName>);

impl Announced {
    /// What `Trailer` headers name and what may follow a body at all.
    pub(crate) fn by(headers: &HeaderMap) -> Self {
        let mut this = Self::default();
        headers.get_all(http::header::TRAILER).iter().for_each(|value| this.learn(value.as_bytes()));
        this
    }

    /// Takes in one `Trailer` header.
    pub(crate) fn learn(&mut self, value: &[u8]) {
        for token in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
            if self.0.len() < MAX_NAMES
                && let Ok(name) = HeaderName::from_bytes(token)
                && may_follow(&name)
                && !self.0.contains(&name)
            {
                self.0.push(name);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Drops what was not announced.
    pub(crate) fn retain(&self, trailers: &mut HeaderMap) {
        drop_all(trailers, |name| !self.0.contains(name));
    }

    /// The value of a `Trailer` header; `None` when nothing is announced.
    pub(crate) fn value(&self) -> Option<HeaderValue> {
        if self.0.is_empty() {
            return None;
        }
        let names: Vec<&str> = self.0.iter().map(HeaderName::as_str).collect();
        HeaderValue::from_str(&names.join(", ")).ok()
    }
}

/// Whether a `TE` header says that trailers will be read.
pub(crate) fn are_asked_for(te: &[u8]) -> bool {
    te.split(|&byte| byte == b',').any(|word| word.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

/// Drops what may not follow a body: framing, routing, conditions, credentials, and what says how the body is to
/// be read (RFC 9110 §6.5.1).
pub(crate) fn drop_forbidden(trailers: &mut HeaderMap) {
    drop_all(trailers, |name| !may_follow(name));
}

/// Appends the lines, without the empty one that ends them.
pub(crate) fn write(trailers: &HeaderMap, out: &mut Vec<u8>) {
    for (name, value) in trailers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
}

fn drop_all(trailers: &mut HeaderMap, goes: impl Fn(&HeaderName) -> bool) {
    while let Some(name) = trailers.keys().find(|name| goes(name)).cloned() {
        trailers.remove(name);
    }
}

fn may_follow(name: &HeaderName) -> bool {
    if is_hop_by_hop(name) || is_protected(name) {
        return false;
    }
    !matches!(
        name.as_str(),
        "age"
            | "content-encoding"
            | "content-range"
            | "content-type"
            | "expires"
            | "if-match"
            | "if-modified-since"
            | "if-none-match"
            | "if-range"
            | "if-unmodified-since"
            | "location"
            | "max-forwards"
            | "pragma"
            | "range"
            | "retry-after"
            | "set-cookie"
            | "vary"
            | "warning"
            | "www-authenticate"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_announced_fields_that_may_follow_a_body_are_kept() {
        let mut announced = Announced::default();
        announced.learn(b"X-Sum, content-length,Authorization, x sum,, X-SUM , Set-Cookie");
        announced.learn(b"x-took");
        assert_eq!(announced.value().expect("some"), "x-sum, x-took");

        let mut came = HeaderMap::new();
        for name in ["x-sum", "x-else", "authorization"] {
            came.append(HeaderName::from_static(name), HeaderValue::from_static("1"));
        }
        announced.retain(&mut came);
        assert_eq!(came.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-sum"]);
    }

    #[test]
    fn framing_routing_credentials_and_the_reading_of_the_body_never_follow_it() {
        for name in [
            "content-length",
            "transfer-encoding",
            "host",
            "trailer",
            "te",
            "connection",
            "authorization",
            "cookie",
            "set-cookie",
            "proxy-authorization",
            "content-type",
            "content-encoding",
            "cache-control",
            "if-match",
            "range",
            "expect",
            "location",
            "x-forwarded-for",
            "x-request-id",
            "date",
        ] {
            let mut trailers = HeaderMap::new();
            trailers.insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            drop_forbidden(&mut trailers);
            assert_eq!(trailers.len(), 1, "{name}");
        }
    }

    #[test]
    fn names_beyond_a_bound_are_forgotten() {
        let mut announced = Announced::default();
        for index in 0..MAX_NAMES * 2 {
            announced.learn(format!("x-{index}").as_bytes());
        }
        assert_eq!(announced.0.len(), MAX_NAMES);
    }

    #[test]
    fn te_asks_for_trailers_by_that_word_alone() {
        for (te, asks) in
            [(&b"trailers"[..], true), (b"gzip;q=0.5, Trailers", true), (b"trailers2", false), (b"", false)]
        {
            assert_eq!(are_asked_for(te), asks, "{}", String::from_utf8_lossy(te));
        }
    }
}
