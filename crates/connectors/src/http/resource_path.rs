//! Reads the path of a hub call, once, before anybody decides anything by it.
//!
//! Routing, the gateway's guard and the vendor's URL are all made from the same decoded segments, so no
//! encoding trick means one thing to one of them and another to the next.

use percent_encoding::percent_decode_str;
use pierhead_domain::hub_paths::{self, HubPath};

/// Longer paths are refused.
const PATH_BYTES: usize = 8192;

/// A hub call's path, freed of its hub word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResourcePath {
    /// With its leading slash, percent-encoded as it came, one slash between segments.
    pub(super) resource: String,
    /// What the whole path addresses.
    pub(super) kind: HubPath,
}

/// A path that could mean two things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum PathTrick {
    #[error("the path has more than {PATH_BYTES} bytes")]
    TooLong,
    #[error("the path is not percent-encoded UTF-8 without control characters")]
    Encoding,
    #[error("the path may not hold '.' or '..' segments")]
    Dots,
    #[error("the names of hub and resource in the path may not hold '/', '\\' or ';'")]
    Separator,
}

impl ResourcePath {
    /// Reads what follows `/elements/api-v2`.
    pub(super) fn read(raw: &str) -> Result<Self, PathTrick> {
        if raw.len() > PATH_BYTES {
            return Err(PathTrick::TooLong);
        }
        let mut segments: Vec<&str> = raw.split('/').filter(|segment| !segment.is_empty()).collect();
        let decoded: Vec<String> =
            segments.iter().map(|segment| decode(segment)).collect::<Result<_, _>>()?;
        let hub_word = decoded.first().is_some_and(|root| root.eq_ignore_ascii_case("hubs"));
        // The words that choose the route stand in the first place, or in the first three below `/hubs`.
        let words = if hub_word { 3 } else { 1 };
        if decoded.iter().take(words).any(|word| word.contains(['/', '\\', ';'])) {
            return Err(PathTrick::Separator);
        }
        let kind = hub_paths::classify(&format!("/{}", decoded.join("/")));
        if hub_word && kind == HubPath::Resource {
            segments.drain(..2);
        }
        Ok(Self { resource: format!("/{}", segments.join("/")), kind })
    }

    /// The resource's first word.
    pub(super) fn root(&self) -> &str {
        self.resource.split('/').nth(1).unwrap_or_default()
    }
}

fn decode(segment: &str) -> Result<String, PathTrick> {
    let bytes = segment.as_bytes();
    let whole =
        |at: usize| bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    if (0..bytes.len()).any(|at| bytes[at] == b'%' && !whole(at)) {
        return Err(PathTrick::Encoding);
    }
    let text = percent_decode_str(segment).decode_utf8().map_err(|_| PathTrick::Encoding)?;
    if text.chars().any(char::is_control) {
        return Err(PathTrick::Encoding);
    }
    // Also inside of a segment: an encoded slash must not make a dot segment for whoever decodes it.
    if text.split(['/', '\\']).any(|part| matches!(part, "." | "..")) {
        return Err(PathTrick::Dots);
    }
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(raw: &str) -> Result<(String, HubPath), PathTrick> {
        ResourcePath::read(raw).map(|path| (path.resource, path.kind))
    }

    #[test]
    fn the_hub_word_is_dropped_and_the_rest_stays_as_it_came() {
        for (raw, resource) in [
            ("/files", "/files"),
            ("/hubs/documents/files", "/files"),
            ("//HUBS//nonsense//files/a%2Fb%20c", "/files/a%2Fb%20c"),
            ("/%68ubs/x/folders/contents", "/folders/contents"),
            ("/hubs/crm/accounts/1", "/accounts/1"),
        ] {
            assert_eq!(read(raw), Ok((resource.into(), HubPath::Resource)), "{raw}");
        }
    }

    #[test]
    fn platform_roots_are_seen_through_encodings() {
        for raw in ["/organizations/me", "/%6frganizations/me", "//ORGANIZATIONS", "/instances", "/"] {
            assert_eq!(read(raw).map(|(_, kind)| kind), Ok(HubPath::Platform), "{raw}");
        }
        assert_eq!(read("/accounts/1").map(|(_, kind)| kind), Ok(HubPath::Shared));
    }

    #[test]
    fn paths_that_could_mean_two_things_are_refused() {
        for (raw, trick) in [
            ("/files/../organizations", PathTrick::Dots),
            ("/files/%2e%2e/organizations", PathTrick::Dots),
            ("/files/.%2E", PathTrick::Dots),
            ("/files/x%2f..%2f..%2fsecrets", PathTrick::Dots),
            ("/files/x%5c..%5cy", PathTrick::Dots),
            ("/organizations%2fme", PathTrick::Separator),
            ("/hubs%2fdocuments/files", PathTrick::Separator),
            ("/hubs/documents%2fx/files", PathTrick::Separator),
            ("/hubs/documents/organizations;x", PathTrick::Separator),
            ("/instances;a=b", PathTrick::Separator),
            ("/files\\x", PathTrick::Separator),
            ("/files/%00", PathTrick::Encoding),
            ("/files/%0d%0a", PathTrick::Encoding),
            ("/files/%zz", PathTrick::Encoding),
            ("/files/%", PathTrick::Encoding),
            ("/%c0%ae%c0%ae/organizations", PathTrick::Encoding),
        ] {
            assert_eq!(read(raw), Err(trick), "{raw}");
        }
        assert_eq!(read(&format!("/files/{}", "x".repeat(10_000))), Err(PathTrick::TooLong));
    }

    proptest! {
        #[test]
        fn no_path_panics_and_a_resource_never_holds_dot_segments(raw in "[/%.a-z0-9\\\\;é]{0,40}") {
            if let Ok(path) = ResourcePath::read(&raw) {
                prop_assert!(path.resource.starts_with('/'));
                let dots = path.resource.split('/').any(|segment| {
                    let decoded = percent_decode_str(segment).decode_utf8_lossy().into_owned();
                    matches!(decoded.as_str(), "." | "..")
                });
                prop_assert!(!dots, "{}", path.resource);
            }
        }
    }
}
