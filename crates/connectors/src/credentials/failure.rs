//! Why no token came: refused for good, or not answered this time.

use http::StatusCode;
use pierhead_domain::EpochMillis;
use pierhead_store::connectors::CredentialState;

use crate::driver::OutboundProblem;
use crate::engine::{CallProblem, OAuthProblem, ProviderFault};
use crate::instance::LiveInstance;

/// RFC 6749 §5.2 and RFC 6750 codes after which the same request can never succeed.
const FOR_GOOD: &[&str] = &[
    "invalid_grant",
    "invalid_client",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_request",
    "access_denied",
    "invalid_token",
    "http_400",
    "http_401",
];

/// A token request that gave no token.
#[derive(Debug, Clone)]
pub(crate) enum TokenFailure {
    /// The vendor refused the grant or the client; asking again cannot help.
    Refused {
        /// Code and description, for people.
        reason: String,
        /// The code alone.
        code: String,
    },
    /// No answer, an answer that makes no sense, or "later".
    Unavailable {
        /// For people.
        reason: String,
    },
}

impl From<OAuthProblem> for TokenFailure {
    fn from(problem: OAuthProblem) -> Self {
        let reason = cut(&problem.to_string());
        match problem {
            OAuthProblem::Refused { code, .. } if FOR_GOOD.contains(&code.as_str()) => {
                Self::Refused { reason, code }
            }
            OAuthProblem::BadEndpoint(_) => Self::Refused { reason, code: "bad_endpoint".into() },
            OAuthProblem::Refused { .. } | OAuthProblem::Unavailable(_) | OAuthProblem::BadAnswer(_) => {
                Self::Unavailable { reason }
            }
        }
    }
}

impl From<OutboundProblem> for TokenFailure {
    fn from(problem: OutboundProblem) -> Self {
        Self::Unavailable { reason: cut(&format!("the vendor's token endpoint was not reached: {problem}")) }
    }
}

/// Vendors put whole pages into descriptions; the state keeps the beginning.
fn cut(text: &str) -> String {
    text.chars().take(1000).collect()
}

/// What a call of an instance in `reconnect` gets.
pub(crate) fn reconnect(live: &LiveInstance, reason: &str) -> CallProblem {
    let (key, id) = (&live.connector.key, live.stored.id);
    let message = format!(
        "The vendor no longer accepts the credentials of this instance. Connect it again: \
         GET /elements/{key}/oauth/url, consent, then PUT /instances/{id} with providerData.code"
    );
    let provider = ProviderFault { status: StatusCode::UNAUTHORIZED, message: reason.into() };
    CallProblem { provider: Some(provider), ..CallProblem::new(StatusCode::UNAUTHORIZED, message) }
}

/// What a call gets while the vendor's token endpoint is down.
pub(crate) fn waiting(reason: &str, next_try: EpochMillis, now: EpochMillis) -> CallProblem {
    let message = "The vendor gives no fresh token at the moment; the instance is tried again by itself";
    CallProblem {
        provider: Some(ProviderFault { status: StatusCode::BAD_GATEWAY, message: reason.into() }),
        retry_after: Some(next_try.since(now)),
        ..CallProblem::bad_gateway(message)
    }
}

/// What a call gets when the store does not answer and the credential has expired.
pub(crate) fn store_away() -> CallProblem {
    CallProblem {
        retryable: true,
        ..CallProblem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "The credential of this instance has expired and cannot be refreshed while the database is away",
        )
    }
}

/// The problem of a credential that is not good, if it is not.
pub(crate) fn of_state(
    live: &LiveInstance,
    state: &CredentialState,
    now: EpochMillis,
) -> Option<CallProblem> {
    match state {
        CredentialState::Valid => None,
        CredentialState::Waiting { reason, next_try, .. } => Some(waiting(reason, *next_try, now)),
        CredentialState::Reconnect { reason, .. } => Some(reconnect(live, reason)),
    }
}
