//! A body that is compressed or unpacked on its way (`compression.algorithm`, api-management §9.7). Nothing follows
//! it: what its trailers said may have been about the other bytes.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use flate2::Compression as Level;
use flate2::write::{GzDecoder, GzEncoder, ZlibDecoder, ZlibEncoder};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};

use super::BodyError;
use crate::compile::Compression;

/// What is fed at once: even the worst of bombs then makes no more than a megabyte before somebody takes it.
const BITE_BYTES: usize = 1024;

/// What is passed on at once, when there is more to come.
const FRAME_BYTES: usize = 16 * 1024;

/// A body in another coding than the one it came in.
#[derive(Debug)]
pub(crate) struct Recoded<B> {
    pub(crate) inner: B,
    /// `None` once everything came out.
    coder: Option<Coder>,
    input: Bytes,
    /// Something went in since the coder was last asked to let go of it.
    holds_back: bool,
}

#[derive(Debug)]
enum Coder {
    Gzip(GzEncoder<Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
    Gunzip(GzDecoder<Vec<u8>>),
    Inflate(ZlibDecoder<Vec<u8>>),
}

/// How to bring a message with these headers into the coding that is wanted; `None` when it has it, or a
/// coding that we do not know. The headers then say what the message will be.
pub(crate) fn recoding(wanted: Compression, headers: &mut HeaderMap) -> Option<Change> {
    let present = headers.get(CONTENT_ENCODING).map(|coding| coding.as_bytes().to_ascii_lowercase());
    let change = match (wanted, present.as_deref()) {
        (Compression::Gzip, None | Some(b"identity")) => Change::Gzip,
        (Compression::Deflate, None | Some(b"identity")) => Change::Deflate,
        (Compression::None, Some(b"gzip" | b"x-gzip")) => Change::Gunzip,
        (Compression::None, Some(b"deflate")) => Change::Inflate,
        _ => return None,
    };
    headers.remove(CONTENT_LENGTH);
    match change {
        Change::Gzip => headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip")),
        Change::Deflate => headers.insert(CONTENT_ENCODING, HeaderValue::from_static("deflate")),
        Change::Gunzip | Change::Inflate => headers.remove(CONTENT_ENCODING),
    };
    Some(change)
}

/// What is done to a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Gzip,
    Deflate,
    Gunzip,
    Inflate,
}

impl<B> Recoded<B> {
    pub(crate) fn new(inner: B, change: Change) -> Self {
        let coder = match change {
            Change::Gzip => Coder::Gzip(GzEncoder::new(Vec::new(), Level::fast())),
            Change::Deflate => Coder::Deflate(ZlibEncoder::new(Vec::new(), Level::fast())),
            Change::Gunzip => Coder::Gunzip(GzDecoder::new(Vec::new())),
            Change::Inflate => Coder::Inflate(ZlibDecoder::new(Vec::new())),
        };
        Self { inner, coder: Some(coder), input: Bytes::new(), holds_back: false }
    }
}

impl Coder {
    fn out(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Gzip(coder) => coder.get_mut(),
            Self::Deflate(coder) => coder.get_mut(),
            Self::Gunzip(coder) => coder.get_mut(),
            Self::Inflate(coder) => coder.get_mut(),
        }
    }

    fn feed(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(coder) => coder.write_all(bytes),
            Self::Deflate(coder) => coder.write_all(bytes),
            Self::Gunzip(coder) => coder.write_all(bytes),
            Self::Inflate(coder) => coder.write_all(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip(coder) => coder.flush(),
            Self::Deflate(coder) => coder.flush(),
            Self::Gunzip(coder) => coder.flush(),
            Self::Inflate(coder) => coder.flush(),
        }
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(coder) => coder.finish(),
            Self::Deflate(coder) => coder.finish(),
            Self::Gunzip(coder) => coder.finish(),
            Self::Inflate(coder) => coder.finish(),
        }
    }
}

impl<B> Body for Recoded<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        loop {
            let Some(coder) = &mut this.coder else { return Poll::Ready(None) };
            if coder.out().len() >= FRAME_BYTES {
                return frame(std::mem::take(coder.out()));
            }
            if !this.input.is_empty() {
                let bite = this.input.split_to(this.input.len().min(BITE_BYTES));
                coder.feed(&bite)?;
                this.holds_back = true;
                continue;
            }
            match Pin::new(&mut this.inner).poll_frame(cx) {
                Poll::Pending => {
                    // Whoever waits for what was sent so far gets it.
                    if std::mem::take(&mut this.holds_back) {
                        coder.flush()?;
                    }
                    if !coder.out().is_empty() {
                        return frame(std::mem::take(coder.out()));
                    }
                    return Poll::Pending;
                }
                Poll::Ready(Some(Ok(next))) => this.input = next.into_data().unwrap_or_default(),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.into()))),
                Poll::Ready(None) => {
                    let rest = this.coder.take().map(Coder::finish).transpose()?.unwrap_or_default();
                    if rest.is_empty() {
                        return Poll::Ready(None);
                    }
                    return frame(rest);
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.coder.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::new()
    }
}

fn frame(bytes: Vec<u8>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
    Poll::Ready(Some(Ok(Frame::data(Bytes::from(bytes)))))
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};

    use super::*;

    async fn through(bytes: Vec<u8>, change: Change) -> Result<Vec<u8>, BodyError> {
        Ok(Recoded::new(Full::new(Bytes::from(bytes)), change).collect().await?.to_bytes().to_vec())
    }

    #[tokio::test]
    async fn what_was_compressed_unpacks_to_the_same() {
        let text: Vec<u8> = (0..200_000u32).flat_map(|n| (n % 1000).to_string().into_bytes()).collect();
        for (pack, unpack) in [(Change::Gzip, Change::Gunzip), (Change::Deflate, Change::Inflate)] {
            let packed = through(text.clone(), pack).await.unwrap();
            assert!(packed.len() < text.len() / 2, "{}", packed.len());
            assert!(through(packed.clone(), unpack).await.unwrap() == text);
            assert!(through(packed[..packed.len() / 2].to_vec(), unpack).await.is_err(), "it broke off");
            assert!(through(b"no packed bytes".to_vec(), unpack).await.is_err());
        }
    }

    #[tokio::test]
    async fn a_bomb_comes_out_in_small_frames() {
        let bomb = through(vec![0; 50_000_000], Change::Gzip).await.unwrap();
        let mut unpacked = Recoded::new(Full::new(Bytes::from(bomb)), Change::Gunzip);
        let mut total = 0;
        while let Some(frame) = unpacked.frame().await {
            let frame = frame.unwrap().into_data().unwrap();
            assert!(frame.len() <= 2 << 20, "{}", frame.len());
            total += frame.len();
        }
        assert_eq!(total, 50_000_000);
    }

    #[test]
    fn only_what_is_not_as_wanted_is_changed_and_headers_follow() {
        for (wanted, present, change, after) in [
            (Compression::Gzip, "", Some(Change::Gzip), "gzip"),
            (Compression::Gzip, "gzip", None, "gzip"),
            (Compression::Gzip, "br", None, "br"),
            (Compression::Deflate, "identity", Some(Change::Deflate), "deflate"),
            (Compression::None, "GZIP", Some(Change::Gunzip), ""),
            (Compression::None, "deflate", Some(Change::Inflate), ""),
            (Compression::None, "", None, ""),
            (Compression::None, "br", None, "br"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("7"));
            if !present.is_empty() {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(present));
            }
            assert_eq!(recoding(wanted, &mut headers), change, "{wanted:?} {present}");
            let coding = headers.get(CONTENT_ENCODING).map_or("", |coding| coding.to_str().unwrap());
            assert_eq!(coding, after, "{wanted:?} {present}");
            assert_eq!(headers.contains_key(CONTENT_LENGTH), change.is_none());
        }
    }
}
