//! `files/{fileId}/comments`.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::Value;

use super::super::bearer::Call;
use super::super::oauth::escape_html;
use super::super::oauth::scope::Needs;
use super::super::problem::Problem;
use super::body::Json;
use super::fields::{Fields, Mask};
use super::list::{body, items_mask};
use super::listing::page_of;
use super::moment;
use super::node::{Comment, Node};
use super::permission::Role;
use super::replies;
use super::resource::View;
use super::shapes::{COMMENT, COMMENT_LIST};

/// A `drive#comment`. A deleted one has no content.
fn json(view: &View<'_>, comment: &Comment, deleted_replies: bool, mask: &Mask) -> Value {
    let mut out = Fields::of(mask);
    out.put("kind", || "drive#comment");
    out.put("id", || comment.id.clone());
    out.put("createdTime", || moment::write(comment.created));
    out.put("modifiedTime", || moment::write(comment.modified));
    out.nest("author", |below| view.author(comment.author, below));
    out.put("deleted", || comment.deleted);
    out.put_some("resolved", || comment.resolved());
    if !comment.deleted {
        out.put("content", || comment.content.clone());
        out.put("htmlContent", || escape_html(&comment.content));
        out.put_some("anchor", || comment.anchor.clone());
        if let Some(quoted) = &comment.quoted {
            out.nest("quotedFileContent", |below| below.apply(quoted.clone()));
        }
    }
    out.nest("replies", |below| {
        let shown = comment.replies.iter().filter(|reply| deleted_replies || !reply.deleted);
        shown.map(|reply| replies::json(view, reply, below)).collect()
    });
    out.finish()
}

pub(crate) async fn list(call: Call, Path(file_id): Path<String>) -> Result<Response, Problem> {
    call.needs(Needs::Read)?;
    let size = call.params.number("pageSize", 20, 1, 100)?;
    let mask = call.selection(&COMMENT_LIST)?;
    let deleted = call.params.flag("includeDeleted");
    let since = match call.params.filled("startModifiedTime") {
        Some(text) => Some(moment::read(text).ok_or_else(|| Problem::invalid_value("startModifiedTime"))?),
        None => None,
    };
    let tree = call.app.tree();
    let (node, _) = tree.visible(call.viewer(), &file_id, call.app.now())?;
    let (view, below) = (View::of(&call, &tree), items_mask(&mask, "comments"));
    let mut shown: Vec<&Comment> = node
        .comments
        .iter()
        .filter(|comment| {
            (deleted || !comment.deleted) && since.is_none_or(|since| comment.modified >= since)
        })
        .collect();
    shown.sort_by_key(|comment| std::cmp::Reverse(comment.modified));
    let all = shown.into_iter().map(|comment| json(&view, comment, deleted, &below)).collect();
    let (page, next) = page_of(&call, size, all)?;
    Ok(call.answer(&mask, body("drive#commentList", "comments", page, next)))
}

pub(crate) async fn get(
    call: Call,
    Path((file_id, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    call.needs(Needs::Read)?;
    let mask = call.selection(&COMMENT)?;
    let deleted = call.params.flag("includeDeleted");
    let tree = call.app.tree();
    let (node, _) = tree.visible(call.viewer(), &file_id, call.app.now())?;
    let comment = find(node, &id, deleted)?;
    Ok(call.answer(&mask, json(&View::of(&call, &tree), comment, deleted, &mask)))
}

pub(crate) async fn create(call: Call, Path(file_id): Path<String>, new: Json) -> Result<Response, Problem> {
    call.needs(Needs::Write)?;
    call.note_body(&new.0);
    let mask = call.selection(&COMMENT)?;
    let content = content(&new.0)?.ok_or_else(|| Problem::required("content"))?;
    let (now, id) = (call.app.now(), call.app.token("AAAA", 9));
    let comment = Comment {
        id: id.clone(),
        author: call.person(),
        content,
        anchor: new.0["anchor"].as_str().map(str::to_owned),
        quoted: Some(new.0["quotedFileContent"].clone()).filter(Value::is_object),
        created: now,
        modified: now,
        deleted: false,
        replies: Vec::new(),
    };
    let mut tree = call.app.tree();
    let file = tree.permitted(call.viewer(), &file_id, Role::Commenter, now)?.id.clone();
    tree.change(&file, now, |node| node.comments.push(comment))?;
    let node = tree.get(&file).ok_or_else(|| Problem::no_file(&file_id))?;
    let value = json(&View::of(&call, &tree), find(node, &id, false)?, false, &mask);
    Ok(call.answer(&mask, value))
}

pub(crate) async fn update(
    call: Call,
    Path((file_id, id)): Path<(String, String)>,
    changes: Json,
) -> Result<Response, Problem> {
    call.needs(Needs::Write)?;
    call.note_body(&changes.0);
    let mask = call.selection(&COMMENT)?;
    let content = content(&changes.0)?;
    edit(&call, &file_id, &id, |comment| {
        comment.content = content.unwrap_or_else(|| comment.content.clone())
    })?;
    let tree = call.app.tree();
    let (node, _) = tree.visible(call.viewer(), &file_id, call.app.now())?;
    let value = json(&View::of(&call, &tree), find(node, &id, false)?, false, &mask);
    Ok(call.answer(&mask, value))
}

pub(crate) async fn delete(
    call: Call,
    Path((file_id, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    call.needs(Needs::Write)?;
    edit(&call, &file_id, &id, |comment| {
        comment.deleted = true;
        comment.content.clear();
    })?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Changes a comment of the caller's own.
fn edit(call: &Call, file_id: &str, id: &str, change: impl FnOnce(&mut Comment)) -> Result<(), Problem> {
    let now = call.app.now();
    let mut tree = call.app.tree();
    let node = tree.permitted(call.viewer(), file_id, Role::Commenter, now)?;
    if find(node, id, false)?.author != call.person() {
        return Err(Problem::no_permission(file_id));
    }
    let file = node.id.clone();
    tree.change(&file, now, |node| {
        if let Some(comment) = node.comments.iter_mut().find(|comment| comment.id == id) {
            comment.modified = now;
            change(comment);
        }
    })
}

pub(crate) fn find<'n>(node: &'n Node, id: &str, deleted: bool) -> Result<&'n Comment, Problem> {
    let found = node.comments.iter().find(|comment| comment.id == id && (deleted || !comment.deleted));
    found.ok_or_else(|| Problem::missing("Comment", id, "commentId"))
}

/// The text of a comment or reply; an empty one is none.
pub(crate) fn content(body: &Value) -> Result<Option<String>, Problem> {
    match &body["content"] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        _ => Err(Problem::bad_request("Invalid value for: content must be text.")),
    }
}
