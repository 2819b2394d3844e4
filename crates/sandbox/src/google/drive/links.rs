//! What `webViewLink` and `iconLink` lead to: a page that stands in for Google's viewers, and an icon.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;

use super::super::oauth::escape_html;
use super::super::problem::Problem;
use super::super::state::Shared;

const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"16\" height=\"16\" viewBox=\"0 0 16 16\">\
<path d=\"M3 1h7l3 3v11H3z\" fill=\"none\" stroke=\"#5f6b7a\"/><path d=\"M10 1v3h3\" fill=\"none\" stroke=\"#5f6b7a\"/></svg>";

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/file/d/{file}/view", get(page))
        .route("/drive/folders/{file}", get(page))
        .route("/document/d/{file}/edit", get(page))
        .route("/spreadsheets/d/{file}/edit", get(page))
        .route("/presentation/d/{file}/edit", get(page))
        .route("/icons/16/type/{*kind}", get(icon))
}

/// Tells nothing but the type of the file: this browser is signed in nowhere.
async fn page(State(app): State<Shared>, Path(id): Path<String>) -> Result<Response, Problem> {
    let tree = app.tree();
    let node = tree.get(&id).ok_or_else(|| Problem::no_file(&id))?;
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sandbox file</title>\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"></head>\
         <body style=\"font:1rem/1.5 system-ui;margin:3rem\"><main>\
         <h1>A file in the sandbox of Google Drive</h1><p>Type: <code>{}</code></p>\
         <p>Google would show its viewer here. Download the file through the app that led you here.</p>\
         </main></body></html>",
        escape_html(&node.mime_type),
    );
    Ok(Html(page).into_response())
}

async fn icon() -> Response {
    ([(CONTENT_TYPE, "image/svg+xml")], ICON).into_response()
}
