//! The way in for `crate::fuzzing`.

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

use super::incoming;
use crate::engine::{BoxError, CallHead};

/// An upload as a multipart form whose boundary is `b`: the file and the fields before it come out alike
/// however the bytes arrive. The first byte says in what pieces.
pub(crate) fn form(bytes: &[u8]) {
    let Some((piece, body)) = bytes.split_first() else { return };
    let whole = read(body, body.len().max(1));
    let pieces = read(body, usize::from(*piece) + 1);
    assert_eq!(whole, pieces);
}

/// Fields before the file, its name, its type, its content; nothing of what was refused.
type Upload = (Vec<(String, String)>, Option<String>, Option<String>, Vec<u8>);

fn read(body: &[u8], piece: usize) -> Option<Upload> {
    let pieces: Vec<Result<_, BoxError>> =
        body.chunks(piece).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
    let body = StreamBody::new(stream::iter(pieces)).boxed_unsync();
    let mut call = CallHead::plain();
    call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("multipart/form-data; boundary=b"));
    let reading = async {
        let file = incoming(&mut call, body).await.ok()?;
        let (name, kind) = (file.name.clone(), file.media_type.clone());
        let content = file.body.collect().await.ok()?.to_bytes().to_vec();
        Some((name, kind, content))
    };
    let (name, kind, content) =
        tokio::runtime::Builder::new_current_thread().build().ok()?.block_on(reading)?;
    Some((call.query, name, kind, content))
}
