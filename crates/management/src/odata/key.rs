//! Key predicates: `('k')`, `(name='k')`, `(name='k',scope='APIPROXY',scopeId='x')`.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::lexer::{Token, quote, tokens};
use super::{EntitySet, ODataError};

/// What stays as it is in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Values of all key properties of a set, in the set's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key(Vec<(&'static str, String)>);

impl Key {
    /// From values in the order of the set's key properties.
    pub(crate) fn of<'v>(set: &EntitySet, values: impl IntoIterator<Item = &'v str>) -> Self {
        Self(set.keys().map(|property| property.name).zip(values.into_iter().map(str::to_owned)).collect())
    }

    /// The value of one key property; empty when the set has no such one.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// The value of the first key property.
    pub(crate) fn first(&self) -> &str {
        self.0.first().map_or("", |(_, value)| value)
    }

    /// Reads what stands between the brackets, already percent-decoded.
    pub(crate) fn parse(set: &'static EntitySet, predicate: &str) -> Result<Self, ODataError> {
        let tokens = tokens(predicate)?;
        let names: Vec<&'static str> = set.keys().map(|property| property.name).collect();
        let malformed = || ODataError::bad(format!("the key of {} must be ({})", set.name, wanted(&names)));
        if let [Token::Text(value)] = tokens.as_slice() {
            return match names.as_slice() {
                [name] => Ok(Self(vec![(*name, value.clone())])),
                _ => Err(malformed()),
            };
        }
        let mut given: Vec<(String, String)> = Vec::new();
        for part in tokens.split(|token| *token == Token::Sign(',')) {
            let [Token::Word(name), Token::Sign('='), Token::Text(value)] = part else {
                return Err(malformed());
            };
            if given.iter().any(|(known, _)| known == name) {
                return Err(malformed());
            }
            given.push((name.clone(), value.clone()));
        }
        if given.len() != names.len() {
            return Err(malformed());
        }
        let value = |name: &'static str| {
            given.iter().find(|(known, _)| known == name).map(|(_, value)| (name, value.clone()))
        };
        names.iter().copied().map(value).collect::<Option<Vec<_>>>().map(Self).ok_or_else(malformed)
    }

    /// As written in a URL, percent-encoded, with brackets.
    pub(crate) fn encoded(&self) -> String {
        let literal = |value: &str| {
            let doubled = value.replace('\'', "''");
            format!("'{}'", utf8_percent_encode(&doubled, SEGMENT))
        };
        match self.0.as_slice() {
            [(_, value)] => format!("({})", literal(value)),
            parts => {
                let parts: Vec<String> =
                    parts.iter().map(|(name, value)| format!("{name}={}", literal(value))).collect();
                format!("({})", parts.join(","))
            }
        }
    }
}

/// For messages: readable, not encoded.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [(_, value)] => f.write_str(&quote(value)),
            parts => {
                let parts: Vec<String> =
                    parts.iter().map(|(name, value)| format!("{name}={}", quote(value))).collect();
                f.write_str(&parts.join(","))
            }
        }
    }
}

fn wanted(names: &[&str]) -> String {
    match names {
        [_] => "'…'".into(),
        names => names.iter().map(|name| format!("{name}='…'")).collect::<Vec<_>>().join(","),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::odata::{EntitySet, Property};

    pub(in crate::odata) static ONE: EntitySet = EntitySet {
        name: "Ones",
        type_name: "One",
        title: "one",
        properties: &[Property::key("name")],
        navigation: &[],
    };
    pub(in crate::odata) static TWO: EntitySet = EntitySet {
        name: "Twos",
        type_name: "Two",
        title: "two",
        properties: &[Property::key("map_name"), Property::key("name")],
        navigation: &[],
    };

    proptest! {
        #[test]
        fn a_written_key_reads_back(map in ".{0,20}", name in ".{0,20}") {
            for (set, values) in [(&ONE, vec![name.as_str()]), (&TWO, vec![map.as_str(), name.as_str()])] {
                let key = Key::of(set, values);
                let encoded = key.encoded();
                prop_assert!(encoded.is_ascii() && !encoded.contains('/'));
                let decoded = percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap().into_owned();
                prop_assert_eq!(Key::parse(set, &decoded[1..decoded.len() - 1]).unwrap(), key);
            }
        }
    }

    #[test]
    fn parts_come_in_any_order_and_single_keys_with_or_without_a_name() {
        assert_eq!(Key::parse(&ONE, "'it''s'").unwrap(), Key::of(&ONE, ["it's"]));
        assert_eq!(Key::parse(&ONE, "name='x'").unwrap(), Key::of(&ONE, ["x"]));
        assert_eq!(Key::parse(&TWO, "name='k', map_name='m'").unwrap(), Key::of(&TWO, ["m", "k"]));
    }

    #[test]
    fn a_wrong_key_is_refused_with_the_right_form() {
        for bad in [
            "",
            "'a','b'",
            "name='x'",
            "name='x',name='y'",
            "map_name='m',nome='k'",
            "map_name=m,name='k'",
            "name='x',map_name='m',x='y'",
        ] {
            let why = Key::parse(&TWO, bad).unwrap_err().to_string();
            assert_eq!(why, "the key of Twos must be (map_name='…',name='…')", "{bad}");
        }
    }
}
