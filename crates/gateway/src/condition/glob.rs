//! The two glob languages of conditions and product paths.

use std::fmt;

/// A compiled pattern of `Matches` or `MatchesPath`. Matching never takes more than pattern × text steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    text: Box<str>,
    parts: Box<[Part]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Byte(u8),
    /// Exactly one byte that is no slash.
    NoSlash,
    /// Any run of bytes without a slash.
    Segment,
    /// Any run of bytes.
    Anything,
}

impl Glob {
    /// `*` is any run of characters.
    pub(crate) fn text(pattern: &str) -> Self {
        let mut parts = Vec::with_capacity(pattern.len());
        for item in items(pattern) {
            match item {
                Item::Byte(byte) => parts.push(Part::Byte(byte)),
                Item::Stars(_) => parts.push(Part::Anything),
            }
        }
        Self { text: pattern.into(), parts: parts.into() }
    }

    /// `*` stays within a segment, `**` does not. A `*` that is a whole segment needs a character there, and so does
    /// `{name}`, as templates of paths write it.
    pub(crate) fn path(pattern: &str) -> Self {
        let mut parts = Vec::with_capacity(pattern.len());
        let stars = without_names(pattern);
        let mut items = items(&stars).peekable();
        let mut before = b'/';
        while let Some(item) = items.next() {
            match item {
                Item::Byte(byte) => {
                    parts.push(Part::Byte(byte));
                    before = byte;
                }
                Item::Stars(1) => {
                    let whole = before == b'/' && matches!(items.peek(), None | Some(Item::Byte(b'/')));
                    if whole {
                        parts.push(Part::NoSlash);
                    }
                    parts.push(Part::Segment);
                    before = b'*';
                }
                Item::Stars(_) => {
                    parts.push(Part::Anything);
                    before = b'*';
                }
            }
        }
        Self { text: pattern.into(), parts: parts.into() }
    }

    /// Whether the whole of `text` matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let (parts, text) = (&*self.parts, text.as_bytes());
        let (mut p, mut t) = (0, 0);
        // Where to go on when a byte does not fit: after the last run of each kind, one byte further on.
        let mut segment: Option<(usize, usize)> = None;
        let mut anything: Option<(usize, usize)> = None;
        loop {
            match parts.get(p) {
                Some(Part::Anything) => {
                    p += 1;
                    if p == parts.len() {
                        return true;
                    }
                    (anything, segment) = (Some((p, t)), None);
                    continue;
                }
                Some(Part::Segment) => {
                    p += 1;
                    segment = Some((p, t));
                    continue;
                }
                Some(Part::Byte(byte)) if text.get(t) == Some(byte) => {
                    (p, t) = (p + 1, t + 1);
                    continue;
                }
                Some(Part::NoSlash) if text.get(t).is_some_and(|byte| *byte != b'/') => {
                    (p, t) = (p + 1, t + 1);
                    continue;
                }
                None if t == text.len() => return true,
                _ => {}
            }
            if let Some((after, from)) = segment
                && text.get(from).is_some_and(|byte| *byte != b'/')
            {
                segment = Some((after, from + 1));
                (p, t) = (after, from + 1);
                continue;
            }
            match anything {
                Some((after, from)) if from < text.len() => {
                    anything = Some((after, from + 1));
                    segment = None;
                    (p, t) = (after, from + 1);
                }
                _ => return false,
            }
        }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

enum Item {
    Byte(u8),
    /// How many `*` in a row.
    Stars(usize),
}

/// Reads a pattern; `%` takes the special meaning from `{`, `}`, `*` and `%`.
/// With a star for every `{name}` that is a whole segment.
fn without_names(pattern: &str) -> String {
    let is_name = |segment: &str| {
        let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        name.is_some_and(|name| !name.is_empty() && !name.contains(['{', '}', '%', '*']))
    };
    let segments = pattern.split('/').map(|segment| if is_name(segment) { "*" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

fn items(pattern: &str) -> impl Iterator<Item = Item> + '_ {
    let mut rest = pattern.as_bytes();
    std::iter::from_fn(move || {
        let (item, length) = match rest {
            [] => return None,
            [b'%', escaped @ (b'{' | b'}' | b'*' | b'%'), ..] => (Item::Byte(*escaped), 2),
            [b'*', ..] => {
                let stars = rest.iter().take_while(|byte| **byte == b'*').count();
                (Item::Stars(stars), stars)
            }
            [byte, ..] => (Item::Byte(*byte), 1),
        };
        rest = &rest[length..];
        Some(item)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_path_examples_of_the_reference() {
        for (pattern, text, fits) in [
            ("/*/a/", "/x/a/", true),
            ("/*/a/**", "/x/a/b/c/d", true),
            ("/a/**/feed/**", "/a/b/feed/rss/1234", true),
            ("/a/{id}", "/a/7", true),
            ("/a/{id}", "/a/", false),
            ("/a/{id}", "/a/7/8", false),
            ("/a/%{id%}", "/a/{id}", true),
            ("/a/%{id%}", "/a/7", false),
            ("/a/x{id}", "/a/x7", false),
            ("/r", "/r", true),
            ("/r", "/r/", false),
            ("/r/**", "/r", false),
            ("/r/**", "/r/1/2", true),
            ("/r(**", "/r('1')/x", true),
            ("/r(**", "/r", false),
            ("/*", "/a", true),
            ("/*", "/a/b", false),
            ("/*", "/", false),
            ("/a*", "/a", true),
            ("/a*", "/abc", true),
            ("/a*c/d", "/abc/d", true),
            ("**", "", true),
            ("/**", "/", true),
            ("/%{user%}", "/{user}", true),
            ("/100%", "/100%", true),
            ("/a/*/c", "/a//c", false),
        ] {
            assert_eq!(Glob::path(pattern).matches(text), fits, "{pattern} ~/ {text}");
        }
    }

    #[test]
    fn a_star_of_matches_crosses_slashes() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("/a*", "/a/b/c", true),
            ("*json*", "application/json;x", true),
            ("*%**", "a*b", true),
            ("*%**", "ab", false),
            ("a*b*c", "aXbXc", true),
            ("a*b*c", "aXcXb", false),
        ] {
            assert_eq!(Glob::text(pattern).matches(text), fits, "{pattern} ~ {text}");
        }
    }

    #[test]
    fn many_stars_against_a_long_text_stay_fast() {
        let pattern = format!("{}b", "*a".repeat(50));
        assert!(!Glob::text(&pattern).matches(&"a".repeat(20_000)));
        let pattern = format!("{}/b", "/**/a*".repeat(30));
        assert!(!Glob::path(&pattern).matches(&"/a".repeat(5_000)));
    }

    fn as_regex(pattern: &str, path: bool) -> regex::Regex {
        let mut out = String::from("(?s-u)^");
        let segments = pattern.as_bytes();
        let mut at = 0;
        while at < segments.len() {
            let stars = segments[at..].iter().take_while(|b| **b == b'*').count();
            match stars {
                0 => {
                    out.push(segments[at] as char);
                    at += 1;
                    continue;
                }
                1 if path => {
                    let whole = (at == 0 || segments[at - 1] == b'/')
                        && segments.get(at + 1).is_none_or(|b| *b == b'/');
                    out.push_str(if whole { "[a-c]+" } else { "[a-c]*" });
                }
                _ => out.push_str("[a-c/]*"),
            }
            at += stars;
        }
        out.push('$');
        regex::Regex::new(&out).unwrap()
    }

    proptest! {
        #[test]
        fn matching_agrees_with_a_regular_expression(pattern in "[ab/*]{0,9}", text in "[abc/]{0,9}") {
            prop_assert_eq!(Glob::path(&pattern).matches(&text), as_regex(&pattern, true).is_match(&text));
            prop_assert_eq!(Glob::text(&pattern).matches(&text), as_regex(&pattern, false).is_match(&text));
        }
    }
}
