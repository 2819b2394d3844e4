//! JSON bodies and file metadata: what a client may write.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, Limited};
use pierhead_domain::EpochMillis;
use serde_json::Value;

use super::super::problem::Problem;
use super::moment;

/// Metadata is far smaller than this.
const LIMIT: usize = 1 << 20;

/// The properties of a File that a client may write. The others are refused.
const WRITABLE: &[&str] = &[
    "appProperties",
    "contentHints",
    "contentRestrictions",
    "copyRequiresWriterPermission",
    "createdTime",
    "description",
    "downloadRestrictions",
    "folderColorRgb",
    "id",
    "inheritedPermissionsDisabled",
    "kind",
    "mimeType",
    "modifiedTime",
    "name",
    "originalFilename",
    "parents",
    "properties",
    "shortcutDetails",
    "starred",
    "trashed",
    "viewedByMeTime",
    "writersCanShare",
];

/// Those that the server alone writes: sending one is refused. Names that are no properties at all are
/// ignored, as Google does; the strict check is [`crate::check`].
const OUTPUT_ONLY: &[&str] = &[
    "capabilities",
    "driveId",
    "explicitlyTrashed",
    "exportLinks",
    "fileExtension",
    "fullFileExtension",
    "hasThumbnail",
    "headRevisionId",
    "iconLink",
    "imageMediaMetadata",
    "isAppAuthorized",
    "lastModifyingUser",
    "linkShareMetadata",
    "md5Checksum",
    "modifiedByMe",
    "ownedByMe",
    "owners",
    "permissionIds",
    "permissions",
    "quotaBytesUsed",
    "sha1Checksum",
    "sha256Checksum",
    "shared",
    "sharingUser",
    "size",
    "spaces",
    "thumbnailLink",
    "thumbnailVersion",
    "version",
    "videoMediaMetadata",
    "viewedByMe",
    "webContentLink",
    "webViewLink",
];

/// A JSON object body; an empty body is an empty object.
pub(crate) struct Json(pub(crate) Value);

impl<S: Sync> FromRequest<S> for Json {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).map(str::to_owned);
        let bytes = Limited::new(request.into_body(), LIMIT)
            .collect()
            .await
            .map_err(|_| Problem::bad_request("Request payload is too large or was cut off."))?
            .to_bytes();
        if bytes.is_empty() {
            return Ok(Self(Value::Object(serde_json::Map::new())));
        }
        match kind {
            Some(kind) if !is_json(&kind) => {
                Err(Problem::bad_request(format!("Unsupported content with type: {kind}")))
            }
            _ => parse(&bytes).map(Self),
        }
    }
}

pub(crate) fn is_json(content_type: &str) -> bool {
    content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// A JSON object from bytes.
pub(crate) fn parse(bytes: &Bytes) -> Result<Value, Problem> {
    match serde_json::from_slice(bytes) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(Problem::parse_error()),
    }
}

/// What a client wants of a file. `None` leaves a property as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metadata {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) mime_type: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) starred: Option<bool>,
    pub(crate) trashed: Option<bool>,
    pub(crate) parents: Option<Vec<String>>,
    /// A value of `None` takes the property away.
    pub(crate) properties: Vec<(String, Option<String>)>,
    pub(crate) app_properties: Vec<(String, Option<String>)>,
    pub(crate) created: Option<EpochMillis>,
    pub(crate) modified: Option<EpochMillis>,
    pub(crate) viewed: Option<EpochMillis>,
    pub(crate) original_filename: Option<String>,
    pub(crate) folder_color: Option<String>,
    pub(crate) shortcut_target: Option<String>,
    pub(crate) copy_requires_writer: Option<bool>,
    pub(crate) writers_can_share: Option<bool>,
    pub(crate) index_text: Option<String>,
}

impl Metadata {
    /// Reads a File body. Refuses what has the wrong type and what only the server writes.
    pub(crate) fn read(body: &Value) -> Result<Self, Problem> {
        let Value::Object(object) = body else { return Err(Problem::parse_error()) };
        if object
            .keys()
            .any(|name| OUTPUT_ONLY.contains(&name.as_str()) && !WRITABLE.contains(&name.as_str()))
        {
            return Err(Problem::not_writable(
                "The resource body includes fields which are not directly writable.",
            ));
        }
        let reader = Reader(body);
        Ok(Self {
            id: reader.text("id")?,
            name: reader.text("name")?,
            mime_type: reader.text("mimeType")?,
            description: reader.text("description")?,
            starred: reader.flag("starred")?,
            trashed: reader.flag("trashed")?,
            parents: reader.texts("parents")?,
            properties: reader.properties("properties")?,
            app_properties: reader.properties("appProperties")?,
            created: reader.time("createdTime")?,
            modified: reader.time("modifiedTime")?,
            viewed: reader.time("viewedByMeTime")?,
            original_filename: reader.text("originalFilename")?,
            folder_color: reader.text("folderColorRgb")?,
            shortcut_target: Reader(&body["shortcutDetails"]).text("targetId")?,
            copy_requires_writer: reader.flag("copyRequiresWriterPermission")?,
            writers_can_share: reader.flag("writersCanShare")?,
            index_text: Reader(&body["contentHints"]).text("indexableText")?,
        })
    }
}

struct Reader<'v>(&'v Value);

impl Reader<'_> {
    fn text(&self, name: &str) -> Result<Option<String>, Problem> {
        match &self.0[name] {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            _ => Err(wrong(name, "text")),
        }
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match &self.0[name] {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(*flag)),
            _ => Err(wrong(name, "true or false")),
        }
    }

    fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Problem> {
        match &self.0[name] {
            Value::Null => Ok(None),
            Value::Array(list) => {
                let texts = list.iter().map(|item| item.as_str().map(str::to_owned));
                texts.collect::<Option<Vec<_>>>().map(Some).ok_or_else(|| wrong(name, "a list of texts"))
            }
            _ => Err(wrong(name, "a list of texts")),
        }
    }

    fn time(&self, name: &str) -> Result<Option<EpochMillis>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        moment::read(&text).map(Some).ok_or_else(|| wrong(name, "an RFC 3339 time"))
    }

    fn properties(&self, name: &str) -> Result<Vec<(String, Option<String>)>, Problem> {
        let object = match &self.0[name] {
            Value::Null => return Ok(Vec::new()),
            Value::Object(object) => object,
            _ => return Err(wrong(name, "an object of texts")),
        };
        let pairs = object.iter().map(|(key, value)| match value {
            Value::Null => Ok((key.clone(), None)),
            // Source: Drive's guide to properties: 124 bytes for a key and its value together.
            Value::String(text) if key.len() + text.len() <= 124 => Ok((key.clone(), Some(text.clone()))),
            Value::String(_) => {
                Err(Problem::bad_request("A property may have 124 bytes, key and value together."))
            }
            _ => Err(wrong(name, "an object of texts")),
        });
        pairs.collect()
    }
}

fn wrong(name: &str, needed: &str) -> Problem {
    Problem::bad_request(format!("Invalid value for: {name} must be {needed}."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_property_of_the_server_cannot_be_written() {
        let refused = Metadata::read(&json!({"name": "a", "size": "5"})).unwrap_err().to_string();
        assert!(refused.contains("fieldNotWritable"), "{refused}");
        assert!(Metadata::read(&json!({"kind": "drive#file", "name": "a", "unheardOf": 1})).is_ok());
    }

    #[test]
    fn a_value_of_the_wrong_type_is_refused_by_name() {
        for body in [
            json!({"name": 1}),
            json!({"starred": "yes"}),
            json!({"parents": "root"}),
            json!({"createdTime": "today"}),
            json!({"properties": {"a": 1}}),
        ] {
            let name = body.as_object().unwrap().keys().next().unwrap().clone();
            let refused = Metadata::read(&body).unwrap_err().to_string();
            assert!(refused.contains(&name), "{refused}");
        }
    }
}
