//! `changes`: what happened since a token.

use std::collections::HashMap;

use axum::response::Response;
use serde_json::{Value, json};

use super::super::bearer::Call;
use super::super::oauth::scope::Needs;
use super::super::problem::Problem;
use super::fields::{Fields, Mask};
use super::list::items_mask;
use super::moment;
use super::resource::View;
use super::shapes::{CHANGE_LIST, START_PAGE_TOKEN};
use super::tree::Change;

/// A token is the number of the first change it stands before, counted from 1.
pub(crate) async fn start(call: Call) -> Result<Response, Problem> {
    call.needs(Needs::Read)?;
    let mask = call.selection(&START_PAGE_TOKEN)?;
    let next = call.app.tree().changes().len() + 1;
    Ok(call.answer(&mask, json!({"kind": "drive#startPageToken", "startPageToken": next.to_string()})))
}

pub(crate) async fn list(call: Call) -> Result<Response, Problem> {
    call.needs(Needs::Read)?;
    let token = call.params.filled("pageToken").ok_or_else(|| Problem::required("pageToken"))?;
    let size = call.params.number("pageSize", 100, 1, 1000)? as usize;
    let mask = call.selection(&CHANGE_LIST)?;
    let below = items_mask(&mask, "changes");
    let with_removed = call.params.flag_or("includeRemoved", true);

    let tree = call.app.tree();
    let all = tree.changes();
    let from = token.parse::<usize>().ok().filter(|at| (1..=all.len() + 1).contains(at));
    let from = from.ok_or_else(|| Problem::invalid_value("pageToken"))? - 1;
    // Of a file's several changes only the last is told.
    let last: HashMap<&str, usize> =
        all.iter().enumerate().skip(from).map(|(at, change)| (change.file_id.as_str(), at)).collect();
    let view = View::of(&call, &tree);
    let mut page = Vec::new();
    let mut next = None;
    for (at, change) in all.iter().enumerate().skip(from) {
        let told = last.get(change.file_id.as_str()) == Some(&at) && change.audience.contains(&call.person());
        if !told {
            continue;
        }
        if page.len() == size {
            next = Some(at + 1);
            break;
        }
        page.extend(json(&view, change, &below).filter(|_| with_removed || !gone(&view, change)));
    }
    let mut body = json!({"kind": "drive#changeList", "changes": page});
    match next {
        Some(next) => body["nextPageToken"] = json!(next.to_string()),
        None => body["newStartPageToken"] = json!((all.len() + 1).to_string()),
    }
    Ok(call.answer(&mask, body))
}

fn gone(view: &View<'_>, change: &Change) -> bool {
    change.removed || view.tree.visible(view.viewer, &change.file_id, view.now).is_err()
}

/// A `drive#change`; `None` for what the caller's scopes never showed.
fn json(view: &View<'_>, change: &Change, mask: &Mask) -> Option<Value> {
    let gone = gone(view, change);
    if gone && !view.viewer.every_file && !change.removed {
        return None;
    }
    let mut out = Fields::of(mask);
    out.put("kind", || "drive#change");
    out.put("type", || "file");
    out.put("changeType", || "file");
    out.put("time", || moment::write(change.at));
    out.put("removed", || gone);
    out.put("fileId", || change.file_id.clone());
    if let Some(node) = view.tree.get(&change.file_id).filter(|_| !gone) {
        out.nest("file", |below| view.file(node, below));
    }
    Some(out.finish())
}
