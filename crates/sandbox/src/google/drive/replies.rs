//! `files/{fileId}/comments/{commentId}/replies`.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::Value;

use super::super::bearer::Call;
use super::super::oauth::escape_html;
use super::super::oauth::scope::Needs;
use super::super::problem::Problem;
use super::body::Json;
use super::comments::{content, find};
use super::fields::{Fields, Mask};
use super::list::{body, items_mask};
use super::listing::page_of;
use super::moment;
use super::node::{Action, Comment, Reply};
use super::permission::Role;
use super::resource::View;
use super::shapes::{REPLY, REPLY_LIST};

/// A `drive#reply`. A deleted one has no content.
pub(crate) fn json(view: &View<'_>, reply: &Reply, mask: &Mask) -> Value {
    let mut out = Fields::of(mask);
    out.put("kind", || "drive#reply");
    out.put("id", || reply.id.clone());
    out.put("createdTime", || moment::write(reply.created));
    out.put("modifiedTime", || moment::write(reply.modified));
    out.nest("author", |below| view.author(reply.author, below));
    out.put("deleted", || reply.deleted);
    out.put_some("action", || reply.action.map(Action::name));
    if !reply.deleted {
        out.put("content", || reply.content.clone());
        out.put("htmlContent", || escape_html(&reply.content));
    }
    out.finish()
}

type Place = Path<(String, String)>;
type Named = Path<(String, String, String)>;

pub(crate) async fn list(call: Call, Path((file_id, comment)): Place) -> Result<Response, Problem> {
    call.needs(Needs::Read)?;
    let size = call.params.number("pageSize", 20, 1, 100)?;
    let mask = call.selection(&REPLY_LIST)?;
    let deleted = call.params.flag("includeDeleted");
    let tree = call.app.tree();
    let (node, _) = tree.visible(call.viewer(), &file_id, call.app.now())?;
    let (view, below) = (View::of(&call, &tree), items_mask(&mask, "replies"));
    let shown = find(node, &comment, deleted)?.replies.iter().filter(|reply| deleted || !reply.deleted);
    let (page, next) = page_of(&call, size, shown.map(|reply| json(&view, reply, &below)).collect())?;
    Ok(call.answer(&mask, body("drive#replyList", "replies", page, next)))
}

pub(crate) async fn get(call: Call, Path((file_id, comment, id)): Named) -> Result<Response, Problem> {
    call.needs(Needs::Read)?;
    answer(&call, &file_id, &comment, &id)
}

pub(crate) async fn create(
    call: Call,
    Path((file_id, comment)): Place,
    new: Json,
) -> Result<Response, Problem> {
    call.needs(Needs::Write)?;
    call.note_body(&new.0);
    call.selection(&REPLY)?;
    let action = match &new.0["action"] {
        Value::Null => None,
        Value::String(name) => {
            let action = Action::named(name);
            Some(action.ok_or_else(|| Problem::bad_request("A reply's action is resolve or reopen."))?)
        }
        _ => return Err(Problem::bad_request("A reply's action is resolve or reopen.")),
    };
    let content = content(&new.0)?;
    if content.is_none() && action.is_none() {
        return Err(Problem::required("content"));
    }
    let (now, id) = (call.app.now(), call.app.token("AAAA", 9));
    let reply = Reply {
        id: id.clone(),
        author: call.person(),
        content: content.unwrap_or_default(),
        action,
        created: now,
        modified: now,
        deleted: false,
    };
    edit(&call, &file_id, &comment, |comment| comment.replies.push(reply))?;
    answer(&call, &file_id, &comment, &id)
}

pub(crate) async fn update(
    call: Call,
    Path((file_id, comment, id)): Named,
    changes: Json,
) -> Result<Response, Problem> {
    call.needs(Needs::Write)?;
    call.note_body(&changes.0);
    call.selection(&REPLY)?;
    let content = content(&changes.0)?.ok_or_else(|| Problem::required("content"))?;
    edit_own(&call, &file_id, &comment, &id, |reply| reply.content = content)?;
    answer(&call, &file_id, &comment, &id)
}

pub(crate) async fn delete(call: Call, Path((file_id, comment, id)): Named) -> Result<Response, Problem> {
    call.needs(Needs::Write)?;
    edit_own(&call, &file_id, &comment, &id, |reply| {
        reply.deleted = true;
        reply.content.clear();
    })?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn answer(call: &Call, file_id: &str, comment: &str, id: &str) -> Result<Response, Problem> {
    let mask = call.selection(&REPLY)?;
    let deleted = call.params.flag("includeDeleted");
    let tree = call.app.tree();
    let (node, _) = tree.visible(call.viewer(), file_id, call.app.now())?;
    let reply = reply_of(find(node, comment, deleted)?, id, deleted)?;
    Ok(call.answer(&mask, json(&View::of(call, &tree), reply, &mask)))
}

fn reply_of<'c>(comment: &'c Comment, id: &str, deleted: bool) -> Result<&'c Reply, Problem> {
    let found = comment.replies.iter().find(|reply| reply.id == id && (deleted || !reply.deleted));
    found.ok_or_else(|| Problem::missing("Reply", id, "replyId"))
}

fn edit(call: &Call, file_id: &str, id: &str, change: impl FnOnce(&mut Comment)) -> Result<(), Problem> {
    let now = call.app.now();
    let mut tree = call.app.tree();
    let node = tree.permitted(call.viewer(), file_id, Role::Commenter, now)?;
    find(node, id, false)?;
    let file = node.id.clone();
    tree.change(&file, now, |node| {
        if let Some(comment) = node.comments.iter_mut().find(|comment| comment.id == id) {
            comment.modified = now;
            change(comment);
        }
    })
}

/// Changes a reply of the caller's own.
fn edit_own(
    call: &Call,
    file_id: &str,
    comment: &str,
    id: &str,
    change: impl FnOnce(&mut Reply),
) -> Result<(), Problem> {
    let now = call.app.now();
    {
        let tree = call.app.tree();
        let (node, _) = tree.visible(call.viewer(), file_id, now)?;
        if reply_of(find(node, comment, false)?, id, false)?.author != call.person() {
            return Err(Problem::no_permission(file_id));
        }
    }
    edit(call, file_id, comment, |comment| {
        if let Some(reply) = comment.replies.iter_mut().find(|reply| reply.id == id) {
            reply.modified = now;
            change(reply);
        }
    })
}
