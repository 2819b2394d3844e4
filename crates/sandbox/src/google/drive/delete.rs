//! `files.delete` and `files.emptyTrash`: gone for good, without the trash.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::super::bearer::Call;
use super::super::oauth::scope::Needs;
use super::super::problem::Problem;
use super::permission::Role;

pub(crate) async fn delete(call: Call, Path(file_id): Path<String>) -> Result<Response, Problem> {
    call.needs(Needs::Write)?;
    let mut tree = call.app.tree();
    let id = tree.permitted(call.viewer(), &file_id, Role::Owner, call.app.now())?.id.clone();
    if tree.is_root(&id) {
        return Err(Problem::no_permission(&file_id));
    }
    tree.remove(&id, call.app.now());
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(crate) async fn empty_trash(call: Call) -> Result<Response, Problem> {
    call.needs(Needs::Whole)?;
    if let Some(drive) = call.params.filled("driveId") {
        return Err(Problem::missing("Shared drive", drive, "driveId"));
    }
    let mut tree = call.app.tree();
    let mine = tree.nodes().filter(|node| node.explicitly_trashed && node.owner == call.person());
    let mine: Vec<String> = mine.map(|node| node.id.clone()).collect();
    for id in mine {
        tree.remove(&id, call.app.now());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
