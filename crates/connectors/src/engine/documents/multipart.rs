//! The client's file: a field of a multipart form, or the body itself; streamed either way.

#[cfg(any(test, feature = "fuzzing"))]
mod fuzz;

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use http::header;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

use crate::engine::{Body, BoxError, CallHead, CallProblem};

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use fuzz::form as fuzz_form;

/// Text fields before the file may have so many bytes each, and there may be so many of them.
const MAX_TEXT: usize = 64 * 1024;
const MAX_FIELDS: usize = 100;
/// Bytes that may come before a part's content: multer keeps them all, and searches them all again with each
/// frame, until it finds the end of the part's headers.
const MAX_HEAD: usize = 64 * 1024;
/// Room for a part's content, which is streamed.
const CONTENT: usize = usize::MAX;

/// A file on its way in.
pub(super) struct Incoming {
    pub(super) body: Body,
    pub(super) name: Option<String>,
    pub(super) media_type: Option<String>,
    /// Bytes, when the client said so.
    pub(super) size: Option<u64>,
    broken: Arc<OnceLock<String>>,
}

impl Incoming {
    fn new(body: Body, name: Option<String>, media_type: Option<String>, size: Option<u64>) -> Self {
        let broken = Arc::new(OnceLock::new());
        let note = Arc::clone(&broken);
        let noting = body.map_err(move |error| {
            let _ = note.set(error.to_string());
            error
        });
        Self { body: noting.boxed_unsync(), name, media_type, size, broken }
    }

    /// Says, also after the body was handed on, whether the client's side of it broke off.
    pub(super) fn end(&self) -> ClientEnd {
        ClientEnd(Arc::clone(&self.broken))
    }
}

/// How the client's side of an upload ended.
pub(super) struct ClientEnd(Arc<OnceLock<String>>);

impl ClientEnd {
    /// The client's fault in place of `problem`, where it was the client who stopped.
    pub(super) fn explain(&self, problem: CallProblem) -> CallProblem {
        match self.0.get() {
            Some(why) => CallProblem::bad_request(format!("the upload broke off: {why}")),
            None => problem,
        }
    }
}

/// Finds the file in a call's body. Text fields before it join the call's query.
pub(super) async fn incoming(call: &mut CallHead, body: Body) -> Result<Incoming, CallProblem> {
    let kind =
        call.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let multipart = kind.as_deref().is_some_and(|kind| {
        kind.get(..19).is_some_and(|start| start.eq_ignore_ascii_case("multipart/form-data"))
    });
    if !multipart {
        let size = call.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        let size = size.and_then(|size| size.parse().ok());
        return Ok(Incoming::new(body, None, kind, size));
    }
    let boundary = multer::parse_boundary(kind.unwrap_or_default())
        .map_err(|_| CallProblem::bad_request("Content-Type: the multipart boundary is missing"))?;
    let room = Arc::new(AtomicUsize::new(CONTENT));
    let left = Arc::clone(&room);
    let frames = body.into_data_stream().map(move |frame| frame.and_then(|bytes| within_head(&left, bytes)));
    let mut form = multer::Multipart::new(OneByOne::new(frames), boundary);
    for _ in 0..MAX_FIELDS {
        room.store(MAX_HEAD, Ordering::Relaxed);
        let field = form.next_field().await.map_err(|error| broken(&error))?;
        room.store(CONTENT, Ordering::Relaxed);
        let Some(mut field) = field else { break };
        let name = field.name().unwrap_or_default().to_owned();
        if name == "thumbnail" {
            // Vendors make their own; read past, so that the file behind it is found.
            while field.chunk().await.map_err(|error| broken(&error))?.is_some() {}
            continue;
        }
        if name == "file" || field.file_name().is_some() {
            let file_name = field.file_name().map(str::to_owned);
            let media_type = field.content_type().map(ToString::to_string);
            let frames = field.map_ok(Frame::data).map_err(Into::into);
            let body = StreamBody::new(frames).boxed_unsync();
            return Ok(Incoming::new(body, file_name, media_type, None));
        }
        let mut text = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
            if text.len() + chunk.len() > MAX_TEXT {
                return Err(CallProblem::bad_request(format!(
                    "{name}: a text field has at most {MAX_TEXT} bytes"
                )));
            }
            text.extend_from_slice(&chunk);
        }
        let text =
            String::from_utf8(text).map_err(|_| CallProblem::bad_request(format!("{name}: is not UTF-8")))?;
        call.query.push((name, text));
    }
    Err(CallProblem::bad_request("file: the multipart field with the file is missing"))
}

/// Passes on a frame while there is room for the head of a part.
fn within_head(room: &AtomicUsize, frame: Bytes) -> Result<Bytes, BoxError> {
    match room.load(Ordering::Relaxed) {
        0 => return Err("what comes before a part's content is too long".into()),
        CONTENT => {}
        left => room.store(left.saturating_sub(frame.len()), Ordering::Relaxed),
    }
    Ok(frame)
}

fn broken(error: &multer::Error) -> CallProblem {
    CallProblem::bad_request(format!("the multipart body cannot be read: {error}"))
}

/// multer first takes all that is ready and only then gives something out: from a fast client it would take
/// far more than it needs. So there is never more than one frame ready.
struct OneByOne<S> {
    frames: S,
    given: bool,
}

impl<S> OneByOne<S> {
    fn new(frames: S) -> Self {
        Self { frames, given: false }
    }
}

impl<S: Stream + Unpin> Stream for OneByOne<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        if std::mem::take(&mut self.given) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let frame = ready!(Pin::new(&mut self.frames).poll_next(cx));
        self.given = true;
        Poll::Ready(frame)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http::{HeaderMap, HeaderValue};

    use super::*;

    #[tokio::test]
    async fn a_fast_clients_form_is_not_read_ahead() {
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n";
        let ready = (0..1000).map(move |place| {
            count.fetch_add(1, Ordering::Relaxed);
            let bytes = if place == 0 { Bytes::from(head) } else { Bytes::from(vec![0; 1000]) };
            Ok::<_, Infallible>(Frame::data(bytes))
        });
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "multipart/form-data; boundary=b".parse().unwrap());
        let mut call = CallHead { headers, ..CallHead::plain() };

        let body = BodyExt::map_err(StreamBody::new(stream::iter(ready)), Into::into).boxed_unsync();
        let mut file = incoming(&mut call, body).await.unwrap();
        let first = file.body.frame().await.unwrap().unwrap().into_data().unwrap();

        assert!(!first.is_empty());
        assert!(taken.load(Ordering::Relaxed) <= 3, "{} frames were taken", taken.load(Ordering::Relaxed));
    }

    /// Reads a form that begins with `start` and goes on with `more` for ever; gives the refusal and how many
    /// bytes were taken before it.
    async fn endless(start: &'static str, more: &'static [u8]) -> (Option<CallProblem>, usize) {
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        let pieces = stream::once(async move { Bytes::from_static(start.as_bytes()) })
            .chain(stream::repeat(Bytes::from(more.repeat(1024))))
            .then(move |piece| {
                let before = count.fetch_add(piece.len(), Ordering::Relaxed);
                async move {
                    assert!(before < 2 << 20, "all of it is kept in memory");
                    tokio::task::yield_now().await;
                    Ok(Frame::data(piece))
                }
            });
        let mut call = CallHead::plain();
        let kind = HeaderValue::from_static("multipart/form-data; boundary=b");
        call.headers.insert(header::CONTENT_TYPE, kind);
        let problem = incoming(&mut call, StreamBody::new(pieces).boxed_unsync()).await.err();
        (problem, taken.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn what_comes_before_a_parts_content_is_bounded() {
        for (start, more) in [
            ("no boundary", b"x".as_slice()),
            ("--b\r\nX-Endless: ", b"x"),
            ("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b\r\nX: y", b"\r\nX: y"),
        ] {
            let (problem, taken) = endless(start, more).await;
            let problem = problem.unwrap_or_else(|| panic!("{start}: taken for a file"));
            assert_eq!(problem.status, http::StatusCode::BAD_REQUEST, "{start}");
            assert!(taken < 1 << 20, "{start}: {taken} bytes");
        }
    }
}
