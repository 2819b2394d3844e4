//! Answers of platform lists: a page with its count and next-page headers (open-connectors §5.1).

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue};
use pierhead_web::paging::{BadPage, Page};
use serde::Serialize;

use super::extract::Query;
use crate::hub::HubProblem;

pub(super) const RETURNED_COUNT: HeaderName = HeaderName::from_static("elements-returned-count");
pub(super) const TOTAL_COUNT: HeaderName = HeaderName::from_static("elements-total-count");
pub(super) const NEXT_PAGE_TOKEN: HeaderName = HeaderName::from_static("elements-next-page-token");

/// One page of a list of `total` items.
pub(super) struct ListAnswer<T> {
    pub(super) items: Vec<T>,
    pub(super) page: Page,
    pub(super) total: usize,
}

impl<T> ListAnswer<T> {
    /// The page that `query` asks for of a whole list.
    pub(super) fn of(query: &Query, items: Vec<T>) -> Result<Self, HubProblem> {
        let page = page(query)?;
        Ok(Self { page, total: items.len(), items: page.of(items) })
    }
}

pub(super) fn page(query: &Query) -> Result<Page, HubProblem> {
    Page::read(&query.0).map_err(|why: BadPage| HubProblem::Bad(why.to_string()))
}

impl<T: Serialize> IntoResponse for ListAnswer<T> {
    fn into_response(self) -> Response {
        let (returned, next) = (self.items.len(), self.page.next(self.total));
        let mut answer = Json(self.items).into_response();
        let headers = answer.headers_mut();
        headers.insert(RETURNED_COUNT, HeaderValue::from(returned));
        headers.insert(TOTAL_COUNT, HeaderValue::from(self.total));
        if let Some(token) = next.and_then(|token| HeaderValue::try_from(token).ok()) {
            headers.insert(NEXT_PAGE_TOKEN, token);
        }
        answer
    }
}
