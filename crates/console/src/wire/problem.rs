//! Errors of the wire, from either dialect, as pages show them.

use axum::body::Body;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;

use crate::fields::{FormMistake, Mistakes};

/// The largest error body that is read.
const LIMIT_BYTES: usize = 64 * 1024;

/// A request that the wire refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {message}")]
pub(crate) struct WireProblem {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// The dialect's text for people.
    pub(crate) message: String,
    /// What the vendor said, when it was the vendor.
    pub(crate) provider_message: String,
    /// The request id, or nothing.
    pub(crate) request_id: String,
    /// The places that are wrong, when the wire names them.
    pub(crate) violations: Vec<Violation>,
}

/// One mistake with its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Violation {
    /// Path in the bundle.
    #[serde(rename = "filename")]
    pub(crate) file: String,
    /// 1-based; 0 when it is about the whole file.
    pub(crate) line: usize,
    pub(crate) rule: String,
    #[serde(rename = "description")]
    pub(crate) message: String,
}

impl WireProblem {
    pub(super) async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let read = Limited::new(body, LIMIT_BYTES).collect().await;
        let body = read.map(|read| read.to_bytes()).unwrap_or_default();
        Self::parse(parts.status, &parts.headers, &body)
    }

    /// Understands `{"requestId","message","providerMessage"}`, OData's
    /// `{"error":{"code","message":{"value"}}}` and OAuth's `{"error","error_description"}`.
    fn parse(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let message = text("/message")
            .or_else(|| text("/error/message/value"))
            .or_else(|| text("/error_description"))
            .or_else(|| text("/detail"))
            .unwrap_or_else(|| spoken(status).to_owned());
        let violations = json.get("violations").cloned();
        let violations = violations.and_then(|found| serde_json::from_value(found).ok()).unwrap_or_default();
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self {
            status,
            message,
            provider_message: text("/providerMessage").unwrap_or_default(),
            request_id: text("/requestId")
                .or_else(|| header("elements-request-id"))
                .or_else(|| header("x-request-id"))
                .unwrap_or_default(),
            violations,
        }
    }

    pub(super) fn unreadable() -> Self {
        Self::ours(
            StatusCode::BAD_GATEWAY,
            "The answer could not be read. Try again; if it stays, see the log.",
        )
    }

    pub(super) fn bad_address() -> Self {
        Self::ours(StatusCode::BAD_REQUEST, "This name cannot be part of an address.")
    }

    fn ours(status: StatusCode, message: &str) -> Self {
        Self {
            status,
            message: message.into(),
            provider_message: String::new(),
            request_id: String::new(),
            violations: Vec::new(),
        }
    }

    /// Whether the session is over.
    pub(crate) fn is_signed_out(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }

    /// Puts the error beside the field that it names, else over the form. A field is named when one of its
    /// wire names stands in the message as a word; `fields` pairs wire names with form fields.
    pub(crate) fn onto(&self, mistakes: &mut Mistakes, fields: &[(&str, &str)]) {
        let field = fields.iter().find(|(wire_name, _)| names(&self.message, wire_name));
        if let (Some((_, field)), true) = (field, self.status.is_client_error()) {
            mistakes.field(field, self.sentence());
        } else {
            mistakes.of_form =
                Some(FormMistake { message: self.sentence(), request_id: self.request_id.clone() });
        }
    }

    /// The message, with the vendor's own words after it.
    pub(crate) fn sentence(&self) -> String {
        if self.provider_message.is_empty() || self.message.contains(&self.provider_message) {
            return self.message.clone();
        }
        format!("{} The vendor said: {}", self.message, self.provider_message)
    }
}

/// Whether `field` stands in `message` as a word. Before it may stand an entity set's name and a dot, as in
/// `APIProviders.host must be given`; the tail of another setting's key, as in `base.url`, does not count.
fn names(message: &str, field: &str) -> bool {
    let (lower, field) = (message.to_ascii_lowercase(), field.to_ascii_lowercase());
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    lower.match_indices(&field).any(|(at, _)| {
        let before = &message[..at];
        let starts = match before.strip_suffix('.') {
            Some(set) => {
                set.rsplit(|c| !part_of_word(c)).next().is_some_and(|set| set.starts_with(char::is_uppercase))
            }
            None => !before.ends_with(part_of_word),
        };
        let mut after = lower[at + field.len()..].chars();
        let ends = match after.next() {
            Some('.') => !after.next().is_some_and(char::is_alphanumeric),
            next => !next.is_some_and(part_of_word),
        };
        starts && ends
    })
}

fn spoken(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "Nobody is signed in, or the session is over.",
        403 => "Your roles do not allow this.",
        404 => "There is nothing of this name.",
        409 => "There is already one of this name.",
        413 => "This is too large.",
        503 => "The server is busy or not ready. Try again in a moment.",
        500..=599 => "The server could not do this. Its log has the reason.",
        _ => "The request was refused.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(status: u16, body: &str) -> WireProblem {
        WireProblem::parse(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn both_dialects_are_read() {
        let hub =
            parse(502, r#"{"requestId":"53db","message":"Refused.","providerMessage":"invalid_grant"}"#);
        assert_eq!(hub.request_id, "53db");
        assert_eq!(hub.sentence(), "Refused. The vendor said: invalid_grant");

        let odata =
            parse(400, r#"{"error":{"code":"X","message":{"lang":"en","value":"base_path: taken"}}}"#);
        assert_eq!(odata.message, "base_path: taken");

        assert_eq!(parse(404, "<html>").message, "There is nothing of this name.");
    }

    #[test]
    fn an_error_stands_beside_the_field_it_names() {
        let fields = [("base_path", "base_path"), ("name", "name")];
        let mut mistakes = Mistakes::default();
        parse(400, r#"{"message":"base_path must begin with a slash"}"#).onto(&mut mistakes, &fields);
        assert_eq!(mistakes.at("base_path"), "base_path must begin with a slash");

        let mut mistakes = Mistakes::default();
        parse(400, r#"{"message":"The username is taken"}"#).onto(&mut mistakes, &fields);
        assert!(mistakes.of_form.is_some(), "a field is named by a whole word");

        assert!(names("APIProviders.host must be given", "host"));
        assert!(names("An API provider 'x' exists already.", "exists already"));
        assert!(!names("oauth.token.url must be an address", "url"));
        assert!(names("set oauth.token.url.", "oauth.token.url"));
    }

    proptest! {
        #[test]
        fn any_body_gives_a_problem(body in ".{0,200}", field in "[a-zA-Zİ._]{1,8}") {
            let problem = parse(400, &body);
            problem.onto(&mut Mistakes::default(), &[(&field, "f")]);
            prop_assert!(!problem.status.is_success());
        }
    }
}
