//! What token requests are refused with, in the originals' body, in RFC 6749's, and as a fault.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use crate::dialect::Dialect;
use crate::exchange::{Message, MessageBody};
use crate::fault::Fault;

/// A token request that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    Missing(&'static str),
    /// Id and secret do not belong together, or to nobody.
    BadClient,
    /// At the authorization endpoint, where there is no secret.
    UnknownClient(String),
    NotApproved,
    BadCode,
    BadRedirect(String),
    ResponseType,
    UnsupportedGrant(String),
    BadRefresh,
    RefreshExpired,
    BadScope,
    External,
}

/// How a problem is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// With a body of its own, not as a fault.
    pub(crate) answer: bool,
    /// In the form of RFC 6749.
    pub(crate) rfc: bool,
    pub(crate) dialect: Dialect,
}

struct Told {
    status: u16,
    word: &'static str,
    text: String,
    /// Last part of the fault's code.
    code: &'static str,
}

impl Problem {
    fn told(&self) -> Told {
        let told = |status, word, text: &str, code| Told { status, word, text: text.to_owned(), code };
        match self {
            Self::Missing(name @ "client_id") => {
                let text = format!("The request is missing a required parameter : {name}");
                told(400, "invalid_request", &text, "MissingParameter")
            }
            Self::Missing(name) => {
                told(400, "invalid_request", &format!("Required param : {name}"), "MissingParameter")
            }
            Self::BadClient => {
                told(401, "invalid_client", "Client credentials are invalid", "InvalidClientIdentifier")
            }
            Self::UnknownClient(id) => {
                let text = format!("Invalid client id : {id}. ClientId is Invalid");
                told(401, "invalid_request", &text, "InvalidClientIdentifier")
            }
            Self::NotApproved => {
                told(401, "invalid_client", "The app may not be used", "invalid_client-app_not_approved")
            }
            Self::BadCode => told(
                400,
                "invalid_request",
                "Invalid Authorization Code",
                "invalid_request-authorization_code_invalid",
            ),
            Self::BadRedirect(uri) => {
                told(400, "invalid_request", &format!("Invalid redirection uri {uri}"), "InvalidRedirectUri")
            }
            Self::ResponseType => {
                told(400, "invalid_request", "Response type must be code", "InvalidResponseType")
            }
            Self::UnsupportedGrant(grant) => {
                let text = format!("Unsupported grant type : {grant}");
                told(500, "unsupported_grant_type", &text, "UnSupportedGrantType")
            }
            Self::BadRefresh => {
                told(400, "invalid_request", "Invalid Refresh Token", "invalid_refresh_token")
            }
            Self::RefreshExpired => {
                told(400, "invalid_request", "Refresh Token expired", "refresh_token_expired")
            }
            Self::BadScope => told(400, "invalid_scope", "None of the scopes may be given", "InvalidScope"),
            Self::External => told(
                401,
                "invalid_client",
                "The external authorization failed",
                "ExternalAuthorizationFailed",
            ),
        }
    }

    /// The fault, with the token endpoint's own answer where the policy gives answers.
    pub(crate) fn fault(&self, manner: Manner) -> Fault {
        let Told { mut status, word, text, code } = self.told();
        let mut word = word;
        if manner.rfc {
            // RFC 6749 §5.2 has words of its own for these, and no 5xx.
            word = match self {
                Self::BadCode | Self::BadRefresh | Self::RefreshExpired | Self::BadRedirect(_) => {
                    "invalid_grant"
                }
                Self::UnknownClient(_) => "invalid_client",
                Self::ResponseType => "unsupported_response_type",
                _ => word,
            };
            if matches!(self, Self::UnsupportedGrant(_)) {
                status = 400;
            }
        } else if !manner.answer && manner.dialect == Dialect::Sap && status == 401 {
            status = 500;
        }
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        let fault = Fault::step(status, format!("oauth.v2.{code}"), text.clone());
        if !manner.answer {
            return fault;
        }
        let body = match manner.rfc {
            true => json!({"error": word, "error_description": text}),
            false => json!({"ErrorCode": word, "Error": text}),
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if manner.rfc && status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"token\""));
        }
        let body = MessageBody::Replaced(Bytes::from(body.to_string()));
        fault.with_answer(Message::response(status, headers, body))
    }
}
