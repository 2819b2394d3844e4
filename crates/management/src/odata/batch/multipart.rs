//! Multipart bodies as clients write them: lines end with LF or CRLF.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::odata::ODataError;

/// Most header lines in a part.
const MAX_HEADERS: usize = 50;

/// One part between two boundaries.
#[derive(Debug)]
pub(super) struct Part<'b> {
    headers: Vec<(String, String)>,
    /// Everything after the blank line.
    pub(super) body: &'b [u8],
}

impl Part<'_> {
    /// A header by its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// `Content-Type`, or nothing.
    pub(super) fn content_type(&self) -> &str {
        self.header("content-type").unwrap_or_default()
    }
}

/// The boundary of a `multipart/mixed` type.
pub(super) fn boundary_of(content_type: &str) -> Option<String> {
    let mut parameters = content_type.split(';');
    if !parameters.next()?.trim().eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let value = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    })?;
    (1..=200).contains(&value.len()).then_some(value)
}

/// The parts of a multipart body. The last boundary must be there: a body cut short does nothing.
pub(super) fn parts<'b>(body: &'b [u8], boundary: &str) -> Result<Vec<Part<'b>>, ODataError> {
    let (open, close) = (format!("--{boundary}"), format!("--{boundary}--"));
    let mut parts = Vec::new();
    let mut begun: Option<usize> = None;
    let mut at = 0;
    while at < body.len() {
        let (text, rest) = line(&body[at..]);
        let next = body.len() - rest.len();
        let trimmed = text.trim_ascii_end();
        let closing = trimmed == close.as_bytes();
        if closing || trimmed == open.as_bytes() {
            if let Some(from) = begun {
                let (headers, content) = headers(&body[from..at])?;
                parts.push(Part { headers, body: content });
            }
            if closing {
                return Ok(parts);
            }
            begun = Some(next);
        }
        at = next;
    }
    Err(ODataError::bad("a multipart body does not end with its closing boundary"))
}

/// The first line without its end, and what follows it.
pub(super) fn line(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == b'\n') {
        Some(end) => (text[..end].strip_suffix(b"\r").unwrap_or(&text[..end]), &text[end + 1..]),
        None => (text, &[]),
    }
}

/// Names (in lower case) and values.
type Headers = Vec<(String, String)>;

/// Header lines up to a blank one, and what follows it.
pub(super) fn headers(text: &[u8]) -> Result<(Headers, &[u8]), ODataError> {
    let mut headers = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (head, after) = line(rest);
        rest = after;
        if head.is_empty() {
            break;
        }
        let pair = std::str::from_utf8(head).ok().and_then(|head| head.split_once(':'));
        let (name, value) =
            pair.ok_or_else(|| ODataError::bad("a header line of a $batch part is not '<name>: <value>'"))?;
        if headers.len() == MAX_HEADERS {
            return Err(ODataError::bad(format!("a $batch part has more than {MAX_HEADERS} headers")));
        }
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok((headers, rest))
}

/// The same as a map.
pub(super) fn header_map(headers: &Headers) -> Result<HeaderMap, ODataError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let bad = || ODataError::bad("a header of a $batch part holds characters that no header may");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        map.append(name, HeaderValue::from_str(value).map_err(|_| bad())?);
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_are_cut_with_both_line_ends() {
        for end in ["\r\n", "\n"] {
            let text =
                ["preamble", "--b", "Content-Type: a", "", "one", "--b ", "X: y", "", "two", "--b--", "rest"]
                    .join(end);
            let found = parts(text.as_bytes(), "b").unwrap();
            assert_eq!(found.len(), 2);
            assert_eq!(found[0].content_type(), "a");
            assert_eq!(found[0].body.trim_ascii(), b"one");
            assert_eq!(found[1].header("x"), Some("y"));
            assert_eq!(found[1].body.trim_ascii(), b"two");
        }
    }

    #[test]
    fn a_body_without_its_end_is_refused() {
        assert!(parts(b"--b\r\n\r\nx\r\n", "b").is_err());
        assert!(parts(b"", "b").is_err());
        assert!(parts(b"--b\r\nno header\r\n\r\n--b--", "b").is_err());
        assert!(parts(b"--b--", "b").unwrap().is_empty());
    }

    #[test]
    fn the_boundary_comes_quoted_and_plain() {
        assert_eq!(boundary_of("multipart/mixed; boundary=batch_1").unwrap(), "batch_1");
        assert_eq!(boundary_of("Multipart/Mixed;charset=x; Boundary=\"b 1\"").unwrap(), "b 1");
        for bad in ["application/json", "multipart/mixed", "multipart/mixed; boundary="] {
            assert_eq!(boundary_of(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parts(&body, "b");
            let _ = headers(&body);
        }
    }
}
