//! `GET /files`: a file's bytes, whole or in part.

use http::{HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pierhead_script::Template;

use super::path::HubItemPath;
use super::{Documents, Half};
use crate::definition::{DriverKind, VendorRequest};
use crate::engine::answer::Answer;
use crate::engine::session::{Sending, range_headers};
use crate::engine::{CallHead, CallProblem, HubAnswer};

/// Characters RFC 8187 lets stand in `filename*`.
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Documents<'_> {
    pub(super) async fn download(&self, id: Option<&str>, call: &CallHead) -> Result<HubAnswer, CallProblem> {
        let headers = range_headers(&call.headers);
        if let Some(path) = self.path_alone(id, call)?
            && let Some((_, name)) = path.split()
        {
            let scope = self.session.scope.clone().with("path", path.as_str());
            let sending = Sending { headers: headers.clone(), ..Sending::default() };
            match self.session.send(&self.files.download, &scope, sending).await {
                // Asked for, the item says more exactly what is wrong.
                Err(problem) if problem.status == StatusCode::NOT_FOUND => {}
                answer => return Ok(file_answer(answer?, name)),
            }
        }
        let item = self.addressed(id, call).await?;
        Self::must_be(Half::Files, &item)?;
        let mut scope = self.session.scope.clone().with("id", item.vendor_id()).with("item", item.value());
        scope.set("path", item.path());
        scope.set("query", crate::engine::build::object_of(&call.query));
        let mut request = &self.files.download;
        let mut name = item.name().to_owned();
        if let Some(export) = &self.files.export
            && scope.test(&export.when, item.raw()).unwrap_or(false)
        {
            let default = self.session.eval(&export.default, item.raw(), &scope, "files.export.default")?;
            let media_type = call.query("mediaType").filter(|given| !given.is_empty()).or(default.as_str());
            let media_type = media_type.unwrap_or("application/pdf").to_owned();
            name = with_extension(name, &media_type);
            scope.set("media_type", media_type);
            request = &export.request;
        }
        let sending = Sending { headers, ..Sending::default() };
        Ok(file_answer(self.session.send(request, &scope, sending).await?, &name))
    }

    /// The path of the file to download, where nothing else need be known of it: the file driver gives files
    /// and nothing else, so that one request does instead of two.
    fn path_alone(&self, id: Option<&str>, call: &CallHead) -> Result<Option<HubItemPath>, CallProblem> {
        let VendorRequest { path, query, headers, .. } = &self.files.download;
        let mut templates =
            query.iter().map(|(_, value)| value).chain(headers.iter().map(|(_, value)| value));
        let plain = |template: &Template| template.names().iter().all(|name| name == "path");
        let driver = self.session.connector().transport.driver;
        if driver != DriverKind::File || self.files.export.is_some() || !plain(path) || !templates.all(plain)
        {
            return Ok(None);
        }
        match (id, call.query("path")) {
            (Some(id), _) => Ok(HubItemPath::from_token(id)),
            (None, Some(path)) => HubItemPath::parse(path).map(Some),
            (None, None) => Ok(None),
        }
    }
}

fn file_answer(answer: Answer, name: &str) -> HubAnswer {
    let mut made = HubAnswer::stream(answer.body);
    made.status = answer.status;
    for passed in [
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
        header::CONTENT_RANGE,
        header::ACCEPT_RANGES,
        header::ETAG,
        header::LAST_MODIFIED,
    ] {
        if let Some(value) = answer.headers.get(&passed) {
            made.headers.insert(passed, value.clone());
        }
    }
    if !made.headers.contains_key(header::CONTENT_TYPE) {
        made.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type_of(name)));
    }
    if let Ok(value) = HeaderValue::from_str(&disposition(name)) {
        made.headers.insert(header::CONTENT_DISPOSITION, value);
    }
    made
}

/// `attachment` with the name twice: for old clients in ASCII, for others as it is (RFC 6266).
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() && !"\"\\%;".contains(c) || c == ' ' { c } else { '_' })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(name, ATTRIBUTE))
}

fn media_type_of(name: &str) -> &'static str {
    mime_guess::from_path(name).first_raw().unwrap_or("application/octet-stream")
}

/// An exported file has no extension of its own yet.
fn with_extension(name: String, media_type: &str) -> String {
    let known = [
        ("application/pdf", "pdf"),
        ("text/plain", "txt"),
        ("text/csv", "csv"),
        ("text/html", "html"),
        ("application/rtf", "rtf"),
        ("application/zip", "zip"),
        ("image/png", "png"),
        ("image/jpeg", "jpg"),
        ("image/svg+xml", "svg"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
        ("application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"),
    ];
    match known.iter().find(|(kind, _)| *kind == media_type) {
        Some((_, extension)) if !name.ends_with(&format!(".{extension}")) => format!("{name}.{extension}"),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_its_header() {
        let value = disposition("a\"b;ä\r\n.txt");
        assert_eq!(value, "attachment; filename=\"a_b____.txt\"; filename*=UTF-8''a%22b%3B%C3%A4%0D%0A.txt");
    }
}
