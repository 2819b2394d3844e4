//! From bytes to characters (XML 1.0, 4.3.3 and appendix F).

use std::borrow::Cow;

use super::BadXml;

/// The text of a document in UTF-8, UTF-16 with a byte order mark, US-ASCII or ISO-8859-1; without its byte
/// order mark.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, BadXml> {
    let bad = |why: &str| BadXml { line: 1, why: why.to_owned() };
    match bytes {
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes).ok_or_else(|| bad("not UTF-16")),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes).ok_or_else(|| bad("not UTF-16")),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            match declared(bytes).map(|name| name.to_ascii_lowercase()).as_deref() {
                None | Some("utf-8" | "utf8") => {
                    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
                        let lines =
                            bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
                        BadXml {
                            line: u32::try_from(lines + 1).unwrap_or(u32::MAX),
                            why: "not UTF-8".to_owned(),
                        }
                    })
                }
                Some("us-ascii" | "ascii") if bytes.is_ascii() => Ok(String::from_utf8_lossy(bytes)),
                Some("us-ascii" | "ascii") => Err(bad("not US-ASCII")),
                Some("iso-8859-1" | "latin1" | "iso_8859-1") => {
                    Ok(Cow::Owned(bytes.iter().copied().map(char::from).collect()))
                }
                Some(_) => Err(bad("the encoding is none of UTF-8, UTF-16, US-ASCII and ISO-8859-1")),
            }
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<Cow<'_, str>> {
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).collect::<Result<String, _>>().ok().map(Cow::Owned)
}

/// The encoding that the declaration names.
fn declared(bytes: &[u8]) -> Option<&str> {
    let head = bytes.strip_prefix(b"<?xml")?;
    let head = &head[..memchr::memmem::find(head, b"?>")?];
    let after = &head[memchr::memmem::find(head, b"encoding")? + b"encoding".len()..];
    let after = after.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = after.split_first()?;
    std::str::from_utf8(&value[..memchr::memchr(*quote, value)?]).ok()
}
