//! `files.get`, with contents by `alt=media`; and the download link a browser follows.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use http::{HeaderMap, HeaderValue, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::bearer::Call;
use super::super::oauth::scope::Needs;
use super::super::params::Params;
use super::super::problem::Problem;
use super::super::state::Shared;
use super::blob::Blob;
use super::permission::Role;
use super::range::{self, Wanted};
use super::shapes::FILE;

pub(crate) async fn get(
    call: Call,
    Path(file_id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if call.params.get("alt") != Some("media") {
        call.needs(Needs::Read)?;
        let mask = call.selection(&FILE)?;
        return super::answer_file(&call, &file_id, &mask);
    }
    call.needs(Needs::Content)?;
    let (blob, mime_type) = {
        let tree = call.app.tree();
        let (node, role) = tree.visible(call.viewer(), &file_id, call.app.now())?;
        let head = node.binary().ok_or_else(not_downloadable)?;
        if node.copy_requires_writer && role < Role::Writer {
            let message = "This file cannot be downloaded by the user.";
            return Err(Problem::new(StatusCode::FORBIDDEN, "cannotDownloadFile", message));
        }
        (Arc::clone(&head.blob), node.mime_type.clone())
    };
    contents(&blob, &mime_type, "attachment", &headers).await
}

pub(crate) fn not_downloadable() -> Problem {
    let message = "Only files with binary content can be downloaded. Use Export with Docs Editors files.";
    Problem::new(StatusCode::FORBIDDEN, "fileNotDownloadable", message).about_parameter("alt")
}

/// `GET /uc?id=…&export=download&sig=…`: what `webContentLink` leads to. The signature stands in for the
/// cookie that a browser would have at Google; a file shared by link needs none.
pub(crate) async fn by_link(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let params = Params::parse(query.as_deref());
    let id = params.filled("id").ok_or_else(|| Problem::required("id"))?;
    let (blob, mime_type, name) = {
        let tree = app.tree();
        let node = tree.get(id).ok_or_else(|| Problem::no_file(id))?;
        let signed = !node.download_key.is_empty() && params.get("sig") == Some(node.download_key.as_str());
        let open = tree
            .effective(id, app.now())
            .iter()
            .any(|given| given.permission.grantee == super::permission::Grantee::Anyone);
        let head = node.binary().filter(|_| signed || open).ok_or_else(|| Problem::no_file(id))?;
        (Arc::clone(&head.blob), node.mime_type.clone(), node.name.clone())
    };
    contents(&blob, &mime_type, &disposition(&name), &headers).await
}

/// RFC 6266: a name of plain letters, and the real one in UTF-8.
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|symbol| {
            if symbol.is_ascii_graphic() && !matches!(symbol, '"' | '\\') || symbol == ' ' {
                symbol
            } else {
                '_'
            }
        })
        .collect();
    format!(
        "attachment; filename=\"{plain}\"; filename*=UTF-8''{}",
        utf8_percent_encode(name, NON_ALPHANUMERIC)
    )
}

/// Contents, or the range of them that was asked for.
pub(crate) async fn contents(
    blob: &Arc<Blob>,
    mime_type: &str,
    disposition: &str,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let size = blob.size();
    let header = headers.get(RANGE).and_then(|range| range.to_str().ok());
    let (status, start, length) = match range::read(header, size) {
        Wanted::Whole => (StatusCode::OK, 0, size),
        Wanted::Part { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
        Wanted::Outside => {
            let content_range =
                HeaderValue::from_str(&format!("bytes */{size}")).map_err(|_| Problem::internal())?;
            return Err(Problem::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "requestedRangeNotSatisfiable",
                "Request range not satisfiable",
            )
            .about_header("Range")
            .with_header(CONTENT_RANGE, content_range));
        }
    };
    let stream = blob.stream(start, length).await?;
    // The stream holds on to the contents: a file deleted meanwhile is still sent to its end.
    let held = Arc::clone(blob);
    let body = Body::from_stream(futures_util::StreamExt::map(stream, move |chunk| {
        let _held = &held;
        chunk
    }));
    let mut response = (status, body).into_response();
    let out = response.headers_mut();
    out.insert(CONTENT_LENGTH, HeaderValue::from(length));
    out.insert(CONTENT_TYPE, text_header(mime_type));
    out.insert(CONTENT_DISPOSITION, text_header(disposition));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {start}-{}/{size}", start + length - 1);
        out.insert(CONTENT_RANGE, HeaderValue::from_str(&range).map_err(|_| Problem::internal())?);
    }
    Ok(response)
}

/// A header value from a client's text; what no header can carry becomes plain octets.
fn text_header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}
