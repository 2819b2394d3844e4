//! The documents hub (open-connectors §10), written once for every vendor of files: items by path and by
//! id, conflicts, missing parents, paging, streaming. What a vendor does is in its `files` block.

mod address;
mod change;
mod copy;
mod delete;
mod download;
mod find;
mod folder;
mod item;
mod leftover;
mod multipart;
mod path;
mod resumable;
mod upload;
mod view;

use std::collections::HashMap;

use http::Method;
use tokio::sync::Mutex;

pub(crate) use self::item::Item;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use self::multipart::fuzz_form;
use super::session::Session;
use super::{Body, CallHead, CallProblem, HubAnswer, not_supported};
use crate::definition::Files;

/// The documents hub over one instance, during one call.
pub(crate) struct Documents<'s> {
    session: &'s Session<'s>,
    files: &'s Files,
    /// Folder id → its path, none when it hangs in no folder of the root.
    paths: Mutex<HashMap<String, Option<String>>>,
    root_id: Mutex<Option<String>>,
}

/// Which half of the hub a route belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Files,
    Folders,
}

impl<'s> Documents<'s> {
    /// The hub over this instance, if its connector deals in files.
    pub(crate) fn of(session: &'s Session<'s>) -> Result<Self, CallProblem> {
        let files = session.connector().files.as_ref().ok_or_else(not_supported)?;
        Ok(Self { session, files, paths: Mutex::default(), root_id: Mutex::default() })
    }

    /// The item a call names: by `id`, or by `path` in the query.
    pub(crate) async fn addressed(&self, id: Option<&str>, call: &CallHead) -> Result<Item, CallProblem> {
        match (id, call.query("path")) {
            (Some(id), _) => self.by_id(id).await,
            (None, Some(path)) => self.by_path(&path::HubItemPath::parse(path)?).await,
            (None, None) => {
                Err(CallProblem::bad_request("path: is required when the item is not named by its id"))
            }
        }
    }

    /// Answers a call of the documents hub; none when the route is not one of its own.
    pub(crate) async fn answer(
        &self,
        segments: &[String],
        call: CallHead,
        body: Body,
    ) -> Option<Result<HubAnswer, CallProblem>> {
        let (half, rest) = match segments.split_first() {
            Some((first, rest)) if first == "files" => (Half::Files, rest),
            Some((first, rest)) if first == "folders" => (Half::Folders, rest),
            Some((first, [])) if first == "search" && call.method == Method::GET => {
                return Some(self.search(&call).await);
            }
            Some((first, [])) if first == "storage" && call.method == Method::GET => {
                return Some(self.storage().await);
            }
            _ => return None,
        };
        const TAILS: &[&str] = &["copy", "links", "metadata", "contents"];
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        let (id, tail): (Option<&str>, &[&str]) = match rest.as_slice() {
            [] => (None, &[]),
            [first, ..] if TAILS.contains(first) => (None, &rest),
            [id, tail @ ..] => (Some(id), tail),
        };
        Some(match (call.method.as_str(), half, tail) {
            ("GET", Half::Files, []) => self.download(id, &call).await,
            ("POST", Half::Files, []) if id.is_none() => self.upload(call, body).await,
            ("PUT" | "PATCH", Half::Files, []) => self.replace(id, call, body).await,
            ("POST", Half::Folders, []) if id.is_none() => self.make_folder(&call, body).await,
            ("DELETE", half, []) => self.delete(half, id, &call).await,
            ("GET", Half::Folders, ["contents"]) => self.contents(id, &call).await,
            ("GET", half, ["metadata"]) => self.metadata(half, id, &call).await,
            ("PATCH", half, ["metadata"]) => self.change(half, id, &call, body).await,
            ("PATCH", half, ["metadata", "properties"]) => {
                self.change_properties(half, id, &call, body).await
            }
            ("GET", half, ["links"]) => self.links(half, id, &call).await,
            ("POST", half, ["copy"]) => self.copy(half, id, &call, body).await,
            _ => return None,
        })
    }

    /// Insists that a route of files names a file, and one of folders a folder.
    fn must_be(half: Half, item: &Item) -> Result<(), CallProblem> {
        match (half, item.is_folder()) {
            (Half::Files, false) | (Half::Folders, true) => Ok(()),
            (Half::Files, true) => {
                Err(CallProblem::not_found("this is a folder, not a file: use the /folders routes"))
            }
            (Half::Folders, false) => {
                Err(CallProblem::not_found("this is a file, not a folder: use the /files routes"))
            }
        }
    }
}
