//! Resumable uploads: a session, then chunks.
//!
//! The session's URI is itself the permission: a PUT to it needs no token, as at Google. What a broken
//! connection leaves behind counts only in whole blocks of 256 KiB, so that a client that resumes without
//! asking how far it got is found out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, OriginalUri, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::BytesMut;
use futures_util::StreamExt;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, LOCATION, RANGE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use pierhead_domain::EpochMillis;

use super::super::super::bearer::{self, Call, Parked};
use super::super::super::journal::BearerState;
use super::super::super::params::Params;
use super::super::super::problem::Problem;
use super::super::super::state::Shared;
use super::super::answer_file;
use super::super::blob::BlobWriter;
use super::super::body::{Json, Metadata};
use super::super::fields::Mask;
use super::super::write::{Intent, Media};
use super::content_range::ContentRange;
use super::{chunks, header, intent};

/// Chunks but the last are multiples of this.
const BLOCK: usize = 256 << 10;
/// A session is forgotten after a week.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

type SharedSession = Arc<tokio::sync::Mutex<Session>>;

/// The open sessions by upload id, each with when it was opened.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, (EpochMillis, SharedSession)>>);

impl Sessions {
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (EpochMillis, SharedSession)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, id: &str, now: EpochMillis) -> Option<SharedSession> {
        let sessions = self.lock();
        let (opened, session) = sessions.get(id)?;
        (now.since(*opened) <= LIFETIME).then(|| Arc::clone(session))
    }

    /// Adds a session and forgets those whose time is over.
    fn insert(&self, id: String, session: Session, now: EpochMillis) {
        let mut sessions = self.lock();
        sessions.retain(|_, (opened, _)| now.since(*opened) <= LIFETIME);
        sessions.insert(id, (now, Arc::new(session.into())));
    }

    fn remove(&self, id: &str) {
        self.lock().remove(id);
    }
}

#[derive(Debug)]
struct Session {
    call: Parked,
    mask: Mask,
    content_type: Option<String>,
    /// The length of the whole, once somebody said it.
    total: Option<u64>,
    progress: Progress,
}

#[derive(Debug)]
enum Progress {
    Receiving(Box<Arriving>),
    /// The file that came of it: asked again, the session answers with it.
    Done(String),
    /// The write failed for good; a new session is needed.
    Failed,
}

/// Contents on their way.
#[derive(Debug)]
struct Arriving {
    intent: Intent,
    writer: BlobWriter,
    /// Less than a block that is not written yet.
    waiting: BytesMut,
}

/// Opens a session for a write that the caller may do.
pub(super) async fn open(
    call: Call,
    target: Option<String>,
    mask: Mask,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    // The path as the client sent it: nested routes see it shortened.
    let sent = request.extensions().get::<OriginalUri>().map(|uri| uri.path().to_owned());
    let path = sent.unwrap_or_else(|| request.uri().path().to_owned());
    let Json(metadata) = Json::from_request(request, &()).await?;
    call.note_body(&metadata);
    let intent = intent(&call, target.as_deref(), Metadata::read(&metadata)?)?;
    let total = match header(&headers, "x-upload-content-length") {
        Some(text) => {
            let wrong = || Problem::bad_request("X-Upload-Content-Length must be a number.");
            Some(text.parse::<u64>().map_err(|_| wrong())?)
        }
        None => None,
    };
    intent.check_room(&call, total.unwrap_or(0))?;
    let id = call.app.token("AHmUCY", 96);
    let location = format!("{}{path}?uploadType=resumable&upload_id={id}", call.base);
    let session = Session {
        mask,
        content_type: header(&headers, "x-upload-content-type"),
        total,
        progress: Progress::Receiving(Box::new(Arriving {
            intent,
            writer: call.app.blobs.writer().await?,
            waiting: BytesMut::new(),
        })),
        call: call.park(),
    };
    call.app.sessions.insert(id.clone(), session, call.app.now());
    let mut response = StatusCode::OK.into_response();
    let out = response.headers_mut();
    out.insert(LOCATION, HeaderValue::from_str(&location).map_err(|_| Problem::internal())?);
    out.insert("x-guploader-uploadid", HeaderValue::from_str(&id).map_err(|_| Problem::internal())?);
    Ok(response)
}

/// `PUT` to a session: a chunk, the whole, or a question how much has arrived.
pub(crate) async fn put(State(app): State<Shared>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let (_, session) = find(&app, &parts)?;
    let mut session = session.lock().await;
    let call = session.call.resume(&app);
    match session.receive(&call, &parts.headers, body).await? {
        Received::Incomplete(so_far) => incomplete(so_far),
        Received::Whole(file) => answer_file(&call, &file, &session.mask),
    }
}

/// `DELETE` of a session gives it up: Google answers 499.
pub(crate) async fn cancel(State(app): State<Shared>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let (id, _) = find(&app, &parts)?;
    app.sessions.remove(&id);
    Ok(StatusCode::from_u16(499).map_err(|_| Problem::internal())?.into_response())
}

fn find(app: &Shared, parts: &Parts) -> Result<(String, SharedSession), Problem> {
    let token = bearer::presented(&parts.headers, parts.uri.query());
    let (state, _) = app.oauth().judge(token.as_deref(), app.now());
    if !matches!(state, BearerState::Valid | BearerState::None) {
        return Err(Problem::invalid_credentials());
    }
    let params = Params::parse(parts.uri.query());
    let id = params.filled("upload_id").ok_or_else(|| Problem::required("upload_id"))?;
    let session = app.sessions.get(id, app.now()).ok_or_else(gone)?;
    Ok((id.to_owned(), session))
}

fn gone() -> Problem {
    Problem::missing("Upload session", "the upload_id is unknown or older than a week", "upload_id")
}

/// 308 with the range that has arrived; without it, nothing has.
fn incomplete(so_far: u64) -> Result<Response, Problem> {
    let mut response = StatusCode::PERMANENT_REDIRECT.into_response();
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    if let Some(last) = so_far.checked_sub(1) {
        let range = HeaderValue::from_str(&format!("bytes=0-{last}")).map_err(|_| Problem::internal())?;
        response.headers_mut().insert(RANGE, range);
    }
    Ok(response)
}

enum Received {
    Incomplete(u64),
    Whole(String),
}

/// The part of a request's body that belongs into the file.
struct Chunk {
    first: u64,
    length: Option<u64>,
    is_last: bool,
}

impl Session {
    async fn receive(&mut self, call: &Call, headers: &HeaderMap, body: Body) -> Result<Received, Problem> {
        let so_far = match &mut self.progress {
            Progress::Done(file) => return Ok(Received::Whole(file.clone())),
            Progress::Failed => return Err(gone()),
            Progress::Receiving(arriving) => {
                // A chunk that broke off counts in whole blocks only.
                arriving.waiting.clear();
                arriving.writer.size()
            }
        };
        let Some(chunk) = self.chunk(headers, so_far)? else {
            return if self.total == Some(so_far) {
                self.complete(call).await
            } else {
                Ok(Received::Incomplete(so_far))
            };
        };
        if chunk.first > so_far {
            return Err(Problem::bad_request(format!(
                "Invalid request. According to the Content-Range header, the upload offset is {} byte(s), which \
                 exceeds already uploaded size of {so_far} byte(s).",
                chunk.first
            )));
        }
        self.take(body, so_far - chunk.first, chunk.length).await?;
        if chunk.is_last { self.complete(call).await } else { Ok(Received::Incomplete(self.received())) }
    }

    /// What the headers say; `None` for a question.
    fn chunk(&mut self, headers: &HeaderMap, so_far: u64) -> Result<Option<Chunk>, Problem> {
        let announced =
            header(headers, CONTENT_LENGTH.as_str()).and_then(|length| length.parse::<u64>().ok());
        let Some(text) = header(headers, CONTENT_RANGE.as_str()) else {
            // Without a range the body is the whole.
            self.settle_total(announced)?;
            return Ok(Some(Chunk { first: 0, length: self.total, is_last: true }));
        };
        let malformed = || Problem::bad_request("Failed to parse Content-Range header.");
        match ContentRange::parse(&text).ok_or_else(malformed)? {
            ContentRange::Status { total } => {
                self.settle_total(total)?;
                Ok(None)
            }
            ContentRange::Bytes { first, last, total } => {
                self.settle_total(total)?;
                let length = last - first + 1;
                let is_last = self.total == Some(last + 1);
                if announced.is_some_and(|announced| announced != length) {
                    return Err(Problem::bad_request(
                        "Content-Length and Content-Range contradict each other.",
                    ));
                }
                if !is_last && length % BLOCK as u64 != 0 {
                    return Err(Problem::bad_request(format!(
                        "Invalid request. The number of bytes uploaded is required to be a multiple of {BLOCK}, \
                         except for the final request. The received request contained {length} bytes, which does \
                         not meet this requirement."
                    )));
                }
                if last < so_far {
                    // All of it is here already: told, not taken again.
                    return Ok(None);
                }
                Ok(Some(Chunk { first, length: Some(length), is_last }))
            }
        }
    }

    fn settle_total(&mut self, total: Option<u64>) -> Result<(), Problem> {
        match (self.total, total) {
            (Some(known), Some(said)) if known != said => {
                Err(Problem::bad_request(format!("The upload was announced with {known} bytes, not {said}.")))
            }
            (known, said) => {
                self.total = known.or(said);
                Ok(())
            }
        }
    }

    /// Takes a body's bytes after the first `skip`, block by block.
    async fn take(&mut self, body: Body, mut skip: u64, length: Option<u64>) -> Result<(), Problem> {
        let Progress::Receiving(arriving) = &mut self.progress else { return Err(gone()) };
        let Arriving { writer, waiting, .. } = &mut **arriving;
        let mut body = chunks(body);
        let mut arrived = 0;
        while let Some(piece) = body.next().await {
            let piece = piece?;
            arrived += piece.len() as u64;
            let skipped = usize::try_from(skip).unwrap_or(usize::MAX).min(piece.len());
            skip -= skipped as u64;
            waiting.extend_from_slice(&piece[skipped..]);
            while waiting.len() >= BLOCK {
                // Written whole or not at all: a block is smaller than the file's own buffer.
                writer.write(&waiting[..BLOCK]).await?;
                let _ = waiting.split_to(BLOCK);
            }
        }
        if length.is_some_and(|length| length != arrived) {
            return Err(Problem::bad_request("The body is not as long as Content-Range says."));
        }
        Ok(())
    }

    fn received(&self) -> u64 {
        match &self.progress {
            Progress::Receiving(arriving) => arriving.writer.size(),
            Progress::Done(_) | Progress::Failed => 0,
        }
    }

    async fn complete(&mut self, call: &Call) -> Result<Received, Problem> {
        let Progress::Receiving(arriving) = std::mem::replace(&mut self.progress, Progress::Failed) else {
            return Err(gone());
        };
        let Arriving { intent, mut writer, waiting } = *arriving;
        writer.write(&waiting).await?;
        let media = Media { blob: writer.finish().await?, content_type: self.content_type.clone() };
        let file = intent.commit(call, Some(media)).await?;
        self.progress = Progress::Done(file.clone());
        Ok(Received::Whole(file))
    }
}
