//! What a request of OAuth 1.0 is refused with. Unsourced: names and statuses; the words are those of the
//! OAuth Problem Reporting extension.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::settings::{Format, Manner};
use crate::exchange::{Message, MessageBody};
use crate::fault::Fault;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    ParameterAbsent(&'static str),
    ParameterRejected,
    VersionRejected,
    SignatureMethodRejected,
    UrlUnresolved,
    ConsumerKeyUnknown,
    ConsumerKeyRefused,
    SignatureInvalid,
    TimestampRefused,
    NonceUsed,
    TokenRejected,
    TokenExpired,
    TokenRevoked,
    VerifierInvalid,
}

impl Problem {
    /// Status, last part of the fault's code, word of the answer, text.
    fn told(self) -> (u16, &'static str, &'static str, String) {
        let text = |text: &str| text.to_owned();
        match self {
            Self::ParameterAbsent(name) => {
                (400, "ParameterAbsent", "parameter_absent", format!("The request has no {name}"))
            }
            Self::ParameterRejected => {
                (400, "ParameterRejected", "parameter_rejected", text("A parameter of OAuth is there twice"))
            }
            Self::VersionRejected => {
                (400, "VersionRejected", "version_rejected", text("oauth_version is 1.0"))
            }
            Self::SignatureMethodRejected => (
                400,
                "SignatureMethodRejected",
                "signature_method_rejected",
                text("The signature method is not known, or needs TLS"),
            ),
            Self::UrlUnresolved => {
                (500, "UrlUnresolved", "parameter_absent", text("The URL cannot be resolved"))
            }
            Self::ConsumerKeyUnknown => {
                (401, "ConsumerKeyUnknown", "consumer_key_unknown", text("The consumer key is unknown"))
            }
            Self::ConsumerKeyRefused => {
                (401, "ConsumerKeyRefused", "consumer_key_refused", text("The app may not be used"))
            }
            Self::SignatureInvalid => {
                (401, "SignatureInvalid", "signature_invalid", text("The signature is not right"))
            }
            Self::TimestampRefused => {
                (401, "TimestampRefused", "timestamp_refused", text("The time stamp is too far off"))
            }
            Self::NonceUsed => (401, "NonceUsed", "nonce_used", text("The nonce was used before")),
            Self::TokenRejected => (401, "TokenRejected", "token_rejected", text("The token is unknown")),
            Self::TokenExpired => (401, "TokenExpired", "token_expired", text("The token has expired")),
            Self::TokenRevoked => (401, "TokenRevoked", "token_revoked", text("The token was revoked")),
            Self::VerifierInvalid => (
                401,
                "VerifierInvalid",
                "verifier_invalid",
                text("The verifier is not right, or was used before"),
            ),
        }
    }

    /// The fault, with an answer of its own where the policy gives answers.
    pub(super) fn fault(self, manner: &Manner, realm: Option<&str>) -> Fault {
        let (status, name, word, text) = self.told();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED);
        let fault = Fault::step(status, format!("steps.oauth.v1.{name}"), text);
        let Some(format) = manner.errors else { return fault };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, format.content_type());
        if status == StatusCode::UNAUTHORIZED {
            let realm = realm.unwrap_or_default().replace(['"', '\\'], "");
            let challenge = HeaderValue::try_from(format!("OAuth realm=\"{realm}\""));
            headers.extend(challenge.ok().map(|value| (WWW_AUTHENTICATE, value)));
        }
        let body = format.body("Error", &[("oauth_problem", word)]);
        fault.with_answer(Message::response(status, headers, MessageBody::Replaced(Bytes::from(body))))
    }
}

impl Format {
    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Form => "application/x-www-form-urlencoded",
            Self::Xml => "application/xml",
        })
    }

    /// Parameters as a form, or as elements of `root`. Unsourced: the elements' names.
    pub(super) fn body(self, root: &str, parameters: &[(&str, &str)]) -> String {
        match self {
            Self::Form => {
                let each =
                    |(name, value): &(&str, &str)| format!("{name}={}", super::signature::encoded(value));
                parameters.iter().map(each).collect::<Vec<_>>().join("&")
            }
            Self::Xml => {
                let each = |(name, value): &(&str, &str)| {
                    format!("<{name}>{}</{name}>", pierhead_xml::escape_text(value))
                };
                format!("<{root}>{}</{root}>", parameters.iter().map(each).collect::<String>())
            }
        }
    }
}
