//! Uploads in chunks: a session is opened, then each chunk says with `Content-Range` where it belongs. After
//! a failure the session is asked how far it got, and the upload goes on from there.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, header};
use http_body::Body as _;
use http_body_util::BodyExt;
use pierhead_script::Program;
use serde_json::Value;

use super::Documents;
use crate::definition::{AnswerCodec, RequestBody, VendorRequest};
use crate::engine::answer::Answer;
use crate::engine::build::{Payload, header_value};
use crate::engine::scope::Scope;
use crate::engine::session::Sending;
use crate::engine::{Body, CallProblem};

/// Tries in a row that bring no byte further before the upload is given up.
const PATIENCE: u32 = 5;

/// An open upload session at the vendor.
struct UploadSession<'a> {
    address: String,
    /// What carries a chunk or asks for progress.
    put: VendorRequest,
    /// Statuses that ask for more.
    more: &'a [u16],
    scope: &'a Scope,
}

/// What the vendor has so far.
enum Progress {
    Kept(u64),
    Whole(Value),
}

impl Documents<'_> {
    /// Opens a session with `open` and sends the body; gives the final answer's record.
    pub(super) async fn store_in_chunks(
        &self,
        open: &VendorRequest,
        session: &Program,
        chunk: usize,
        more: &[u16],
        scope: &Scope,
        body: Body,
    ) -> Result<Value, CallProblem> {
        let session = self.open_session(open, session, more, scope).await?;
        let mut chunks = Chunks::of(body);
        let (mut sent, mut stuck) = (0u64, 0);
        loop {
            let (bytes, is_last) = chunks.next(chunk).await?;
            let length = bytes.len() as u64;
            let end = sent + length;
            let total = if is_last { end.to_string() } else { "*".to_owned() };
            let range = match length {
                0 => format!("bytes */{total}"),
                length => format!("bytes {sent}-{}/{total}", sent + length - 1),
            };
            let progress = match self.put_range(&session, &range, bytes.clone()).await {
                Err(problem) if problem.retryable && stuck < PATIENCE => {
                    if !self.session.wait(stuck, problem.retry_after).await {
                        return Err(problem);
                    }
                    // How much of it arrived is the vendor's to say.
                    let asked = self.put_range(&session, &format!("bytes */{total}"), Bytes::new()).await;
                    match asked {
                        Err(again) if again.retryable => Progress::Kept(sent),
                        Err(_) => return Err(problem),
                        Ok(progress) => progress,
                    }
                }
                other => other?,
            };
            let kept = match progress {
                Progress::Whole(record) if is_last => return Ok(record),
                Progress::Whole(_) => {
                    let message = "the vendor ended the upload before the file's end";
                    return Err(CallProblem::bad_gateway(message));
                }
                Progress::Kept(kept) => kept,
            };
            // What the vendor did not take is sent again.
            let lost = end.checked_sub(kept).filter(|lost| *lost <= length);
            let lost =
                lost.ok_or_else(|| CallProblem::bad_gateway("the vendor lost a part of the upload"))?;
            if lost < length {
                stuck = 0;
            } else if stuck >= PATIENCE {
                return Err(CallProblem::bad_gateway("the vendor takes no more bytes of the upload"));
            } else {
                stuck += 1;
            }
            sent = kept;
            chunks.give_back(&bytes, usize::try_from(lost).unwrap_or(bytes.len()));
        }
    }

    async fn open_session<'a>(
        &self,
        open: &VendorRequest,
        session: &Program,
        more: &'a [u16],
        scope: &'a Scope,
    ) -> Result<UploadSession<'a>, CallProblem> {
        let opened = self.session.fetch(open, scope).await?;
        let seen = opened.scope(scope);
        let address = self.session.eval(session, &opened.content, &seen, "files.upload.session")?;
        let no_session = || CallProblem::bad_gateway("the vendor opened no upload session");
        let address = address.as_str().ok_or_else(no_session)?.to_owned();
        let put = VendorRequest {
            label: format!("{}.chunk", open.label),
            method: Method::PUT,
            query: Vec::new(),
            headers: Vec::new(),
            body: RequestBody::Content,
            answer: AnswerCodec::Json,
            accept: more.to_vec(),
            // Never blindly: the vendor may have taken a part of it.
            idempotent: false,
            ..open.clone()
        };
        Ok(UploadSession { address, put, more, scope })
    }

    /// Sends a chunk, or with no bytes asks how far the session got.
    async fn put_range(
        &self,
        session: &UploadSession<'_>,
        range: &str,
        bytes: Bytes,
    ) -> Result<Progress, CallProblem> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_RANGE, header_value(&header::CONTENT_RANGE, range)?);
        headers.insert(header::CONTENT_LENGTH, bytes.len().into());
        let payload = Some(Payload::Bytes(bytes));
        let sending = Sending { address: Some(&session.address), headers, payload, ..Sending::default() };
        let answer = self.session.send(&session.put, session.scope, sending).await?;
        if session.more.contains(&answer.status.as_u16()) {
            return Ok(Progress::Kept(kept_bytes(&answer)));
        }
        let parsed = answer.read(&session.put, self.session.connector().transport.max_answer).await?;
        parsed.record(&session.put, session.scope).map(Progress::Whole)
    }
}

/// How many bytes the vendor has, by its `Range: bytes=0-n`.
fn kept_bytes(answer: &Answer) -> u64 {
    let range = answer.headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let last =
        range.and_then(|range| range.rsplit_once('-')).and_then(|(_, last)| last.trim().parse::<u64>().ok());
    last.map_or(0, |last| last.saturating_add(1))
}

/// A body cut into chunks of one size; never more than one chunk and one frame in memory.
struct Chunks {
    body: Body,
    /// The chunk being filled; its memory serves one chunk after the other.
    buffer: BytesMut,
    /// What of the last frame did not fit.
    rest: Bytes,
    ended: bool,
}

impl Chunks {
    fn of(body: Body) -> Self {
        Self { body, buffer: BytesMut::new(), rest: Bytes::new(), ended: false }
    }

    /// The next chunk, and whether it is the last. Only the last may be shorter.
    async fn next(&mut self, size: usize) -> Result<(Bytes, bool), CallProblem> {
        // At once, since growing holds the old and the new memory for a while.
        let coming = self.body.size_hint().upper().and_then(|left| usize::try_from(left).ok());
        let coming = coming.map_or(size, |left| left.saturating_add(self.rest.len()).min(size));
        self.buffer.reserve(coming.min(size.saturating_sub(self.buffer.len())));
        while self.buffer.len() < size && self.more().await? {
            let fits = self.rest.len().min(size - self.buffer.len());
            self.buffer.extend_from_slice(&self.rest.split_to(fits));
        }
        let last = self.buffer.len() < size || !self.more().await?;
        Ok((self.buffer.split().freeze(), last))
    }

    /// Whether there is something in `rest`, reading on where there is not.
    async fn more(&mut self) -> Result<bool, CallProblem> {
        while self.rest.is_empty() && !self.ended {
            match self.body.frame().await {
                Some(Ok(frame)) => self.rest = frame.into_data().unwrap_or_default(),
                Some(Err(_)) => return Err(CallProblem::bad_request("the upload broke off")),
                None => self.ended = true,
            }
        }
        Ok(!self.rest.is_empty())
    }

    /// Puts the last `lost` bytes of a chunk back to the front; the buffer is empty between chunks.
    fn give_back(&mut self, chunk: &Bytes, lost: usize) {
        if lost > 0 {
            self.buffer = BytesMut::from(&chunk[chunk.len() - lost..]);
        }
    }
}
