//! The one form of a request path that routing, conditions and forwarding share.

use std::borrow::Cow;

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
}

/// Brings `raw` into the normal form of RFC 3986 §6.2.2: escapes of unreserved characters decoded, other
/// escapes in upper case. An escaped slash stays escaped and is no separator. Anything that servers read
/// differently from each other (dot segments, backslashes, control characters) is refused: comparing one
/// reading and forwarding another is how guards are passed (hostile-input 8).
///
/// Borrows when there is nothing to change, which is nearly always.
pub fn normalise(raw: &str) -> Result<Cow<'_, str>, BadPath> {
    if !raw.starts_with('/') {
        return Err(BadPath::NotAbsolute);
    }
    let bytes = raw.as_bytes();
    if memchr::memchr3(b'%', b'\\', 0, bytes).is_none() {
        check_segments(raw)?;
        return if bytes.iter().any(|b| b.is_ascii_control()) {
            Err(BadPath::Control)
        } else {
            Ok(raw.into())
        };
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        at += 1;
        let escaped = byte == b'%';
        let meant = if escaped {
            let (high, low) = (bytes.get(at).copied(), bytes.get(at + 1).copied());
            at += 2;
            high.and_then(hex).zip(low.and_then(hex)).map(|(h, l)| h << 4 | l).ok_or(BadPath::BrokenEscape)?
        } else {
            byte
        };
        match meant {
            b'\\' => return Err(BadPath::Backslash),
            _ if meant.is_ascii_control() => return Err(BadPath::Control),
            _ if !escaped || is_unreserved(meant) => out.push(meant),
            _ => {
                out.extend_from_slice(&[b'%', upper_hex(meant >> 4), upper_hex(meant & 15)]);
            }
        }
    }
    // Only ASCII was decoded, so what was UTF-8 still is.
    let out = String::from_utf8(out).map_err(|_| BadPath::BrokenEscape)?;
    check_segments(&out)?;
    Ok(Cow::Owned(out))
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

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
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
    fn escapes_of_unreserved_characters_mean_the_characters() {
        assert_eq!(normalise("/%67oogle%2ddrive/a%2fb%20c").as_deref(), Ok("/google-drive/a%2Fb%20c"));
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
        fn normalising_twice_changes_nothing(raw in "/[a-z%0-9A-F/.~ é]{0,40}") {
            if let Ok(once) = normalise(&raw) {
                assert_eq!(normalise(&once).as_deref(), Ok(&*once));
            }
        }
    }
}
