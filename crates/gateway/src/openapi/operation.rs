//! Operations: parameters, bodies and responses; and the description that holds them.

use http::Method;
use regex::Regex;
use serde_json::Value;

use super::document::{BadDescription, Document, Form, escaped, flag, object};
use super::parameter::{Parameter, Place};
use super::schema::{SchemaId, Schemas};
use super::{Description, PathItem};

#[derive(Debug)]
pub(super) struct Operation {
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Body>,
    /// By status: `200`, `2XX` or `default`.
    pub(super) responses: Vec<(String, Response)>,
}

#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) required: bool,
    /// By media type, which may be a range; without any every type goes.
    pub(super) content: Vec<(String, Option<SchemaId>)>,
}

#[derive(Debug, Default)]
pub(super) struct Response {
    pub(super) headers: Vec<Parameter>,
    pub(super) body: Body,
}

const VERBS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch", "trace"];

impl Description {
    /// Compiles a description in JSON or YAML.
    pub(crate) fn compile(text: &str) -> Result<Self, BadDescription> {
        let document = Document::read(text)?;
        let mut made =
            Self { schemas: Schemas::default(), paths: Vec::new(), credentials: credentials(&document) };
        let paths = object(&document.root, "paths", "#")?;
        for (template, item) in paths.into_iter().flatten().filter(|(name, _)| !name.starts_with("x-")) {
            let at = format!("#/paths/{}", escaped(template));
            let item = made.item(&document, template, item, &at)?;
            made.paths.push(item);
        }
        // Of two that match, the one with fewer parameters, then with more text of its own.
        made.paths.sort_by_key(|item| (item.names.len(), std::cmp::Reverse(item.template.len())));
        Ok(made)
    }

    fn item(
        &mut self,
        document: &Document,
        template: &str,
        item: &Value,
        at: &str,
    ) -> Result<PathItem, BadDescription> {
        let (item, at) = document.follow(item, at)?;
        let (matches, names) = expression(template)
            .ok_or_else(|| BadDescription::new(&at, "the path must begin with / and close its braces"))?;
        let mut operations = Vec::new();
        for verb in VERBS {
            let Some(operation) = item.get(verb) else { continue };
            let at = format!("{at}/{verb}");
            let mut parameters = self.parameters(document, operation, &at)?;
            // The operation's own replace those of the path.
            let own: Vec<(String, Place)> =
                parameters.iter().map(|one| (one.name.clone(), one.place)).collect();
            let inherited = self.parameters(document, item, &at)?;
            parameters.extend(
                inherited
                    .into_iter()
                    .filter(|one| !own.iter().any(|(name, place)| *name == one.name && *place == one.place)),
            );
            let operation = Operation {
                parameters,
                body: self.request_body(document, item, operation, &at)?,
                responses: self.responses(document, operation, &at)?,
            };
            let method = Method::from_bytes(verb.to_ascii_uppercase().as_bytes());
            operations.extend(method.ok().map(|method| (method, operation)));
        }
        Ok(PathItem { template: template.to_owned(), matches, names, operations })
    }

    fn parameters(
        &mut self,
        document: &Document,
        of: &Value,
        at: &str,
    ) -> Result<Vec<Parameter>, BadDescription> {
        let mut found = Vec::new();
        for (index, value) in of.get("parameters").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            let at = format!("{at}/parameters/{index}");
            found.extend(Parameter::read(&mut self.schemas, document, value, &at)?);
        }
        Ok(found)
    }

    fn request_body(
        &mut self,
        document: &Document,
        item: &Value,
        operation: &Value,
        at: &str,
    ) -> Result<Option<Body>, BadDescription> {
        if document.form == Form::Swagger2 {
            return self.old_body(document, item, operation, at);
        }
        let Some(body) = operation.get("requestBody") else { return Ok(None) };
        let (body, at) = document.follow(body, &format!("{at}/requestBody"))?;
        let content = self.content(document, body, &at)?;
        Ok(Some(Body { required: flag(body, "required"), content }))
    }

    /// OpenAPI 2.0: a parameter in `body`, or those in `formData`, and what `consumes` lists.
    fn old_body(
        &mut self,
        document: &Document,
        item: &Value,
        operation: &Value,
        at: &str,
    ) -> Result<Option<Body>, BadDescription> {
        let kinds = media_types(document, operation, "consumes");
        let (mut fields, mut required) = (serde_json::Map::new(), Vec::new());
        for parent in [operation, item] {
            for (index, value) in
                parent.get("parameters").and_then(Value::as_array).into_iter().flatten().enumerate()
            {
                let (value, at) = document.follow(value, &format!("{at}/parameters/{index}"))?;
                let name = value.get("name").and_then(Value::as_str).unwrap_or_default();
                match value.get("in").and_then(Value::as_str) {
                    Some("body") => {
                        let schema = value.get("schema").unwrap_or(&Value::Bool(true));
                        let schema = self.schemas.add(document, schema, &format!("{at}/schema"))?;
                        let kinds = if kinds.is_empty() { vec!["*/*".to_owned()] } else { kinds };
                        let content = kinds.into_iter().map(|kind| (kind, Some(schema))).collect();
                        return Ok(Some(Body { required: flag(value, "required"), content }));
                    }
                    Some("formData") if !fields.contains_key(name) => {
                        if flag(value, "required") {
                            required.push(Value::from(name));
                        }
                        let mut own = value.as_object().cloned().unwrap_or_default();
                        own.remove("required");
                        fields.insert(name.to_owned(), Value::Object(own));
                    }
                    _ => {}
                }
            }
        }
        if fields.is_empty() {
            return Ok(None);
        }
        let is_required = !required.is_empty();
        let form = serde_json::json!({ "type": "object", "properties": fields, "required": required });
        let schema = self.schemas.add(document, &form, &format!("{at}/parameters"))?;
        let kinds =
            if kinds.is_empty() { vec!["application/x-www-form-urlencoded".to_owned()] } else { kinds };
        let content = kinds.into_iter().map(|kind| (kind, Some(schema))).collect();
        Ok(Some(Body { required: is_required, content }))
    }

    fn content(
        &mut self,
        document: &Document,
        of: &Value,
        at: &str,
    ) -> Result<Vec<(String, Option<SchemaId>)>, BadDescription> {
        let mut content = Vec::new();
        for (kind, media) in object(of, "content", at)?.into_iter().flatten() {
            let at = format!("{at}/content/{}/schema", escaped(kind));
            let schema =
                media.get("schema").map(|schema| self.schemas.add(document, schema, &at)).transpose()?;
            content.push((kind.trim().to_ascii_lowercase(), schema));
        }
        Ok(content)
    }

    fn responses(
        &mut self,
        document: &Document,
        operation: &Value,
        at: &str,
    ) -> Result<Vec<(String, Response)>, BadDescription> {
        let mut all = Vec::new();
        let responses = object(operation, "responses", at)?.into_iter().flatten();
        for (status, response) in responses.filter(|(status, _)| !status.starts_with("x-")) {
            let (response, at) = document.follow(response, &format!("{at}/responses/{status}"))?;
            let mut made = Response::default();
            if document.form == Form::Swagger2 {
                if let Some(schema) = response.get("schema") {
                    let schema = self.schemas.add(document, schema, &format!("{at}/schema"))?;
                    let kinds = media_types(document, operation, "produces");
                    let kinds = if kinds.is_empty() { vec!["*/*".to_owned()] } else { kinds };
                    made.body.content = kinds.into_iter().map(|kind| (kind, Some(schema))).collect();
                }
            } else {
                made.body.content = self.content(document, response, &at)?;
            }
            for (name, header) in object(response, "headers", &at)?.into_iter().flatten() {
                let (header, at) = document.follow(header, &format!("{at}/headers/{}", escaped(name)))?;
                if !name.eq_ignore_ascii_case("content-type") {
                    let name = name.clone();
                    made.headers.push(Parameter::of(
                        &mut self.schemas,
                        document,
                        header,
                        &at,
                        name,
                        Place::Header,
                    )?);
                }
            }
            all.push((status.to_ascii_uppercase(), made));
        }
        Ok(all)
    }
}

impl Body {
    /// The schema for a content type, by the closest of its media types. `Err` when none takes it.
    pub(super) fn schema(&self, kind: &str) -> Result<Option<SchemaId>, ()> {
        let bare = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let main = bare.split('/').next().unwrap_or_default();
        let found = |wanted: &str| {
            self.content.iter().find(|(known, _)| known.split(';').next().map(str::trim) == Some(wanted))
        };
        let found = found(&bare).or_else(|| found(&format!("{main}/*"))).or_else(|| found("*/*"));
        found.map(|(_, schema)| *schema).ok_or(())
    }
}

pub(super) fn is_json(kind: &str) -> bool {
    let bare = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    bare == "application/json" || bare.ends_with("+json")
}

/// Headers and parameters that security schemes of the document put credentials into.
fn credentials(document: &Document) -> Vec<(Place, String)> {
    let schemes = match document.form {
        Form::Swagger2 => document.root.get("securityDefinitions"),
        _ => document.root.pointer("/components/securitySchemes"),
    };
    let schemes = schemes.and_then(Value::as_object).into_iter().flatten();
    let keys = schemes.filter_map(|(_, scheme)| {
        let place = Place::named(scheme.get("in")?)?;
        Some((place, scheme.get("name")?.as_str()?.to_owned()))
    });
    keys.collect()
}

fn media_types(document: &Document, operation: &Value, name: &str) -> Vec<String> {
    let all = operation.get(name).or_else(|| document.root.get(name)).and_then(Value::as_array);
    all.into_iter().flatten().filter_map(Value::as_str).map(|kind| kind.trim().to_ascii_lowercase()).collect()
}

/// A path template as an expression with a group for each parameter.
fn expression(template: &str) -> Option<(Regex, Vec<String>)> {
    let (mut pattern, mut names) = (String::from("^"), Vec::new());
    let mut rest = template.strip_prefix('/').map(|_| template)?;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        pattern.push_str(&regex::escape(before));
        pattern.push_str("([^/]+)");
        names.push(name.to_owned());
        rest = after;
    }
    pattern.push_str(&regex::escape(rest));
    if !template.ends_with('/') {
        pattern.push_str("/?");
    }
    pattern.push('$');
    Regex::new(&pattern).ok().map(|matches| (matches, names))
}
