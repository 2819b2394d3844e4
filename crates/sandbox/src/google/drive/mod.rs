//! Drive v3, as `drive.v3.json` describes it. One endpoint family is one file.

mod about;
pub(crate) mod blob;
mod body;
mod changes;
mod comments;
mod copy;
mod delete;
mod download;
mod drives;
mod export;
pub(crate) mod fields;
mod ids;
mod links;
mod list;
pub(crate) mod listing;
mod moment;
mod node;
mod ordering;
mod pdf;
mod people;
mod permission;
mod permissions;
mod query;
mod range;
mod replies;
mod resource;
mod revisions;
pub(crate) mod samples;
pub(crate) mod shapes;
pub(crate) mod tree;
pub(crate) mod upload;
mod write;

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, patch, post};

use super::bearer::Call;
use super::oauth::scope::Needs;
use super::problem::Problem;
use super::state::Shared;
use body::{Json, Metadata};
use resource::View;
use shapes::FILE;
use write::Intent;

pub(crate) fn routes() -> Router<Shared> {
    let v3 = Router::new()
        .route("/about", get(about::about))
        .route("/changes", get(changes::list))
        .route("/changes/startPageToken", get(changes::start))
        .route("/drives", get(drives::list).post(drives::create))
        .route("/drives/{drive}", get(drives::get))
        .route("/files", get(list::list).post(create))
        .route("/files/generateIds", get(ids::generate))
        .route("/files/trash", axum::routing::delete(delete::empty_trash))
        .route("/files/{file}", get(download::get).patch(update).delete(delete::delete))
        .route("/files/{file}/copy", post(copy::copy))
        .route("/files/{file}/export", get(export::export))
        .route("/files/{file}/permissions", get(permissions::list).post(permissions::create))
        .route(
            "/files/{file}/permissions/{permission}",
            get(permissions::get).patch(permissions::update).delete(permissions::delete),
        )
        .route("/files/{file}/revisions", get(revisions::list))
        .route(
            "/files/{file}/revisions/{revision}",
            get(revisions::get).patch(revisions::update).delete(revisions::delete),
        )
        .route("/files/{file}/comments", get(comments::list).post(comments::create))
        .route(
            "/files/{file}/comments/{comment}",
            get(comments::get).patch(comments::update).delete(comments::delete),
        )
        .route("/files/{file}/comments/{comment}/replies", get(replies::list).post(replies::create))
        .route(
            "/files/{file}/comments/{comment}/replies/{reply}",
            get(replies::get).patch(replies::update).delete(replies::delete),
        );
    let uploads = Router::new()
        .route("/files", post(upload::create).put(upload::resumable::put).delete(upload::resumable::cancel))
        .route(
            "/files/{file}",
            patch(upload::update).put(upload::resumable::put).delete(upload::resumable::cancel),
        );
    Router::new()
        .nest("/drive/v3", v3)
        .nest("/upload/drive/v3", uploads.clone())
        .nest("/resumable/upload/drive/v3", uploads)
        .route("/uc", get(download::by_link))
        .merge(links::routes())
}

/// `POST /drive/v3/files`: a file from metadata alone: a folder, a shortcut, a Google document, nothing yet.
async fn create(call: Call, body: Json) -> Result<Response, Problem> {
    call.needs(Needs::Write)?;
    call.note_body(&body.0);
    let mask = call.selection(&FILE)?;
    let intent = Intent::create(&call, Metadata::read(&body.0)?)?;
    let id = intent.commit(&call, None).await?;
    answer_file(&call, &id, &mask)
}

/// `PATCH /drive/v3/files/{fileId}`: metadata, trash, and where the file lies.
async fn update(call: Call, Path(file_id): Path<String>, body: Json) -> Result<Response, Problem> {
    call.needs(Needs::Change)?;
    call.note_body(&body.0);
    let mask = call.selection(&FILE)?;
    let intent = Intent::update(&call, &file_id, Metadata::read(&body.0)?, false)?;
    let id = intent.commit(&call, None).await?;
    answer_file(&call, &id, &mask)
}

/// Answers with what the mask selects of a file.
fn answer_file(call: &Call, id: &str, mask: &fields::Mask) -> Result<Response, Problem> {
    let value = {
        let tree = call.app.tree();
        let (node, _) = tree.visible(call.viewer(), id, call.app.now())?;
        View::of(call, &tree).file(node, mask)
    };
    Ok(call.answer(mask, value))
}
