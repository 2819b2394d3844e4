//! `GET /elements/{keyOrId}/icon.svg`: what `image` and `logo` of an element point at. Our addition.

use axum::extract::State;
use axum::response::IntoResponse;
use http::header;

use super::elements::element;
use super::extract::PathParams;
use crate::hub::{Hub, HubProblem};

pub(super) async fn get(State(hub): State<Hub>, path: PathParams) -> Result<impl IntoResponse, HubProblem> {
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
        // An SVG opened by itself is a document: it may load and run nothing.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, element(&hub, &path)?.icon.clone()))
}
