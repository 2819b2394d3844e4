//! Who is calling: the bearer token, and the extractor every Drive method begins with.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::drive::fields::Mask;
use super::drive::shapes::Shape;
use super::drive::tree::{Person, Viewer};
use super::journal::{BearerState, BodyNote};
use super::oauth::Access;
use super::oauth::scope::Needs;
use super::params::Params;
use super::problem::Problem;
use super::state::Shared;

/// An authenticated call of a Drive method: who, with what query, and where links lead.
/// A value of this type carried a live token and sound common parameters.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) app: Shared,
    pub(crate) access: Access,
    pub(crate) params: Params,
    /// The root of links back to this double, without a final slash.
    pub(crate) base: String,
    note: BodyNote,
}

/// A call laid aside without its double, which may therefore keep it.
#[derive(Debug, Clone)]
pub(crate) struct Parked {
    access: Access,
    params: Params,
    base: String,
}

impl Parked {
    /// The call again.
    pub(crate) fn resume(&self, app: &Shared) -> Call {
        Call {
            app: app.clone(),
            access: self.access.clone(),
            params: self.params.clone(),
            base: self.base.clone(),
            note: BodyNote::default(),
        }
    }
}

impl Call {
    /// The call as the double may keep it: a call refers to its double, and both would live forever.
    pub(crate) fn park(&self) -> Parked {
        Parked { access: self.access.clone(), params: self.params.clone(), base: self.base.clone() }
    }

    pub(crate) fn person(&self) -> Person {
        self.access.person
    }

    /// What this caller can see.
    pub(crate) fn viewer(&self) -> Viewer {
        self.access.viewer()
    }

    /// Insists on scopes that cover the method.
    pub(crate) fn needs(&self, needs: Needs) -> Result<(), Problem> {
        if needs.covered_by(&self.access.scopes) { Ok(()) } else { Err(Problem::insufficient_scopes()) }
    }

    /// The part of `shape` that the caller asked for.
    pub(crate) fn selection(&self, shape: &Shape) -> Result<Mask, Problem> {
        shape.select(self.params.filled("fields"))
    }

    /// Tells the journal what the body said.
    pub(crate) fn note_body(&self, body: &Value) {
        self.note.set(body.clone());
    }

    /// Answers 200 with the selected part of `value`.
    pub(crate) fn answer(&self, mask: &Mask, value: Value) -> Response {
        let value = mask.apply(value);
        let pretty = self.params.flag_or("prettyPrint", true);
        let body = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) };
        json_response(StatusCode::OK, body.unwrap_or_default())
    }
}

pub(crate) fn json_response(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = (status, body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    response
}

impl FromRequestParts<Shared> for Call {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let token = presented(&parts.headers, parts.uri.query());
        let access = match app.oauth().judge(token.as_deref(), app.now()) {
            (BearerState::Valid, Some(access)) => access,
            (BearerState::None, _) => return Err(Problem::login_required()),
            _ => return Err(Problem::invalid_credentials()),
        };
        let params = Params::parse(parts.uri.query());
        params.check_common()?;
        Ok(Self {
            app: app.clone(),
            access,
            params,
            base: base(&parts.headers),
            note: parts.extensions.get::<BodyNote>().cloned().unwrap_or_default(),
        })
    }
}

/// The root URL under which the client reached the double.
pub(crate) fn base(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    format!("http://{host}")
}

/// The token of a request: from `Authorization`, or from the query, which Google allows too.
pub(crate) fn presented<'r>(headers: &'r HeaderMap, query: Option<&'r str>) -> Option<Cow<'r, str>> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let value = value.to_str().unwrap_or_default();
        let (scheme, token) = value.split_once(' ').unwrap_or(("", value));
        return scheme.eq_ignore_ascii_case("bearer").then(|| Cow::Borrowed(token.trim()));
    }
    form_urlencoded::parse(query?.as_bytes())
        .find(|(name, _)| name == "access_token" || name == "oauth_token")
        .map(|(_, token)| token)
}

/// Eight hex digits that tell tokens apart and reveal none.
pub(crate) fn fingerprint(token: &str) -> String {
    hex::encode(&Sha256::digest(token.as_bytes())[..4])
}
