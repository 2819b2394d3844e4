//! Reading bodies with a limit, and JSON with errors that name the field.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

/// A body that is read into memory must be there by then: whoever sends a byte now and then would otherwise
/// hold a connection and its memory for as long as they like.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a body could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadBody {
    /// Larger than allowed.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// The client left in the middle.
    #[error("the body ended early")]
    Broken,
    /// Not all there in time.
    #[error("the body did not arrive within {} seconds", .0.as_secs())]
    Slow(Duration),
    /// Not JSON, or not of the shape asked for.
    #[error("the body is not as expected: {0}")]
    Json(String),
}

impl BadBody {
    /// 413, 408 or 400.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Broken | Self::Json(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// The whole body, if it has at most `limit` bytes.
pub async fn read(body: Body, limit: usize) -> Result<Bytes, BadBody> {
    read_within(PATIENCE, body, limit).await
}

async fn read_within(patience: Duration, body: Body, limit: usize) -> Result<Bytes, BadBody> {
    let collected = tokio::time::timeout(patience, Limited::new(body, limit).collect()).await;
    match collected.map_err(|_| BadBody::Slow(patience))? {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(BadBody::TooLarge(limit)),
        Err(_) => Err(BadBody::Broken),
    }
}

/// A JSON body; the error says what is wrong and where (line and column, or the field's name).
pub async fn read_json<T: DeserializeOwned>(body: Body, limit: usize) -> Result<T, BadBody> {
    let bytes = read(body, limit).await?;
    serde_json::from_slice(&bytes).map_err(|error| BadBody::Json(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use http_body::Frame;
    use tokio::time::Interval;

    use super::*;

    /// A byte every millisecond, for ever.
    struct Drip(Interval);

    impl http_body::Body for Drip {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            self.0.poll_tick(cx).map(|_| Some(Ok(Frame::data(Bytes::from_static(b"x")))))
        }
    }

    #[tokio::test]
    async fn a_body_that_drips_is_given_up() {
        let drip = Body::new(Drip(tokio::time::interval(Duration::from_millis(1))));
        let patience = Duration::from_millis(50);
        assert_eq!(read_within(patience, drip, 1 << 20).await, Err(BadBody::Slow(patience)));
    }
}
