//! Resource paths: everything after the service root and before the question mark.

use percent_encoding::percent_decode_str;

use super::schema::{EntitySet, Navigation, Schema};
use super::{Key, ODataError};

/// Longest path, in bytes.
const MAX_BYTES: usize = 8 * 1024;
/// Longest chain of navigation.
const MAX_STEPS: usize = 8;

/// What a path addresses.
#[derive(Debug, Clone)]
pub(crate) enum Resource {
    /// The service document.
    Root,
    /// `$metadata`.
    Metadata,
    /// `$batch`.
    Batch,
    /// Entities of a set.
    Entities(Target),
}

/// A set, possibly one entity of it, possibly further.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Where it begins.
    pub(crate) set: &'static EntitySet,
    /// One entity of it.
    pub(crate) key: Option<Key>,
    /// Navigation from there.
    pub(crate) steps: Vec<Step>,
    /// What of it.
    pub(crate) tail: Tail,
}

/// One navigation; with a key when the path goes on through one of many.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) navigation: &'static Navigation,
    pub(crate) set: &'static EntitySet,
    pub(crate) key: Option<Key>,
}

/// The end of a path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tail {
    /// The entities themselves.
    Entities,
    /// `/$count`.
    Count,
    /// `/<property>` and `/<property>/$value`.
    Property { name: String, raw: bool },
    /// `/$links/<navigation>`.
    Links { navigation: &'static str, key: Option<Key> },
    /// `/<Action>` of one entity.
    Action(String),
}

impl Resource {
    /// Reads a raw path: percent-encoded, with or without slashes at its ends.
    pub(crate) fn parse(schema: &Schema, actions: &[&str], raw: &str) -> Result<Self, ODataError> {
        if raw.len() > MAX_BYTES {
            return Err(ODataError::bad(format!("the path is longer than {MAX_BYTES} bytes")));
        }
        let segments: Vec<String> = segments(raw).map(decode).collect::<Result<_, _>>()?;
        let mut rest = segments.iter().map(String::as_str).filter(|segment| !segment.is_empty());
        let Some(first) = rest.next() else { return Ok(Self::Root) };
        let special = match first {
            "$metadata" => Some(Self::Metadata),
            "$batch" => Some(Self::Batch),
            _ => None,
        };
        if let Some(special) = special {
            return match rest.next() {
                None => Ok(special),
                Some(more) => Err(ODataError::not_found(format_args!("'{more}' after {first}"))),
            };
        }
        let (name, predicate) = split(first)?;
        let set =
            schema.set(name).ok_or_else(|| ODataError::not_found(format_args!("Entity set '{name}'")))?;
        let mut target = Target { set, key: key(set, predicate)?, steps: Vec::new(), tail: Tail::Entities };
        while let Some(segment) = rest.next() {
            target.advance(schema, actions, segment, &mut rest)?;
        }
        Ok(Self::Entities(target))
    }
}

impl Target {
    /// The set that the path ends in.
    pub(crate) fn last_set(&self) -> &'static EntitySet {
        self.steps.last().map_or(self.set, |step| step.set)
    }

    /// Whether it ends in a list.
    pub(crate) fn is_many(&self) -> bool {
        match self.steps.last() {
            None => self.key.is_none(),
            Some(step) => step.navigation.many && step.key.is_none(),
        }
    }

    fn advance<'s>(
        &mut self,
        schema: &Schema,
        actions: &[&str],
        segment: &str,
        rest: &mut impl Iterator<Item = &'s str>,
    ) -> Result<(), ODataError> {
        let unknown = |set: &EntitySet| ODataError::not_found(format_args!("'{segment}' of {}", set.name));
        let set = self.last_set();
        if self.tail != Tail::Entities {
            return Err(unknown(set));
        }
        if segment == "$count" {
            self.tail = Tail::Count;
            return if self.is_many() { Ok(()) } else { Err(unknown(set)) };
        }
        if self.is_many() {
            return Err(unknown(set));
        }
        if segment == "$links" {
            let (name, predicate) = split(rest.next().unwrap_or_default())?;
            let navigation = set.navigation(name).ok_or_else(|| unknown(set))?;
            let target = schema.set(navigation.target).ok_or_else(|| unknown(set))?;
            self.tail = Tail::Links { navigation: navigation.name, key: key(target, predicate)? };
            return Ok(());
        }
        let (name, predicate) = split(segment)?;
        if let Some(navigation) = set.navigation(name) {
            let set = schema.set(navigation.target).ok_or_else(|| unknown(set))?;
            if self.steps.len() == MAX_STEPS {
                return Err(ODataError::bad(format!("the path navigates more than {MAX_STEPS} times")));
            }
            self.steps.push(Step { navigation, set, key: key(set, predicate)? });
        } else if set.property(name).is_some_and(|property| !property.input_only) && predicate.is_none() {
            let raw = match rest.next() {
                None => false,
                Some("$value") => true,
                Some(_) => return Err(unknown(set)),
            };
            self.tail = Tail::Property { name: name.into(), raw };
        } else if actions.contains(&name) && predicate.is_none() && self.steps.is_empty() {
            self.tail = Tail::Action(name.into());
        } else {
            return Err(unknown(set));
        }
        Ok(())
    }
}

/// Cuts at slashes that are not inside quotes; a quote may be percent-encoded.
fn segments(raw: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut at = 0;
    raw.split(move |char: char| {
        let quote = char == '\'' || (char == '%' && raw[at..].starts_with("%27"));
        quoted ^= quote;
        at += char.len_utf8();
        char == '/' && !quoted
    })
}

fn decode(segment: &str) -> Result<String, ODataError> {
    let decoded = percent_decode_str(segment).decode_utf8();
    match decoded {
        Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
        _ => Err(ODataError::bad("the path is not percent-encoded UTF-8 without NUL")),
    }
}

/// `Name(predicate)` in its parts.
fn split(segment: &str) -> Result<(&str, Option<&str>), ODataError> {
    match segment.split_once('(') {
        None => Ok((segment, None)),
        Some((name, rest)) => match rest.strip_suffix(')') {
            Some(predicate) => Ok((name, Some(predicate))),
            None => Err(ODataError::bad(format!("the key of {name} has no closing bracket"))),
        },
    }
}

/// `Set()` is the set, as in the V2 grammar.
fn key(set: &'static EntitySet, predicate: Option<&str>) -> Result<Option<Key>, ODataError> {
    predicate.filter(|predicate| !predicate.trim().is_empty()).map(|text| Key::parse(set, text)).transpose()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::odata::Property;

    static PARENT: EntitySet = EntitySet {
        name: "Parents",
        type_name: "Parent",
        title: "parent",
        properties: &[Property::key("name"), Property::text("title")],
        navigation: &[Navigation::many("children", "Children")],
    };
    static CHILD: EntitySet = EntitySet {
        name: "Children",
        type_name: "Child",
        title: "child",
        properties: &[Property::key("name"), Property::key("parent")],
        navigation: &[Navigation::one("parentOf", "Parents")],
    };
    static SCHEMA: Schema = Schema { namespace: "n", container: "c", sets: &[&PARENT, &CHILD] };

    fn parse(raw: &str) -> Result<Resource, ODataError> {
        Resource::parse(&SCHEMA, &["Deploy"], raw)
    }

    fn target(raw: &str) -> Target {
        match parse(raw).unwrap() {
            Resource::Entities(target) => target,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_form_of_a_path_is_read() {
        assert!(matches!(parse("").unwrap(), Resource::Root));
        assert!(matches!(parse("/").unwrap(), Resource::Root));
        assert!(matches!(parse("/$batch").unwrap(), Resource::Batch));
        assert!(target("/Parents").is_many());
        assert!(target("/Parents()").is_many());
        assert_eq!(target("/Parents('it%27%27s')").key.unwrap().first(), "it's");
        assert_eq!(target("/Parents(name%3D'a%2Fb')").key.unwrap().first(), "a/b");
        assert_eq!(target("/Parents('a/b')/children").key.unwrap().first(), "a/b");
        assert_eq!(target("/Parents('a')/children/$count").tail, Tail::Count);
        let deep = target("/Parents('a')/children(name='c',parent='a')/parentOf");
        assert_eq!(deep.last_set().name, "Parents");
        assert!(!deep.is_many());
        assert_eq!(
            target("/Parents('a')/title/$value").tail,
            Tail::Property { name: "title".into(), raw: true }
        );
        assert_eq!(target("/Parents('a')/Deploy").tail, Tail::Action("Deploy".into()));
        let links = target("/Parents('a')/$links/children(name='c',parent='a')");
        assert!(matches!(links.tail, Tail::Links { navigation: "children", key: Some(_) }));
    }

    #[test]
    fn what_does_not_exist_is_named() {
        for (raw, word) in [
            ("/Nothing", "'Nothing'"),
            ("/Parents/children", "'children'"),
            ("/Parents('a')/nothing", "'nothing'"),
            ("/Parents('a')/$count", "'$count'"),
            ("/Parents('a", "closing"),
            ("/Parents('a')/title/x", "'title'"),
            ("/$metadata/x", "'x'"),
            ("/Parents('%00')", "NUL"),
            ("/Parents('%ff')", "UTF-8"),
        ] {
            let why = parse(raw).unwrap_err().to_string();
            assert!(why.contains(word), "{raw}: {why}");
        }
        assert!(parse(&format!("/Parents('{}')", "a".repeat(9000))).is_err());
    }

    proptest! {
        #[test]
        fn no_path_makes_it_panic(raw in "[ -~é]{0,80}") {
            let _ = parse(&raw);
        }

        #[test]
        fn a_written_key_is_found_in_a_path(name in "[^\0]{0,30}") {
            let key = Key::of(&PARENT, [name.as_str()]);
            prop_assert_eq!(target(&format!("/Parents{}/children", key.encoded())).key, Some(key));
        }
    }
}
