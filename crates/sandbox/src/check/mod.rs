//! Judging requests by a vendor's own description: a Google API discovery document.
//!
//! A double forgives what its author did not think of; the description does not. Tests of a connector hold
//! every request of the double's journal against it.

mod matching;
mod schema;

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::google::{FIELDS_PARAMETER, JournalEntry, check_selection, is_oauth_path};
use matching::Template;
use schema::Schema;

/// A discovery document that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadDescription {
    /// The file cannot be read.
    #[error("the description {path} cannot be read")]
    Unreadable {
        /// The path that was given.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is no discovery document.
    #[error("the description is no Google API discovery document")]
    Malformed(#[from] serde_json::Error),
}

/// A Google API as its discovery document describes it.
#[derive(Debug)]
pub struct Description {
    service_path: String,
    parameters: HashMap<String, Parameter>,
    schemas: HashMap<String, Schema>,
    methods: Vec<Method>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    service_path: String,
    #[serde(default)]
    parameters: HashMap<String, Parameter>,
    #[serde(default)]
    schemas: HashMap<String, Schema>,
    #[serde(flatten)]
    top: Resource,
}

#[derive(Debug, Default, Deserialize)]
struct Resource {
    #[serde(default)]
    methods: HashMap<String, Method>,
    #[serde(default)]
    resources: HashMap<String, Resource>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Method {
    id: String,
    http_method: String,
    path: Template,
    #[serde(default)]
    parameters: HashMap<String, Parameter>,
    request: Option<Reference>,
    response: Option<Reference>,
    media_upload: Option<MediaUpload>,
    #[serde(default)]
    supports_media_download: bool,
}

#[derive(Debug, Deserialize)]
struct Reference {
    #[serde(rename = "$ref")]
    schema: String,
}

#[derive(Debug, Deserialize)]
struct MediaUpload {
    protocols: HashMap<String, Protocol>,
}

#[derive(Debug, Deserialize)]
struct Protocol {
    path: Template,
}

#[derive(Debug, Deserialize)]
struct Parameter {
    #[serde(flatten)]
    schema: Schema,
    #[serde(default)]
    location: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    repeated: bool,
}

impl Description {
    /// Reads a discovery document from a file.
    ///
    /// # Errors
    /// When the file cannot be read or is no discovery document.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, BadDescription> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|source| BadDescription::Unreadable { path: path.display().to_string(), source })?;
        Self::parse(&text)
    }

    /// Reads a discovery document from its text.
    ///
    /// # Errors
    /// When the text is no discovery document.
    pub fn parse(text: &str) -> Result<Self, BadDescription> {
        let document: Document = serde_json::from_str(text)?;
        let mut methods = Vec::new();
        let mut open = vec![document.top];
        while let Some(resource) = open.pop() {
            methods.extend(resource.methods.into_values());
            open.extend(resource.resources.into_values());
        }
        methods.sort_by(|left, right| left.id.cmp(&right.id));
        let service_path = format!("/{}", document.service_path.trim_matches('/'));
        Ok(Self { service_path, parameters: document.parameters, schemas: document.schemas, methods })
    }

    /// Everything about a request that the description does not allow, each as a sentence that names the
    /// method, the place and the rule. Empty when there is nothing to object to.
    ///
    /// OAuth requests are not in a discovery document and are not judged. Of a request to an upload session
    /// only its headers are: the session's URI is the vendor's own.
    pub fn violations(&self, request: &JournalEntry) -> Vec<String> {
        if is_oauth_path(&request.path) {
            return Vec::new();
        }
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(request.query.as_deref().unwrap_or_default().as_bytes())
                .into_owned()
                .collect();
        if request.method == "PUT" && pairs.iter().any(|(name, _)| name == "upload_id") {
            return session_violations(request);
        }
        let Some((method, upload)) = self.find(&request.method, &request.path) else {
            return vec![format!("the description has no method {} {}", request.method, request.path)];
        };
        let mut found = Vec::new();
        self.check_query(method, upload, &pairs, &mut found);
        self.check_body(method, upload, request, &mut found);
        found.into_iter().map(|what| format!("{}: {what}", method.id)).collect()
    }

    /// The method of a request, and whether it came by an upload path. Of several templates that fit, the
    /// one with most literal parts is meant.
    fn find(&self, http_method: &str, path: &str) -> Option<(&Method, bool)> {
        let plain = path.strip_prefix(&self.service_path).map(|rest| rest.trim_start_matches('/'));
        let candidates = self.methods.iter().filter(|method| method.http_method == http_method);
        candidates
            .flat_map(|method| {
                let direct =
                    plain.and_then(|path| method.path.fits(path)).map(|score| (score, method, false));
                let protocols = method.media_upload.iter().flat_map(|upload| upload.protocols.values());
                let uploads = protocols
                    .filter_map(move |protocol| protocol.path.fits(path).map(|score| (score, method, true)));
                direct.into_iter().chain(uploads)
            })
            .max_by_key(|(score, _, _)| *score)
            .map(|(_, method, upload)| (method, upload))
    }

    fn check_query(
        &self,
        method: &Method,
        upload: bool,
        pairs: &[(String, String)],
        found: &mut Vec<String>,
    ) {
        let in_query = |parameter: &&Parameter| parameter.location == "query";
        for (at, (name, value)) in pairs.iter().enumerate() {
            let known = method.parameters.get(name).or_else(|| self.parameters.get(name)).filter(in_query);
            let Some(parameter) = known else {
                found.push(format!("query parameter {name} is not described"));
                continue;
            };
            if !parameter.repeated && pairs[..at].iter().any(|(earlier, _)| earlier == name) {
                found.push(format!("query parameter {name} is given twice"));
            }
            if let Some(why) = parameter.schema.objection_to_text(value) {
                found.push(format!("query parameter {name} {why}"));
            }
        }
        let given = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        for (name, parameter) in &method.parameters {
            if parameter.required && parameter.location == "query" && given(name).is_none() {
                found.push(format!("query parameter {name} is required"));
            }
        }
        if given("alt") == Some("media") && !method.supports_media_download {
            found.push("alt=media, but the method has no media to download".into());
        }
        match (upload, given("uploadType")) {
            (true, Some("media" | "multipart" | "resumable")) | (false, None) => {}
            (true, _) => {
                found.push("uploadType must be media, multipart or resumable on an upload path".into())
            }
            (false, Some(_)) => found.push("uploadType belongs on an upload path".into()),
        }
        if let (Some(fields), Some(response)) = (given(FIELDS_PARAMETER), &method.response) {
            let knows = |path: &[&str]| self.knows(&response.schema, path);
            found.extend(check_selection(fields, &knows).map(|why| format!("fields: {why}")));
        }
    }

    fn check_body(&self, method: &Method, upload: bool, request: &JournalEntry, found: &mut Vec<String>) {
        let Some(body) = &request.body else { return };
        let Some(reference) = &method.request else {
            found.push("the method takes no JSON body".into());
            return;
        };
        let kind = request.content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
        let is_empty = body.as_object().is_some_and(serde_json::Map::is_empty);
        let fits = kind.starts_with("application/json")
            || (upload && kind.starts_with("multipart/related"))
            || (is_empty && kind.is_empty());
        if !fits {
            found.push(format!("Content-Type {kind:?} does not go with a JSON body"));
        }
        schema::check(&self.schemas, &reference.schema, body, found);
    }

    /// Whether a path of property names leads somewhere in a schema.
    fn knows(&self, schema: &str, path: &[&str]) -> bool {
        schema::leads_somewhere(&self.schemas, schema, path)
    }
}

/// RFC 9110 §14.4 with Google's additions: a request to an upload session says which bytes it carries, or
/// carries the whole.
fn session_violations(request: &JournalEntry) -> Vec<String> {
    let sound = |text: &str| {
        text.strip_prefix("bytes ").and_then(|text| text.split_once('/')).is_some_and(|(range, total)| {
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let range = range == "*" || range.split_once('-').is_some_and(|(a, b)| digits(a) && digits(b));
            range && (total == "*" || digits(total))
        })
    };
    match request.header("content-range") {
        Some(text) if !sound(text) => vec![format!("upload session: Content-Range {text:?} is malformed")],
        None if request.header("content-length").is_none() => {
            vec!["upload session: neither Content-Range nor Content-Length says what is sent".into()]
        }
        Some(_) | None => Vec::new(),
    }
}

/// A value as JSON text, shortened for a message.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.len() > 60 { format!("{}…", text.chars().take(60).collect::<String>()) } else { text }
}
