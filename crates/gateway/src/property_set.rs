//! Property sets: `properties://` resources of proxies, shared flows and the environment, read as variables
//! `propertyset.<set>.<key>` (api-management §7). The format is that of Java's property files.

use std::sync::Arc;

use ahash::AHashMap;

use crate::design::FileResource;

/// Named sets of properties.
#[derive(Debug, Clone, Default)]
pub struct PropertySets(AHashMap<String, Arc<PropertySet>>);

/// Texts by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PropertySet(AHashMap<String, String>);

impl PropertySets {
    /// With one set more, or another one of the same name.
    #[must_use]
    pub fn with(mut self, name: &str, set: PropertySet) -> Self {
        self.0.insert(name.to_owned(), Arc::new(set));
        self
    }

    /// Those of a design, on top of those of the environment: a design's own set hides the environment's of
    /// the same name.
    pub(crate) fn of(resources: &[FileResource], environment: &Self) -> Self {
        let own = resources.iter().filter(|file| file.kind == "properties" && !file.binary);
        own.fold(environment.clone(), |sets, file| {
            let name = file.name.strip_suffix(".properties").unwrap_or(&file.name);
            sets.with(name, PropertySet::parse(&file.content))
        })
    }

    /// A property.
    pub fn get(&self, set: &str, key: &str) -> Option<&str> {
        self.0.get(set)?.0.get(key).map(String::as_str)
    }

    /// A property by `<set>.<key>`; the names of both may hold dots.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        name.match_indices('.').find_map(|(dot, _)| self.get(&name[..dot], &name[dot + 1..]))
    }
}

impl PropertySet {
    /// Reads `key=value` lines; never fails. `#` and `!` begin comments, a colon or a blank parts a key from
    /// its value too, a backslash at the end goes on in the next line, and the last of two equal keys counts.
    pub fn parse(text: &str) -> Self {
        let mut set = AHashMap::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let mut whole = line.trim_start().to_owned();
            if whole.is_empty() || whole.starts_with(['#', '!']) {
                continue;
            }
            while goes_on(&whole) {
                whole.pop();
                match lines.next() {
                    Some(next) => whole.push_str(next.trim_start()),
                    None => break,
                }
            }
            let (key, value) = split(&whole);
            set.insert(unescape(key), unescape(value));
        }
        Self(set)
    }
}

impl FromIterator<(String, String)> for PropertySet {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(properties: I) -> Self {
        Self(properties.into_iter().collect())
    }
}

/// Whether a line ends in an odd number of backslashes.
fn goes_on(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

fn split(line: &str) -> (&str, &str) {
    let is_blank = |c: char| matches!(c, ' ' | '\t' | '\u{c}');
    let mut escaped = false;
    let end = line.char_indices().find(|(_, c)| {
        let ends = !escaped && (is_blank(*c) || matches!(c, '=' | ':'));
        escaped = *c == '\\' && !escaped;
        ends
    });
    let Some((end, _)) = end else { return (line, "") };
    let rest = line[end..].trim_start_matches(is_blank);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (&line[..end], rest.trim_start_matches(is_blank))
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let digits = chars.as_str().get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
                match digits {
                    Some(code) => {
                        out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                        chars = chars.as_str()[4..].chars();
                    }
                    None => out.push('u'),
                }
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn property_files_are_read_as_java_reads_them() {
        let text = "# comment\n! too\n\na=1\n b : two words \nc d\ne\nf\\ g=h\\=i\nlong = one,\\\n   two\n\
                    u=\\u00e9\\n\\t\\\\\na = 3\nurl=https://x.example/?a=b\nback=x\\\\\nlast=\\";
        let set = PropertySets::default().with("s", PropertySet::parse(text));
        for (key, value) in [
            ("a", "3"),
            ("b", "two words "),
            ("c", "d"),
            ("e", ""),
            ("f g", "h=i"),
            ("long", "one,two"),
            ("u", "é\n\t\\"),
            ("url", "https://x.example/?a=b"),
            ("back", "x\\"),
            ("last", ""),
        ] {
            assert_eq!(set.get("s", key), Some(value), "{key}");
        }
        assert_eq!(set.get("s", "# comment"), None);
    }

    #[test]
    fn names_of_sets_and_keys_may_hold_dots() {
        let sets = PropertySets::default()
            .with("a", PropertySet::parse("b.c=1"))
            .with("x.y", PropertySet::parse("z=2"));
        assert_eq!((sets.find("a.b.c"), sets.find("x.y.z"), sets.find("a.b")), (Some("1"), Some("2"), None));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[a=: \\\\u0-9é\n#!]{0,40}") {
            let _ = PropertySet::parse(&text);
        }
    }
}
