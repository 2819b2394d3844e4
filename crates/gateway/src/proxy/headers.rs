//! Headers that end at a hop, on either side (RFC 9110 §7.6.1; hostile-input §4.2 line 4).

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName};
use http::{HeaderMap, HeaderValue};

/// A Connection header that names more than this is an attack, not a message.
const MAX_NOMINATED: usize = 10;

/// Too many headers were nominated in Connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyNominated;

/// Removes what concerns one connection only: the framing (rebuilt by who sends), the hop-by-hop headers,
/// and what Connection nominates. Identity and framing cannot be nominated away.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) -> Result<(), TooManyNominated> {
    if !headers.keys().any(is_hop_by_hop) {
        return Ok(());
    }
    let nominated = nominated(headers)?;
    // One at a time: a map cannot lose entries while it is walked, and nearly always there is one.
    while let Some(name) = headers.keys().find(|name| is_hop_by_hop(name)).cloned() {
        headers.remove(name);
    }
    for name in &nominated {
        headers.remove(name);
    }
    Ok(())
}

fn nominated(headers: &HeaderMap) -> Result<Vec<HeaderName>, TooManyNominated> {
    let mut names = Vec::new();
    let mut count = 0;
    for value in headers.get_all(CONNECTION) {
        for token in value.as_bytes().split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
            if token.is_empty()
                || token.eq_ignore_ascii_case(b"close")
                || token.eq_ignore_ascii_case(b"keep-alive")
            {
                continue;
            }
            count += 1;
            if count > MAX_NOMINATED {
                return Err(TooManyNominated);
            }
            match HeaderName::from_bytes(token) {
                Ok(name) if !is_protected(&name) => names.push(name),
                _ => {}
            }
        }
    }
    Ok(names)
}

/// Whether a header concerns one connection only.
pub(crate) fn is_hop_by_hop(name: &HeaderName) -> bool {
    ends_at_hop(name.as_str().as_bytes())
}

/// The same for a name as it was sent. Asked for every header of every message: first the length and the
/// first letter, then the word.
pub(crate) fn ends_at_hop(name: &[u8]) -> bool {
    let is = |word: &str| name.eq_ignore_ascii_case(word.as_bytes());
    match (name.len(), name.first().map(u8::to_ascii_lowercase)) {
        (2, Some(b't')) => is("te"),
        (6, Some(b'e')) => is("expect"),
        (7, Some(b't')) => is("trailer"),
        (7, Some(b'u')) => is("upgrade"),
        (10, Some(b'c')) => is("connection"),
        (10, Some(b'k')) => is("keep-alive"),
        (14, Some(b'c')) => is("content-length"),
        (14, Some(b'h')) => is("http2-settings"),
        (17, Some(b't')) => is("transfer-encoding"),
        (6.., Some(b'p')) => name[..6].eq_ignore_ascii_case(b"proxy-"),
        _ => false,
    }
}

/// Who somebody is and where they come from: nobody may ask a proxy to forget that.
pub(crate) fn is_protected(name: &HeaderName) -> bool {
    match name.as_str() {
        "authorization" | "host" | "cookie" | "forwarded" | "via" | "x-real-ip" | "x-request-id" | "date"
        | "access-token" | "apikey" | "x-api-key" | "cache-control" => true,
        other => other.starts_with("x-forwarded-") || other.starts_with("x-apigee-"),
    }
}

/// A Content-Length that is one whole number.
pub(crate) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    let mut values = headers.get_all(CONTENT_LENGTH).iter();
    let value = values.next()?;
    let digits = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    if values.next().is_some() { None } else { digits.parse().ok() }
}

/// Appends the client to `X-Forwarded-For` and says what it asked for.
pub(crate) fn add_forwarded(headers: &mut HeaderMap, client: std::net::IpAddr, tls: bool) {
    let before = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .fold(String::new(), |list, value| list + value + ", ");
    if let Ok(value) = HeaderValue::from_str(&format!("{before}{client}")) {
        headers.insert("x-forwarded-for", value);
    }
    headers.insert("x-forwarded-proto", HeaderValue::from_static(if tls { "https" } else { "http" }));
    if let Some(host) = headers.get(HOST).cloned() {
        headers.insert("x-forwarded-host", host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn hop_by_hop_headers_and_nominated_ones_end_here() {
        let mut headers = map(&[
            ("connection", "keep-alive, X-Private, upgrade"),
            ("x-private", "1"),
            ("upgrade", "h2c"),
            ("keep-alive", "5"),
            ("te", "trailers"),
            ("trailer", "x"),
            ("transfer-encoding", "chunked"),
            ("proxy-authorization", "Basic x"),
            ("proxy-connection", "close"),
            ("accept", "*/*"),
        ]);

        strip_hop_by_hop(&mut headers).expect("few");

        assert_eq!(headers, map(&[("accept", "*/*")]));
    }

    #[test]
    fn identity_cannot_be_nominated_away() {
        let mut headers = map(&[
            ("connection", "Authorization, X-Forwarded-For, Cookie, Host"),
            ("authorization", "User u"),
            ("x-forwarded-for", "1.2.3.4"),
            ("cookie", "a=b"),
            ("host", "x"),
        ]);

        strip_hop_by_hop(&mut headers).expect("few");

        assert_eq!(headers.len(), 4);
    }

    #[test]
    fn a_long_list_of_nominations_is_refused() {
        let mut headers = map(&[("connection", "a,b,c,d,e,f,g,h,i,j,k")]);
        assert_eq!(strip_hop_by_hop(&mut headers), Err(TooManyNominated));
    }

    #[test]
    fn the_client_is_appended_to_the_hops_before_it() {
        let mut headers =
            map(&[("host", "api.example"), ("x-forwarded-for", "1.2.3.4"), ("x-forwarded-proto", "spoofed")]);
        add_forwarded(&mut headers, std::net::IpAddr::from([9, 9, 9, 9]), false);
        assert_eq!(headers["x-forwarded-for"], "1.2.3.4, 9.9.9.9");
        assert_eq!(headers["x-forwarded-proto"], "http");
        assert_eq!(headers["x-forwarded-host"], "api.example");
    }
}
