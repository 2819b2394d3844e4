//! Why a hub call failed, in the hub's normalised terms (open-connectors §3).

use http::StatusCode;

/// A failed hub call. `message` is for the client; it names the field and the rule and holds no secret.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{status}: {message}")]
pub struct CallProblem {
    /// The hub's status: 400, 401, 403, 404, 405, 406, 409, 413, 415, 416, 429, 500, 502 or 504.
    pub status: StatusCode,
    /// What went wrong and what to do, for people.
    pub message: String,
    /// What the vendor said, when it was the vendor who refused.
    pub provider: Option<ProviderFault>,
    /// Whether the same call may succeed later unchanged.
    pub retryable: bool,
    /// How long to wait first, when the vendor said so.
    pub retry_after: Option<std::time::Duration>,
    /// The vendor's address is not allowed here: whoever gave it may give another.
    pub address_refused: bool,
    /// With 416: `Content-Range`, which says how long the file is (RFC 9110 §15.5.17).
    pub content_range: Option<http::HeaderValue>,
}

/// The vendor's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFault {
    /// The vendor's HTTP status, or what its driver made of it.
    pub status: StatusCode,
    /// The vendor's text (`providerMessage`), cut to 4,000 characters.
    pub message: String,
}

impl CallProblem {
    /// A problem of our own making, with no vendor involved.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            provider: None,
            retryable: false,
            retry_after: None,
            address_refused: false,
            content_range: None,
        }
    }

    /// 400: the call itself is wrong.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 404: the item or the resource is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 409: the name is taken.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 502: the vendor's answer makes no sense.
    pub fn bad_gateway(message: impl Into<String>) -> Self {
        Self { retryable: true, ..Self::new(StatusCode::BAD_GATEWAY, message) }
    }

    /// 504: the vendor was too slow.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self { retryable: true, ..Self::new(StatusCode::GATEWAY_TIMEOUT, message) }
    }

    /// 500: a fault of ours or of the definition; `message` names the definition's block.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }
}
