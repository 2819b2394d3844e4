//! Uploads in chunks: a session is opened, then each chunk says with `Content-Range` where it belongs.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, header};
use http_body_util::BodyExt;
use pierhead_script::Program;
use serde_json::Value;

use super::Documents;
use crate::definition::{AnswerCodec, RequestBody, VendorRequest};
use crate::engine::build::{Payload, header_value};
use crate::engine::scope::Scope;
use crate::engine::session::Sending;
use crate::engine::{Body, CallProblem};

/// Answers in a row that take no byte before the upload is given up.
const PATIENCE: u32 = 5;

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
            answer: AnswerCodec::Nothing,
            accept: more.to_vec(),
            idempotent: true,
            ..open.clone()
        };
        let last = VendorRequest { answer: AnswerCodec::Json, ..put.clone() };
        let mut chunks = Chunks { body, buffer: BytesMut::new(), ended: false };
        let (mut sent, mut stuck) = (0u64, 0);
        loop {
            let (bytes, is_last) = chunks.next(chunk).await?;
            let length = bytes.len() as u64;
            let total = if is_last { (sent + length).to_string() } else { "*".to_owned() };
            let range = match length {
                0 => format!("bytes */{total}"),
                length => format!("bytes {sent}-{}/{total}", sent + length - 1),
            };
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_RANGE, header_value(&header::CONTENT_RANGE, &range)?);
            headers.insert(header::CONTENT_LENGTH, length.into());
            let payload = Some(Payload::Bytes(bytes.clone()));
            let sending = Sending { address: Some(&address), headers, payload, ..Sending::default() };
            let request = if is_last { &last } else { &put };
            let answer = self.session.send(request, scope, sending).await?;
            if !more.contains(&answer.status.as_u16()) {
                if !is_last {
                    return Err(CallProblem::bad_gateway(
                        "the vendor ended the upload before the file's end",
                    ));
                }
                let parsed = answer.read(request, self.session.connector().transport.max_answer).await?;
                return parsed.record(request, scope);
            }
            // What the vendor did not take is sent again.
            let kept = kept_bytes(&answer.headers);
            let lost = (sent + length).checked_sub(kept).filter(|lost| *lost <= length);
            let lost =
                lost.ok_or_else(|| CallProblem::bad_gateway("the vendor lost a part of the upload"))?;
            stuck = if lost == length { stuck + 1 } else { 0 };
            if stuck > PATIENCE {
                return Err(CallProblem::bad_gateway("the vendor takes no more bytes of the upload"));
            }
            sent = kept;
            chunks.give_back(&bytes, usize::try_from(lost).unwrap_or(bytes.len()));
        }
    }
}

/// How many bytes the vendor has, by its `Range: bytes=0-n`.
fn kept_bytes(headers: &HeaderMap) -> u64 {
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let last =
        range.and_then(|range| range.rsplit_once('-')).and_then(|(_, last)| last.trim().parse::<u64>().ok());
    last.map_or(0, |last| last.saturating_add(1))
}

/// A body cut into chunks of one size; never more than one chunk and one frame in memory.
struct Chunks {
    body: Body,
    buffer: BytesMut,
    ended: bool,
}

impl Chunks {
    /// The next chunk, and whether it is the last. Only the last may be shorter.
    async fn next(&mut self, size: usize) -> Result<(Bytes, bool), CallProblem> {
        while !self.ended && self.buffer.len() <= size {
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
                Some(Err(_)) => return Err(CallProblem::bad_request("the upload broke off")),
                None => self.ended = true,
            }
        }
        let length = self.buffer.len().min(size);
        let chunk = self.buffer.split_to(length).freeze();
        Ok((chunk, self.ended && self.buffer.is_empty()))
    }

    /// Puts the last `lost` bytes of a chunk back to the front.
    fn give_back(&mut self, chunk: &Bytes, lost: usize) {
        if lost > 0 {
            let mut front = BytesMut::from(&chunk[chunk.len() - lost..]);
            front.extend_from_slice(&self.buffer);
            self.buffer = front;
        }
    }
}
