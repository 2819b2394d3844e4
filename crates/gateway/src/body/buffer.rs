//! Reads a body whole, because a step reads it, up to a stated size.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http_body::Body;

use super::BodyError;

/// Why a body is not in memory.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadBodyError {
    #[error("the body is longer than {0} bytes")]
    TooBig(u64),
    #[error("the body broke off: {0}")]
    Broken(#[source] BodyError),
}

/// All bytes of `body`. A declared length beyond `limit` is refused before anything is read.
pub(crate) async fn read_whole<B>(body: &mut B, limit: usize) -> Result<Bytes, ReadBodyError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    let too_big = ReadBodyError::TooBig(limit as u64);
    if body.size_hint().lower() > limit as u64 {
        return Err(too_big);
    }
    let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
        let frame = frame.map_err(|error| ReadBodyError::Broken(error.into()))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > limit {
            return Err(too_big);
        }
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&std::mem::take(&mut first));
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{Full, StreamBody};

    #[tokio::test]
    async fn a_body_of_several_frames_is_put_together_up_to_the_limit() {
        let frames =
            ["ab", "cd", "e"].map(|part| Ok::<_, std::io::Error>(http_body::Frame::data(Bytes::from(part))));
        let body = || {
            StreamBody::new(futures_util::stream::iter(frames.each_ref().map(|frame| {
                Ok::<_, std::io::Error>(http_body::Frame::data(
                    frame.as_ref().ok().and_then(http_body::Frame::data_ref).cloned().unwrap_or_default(),
                ))
            })))
        };

        assert_eq!(read_whole(&mut body(), 5).await.expect("fits"), "abcde");
        assert!(matches!(read_whole(&mut body(), 4).await, Err(ReadBodyError::TooBig(4))));
    }

    #[tokio::test]
    async fn a_declared_length_beyond_the_limit_is_refused_at_once() {
        let mut body = Full::new(Bytes::from_static(b"abc"));
        assert!(matches!(read_whole(&mut body, 2).await, Err(ReadBodyError::TooBig(2))));
        assert_eq!(body.size_hint().exact(), Some(3), "nothing was read");
    }
}
