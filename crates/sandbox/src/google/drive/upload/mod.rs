//! Uploads: `uploadType=media`, `multipart` and `resumable`, streamed to disk as they come.

mod base64_stream;
mod content_range;
mod multipart;
pub(crate) mod resumable;

use axum::body::Body;
use axum::extract::{Path, Request};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};

use super::super::bearer::Call;
use super::super::oauth::scope::Needs;
use super::super::problem::Problem;
use super::answer_file;
use super::body::{self, Metadata};
use super::shapes::FILE;
use super::write::{Intent, Media};
use base64_stream::Base64;
use multipart::Related;
pub(crate) use resumable::Sessions;

/// The metadata of an upload is no longer than this.
const METADATA_LIMIT: usize = 1 << 20;

/// `POST /upload/drive/v3/files`
pub(crate) async fn create(call: Call, request: Request) -> Result<Response, Problem> {
    call.needs(Needs::Write)?;
    upload(call, None, request).await
}

/// `PATCH /upload/drive/v3/files/{fileId}`
pub(crate) async fn update(
    call: Call,
    Path(file_id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    call.needs(Needs::Write)?;
    upload(call, Some(file_id), request).await
}

async fn upload(call: Call, target: Option<String>, request: Request) -> Result<Response, Problem> {
    let mask = call.selection(&FILE)?;
    match call.params.filled("uploadType") {
        Some("resumable") => resumable::open(call, target, mask, request).await,
        Some("media") => {
            let intent = intent(&call, target.as_deref(), Metadata::default())?;
            check_length(&call, &intent, request.headers())?;
            let content_type = header(request.headers(), CONTENT_TYPE.as_str());
            let mut writer = call.app.blobs.writer().await?;
            let mut chunks = chunks(request.into_body());
            while let Some(chunk) = chunks.next().await {
                writer.write(&chunk?).await?;
            }
            let media = Media { blob: writer.finish().await?, content_type };
            let id = intent.commit(&call, Some(media)).await?;
            answer_file(&call, &id, &mask)
        }
        Some("multipart") => {
            let id = multipart_upload(&call, target.as_deref(), request).await?;
            answer_file(&call, &id, &mask)
        }
        Some(_) => Err(Problem::invalid_value("uploadType")),
        None => Err(Problem::required("uploadType")),
    }
}

/// Metadata in the first part, contents in the second.
async fn multipart_upload(call: &Call, target: Option<&str>, request: Request) -> Result<String, Problem> {
    let content_type = header(request.headers(), CONTENT_TYPE.as_str()).unwrap_or_default();
    let headers = request.headers().clone();
    let mut parts = Related::open(&content_type, chunks(request.into_body()).boxed())?;

    let head = parts.next_part().await?.ok_or_else(|| malformed("there is no first part"))?;
    if !head.content_type.as_deref().is_none_or(body::is_json) {
        return Err(malformed("the first part must be JSON metadata"));
    }
    let mut metadata = BytesMut::new();
    while let Some(chunk) = parts.next_chunk().await? {
        if metadata.len() + chunk.len() > METADATA_LIMIT {
            return Err(malformed("the metadata is too long"));
        }
        metadata.extend_from_slice(&chunk);
    }
    let metadata = body::parse(&metadata.freeze())?;
    call.note_body(&metadata);
    let intent = intent(call, target, Metadata::read(&metadata)?)?;
    check_length(call, &intent, &headers)?;

    let head = parts.next_part().await?.ok_or_else(|| malformed("there is no second part"))?;
    let mut base64 = head.base64.then(Base64::default);
    let mut writer = call.app.blobs.writer().await?;
    while let Some(chunk) = parts.next_chunk().await? {
        match &mut base64 {
            Some(base64) => writer.write(&base64.decode(&chunk)?).await?,
            None => writer.write(&chunk).await?,
        }
    }
    if let Some(base64) = base64 {
        writer.write(&base64.finish()?).await?;
    }
    if parts.next_part().await?.is_some() {
        return Err(malformed("there are more than two parts"));
    }
    let media = Media { blob: writer.finish().await?, content_type: head.content_type };
    intent.commit(call, Some(media)).await
}

fn intent(call: &Call, target: Option<&str>, metadata: Metadata) -> Result<Intent, Problem> {
    match target {
        Some(id) => Intent::update(call, id, metadata, true),
        None => Intent::create(call, metadata),
    }
}

fn check_length(call: &Call, intent: &Intent, headers: &HeaderMap) -> Result<(), Problem> {
    match header(headers, CONTENT_LENGTH.as_str()).and_then(|length| length.parse().ok()) {
        Some(length) => intent.check_room(call, length),
        None => Ok(()),
    }
}

/// The bytes of a body as they arrive; a broken connection is a bad request nobody will read.
fn chunks(body: Body) -> impl Stream<Item = Result<Bytes, Problem>> + Send + Unpin {
    body.into_data_stream()
        .map(|chunk| chunk.map_err(|_| Problem::bad_request("The request body was cut off.")))
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn malformed(why: &str) -> Problem {
    Problem::bad_request(format!("Malformed multipart body: {why}."))
}
