//! What a session does not show.

mod paths;

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::Event;
use serde::{Deserialize, Serialize};

use crate::exchange::Params;

pub(super) use paths::Side;
pub use paths::{BadMask, PathLists, PathMasks};

/// Stands for what is not shown.
pub(super) const MASKED: &str = "***";

/// Names of what is not shown; upper and lower case are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Masks {
    /// Variables, beside those that begin with `private.`; a `*` at the end stands for any rest.
    pub variables: Vec<String>,
    /// Headers, in both directions.
    pub headers: Vec<String>,
    /// Query and form parameters, members of JSON objects, elements and attributes of XML.
    pub fields: Vec<String>,
    /// Parts of requests.
    pub request: PathLists,
    /// Parts of responses.
    pub response: PathLists,
    /// Parts of error messages.
    pub fault: PathLists,
    /// Prefixes of the XPaths, with what they stand for.
    pub namespaces: Vec<(String, String)>,
}

impl Default for Masks {
    /// Headers that carry credentials.
    fn default() -> Self {
        let headers = ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "apikey"];
        Self {
            variables: Vec::new(),
            headers: headers.map(str::to_owned).to_vec(),
            fields: Vec::new(),
            request: PathLists::default(),
            response: PathLists::default(),
            fault: PathLists::default(),
            namespaces: Vec::new(),
        }
    }
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

impl Masks {
    /// Hides a variable; where it is a header or a parameter of a message, there too.
    pub fn hide_variable(&mut self, name: &str) {
        for marker in [".header.", ".queryparam.", ".formparam."] {
            if let Some((_, part)) = name.split_once(marker)
                && !part.is_empty()
            {
                let list = if marker == ".header." { &mut self.headers } else { &mut self.fields };
                list.push(part.to_owned());
            }
        }
        self.variables.push(name.to_owned());
    }

    /// Whether the whole content of such a message is a variable that is not shown.
    pub(super) fn hides_content(&self, side: Side) -> bool {
        self.variables.iter().any(|name| {
            name.ends_with(".content") && Side::of_variable(name).is_some_and(|of| of.includes(side))
        })
    }

    pub(super) fn hides_header(&self, name: &str) -> bool {
        has(&self.headers, name)
    }

    /// Whether a variable is not shown: by its own name, or as the header or parameter it is part of.
    pub(super) fn hides_variable(&self, name: &str) -> bool {
        if name.starts_with("private.") {
            return true;
        }
        let named = self.variables.iter().any(|known| match known.strip_suffix('*') {
            Some(begin) => name.get(..begin.len()).is_some_and(|start| start.eq_ignore_ascii_case(begin)),
            None => known.eq_ignore_ascii_case(name),
        });
        let part = |marker: &str, names: &[String]| {
            name.split_once(marker).is_some_and(|(_, rest)| {
                names.iter().any(|known| {
                    rest.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known))
                        && matches!(rest.as_bytes().get(known.len()), None | Some(b'.'))
                })
            })
        };
        named
            || part(".header.", &self.headers)
            || part(".queryparam.", &self.fields)
            || part(".formparam.", &self.fields)
    }

    pub(super) fn query<'t>(&self, query: &'t str) -> Cow<'t, str> {
        let mut params = Params::parse(query.as_bytes());
        let hidden: Vec<String> =
            params.names().into_iter().filter(|name| has(&self.fields, name)).map(str::to_owned).collect();
        if hidden.is_empty() {
            return Cow::Borrowed(query);
        }
        hidden.iter().for_each(|name| params.set(name, MASKED.to_owned()));
        Cow::Owned(params.to_text())
    }

    /// A body, or a variable that may hold one.
    pub(super) fn body<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.fields.is_empty() {
            return Cow::Borrowed(text);
        }
        match text.trim_start().chars().next() {
            // What looks like a document and cannot be read is not shown at all.
            Some('{' | '[') => Cow::Owned(self.json(text).unwrap_or_else(|| MASKED.to_owned())),
            Some('<') => Cow::Owned(self.xml(text).unwrap_or_else(|| MASKED.to_owned())),
            _ if text.contains('=') => self.query(text),
            _ => Cow::Borrowed(text),
        }
    }

    fn json(&self, text: &str) -> Option<String> {
        let mut value: serde_json::Value = serde_json::from_str(text).ok()?;
        self.hide_members(&mut value);
        Some(value.to_string())
    }

    fn hide_members(&self, value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Array(items) => items.iter_mut().for_each(|item| self.hide_members(item)),
            serde_json::Value::Object(members) => {
                for (name, member) in members {
                    if has(&self.fields, name) {
                        *member = MASKED.into();
                    } else {
                        self.hide_members(member);
                    }
                }
            }
            _ => {}
        }
    }

    /// Copies what stands outside of hidden elements; attributes that are hidden take their tag with them.
    fn xml(&self, text: &str) -> Option<String> {
        let mut reader = Reader::from_str(text);
        let (mut out, mut hidden_below, mut at) = (String::with_capacity(text.len()), 0usize, 0usize);
        loop {
            let event = reader.read_event().ok()?;
            let end = usize::try_from(reader.buffer_position()).ok()?;
            let written = text.get(at..end)?;
            at = end;
            match event {
                Event::Eof if hidden_below == 0 => return Some(out),
                Event::Eof => return None,
                Event::Start(start) => {
                    let name: &str = start.local_name().into_inner();
                    let hidden = hidden_below > 0 || has(&self.fields, name);
                    if hidden_below == 0 {
                        out.push_str(&self.tag(&start, written));
                    }
                    if hidden {
                        if hidden_below == 0 {
                            out.push_str(MASKED);
                        }
                        hidden_below += 1;
                    }
                }
                Event::End(_) if hidden_below > 1 => hidden_below -= 1,
                Event::End(_) => {
                    hidden_below = 0;
                    out.push_str(written);
                }
                Event::Empty(empty) if hidden_below == 0 => out.push_str(&self.tag(&empty, written)),
                _ if hidden_below == 0 => out.push_str(written),
                _ => {}
            }
        }
    }

    fn tag(&self, start: &quick_xml::events::BytesStart<'_>, written: &str) -> String {
        let hidden = start.attributes().any(|attribute| {
            attribute.is_ok_and(|attribute| {
                let name: &str = attribute.key.local_name().into_inner();
                has(&self.fields, name)
            })
        });
        if !hidden {
            return written.to_owned();
        }
        let name: &str = start.name().into_inner();
        let close = if written.ends_with("/>") { "/>" } else { ">" };
        format!("<{name} {MASKED}{close}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks() -> Masks {
        Masks {
            variables: vec!["flow.secret".into(), "oauth.*".into()],
            fields: vec!["password".into()],
            ..Masks::default()
        }
    }

    #[test]
    fn variables_are_hidden_by_name_and_by_what_they_are_part_of() {
        for (name, hidden) in [
            ("private.x", true),
            ("flow.secret", true),
            ("flow.secrets", false),
            ("oauth.token", true),
            ("request.header.Authorization", true),
            ("request.header.authorization.values", true),
            ("request.header.authorizations", false),
            ("request.queryparam.password", true),
            ("request.formparam.password.1", true),
            ("request.queryparam.user", false),
        ] {
            assert_eq!(masks().hides_variable(name), hidden, "{name}");
        }
    }

    #[test]
    fn fields_are_hidden_in_every_kind_of_body() {
        for (body, shown) in [
            (r#"{"a":1,"in":[{"Password":{"b":2}}]}"#, r#"{"a":1,"in":[{"Password":"***"}]}"#),
            ("<a><password>x<b/>y</password><c>z</c></a>", "<a><password>***</password><c>z</c></a>"),
            (
                "<a><s:password xmlns:s='u'><password>x</password></s:password></a>",
                "<a><s:password xmlns:s='u'>***</s:password></a>",
            ),
            ("<a password='x' b='1'>y</a>", "<a ***>y</a>"),
            ("<a><password/></a>", "<a><password/></a>"),
            ("user=a&password=b", "user=a&password=***"),
            ("plain text", "plain text"),
            ("{broken \"password\":\"x\"", "***"),
            ("<a><password>x</a>", "***"),
        ] {
            assert_eq!(masks().body(body).replace("%2A", "*"), shown, "{body}");
        }
        assert_eq!(Masks::default().body("{broken"), "{broken", "nothing to hide, nothing to read");
    }

    proptest::proptest! {
        #[test]
        fn no_body_makes_it_panic_or_lets_a_field_through(
            body in "[<>/a={}\\[\\]\":, &;!?-]{0,30}(<password>|\"password\":\"|password=)?(GEHEIM)?[<>/a\"}]{0,10}"
        ) {
            let shown = masks().body(&body);
            if body.starts_with("password=GEHEIM") {
                assert!(!shown.contains("GEHEIM"));
            }
        }
    }
}
