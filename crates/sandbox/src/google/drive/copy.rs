//! `files.copy`: a new file with the same contents.

use axum::extract::Path;
use axum::response::Response;
use http::StatusCode;

use super::super::bearer::Call;
use super::super::oauth::scope::Needs;
use super::super::problem::Problem;
use super::body::{Json, Metadata};
use super::permission::Role;
use super::shapes::FILE;
use super::write::{Intent, Media};

pub(crate) async fn copy(call: Call, Path(file_id): Path<String>, body: Json) -> Result<Response, Problem> {
    call.needs(Needs::Write)?;
    call.note_body(&body.0);
    let mask = call.selection(&FILE)?;
    let mut metadata = Metadata::read(&body.0)?;
    let media = {
        let tree = call.app.tree();
        let now = call.app.now();
        let (source, role) = tree.visible(call.viewer(), &file_id, now)?;
        if source.is_folder() || (source.copy_requires_writer && role < Role::Writer) {
            let message = "This file cannot be copied by the user.";
            return Err(Problem::new(StatusCode::FORBIDDEN, "cannotCopyFile", message));
        }
        metadata.name.get_or_insert_with(|| format!("Copy of {}", source.name));
        if metadata.parents.is_none() {
            // Beside the original where the person may write, else in the person's own root.
            let parent = source.parent.clone();
            let writable = |id: &String| tree.role(call.person(), id, now) >= Some(Role::Writer);
            metadata.parents = parent.filter(writable).map(|parent| vec![parent]);
        }
        if metadata.description.is_none() {
            metadata.description.clone_from(&source.description);
        }
        if metadata.shortcut_target.is_none() {
            metadata.shortcut_target.clone_from(&source.shortcut_target);
        }
        inherit(&mut metadata.properties, &source.properties);
        inherit(&mut metadata.app_properties, &source.app_properties);
        // A copy may become a Google document; its contents then arrive as what the original was.
        let same_kind = metadata.mime_type.as_ref().is_none_or(|wanted| *wanted == source.mime_type);
        if source.is_native() && !same_kind {
            return Err(Problem::bad_request("The requested conversion is not supported."));
        }
        metadata.mime_type.get_or_insert_with(|| source.mime_type.clone());
        source.head().map(|head| {
            let content_type =
                if source.is_native() { native_text(&source.mime_type) } else { source.mime_type.clone() };
            Media { blob: head.blob.clone(), content_type: Some(content_type) }
        })
    };
    let id = Intent::create(&call, metadata)?.commit(&call, media).await?;
    super::answer_file(&call, &id, &mask)
}

/// The text type in which a Google document is kept.
fn native_text(mime_type: &str) -> String {
    super::export::targets(mime_type)
        .and_then(|targets| targets.first())
        .map_or_else(String::new, |kind| (*kind).to_owned())
}

fn inherit(mine: &mut Vec<(String, Option<String>)>, from: &std::collections::BTreeMap<String, String>) {
    for (key, value) in from {
        if !mine.iter().any(|(known, _)| known == key) {
            mine.push((key.clone(), Some(value.clone())));
        }
    }
}
