//! Partial responses: the `fields` parameter, `a,b(c,d),e/f,*`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Which part of a resource is meant. Lists are looked through: a mask applies to each element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mask {
    /// Everything from here down.
    whole: bool,
    names: BTreeMap<String, Mask>,
    /// What applies to every name: `*(a,b)`.
    star: Option<Box<Mask>>,
}

static WHOLE: Mask = Mask { whole: true, names: BTreeMap::new(), star: None };

/// In a schema: whatever is below is not described, so anything may be selected.
const ANY: &str = "$any";

/// Nesting deeper than this is nobody's honest selector.
const DEEPEST: usize = 16;

/// The selector breaks the grammar near this text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid field selection {0}")]
pub(crate) struct BadSelection(pub(crate) String);

impl Mask {
    /// Selects everything.
    pub(crate) const WHOLE: &'static Self = &WHOLE;

    pub(crate) fn parse(text: &str) -> Result<Self, BadSelection> {
        let mut parser = Parser { text, at: 0 };
        let mask = parser.list(0)?;
        if parser.at < text.len() { Err(parser.bad()) } else { Ok(mask) }
    }

    /// The mask below `name`; `None` when `name` is not selected.
    pub(crate) fn below(&self, name: &str) -> Option<&Self> {
        if self.whole {
            return Some(Self::WHOLE);
        }
        self.names.get(name).or(self.star.as_deref())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.below(name).is_some()
    }

    /// The names selected here, each with the mask below it.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.names.iter().map(|(name, below)| (name.as_str(), below))
    }

    /// The first name selected here that `schema`, itself written as a mask, does not have.
    pub(crate) fn outside<'m>(&'m self, schema: &Self) -> Option<&'m str> {
        self.names.iter().find_map(|(name, below)| match schema.below(name) {
            None => Some(name.as_str()),
            Some(open) if open.names.contains_key(ANY) => None,
            // Below a plain value nothing can be selected.
            Some(plain) if plain.whole => below.names.keys().next().map(String::as_str),
            Some(deeper) => below.outside(deeper),
        })
    }

    /// The selected part of `value`.
    pub(crate) fn apply(&self, value: Value) -> Value {
        if self.whole {
            return value;
        }
        match value {
            Value::Object(object) => Value::Object(
                object
                    .into_iter()
                    .filter_map(|(name, inner)| {
                        let below = self.below(&name)?;
                        Some((name, below.apply(inner)))
                    })
                    .collect(),
            ),
            Value::Array(list) => Value::Array(list.into_iter().map(|item| self.apply(item)).collect()),
            plain => plain,
        }
    }

    fn add(&mut self, path: &[&str], leaf: Self) {
        match path.split_first() {
            None => self.merge(leaf),
            Some((&"*", rest)) if rest.is_empty() && leaf.whole => self.whole = true,
            Some((&"*", rest)) => self.star.get_or_insert_default().add(rest, leaf),
            Some((name, rest)) => self.names.entry((*name).to_owned()).or_default().add(rest, leaf),
        }
    }

    fn merge(&mut self, other: Self) {
        self.whole |= other.whole;
        for (name, below) in other.names {
            self.names.entry(name).or_default().merge(below);
        }
        if let Some(star) = other.star {
            self.star.get_or_insert_default().merge(*star);
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    /// `item ("," item)*`
    fn list(&mut self, depth: usize) -> Result<Mask, BadSelection> {
        if depth > DEEPEST {
            return Err(self.bad());
        }
        let mut mask = Mask::default();
        loop {
            let mut path = vec![self.name()?];
            while self.eat(b'/') {
                path.push(self.name()?);
            }
            let leaf = if self.eat(b'(') {
                let inner = self.list(depth + 1)?;
                if !self.eat(b')') {
                    return Err(self.bad());
                }
                inner
            } else {
                Mask::WHOLE.clone()
            };
            if path.len() > DEEPEST {
                return Err(self.bad());
            }
            mask.add(&path, leaf);
            if !self.eat(b',') {
                return Ok(mask);
            }
        }
    }

    fn name(&mut self) -> Result<&'t str, BadSelection> {
        self.blanks();
        let rest = &self.text[self.at..];
        let end = rest
            .find(|symbol: char| !(symbol.is_ascii_alphanumeric() || "_-.$~*".contains(symbol)))
            .unwrap_or(rest.len());
        let name = &rest[..end];
        if name.is_empty() || (name.contains('*') && name != "*") {
            return Err(self.bad());
        }
        self.at += end;
        Ok(name)
    }

    fn eat(&mut self, symbol: u8) -> bool {
        self.blanks();
        let found = self.text.as_bytes().get(self.at) == Some(&symbol);
        self.at += usize::from(found);
        found
    }

    fn blanks(&mut self) {
        while self.text.as_bytes().get(self.at) == Some(&b' ') {
            self.at += 1;
        }
    }

    fn bad(&self) -> BadSelection {
        let rest = self.text.get(self.at..).unwrap_or_default();
        BadSelection(if rest.is_empty() { self.text.to_owned() } else { rest.to_owned() })
    }
}

/// An object being written: values that nobody asked for are not even computed.
pub(crate) struct Fields<'m> {
    mask: &'m Mask,
    out: Map<String, Value>,
}

impl<'m> Fields<'m> {
    pub(crate) fn of(mask: &'m Mask) -> Self {
        Self { mask, out: Map::new() }
    }

    pub(crate) fn put<V: Into<Value>>(&mut self, name: &str, value: impl FnOnce() -> V) {
        if self.mask.has(name) {
            self.out.insert(name.to_owned(), value().into());
        }
    }

    /// As [`Self::put`]; an absent value leaves the property out.
    pub(crate) fn put_some<V: Into<Value>>(&mut self, name: &str, value: impl FnOnce() -> Option<V>) {
        if self.mask.has(name)
            && let Some(value) = value()
        {
            self.out.insert(name.to_owned(), value.into());
        }
    }

    /// A property whose value is cut by the mask below it.
    pub(crate) fn nest(&mut self, name: &str, value: impl FnOnce(&Mask) -> Value) {
        if let Some(below) = self.mask.below(name) {
            self.out.insert(name.to_owned(), value(below));
        }
    }

    pub(crate) fn finish(self) -> Value {
        Value::Object(self.out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn cut(mask: &str, value: Value) -> Value {
        Mask::parse(mask).unwrap().apply(value)
    }

    #[test]
    fn a_mask_selects_names_groups_and_paths() {
        let list =
            json!({"kind": "k", "files": [{"id": "1", "name": "a", "owners": [{"me": true, "x": 1}]}]});
        assert_eq!(cut("files/id", list.clone()), json!({"files": [{"id": "1"}]}));
        assert_eq!(
            cut("kind,files(name,owners/me)", list.clone()),
            json!({"kind": "k", "files": [{"name": "a", "owners": [{"me": true}]}]})
        );
        assert_eq!(cut("files/id, files/name", list.clone()), json!({"files": [{"id": "1", "name": "a"}]}));
        assert_eq!(cut("*", list.clone()), list);
        assert_eq!(
            cut("files/*/me", list.clone()),
            json!({"files": [{"id": "1", "name": "a", "owners": [{"me": true}]}]})
        );
    }

    #[test]
    fn a_broken_mask_is_refused() {
        for bad in ["", ",", "a,", "a(b", "a)", "a()", "a//b", "a b", "a**", "(a)", "a(b))", "a/", "ä"] {
            assert!(Mask::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_outside_the_schema_is_told() {
        let schema = Mask::parse("kind,files(id,properties($any),owners(me))").unwrap();
        let outside = |text: &str| Mask::parse(text).unwrap().outside(&schema).map(str::to_owned);
        assert_eq!(outside("kind,files(id,owners/me,properties/anything)"), None);
        assert_eq!(outside("*"), None);
        assert_eq!(outside("files(id,nonsense)"), Some("nonsense".into()));
        assert_eq!(outside("kind/x"), Some("x".into()));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in "[a-c*/(), ]{0,40}") {
            drop(Mask::parse(&text));
        }

        #[test]
        fn a_mask_never_adds_anything(text in "[abc](,[abc])?(\\([abc]\\))?") {
            let value = json!({"a": {"a": 1, "b": 2}, "b": [{"c": 3}]});
            if let Ok(mask) = Mask::parse(&text) {
                let once = mask.apply(value);
                prop_assert_eq!(mask.apply(once.clone()), once);
            }
        }
    }
}
