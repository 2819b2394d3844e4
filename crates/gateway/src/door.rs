//! No open door: which paths may go through a provider of type Open Connectors (design §3).
//!
//! The original attaches all three secrets to any path, so whoever may call the proxy may call the platform
//! with the organization's rights. Here a path passes only when every reading of it is a hub call.

use pierhead_domain::hub_paths::{HubPath, classify};

use crate::exchange::hex;

/// Where the hub's API begins.
pub(crate) const HUB_ROOT: &str = "/elements/api-v2";

/// A path that does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

/// Decides about `path`: what follows [`HUB_ROOT`], as it would be sent, without the query.
///
/// `allowed` names platform roots that the provider lets pass, in lower case.
pub(crate) fn pass(path: &str, allowed: &[Box<str>]) -> Result<(), Refused> {
    if path.is_empty() || !path.starts_with('/') {
        return Err(Refused);
    }
    check(path, allowed)?;
    // One round reaches the fixpoint: an escape that would leave another escape behind is refused.
    match decode(path)? {
        Some(decoded) => check(&decoded, allowed),
        None => Ok(()),
    }
}

/// One reading of the path.
fn check(path: &str, allowed: &[Box<str>]) -> Result<(), Refused> {
    if path.chars().any(|c| c.is_control() || matches!(c, '\\' | ';' | '?' | '#')) {
        return Err(Refused);
    }
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        // One slash at the end is harmless; two in a row mean different things to different servers.
        if segment.is_empty() && !is_last {
            return Err(Refused);
        }
        // Some servers cut blanks off before they compare.
        if matches!(segment, "." | "..") || segment.trim() != segment {
            return Err(Refused);
        }
    }
    match classify(path) {
        HubPath::Resource | HubPath::Shared => Ok(()),
        HubPath::Platform => {
            let root = path.split('/').find(|segment| !segment.is_empty()).unwrap_or_default();
            let named = allowed.iter().any(|known| root.eq_ignore_ascii_case(known));
            if named { Ok(()) } else { Err(Refused) }
        }
    }
}

/// Decodes once. `None` when there is nothing to decode. A slash, a dot segment or anything else that only
/// appears by decoding is a trick; so is an escape that is no UTF-8, for example an overlong one.
fn decode(path: &str) -> Result<Option<String>, Refused> {
    if !path.contains('%') {
        return Ok(None);
    }
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digits = (bytes.get(at).copied().and_then(hex), bytes.get(at + 1).copied().and_then(hex));
        let (Some(high), Some(low)) = digits else { return Err(Refused) };
        at += 2;
        match high << 4 | low {
            // An encoded slash would part segments for one reader and not for another; an encoded percent
            // sign is a second layer.
            b'/' | b'\\' | b'%' | b';' | 0..=0x1f | 0x7f => return Err(Refused),
            decoded => out.push(decoded),
        }
    }
    String::from_utf8(out).map(Some).map_err(|_| Refused)
}

#[cfg(test)]
mod tests;
