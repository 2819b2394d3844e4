//! Lists of the hub: their parameters, and their answers with paging headers (open-connectors §§4, 5.1).

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use pierhead_web::paging::Page;
use serde_json::Value;

use crate::IdentityProblem;

/// The query of a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect()))
    }
}

impl Query {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// `page`, `pageSize` and `nextPage`; `/accounts` also takes `offset`.
    pub(crate) fn page(&self) -> Result<Page, IdentityProblem> {
        let mut page = Page::read(&self.0)?;
        if let Some(offset) = self.get("offset") {
            let rule = "must be a whole number";
            page.offset = offset.parse().map_err(|_| IdentityProblem::field("offset", rule))?;
        }
        Ok(page)
    }
}

/// The bounds of a page as the store takes them.
pub(crate) fn bounds(page: &Page) -> (u64, u64) {
    // A bigint of the database ends where an i64 ends.
    let most = u64::try_from(i64::MAX).unwrap_or(u64::MAX);
    (u64::try_from(page.offset).unwrap_or(most).min(most), u64::try_from(page.size).unwrap_or(most))
}

/// The answer of one page.
pub(crate) fn answer(items: Vec<Value>, page: &Page, total: u64) -> Response {
    let returned = items.len();
    let mut response = Json(items).into_response();
    let mut header = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    };
    header("elements-returned-count", returned.to_string());
    header("elements-total-count", total.to_string());
    if let Some(token) = page.next(usize::try_from(total).unwrap_or(usize::MAX)) {
        header("elements-next-page-token", token);
    }
    response
}
