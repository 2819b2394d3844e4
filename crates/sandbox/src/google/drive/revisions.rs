//! `files/{fileId}/revisions`: earlier contents.

use std::sync::Arc;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::super::bearer::Call;
use super::super::oauth::scope::Needs;
use super::super::problem::Problem;
use super::body::Json;
use super::download;
use super::export;
use super::fields::{Fields, Mask};
use super::list::{body, items_mask};
use super::listing::page_of;
use super::moment;
use super::node::{Node, Revision};
use super::permission::Role;
use super::resource::View;
use super::shapes::{REVISION, REVISION_LIST};

/// A `drive#revision`.
fn json(view: &View<'_>, node: &Node, revision: &Revision, mask: &Mask) -> Value {
    let binary = !node.is_native();
    let mut out = Fields::of(mask);
    out.put("kind", || "drive#revision");
    out.put("id", || revision.id.clone());
    out.put("mimeType", || revision.mime_type.clone());
    out.put("modifiedTime", || moment::write(revision.modified));
    out.nest("lastModifyingUser", |below| view.user(revision.by, below));
    if binary {
        out.put("keepForever", || revision.keep_forever);
        out.put("md5Checksum", || revision.blob.md5().to_owned());
        out.put("size", || revision.blob.size().to_string());
        out.put_some("originalFilename", || revision.original_filename.clone());
    } else {
        out.put("published", || revision.published);
        out.put("publishAuto", || revision.publish_auto);
        out.put("publishedOutsideDomain", || false);
        if let Some(links) = export::links(node, view.base) {
            out.nest("exportLinks", |below| below.apply(links));
        }
    }
    out.finish()
}

pub(crate) async fn list(call: Call, Path(file_id): Path<String>) -> Result<Response, Problem> {
    call.needs(Needs::Read)?;
    let size = call.params.number("pageSize", 200, 1, 1000)?;
    let mask = call.selection(&REVISION_LIST)?;
    let tree = call.app.tree();
    let node = tree.permitted(call.viewer(), &file_id, Role::Writer, call.app.now())?;
    if node.revisions.is_empty() {
        return Err(unsupported());
    }
    let (view, below) = (View::of(&call, &tree), items_mask(&mask, "revisions"));
    let all = node.revisions.iter().map(|revision| json(&view, node, revision, &below)).collect();
    let (page, next) = page_of(&call, size, all)?;
    Ok(call.answer(&mask, body("drive#revisionList", "revisions", page, next)))
}

pub(crate) async fn get(
    call: Call,
    Path((file_id, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let media = call.params.get("alt") == Some("media");
    call.needs(if media { Needs::Content } else { Needs::Read })?;
    let (blob, mime_type) = {
        let tree = call.app.tree();
        let node = tree.permitted(call.viewer(), &file_id, Role::Writer, call.app.now())?;
        let revision = find(node, &id)?;
        if !media {
            let mask = call.selection(&REVISION)?;
            return Ok(call.answer(&mask, json(&View::of(&call, &tree), node, revision, &mask)));
        }
        if node.is_native() {
            return Err(download::not_downloadable());
        }
        (Arc::clone(&revision.blob), revision.mime_type.clone())
    };
    download::contents(&blob, &mime_type, "attachment", &headers).await
}

pub(crate) async fn update(
    call: Call,
    Path((file_id, id)): Path<(String, String)>,
    changes: Json,
) -> Result<Response, Problem> {
    call.needs(Needs::Change)?;
    call.note_body(&changes.0);
    let mask = call.selection(&REVISION)?;
    let mut tree = call.app.tree();
    let node = tree.permitted(call.viewer(), &file_id, Role::Writer, call.app.now())?;
    find(node, &id)?;
    let file = node.id.clone();
    tree.change(&file, call.app.now(), |node| {
        let native = node.is_native();
        if let Some(revision) = node.revisions.iter_mut().find(|revision| revision.id == id) {
            let flag = |name: &str| changes.0[name].as_bool();
            if native {
                revision.published = flag("published").unwrap_or(revision.published);
                revision.publish_auto = flag("publishAuto").unwrap_or(revision.publish_auto);
            } else {
                revision.keep_forever = flag("keepForever").unwrap_or(revision.keep_forever);
            }
        }
    })?;
    let node = tree.get(&file).ok_or_else(|| Problem::no_file(&file_id))?;
    let value = json(&View::of(&call, &tree), node, find(node, &id)?, &mask);
    Ok(call.answer(&mask, value))
}

pub(crate) async fn delete(
    call: Call,
    Path((file_id, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    call.needs(Needs::Write)?;
    let mut tree = call.app.tree();
    let node = tree.permitted(call.viewer(), &file_id, Role::Writer, call.app.now())?;
    find(node, &id)?;
    if node.is_native() {
        return Err(unsupported());
    }
    if node.revisions.len() == 1 {
        let message = "The file must have at least one revision.";
        return Err(Problem::bad_request(message).about_parameter("revisionId"));
    }
    let file = node.id.clone();
    tree.change(&file, call.app.now(), |node| node.revisions.retain(|revision| revision.id != id))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn find<'n>(node: &'n Node, id: &str) -> Result<&'n Revision, Problem> {
    let found = match id {
        "head" => node.head(),
        id => node.revisions.iter().find(|revision| revision.id == id),
    };
    found.ok_or_else(|| Problem::missing("Revision", id, "revisionId"))
}

fn unsupported() -> Problem {
    let message = "The file does not support revisions.";
    Problem::new(StatusCode::FORBIDDEN, "revisionsNotSupported", message)
}
