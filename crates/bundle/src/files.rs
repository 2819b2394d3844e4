//! The files of a bundle, wherever they came from.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{BadBundle, Limits};

/// Files by their path, with `/` between folders. In order of their paths, so that what is made of them is the
/// same every time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files(pub(crate) BTreeMap<String, Vec<u8>>);

impl Files {
    /// Each path with its bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }

    /// The bytes of one file.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.0.get(path).map(Vec::as_slice)
    }

    /// Adds a file; an earlier one of the same path is replaced.
    pub fn insert(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.insert(path.into(), bytes.into());
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What operating systems leave in folders and no bundle means.
pub(crate) fn is_litter(path: &str) -> bool {
    path.split('/').any(|part| {
        matches!(part, "__MACOSX" | ".DS_Store" | "Thumbs.db" | ".git" | ".svn" | "node_modules")
            || part.starts_with("._")
    })
}

/// Checks a path of an archive; gives it with `/` between its parts.
pub(crate) fn checked_path(path: &str, limits: &Limits) -> Result<String, BadBundle> {
    let bad = |rule| BadBundle::BadPath { file: shortened(path), rule };
    if path.len() > limits.path_bytes {
        return Err(BadBundle::too_much(
            &shortened(path),
            "PathTooLong",
            format_args!("{} bytes", limits.path_bytes),
        ));
    }
    let path = path.replace('\\', "/");
    let path = path.strip_suffix('/').unwrap_or(&path);
    if path.starts_with('/') || path.as_bytes().get(1) == Some(&b':') {
        return Err(bad("an absolute path"));
    }
    if path.chars().any(char::is_control) {
        return Err(bad("a control character in a path"));
    }
    for part in path.split('/') {
        match part {
            ".." => return Err(bad("a path that leaves the bundle")),
            "" | "." => return Err(bad("an empty part in a path")),
            _ => {}
        }
    }
    if path.split('/').count() > limits.path_depth {
        return Err(BadBundle::too_much(path, "PathTooDeep", format_args!("{} folders", limits.path_depth)));
    }
    Ok(path.to_owned())
}

/// Long names must not fill a log.
fn shortened(path: &str) -> String {
    if path.chars().count() > 120 { path.chars().take(120).chain(['…']).collect() } else { path.to_owned() }
}

/// Text as it is, other bytes in base64; the flag says which.
pub(crate) fn content_of(bytes: &[u8]) -> (String, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (STANDARD.encode(bytes), true),
    }
}

/// The bytes that [`content_of`] made a content of; `None` when it is not base64.
pub(crate) fn bytes_of(content: &str, binary: bool) -> Option<Vec<u8>> {
    if binary { STANDARD.decode(content).ok() } else { Some(content.as_bytes().to_vec()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        let limits = Limits::default();
        for bad in
            ["/a", "C:/a", "C:\\a", "../a", "a/../../b", "a/..", "a//b", "a\0b", "a/./b", "\\\\server\\a"]
        {
            assert!(checked_path(bad, &limits).is_err(), "{bad}");
        }
        assert!(checked_path(&"a/".repeat(40), &limits).is_err());
        assert!(checked_path(&"a".repeat(2000), &limits).is_err());
        assert_eq!(
            checked_path("apiproxy\\policies\\A b.xml", &limits).ok().as_deref(),
            Some("apiproxy/policies/A b.xml")
        );
        assert_eq!(checked_path("apiproxy/", &limits).ok().as_deref(), Some("apiproxy"));
    }

    #[test]
    fn bytes_that_are_no_text_survive() {
        let jar = [0x50, 0x4b, 0xff, 0x00];
        let (content, binary) = content_of(&jar);
        assert!(binary);
        assert_eq!(bytes_of(&content, binary).as_deref(), Some(&jar[..]));
    }
}
