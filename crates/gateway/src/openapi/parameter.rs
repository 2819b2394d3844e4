//! Parameters: where they are, how values are written, and what they must be.

use serde_json::{Map, Value};

use super::Found;
use super::document::{BadDescription, Document, Form, escaped, flag, scalar};
use super::schema::{SchemaId, Schemas, Way};

/// Where a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
    Cookie,
}

#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) required: bool,
    style: Style,
    explode: bool,
    /// The value is a document in JSON (`content`).
    is_json: bool,
    allows_empty: bool,
    schema: SchemaId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    Space,
    Tab,
    Pipe,
    Deep,
}

impl Parameter {
    /// Reads a parameter; `None` for what OpenAPI 2.0 calls one and is the body, and for headers that OpenAPI 3
    /// leaves to others.
    pub(super) fn read(
        schemas: &mut Schemas,
        document: &Document,
        value: &Value,
        at: &str,
    ) -> Result<Option<Self>, BadDescription> {
        let (value, at) = document.follow(value, at)?;
        let bad = |why: String| BadDescription::new(&at, why);
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let name = text("name").ok_or_else(|| bad("a parameter needs a name".into()))?.to_owned();
        let place = match text("in").unwrap_or_default() {
            "path" => Place::Path,
            "query" => Place::Query,
            "header" => Place::Header,
            "cookie" => Place::Cookie,
            "body" | "formData" if document.form == Form::Swagger2 => return Ok(None),
            other => return Err(bad(format!("a parameter cannot be in '{other}'"))),
        };
        let left_out = ["accept", "content-type", "authorization"];
        if place == Place::Header && left_out.iter().any(|left| name.eq_ignore_ascii_case(left)) {
            return Ok(None);
        }
        Self::of(schemas, document, value, &at, name, place).map(Some)
    }

    /// A parameter, a header of a response, or a field of a form, which have the same members.
    pub(super) fn of(
        schemas: &mut Schemas,
        document: &Document,
        value: &Value,
        at: &str,
        name: String,
        place: Place,
    ) -> Result<Self, BadDescription> {
        let bad = |why: String| BadDescription::new(at, why);
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let usual = if matches!(place, Place::Query | Place::Cookie) { Style::Form } else { Style::Simple };
        let (mut style, mut explode) = (usual, usual == Style::Form);
        let mut is_json = false;
        let schema = if document.form == Form::Swagger2 {
            explode = false;
            style = match text("collectionFormat").unwrap_or("csv") {
                "csv" => usual,
                "ssv" => Style::Space,
                "tsv" => Style::Tab,
                "pipes" => Style::Pipe,
                "multi" => {
                    explode = true;
                    usual
                }
                other => return Err(bad(format!("the collectionFormat '{other}' is not known"))),
            };
            // What else it says of itself is about the value, and `required` is about the parameter.
            let mut own = value.as_object().cloned().unwrap_or_default();
            own.remove("required");
            schemas.add(document, &Value::Object(own), at)?
        } else {
            if let Some(written) = text("style") {
                style = match written {
                    "simple" => Style::Simple,
                    "label" => Style::Label,
                    "matrix" => Style::Matrix,
                    "form" => Style::Form,
                    "spaceDelimited" => Style::Space,
                    "pipeDelimited" => Style::Pipe,
                    "deepObject" => Style::Deep,
                    other => return Err(bad(format!("the style '{other}' is not known"))),
                };
                explode = style == Style::Form;
            }
            explode = value.get("explode").and_then(Value::as_bool).unwrap_or(explode);
            let content = value.get("content").and_then(Value::as_object).and_then(|all| all.iter().next());
            match (value.get("schema"), content) {
                (Some(schema), _) => schemas.add(document, schema, &format!("{at}/schema"))?,
                (None, Some((kind, media))) => {
                    is_json = super::operation::is_json(kind);
                    let inside = format!("{at}/content/{}", escaped(kind));
                    let schema = media.get("schema").filter(|_| is_json).unwrap_or(&Value::Bool(true));
                    schemas.add(document, schema, &inside)?
                }
                (None, None) => schemas.add(document, &Value::Bool(true), at)?,
            }
        };
        let required = place == Place::Path || flag(value, "required");
        let allows_empty = flag(value, "allowEmptyValue");
        Ok(Self { name, place, required, style, explode, is_json, allows_empty, schema })
    }

    /// Checks what a message has under the name: `values` in their order, `all` pairs of that place.
    pub(super) fn check(
        &self,
        schemas: &Schemas,
        values: &[String],
        all: &[(String, String)],
        way: Way,
    ) -> Result<(), Found> {
        let Some(value) = self.value(schemas, values, all) else {
            return if self.required {
                Err(format!("{} '{}' is missing", self.place.name(), self.name))
            } else {
                Ok(())
            };
        };
        if self.allows_empty && matches!(values, [only] if only.is_empty()) {
            return Ok(());
        }
        let value = value.and_then(|value| schemas.check(self.schema, &value, way));
        value.map_err(|why| format!("{} '{}': {why}", self.place.name(), self.name))
    }

    /// The names of its own that a parameter takes beside its name: members of objects.
    pub(super) fn owns(&self, schemas: &Schemas, name: &str) -> bool {
        if !schemas.takes_objects(self.schema) {
            return false;
        }
        match self.style {
            Style::Deep => name.strip_prefix(&self.name).is_some_and(|rest| rest.starts_with('[')),
            Style::Form if self.explode => schemas.member_names(self.schema).contains(&name),
            _ => false,
        }
    }

    fn value(
        &self,
        schemas: &Schemas,
        values: &[String],
        all: &[(String, String)],
    ) -> Option<Result<Value, String>> {
        if schemas.takes_objects(self.schema)
            && (self.style == Style::Deep || self.style == Style::Form && self.explode)
        {
            let mut members = Map::new();
            for (key, text) in all.iter().filter(|(key, _)| self.owns(schemas, key)) {
                let name = match self.style {
                    Style::Deep => key[self.name.len()..].trim_start_matches('[').trim_end_matches(']'),
                    _ => key,
                };
                members.insert(name.to_owned(), self.typed_member(schemas, name, text));
            }
            return (!members.is_empty()).then_some(Ok(Value::Object(members)));
        }
        let first = values.first()?;
        if self.is_json {
            return Some(serde_json::from_str(first).map_err(|_| "the value is no JSON".to_owned()));
        }
        let text = match self.style {
            Style::Label => first.strip_prefix('.').unwrap_or(first),
            Style::Matrix => {
                let bare = first.strip_prefix(';').unwrap_or(first);
                bare.strip_prefix(&*self.name).and_then(|rest| rest.strip_prefix('=')).unwrap_or(bare)
            }
            _ => first,
        };
        let separator = match self.style {
            Style::Space => ' ',
            Style::Tab => '\t',
            Style::Pipe => '|',
            Style::Label if self.explode => '.',
            Style::Matrix if self.explode => ';',
            _ => ',',
        };
        let pieces = || text.split(separator).filter(|piece| !text.is_empty() || !piece.is_empty());
        if schemas.takes_arrays(self.schema) {
            let items = schemas.items_of(self.schema);
            let strip = |piece: &str| match self.style {
                Style::Matrix => piece.strip_prefix(&format!("{}=", self.name)).unwrap_or(piece).to_owned(),
                _ => piece.to_owned(),
            };
            let own: Vec<String> = if self.explode && self.style == Style::Form {
                values.to_vec()
            } else {
                pieces().map(strip).collect()
            };
            return Some(Ok(own.iter().map(|text| typed(schemas, items, text)).collect()));
        }
        if schemas.takes_objects(self.schema) {
            let parts: Vec<&str> = pieces().collect();
            let mut members = Map::new();
            if self.explode {
                for (name, text) in parts.iter().filter_map(|part| part.split_once('=')) {
                    members.insert(name.to_owned(), self.typed_member(schemas, name, text));
                }
            } else {
                for pair in parts.chunks_exact(2) {
                    members.insert(pair[0].to_owned(), self.typed_member(schemas, pair[0], pair[1]));
                }
            }
            return Some(Ok(Value::Object(members)));
        }
        Some(Ok(typed(schemas, Some(self.schema), text)))
    }

    fn typed_member(&self, schemas: &Schemas, name: &str, text: &str) -> Value {
        typed(schemas, schemas.member_of(self.schema, name), text)
    }
}

/// What a text stands for: a number or a boolean where its schema takes that, else the text.
pub(super) fn typed(schemas: &Schemas, schema: Option<SchemaId>, text: &str) -> Value {
    let plain = Value::String(text.to_owned());
    let Some(schema) = schema else { return plain };
    let read = match text {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        number if number.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            serde_json::from_str::<Value>(number).ok().filter(Value::is_number)
        }
        _ => None,
    };
    match read {
        // A number that breaks a rule of numbers is shown as the number it is.
        Some(read) if schemas.check(schema, &plain, Way::Request).is_err() => read,
        _ => plain,
    }
}

impl Place {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Path => "path parameter",
            Self::Query => "query parameter",
            Self::Header => "header",
            Self::Cookie => "cookie",
        }
    }

    /// Of a security scheme.
    pub(super) fn named(value: &Value) -> Option<Self> {
        match scalar(value).as_str() {
            "query" => Some(Self::Query),
            "header" => Some(Self::Header),
            "cookie" => Some(Self::Cookie),
            _ => None,
        }
    }
}
