//! Paths of the documents hub.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::engine::CallProblem;

const MAX_BYTES: usize = 4096;
const MAX_DEPTH: usize = 100;

/// A path of the hub: absolute, one slash between names, none at the end. No name is `.` or `..` or holds a
/// control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HubItemPath(String);

impl HubItemPath {
    pub(super) fn parse(text: &str) -> Result<Self, CallProblem> {
        let bad = |rule: &str| CallProblem::bad_request(format!("path: {rule}"));
        if !text.starts_with('/') {
            return Err(bad("must start with a slash"));
        }
        if text.len() > MAX_BYTES {
            return Err(bad("has at most 4096 bytes"));
        }
        let names: Vec<&str> = text.split('/').filter(|name| !name.is_empty()).collect();
        if names.len() > MAX_DEPTH {
            return Err(bad("has at most 100 levels"));
        }
        for name in &names {
            check_name(name).map_err(bad)?;
        }
        Ok(Self(format!("/{}", names.join("/"))))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|name| !name.is_empty())
    }

    /// What the item lies in, and its name; none for the root.
    pub(super) fn split(&self) -> Option<(Self, &str)> {
        let at = self.0.rfind('/')?;
        let name = &self.0[at + 1..];
        let parent = if at == 0 { "/" } else { &self.0[..at] };
        (!name.is_empty()).then(|| (Self(parent.to_owned()), name))
    }

    /// The path of something in this folder.
    pub(super) fn child(&self, name: &str) -> Result<Self, CallProblem> {
        Self::parse(&format!("{}/{name}", self.0.trim_end_matches('/')))
    }

    /// The hub's id of an item that its vendor knows by path only: opaque, safe in a URL.
    pub(super) fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0)
    }

    pub(super) fn from_token(token: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        Self::parse(&String::from_utf8(bytes).ok()?).ok()
    }
}

/// The rule a single name breaks, if any.
pub(super) fn check_name(name: &str) -> Result<(), &'static str> {
    match name {
        "" => Err("a name may not be empty"),
        "." | ".." => Err("the names . and .. are not allowed"),
        name if name.len() > 255 => Err("a name has at most 255 bytes"),
        name if name.chars().any(|c| c.is_control() || c == '/') => {
            Err("a name may hold neither control characters nor a slash")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_or_refused() {
        assert_eq!(HubItemPath::parse("//a/b//c/").unwrap().as_str(), "/a/b/c");
        assert_eq!(HubItemPath::parse("/").unwrap().split(), None);
        assert_eq!(HubItemPath::parse("/a").unwrap().split().unwrap().1, "a");
        let long = format!("/{}", "a/".repeat(5000));
        for bad in ["", "a", "/..", "/a/../b", "/./a", "/a\0b", "/a\r\nb", &long] {
            assert!(HubItemPath::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_token_leads_back_to_its_path() {
        let path = HubItemPath::parse("/ä/b c.txt").unwrap();
        assert_eq!(HubItemPath::from_token(&path.token()), Some(path));
        assert_eq!(HubItemPath::from_token("%%"), None);
        assert_eq!(HubItemPath::from_token(&URL_SAFE_NO_PAD.encode("/../x")), None);
    }
}
