//! Reading bodies with a limit, and JSON with errors that name the field.

use axum::body::Body;
use axum::http::StatusCode;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

/// Why a body could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadBody {
    /// Larger than allowed.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// The client left in the middle.
    #[error("the body ended early")]
    Broken,
    /// Not JSON, or not of the shape asked for.
    #[error("the body is not as expected: {0}")]
    Json(String),
}

impl BadBody {
    /// 413 or 400.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken | Self::Json(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// The whole body, if it has at most `limit` bytes.
pub async fn read(body: Body, limit: usize) -> Result<Bytes, BadBody> {
    match Limited::new(body, limit).collect().await {
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
