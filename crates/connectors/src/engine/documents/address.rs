//! From paths and ids to items, and back to paths.

use http::StatusCode;
use serde_json::{Value, json};

use super::path::HubItemPath;
use super::{Documents, Item};
use crate::definition::Address;
use crate::engine::scope::Scope;
use crate::engine::{CallProblem, not_supported};

/// A folder as a place to put things: its vendor id (for id-addressed vendors) and its path, if known.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) id: String,
    pub(super) path: Option<HubItemPath>,
}

impl Place {
    pub(super) fn value(&self) -> Value {
        json!({"id": self.id, "path": self.path.as_ref().map(HubItemPath::as_str)})
    }
}

/// Levels a walk to the root may take.
const MAX_LEVELS: usize = 100;

impl Documents<'_> {
    /// The item of this hub id; `root` is the root folder.
    pub(super) async fn by_id(&self, id: &str) -> Result<Item, CallProblem> {
        let missing = || CallProblem::not_found("there is no file or folder with this id");
        match self.files.address {
            Address::Path if id == "root" => self.by_path(&HubItemPath::parse("/")?).await,
            Address::Path => {
                let path = HubItemPath::from_token(id).ok_or_else(missing)?;
                self.by_path(&path).await
            }
            Address::Id => {
                if id.is_empty() || id.chars().any(char::is_control) || matches!(id, "." | "..") {
                    return Err(missing());
                }
                let vendor = if id == "root" { self.files.root.as_str() } else { id };
                let item = self.get(&self.session.scope.clone().with("id", vendor), None).await?;
                if id == "root" {
                    *self.root_id.lock().await = Some(item.id().to_owned());
                }
                Ok(item)
            }
        }
    }

    /// The item at this path.
    pub(super) async fn by_path(&self, path: &HubItemPath) -> Result<Item, CallProblem> {
        self.find(path)
            .await?
            .ok_or_else(|| CallProblem::not_found(format!("there is no file or folder at {}", path.as_str())))
    }

    /// The item at this path, if there is one.
    pub(super) async fn find(&self, path: &HubItemPath) -> Result<Option<Item>, CallProblem> {
        match self.files.address {
            Address::Path => {
                let scope = self.session.scope.clone().with("path", path.as_str());
                absent(self.get(&scope, Some(path)).await)
            }
            Address::Id => {
                let Some((parent, name)) = path.split() else {
                    let scope = self.session.scope.clone().with("id", self.files.root.as_str());
                    let mut item = self.get(&scope, Some(path)).await?;
                    *self.root_id.lock().await = Some(item.id().to_owned());
                    item.set_path(Some("/"));
                    return Ok(Some(item));
                };
                let Some(place) = self.descend(&parent).await? else { return Ok(None) };
                self.child(&place, name).await
            }
        }
    }

    /// The folder at this path as a place, without making anything.
    async fn descend(&self, path: &HubItemPath) -> Result<Option<Place>, CallProblem> {
        let mut at = Place { id: self.files.root.clone(), path: Some(HubItemPath::parse("/")?) };
        for name in path.names() {
            match self.child_where(&at, name, Item::is_folder).await? {
                Some(folder) => at = Self::place_of(&folder)?,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    /// The item of this name in a folder.
    pub(super) async fn child(&self, place: &Place, name: &str) -> Result<Option<Item>, CallProblem> {
        self.child_where(place, name, |_| true).await
    }

    async fn child_where(
        &self,
        place: &Place,
        name: &str,
        wanted: impl Fn(&Item) -> bool,
    ) -> Result<Option<Item>, CallProblem> {
        let path = place.path.as_ref().map(|path| path.child(name)).transpose()?;
        let Some(request) = &self.files.child else {
            let path = path.ok_or_else(|| CallProblem::internal("a folder's path is not known"))?;
            let scope = self.session.scope.clone().with("path", path.as_str());
            return Ok(absent(self.get(&scope, Some(&path)).await)?.filter(wanted));
        };
        let scope = self.session.scope.clone().with("parent", place.value()).with("name", name);
        let parsed = self.session.fetch(request, &scope).await?;
        for record in parsed.records(request, &scope)? {
            let item = self.item(record, path.as_ref())?;
            // Vendors compare names more loosely than the hub.
            if item.name() == name && wanted(&item) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// The folder at this path; makes it and its parents where they are missing.
    pub(super) async fn ensure_folder(&self, path: &HubItemPath) -> Result<Place, CallProblem> {
        let root = HubItemPath::parse("/")?;
        let mut at = Place { id: self.files.root.clone(), path: Some(root) };
        if self.files.address == Address::Path {
            // Usually it is there: one request instead of one per level.
            at.id = at.path.as_ref().map(HubItemPath::token).unwrap_or_default();
            if let Some(item) = self.find(path).await? {
                return if item.is_folder() { Self::place_of(&item) } else { Err(in_the_way(path)) };
            }
        }
        for name in path.names() {
            at = match self.child(&at, name).await? {
                Some(item) if item.is_folder() => Self::place_of(&item)?,
                Some(_) if self.files.address == Address::Path => return Err(in_the_way(path)),
                // Vendors with ids may have a file and a folder of one name.
                Some(_) => match self.child_where(&at, name, Item::is_folder).await? {
                    Some(item) => Self::place_of(&item)?,
                    None => return Err(in_the_way(path)),
                },
                None => Self::place_of(&self.make_child_folder(&at, name).await?)?,
            };
        }
        Ok(at)
    }

    /// Makes one folder; if somebody else just made it, that one.
    pub(super) async fn make_child_folder(&self, place: &Place, name: &str) -> Result<Item, CallProblem> {
        let request = self.files.folder.as_ref().ok_or_else(not_supported)?;
        let path = place.path.as_ref().map(|path| path.child(name)).transpose()?;
        let mut scope = self.session.scope.clone().with("parent", place.value()).with("name", name);
        scope.set("path", path.as_ref().map(HubItemPath::as_str));
        let made = match self.session.fetch(request, &scope).await {
            Ok(parsed) => parsed.record(request, &scope)?,
            Err(problem) if problem.status == StatusCode::CONFLICT => {
                return self.child_where(place, name, Item::is_folder).await?.ok_or(problem);
            }
            Err(problem) => return Err(problem),
        };
        self.made(made, place, name, path.as_ref()).await
    }

    /// The item a writing request made: from its answer, or asked for when the answer says nothing.
    pub(super) async fn made(
        &self,
        record: Value,
        place: &Place,
        name: &str,
        path: Option<&HubItemPath>,
    ) -> Result<Item, CallProblem> {
        if !record.is_null() {
            return self.item(record, path);
        }
        let found = self.child(place, name).await?;
        found.ok_or_else(|| CallProblem::bad_gateway("the vendor accepted the item but does not show it"))
    }

    pub(super) fn place_of(folder: &Item) -> Result<Place, CallProblem> {
        let path = folder.path().map(HubItemPath::parse).transpose()?;
        Ok(Place { id: folder.id().to_owned(), path })
    }

    /// The folder an item lies in.
    pub(super) async fn parent_of(&self, item: &Item) -> Result<Place, CallProblem> {
        let known = item.path().map(HubItemPath::parse).transpose()?;
        let path = known.as_ref().and_then(HubItemPath::split).map(|(parent, _)| parent);
        let id = item.text("parentFolderId").unwrap_or(&self.files.root).to_owned();
        Ok(Place { id, path })
    }

    /// Fills in an item's path by walking to the root, unless it is known or the item hangs elsewhere.
    pub(super) async fn locate(&self, item: &mut Item) -> Result<(), CallProblem> {
        if item.path().is_some() || self.files.address == Address::Path {
            return Ok(());
        }
        if self.root().await? == item.id() {
            item.set_path(Some("/"));
            return Ok(());
        }
        let parent = item.text("parentFolderId").map(str::to_owned);
        let folder = match parent {
            Some(parent) => self.folder_path(&parent).await?,
            None => None,
        };
        let path = folder.map(|folder| format!("{}/{}", folder.trim_end_matches('/'), item.name()));
        item.set_path(path.as_deref());
        Ok(())
    }

    /// A folder's path by its id.
    async fn folder_path(&self, id: &str) -> Result<Option<String>, CallProblem> {
        let root = self.root().await?;
        let mut names: Vec<(String, String)> = Vec::new();
        let mut at = id.to_owned();
        let top = loop {
            if at == root {
                break Some("/".to_owned());
            }
            if let Some(known) = self.paths.lock().await.get(&at) {
                break known.clone();
            }
            let scope = self.session.scope.clone().with("id", at.as_str());
            let Some(folder) = absent(self.get(&scope, None).await)? else { break None };
            names.push((at, folder.name().to_owned()));
            match folder.text("parentFolderId") {
                Some(parent) if names.len() < MAX_LEVELS => at = parent.to_owned(),
                _ => break None,
            }
        };
        let mut paths = self.paths.lock().await;
        let mut path = top;
        for (id, name) in names.into_iter().rev() {
            path = path.map(|path| format!("{}/{name}", path.trim_end_matches('/')));
            paths.insert(id, path.clone());
        }
        Ok(path.or_else(|| (id == root).then(|| "/".to_owned())))
    }

    async fn root(&self) -> Result<String, CallProblem> {
        if let Some(id) = &*self.root_id.lock().await {
            return Ok(id.clone());
        }
        let root = self.get(&self.session.scope.clone().with("id", self.files.root.as_str()), None).await?;
        *self.root_id.lock().await = Some(root.id().to_owned());
        Ok(root.id().to_owned())
    }

    async fn get(&self, scope: &Scope, path: Option<&HubItemPath>) -> Result<Item, CallProblem> {
        let request = &self.files.get;
        let parsed = self.session.fetch(request, scope).await?;
        let record = parsed.record(request, scope)?;
        // What no listing shows is not there by its id either: in the vendor's trash, or ours and unfinished.
        if record.is_null() || !self.is_visible(&record)? {
            return Err(CallProblem::not_found("there is no such file or folder"));
        }
        self.item(record, path)
    }
}

fn in_the_way(path: &HubItemPath) -> CallProblem {
    CallProblem::conflict(format!("path: on the way to {} is a file, not a folder", path.as_str()))
}

/// 404 as absence.
fn absent(found: Result<Item, CallProblem>) -> Result<Option<Item>, CallProblem> {
    match found {
        Ok(item) => Ok(Some(item)),
        Err(problem) if problem.status == StatusCode::NOT_FOUND => Ok(None),
        Err(problem) => Err(problem),
    }
}
