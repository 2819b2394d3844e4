//! The one form of a request path that routing, conditions and forwarding share.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// A path that no server should be asked to interpret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// Does not start with a slash.
    #[error("the path does not start with a slash")]
    NotAbsolute,
    /// `%` without two hex digits after it.
    #[error("the path has a percent sign that starts no escape")]
    BrokenEscape,
    /// A NUL or another control character, plain or escaped.
    #[error("the path has a control character")]
    Control,
    /// A `.` or `..` segment, plain or escaped.
    #[error("the path has a dot segment")]
    DotSegment,
    /// A backslash, plain or escaped.
    #[error("the path has a backslash")]
    Backslash,
    /// A character in more bytes than UTF-8 allows.
    #[error("the path has overlong UTF-8")]
    Overlong,
}

/// Brings `raw` into the form that routing and conditions compare: everything decoded except what would
/// change its meaning. Escaped `/ ? # % + ;` and bytes that are no UTF-8 stay escaped, in upper case; an
/// escaped slash is no separator. `encode` writes it back for the wire. What servers read differently from
/// each other (dot segments, backslashes, control characters, overlong UTF-8) is refused: comparing one
/// reading and forwarding another is how guards are passed (hostile-input 8).
///
/// Borrows when there is nothing to change, which is nearly always.
pub fn normalise(raw: &str) -> Result<Cow<'_, str>, BadPath> {
    if !raw.starts_with('/') {
        return Err(BadPath::NotAbsolute);
    }
    let bytes = raw.as_bytes();
    let path =
        if memchr::memchr(b'%', bytes).is_some() { Cow::Owned(decode(bytes)?) } else { Cow::Borrowed(raw) };
    if path.contains('\\') {
        return Err(BadPath::Backslash);
    }
    if path.bytes().any(|b| b.is_ascii_control()) || (!path.is_ascii() && path.chars().any(char::is_control))
    {
        return Err(BadPath::Control);
    }
    check_segments(&path)?;
    Ok(path)
}

/// A normalised path as it is sent.
pub(crate) fn encode(path: &str) -> Cow<'_, str> {
    const ESCAPED: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'<')
        .add(b'>')
        .add(b'?')
        .add(b'[')
        .add(b'\\')
        .add(b']')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'|')
        .add(b'}');
    utf8_percent_encode(path, ESCAPED).into()
}

fn decode(bytes: &[u8]) -> Result<String, BadPath> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'%' {
            out.push(byte);
            at += 1;
            continue;
        }
        let meant = escape_at(bytes, at)?;
        if meant.is_ascii() {
            at += 3;
            match meant {
                b'/' | b'?' | b'#' | b'%' | b'+' | b';' => push_escape(&mut out, meant),
                _ => out.push(meant),
            }
            continue;
        }
        // In a run of escapes outside ASCII, what is UTF-8 is decoded.
        let mut run = Vec::new();
        while bytes.get(at) == Some(&b'%') {
            let meant = escape_at(bytes, at)?;
            if meant.is_ascii() {
                break;
            }
            run.push(meant);
            at += 3;
        }
        if run.windows(2).any(is_overlong) {
            return Err(BadPath::Overlong);
        }
        for chunk in run.utf8_chunks() {
            out.extend_from_slice(chunk.valid().as_bytes());
            chunk.invalid().iter().for_each(|byte| push_escape(&mut out, *byte));
        }
    }
    // Raw bytes outside ASCII came from text, so what was UTF-8 still is.
    String::from_utf8(out).map_err(|_| BadPath::BrokenEscape)
}

fn escape_at(bytes: &[u8], at: usize) -> Result<u8, BadPath> {
    let digit = |at: usize| bytes.get(at).copied().and_then(hex);
    match (digit(at + 1), digit(at + 2)) {
        (Some(high), Some(low)) => Ok(high << 4 | low),
        _ => Err(BadPath::BrokenEscape),
    }
}

/// The beginning of a character written with more bytes than it needs.
fn is_overlong(pair: &[u8]) -> bool {
    matches!(pair, [0xc0 | 0xc1, 0x80..=0xbf] | [0xe0, 0x80..=0x9f] | [0xf0, 0x80..=0x8f])
}

fn push_escape(out: &mut Vec<u8>, byte: u8) {
    out.extend_from_slice(&[b'%', upper_hex(byte >> 4), upper_hex(byte & 15)]);
}

fn check_segments(path: &str) -> Result<(), BadPath> {
    let mut rest = path.as_bytes();
    while let Some(dot) = memchr::memmem::find(rest, b"/.") {
        rest = &rest[dot + 2..];
        if matches!(rest, [] | [b'/', ..] | [b'.'] | [b'.', b'/', ..]) {
            return Err(BadPath::DotSegment);
        }
    }
    Ok(())
}

pub(crate) const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

const fn upper_hex(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' + nibble,
        _ => b'A' + nibble - 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_path_is_borrowed() {
        assert!(matches!(normalise("/a/b.c/.d/e..f"), Ok(Cow::Borrowed("/a/b.c/.d/e..f"))));
    }

    #[test]
    fn escapes_mean_their_characters_except_where_that_changes_the_meaning() {
        for (raw, normal) in [
            ("/%67oogle%2ddrive/a%2fb%20c", "/google-drive/a%2Fb c"),
            ("/r%28%27x%27%29", "/r('x')"),
            ("/a%2bb+c%3bd;e%3f%23%25", "/a%2Bb+c%3Bd;e%3F%23%25"),
            ("/%c3%a9/%e9", "/é/%E9"),
            ("/%7bid%7d", "/{id}"),
        ] {
            assert_eq!(normalise(raw).as_deref(), Ok(normal), "{raw}");
        }
    }

    #[test]
    fn what_is_sent_is_encoded_again() {
        for (normal, sent) in [
            ("/a%2Fb c", "/a%2Fb%20c"),
            ("/r('x')", "/r('x')"),
            ("/é/{id}", "/%C3%A9/%7Bid%7D"),
            ("/a?b#c", "/a%3Fb%23c"),
        ] {
            assert_eq!(encode(normal), sent, "{normal}");
        }
    }

    #[test]
    fn what_servers_read_differently_is_refused() {
        for (path, why) in [
            ("", BadPath::NotAbsolute),
            ("a", BadPath::NotAbsolute),
            ("/a/../b", BadPath::DotSegment),
            ("/a/%2e%2E/b", BadPath::DotSegment),
            ("/.", BadPath::DotSegment),
            ("/a/..", BadPath::DotSegment),
            ("/a\\b", BadPath::Backslash),
            ("/a%5cb", BadPath::Backslash),
            ("/a%00", BadPath::Control),
            ("/a%0d%0ax", BadPath::Control),
            ("/a%c2%85", BadPath::Control),
            ("/%c0%ae%c0%ae/a", BadPath::Overlong),
            ("/%e0%80%ae", BadPath::Overlong),
            ("/%2e%2e%5ca", BadPath::Backslash),
            ("/a\u{7f}", BadPath::Control),
            ("/a%", BadPath::BrokenEscape),
            ("/a%4", BadPath::BrokenEscape),
            ("/a%zz", BadPath::BrokenEscape),
        ] {
            assert_eq!(normalise(path), Err(why), "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn normalising_what_is_sent_changes_nothing(raw in "/([a-z/.~+;() é{]|%[0-9A-Fa-f]{2}){0,20}") {
            if let Ok(once) = normalise(&raw) {
                assert_eq!(normalise(&once).as_deref(), Ok(&*once));
                assert_eq!(normalise(&encode(&once)).as_deref(), Ok(&*once));
            }
        }
    }
}
