//! `PATCH …/metadata`: rename, move, tag; and custom properties.

use serde_json::{Map, Value};

use super::address::Place;
use super::path::HubItemPath;
use super::{Documents, Half, Item};
use crate::definition::Address;
use crate::engine::{Body, CallHead, CallProblem, HubAnswer, client_json, not_supported};

/// Members of a metadata change besides `path` and `name` that connectors may be able to carry.
const DETAILS: &[&str] = &["tags", "properties", "description"];

impl Documents<'_> {
    pub(super) async fn change(
        &self,
        half: Half,
        id: Option<&str>,
        call: &CallHead,
        body: Body,
    ) -> Result<HubAnswer, CallProblem> {
        let body = client_json(call, body).await?;
        if !body.is_object() {
            return Err(CallProblem::bad_request("the body must be a JSON object"));
        }
        let mut item = self.addressed(id, call).await?;
        Self::must_be(half, &item)?;
        self.locate(&mut item).await?;
        let target = Self::target(&item, &body)?;
        let (details, ignored) = self.details(&body);
        let mut changed = match target {
            Some(target) => self.relocate(&item, &target, call.flag("overwrite"), &details).await?,
            None if details.is_empty() => item,
            None => self.update(&item, &Value::Object(details)).await?,
        };
        changed.set_path(None);
        let known = self.files.address == Address::Path;
        if known {
            changed = self.by_id(changed.id()).await?;
        }
        let mut answer = self.shown(changed, call).await?;
        if !ignored.is_empty() {
            answer.partial =
                Some(format!("{} ignored: this connector cannot change them", ignored.join(", ")));
        }
        Ok(answer)
    }

    pub(super) async fn change_properties(
        &self,
        half: Half,
        id: Option<&str>,
        call: &CallHead,
        body: Body,
    ) -> Result<HubAnswer, CallProblem> {
        let body = client_json(call, body).await?;
        let Some(properties) = body["properties"].as_object() else {
            return Err(CallProblem::bad_request("properties: is required, as an object of texts"));
        };
        if !self.files.changes.iter().any(|change| change == "properties") {
            return Err(not_supported());
        }
        let item = self.addressed(id, call).await?;
        Self::must_be(half, &item)?;
        let change = Map::from_iter([("properties".to_owned(), Value::Object(properties.clone()))]);
        let changed = self.update(&item, &Value::Object(change)).await?;
        self.shown(changed, call).await
    }

    /// Where the body wants the item, when that is not where it is.
    fn target(item: &Item, body: &Value) -> Result<Option<HubItemPath>, CallProblem> {
        let text = |name: &str| match &body[name] {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.as_str())),
            _ => Err(CallProblem::bad_request(format!("{name}: must be text"))),
        };
        let here = item.path().map(HubItemPath::parse).transpose()?;
        if let Some(path) = text("path")? {
            let path = HubItemPath::parse(path)?;
            if here.as_ref() != Some(&path) {
                return Ok(Some(path));
            }
        }
        match text("name")? {
            Some(name) if name != item.name() => {
                super::path::check_name(name)
                    .map_err(|rule| CallProblem::bad_request(format!("name: {rule}")))?;
                let parent = here.and_then(|here| here.split().map(|(parent, _)| parent));
                let parent =
                    parent.ok_or_else(|| CallProblem::bad_request("name: this item cannot be renamed"))?;
                parent.child(name).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// What else the body changes: what the connector can carry, and the names of what it cannot.
    fn details(&self, body: &Value) -> (Map<String, Value>, Vec<&'static str>) {
        let (mut details, mut ignored) = (Map::new(), Vec::new());
        for name in DETAILS {
            match &body[*name] {
                Value::Null => {}
                // Clients send back the tags they were given.
                Value::Array(items) if items.is_empty() && !self.files.changes.iter().any(|c| c == name) => {}
                value if self.files.changes.iter().any(|change| change == name) => {
                    details.insert((*name).to_owned(), value.clone());
                }
                Value::Object(_) => {}
                _ => ignored.push(*name),
            }
        }
        (details, ignored)
    }

    /// Moves an item, with its other changes where the vendor takes them in one request.
    async fn relocate(
        &self,
        item: &Item,
        target: &HubItemPath,
        overwrite: bool,
        details: &Map<String, Value>,
    ) -> Result<Item, CallProblem> {
        let (parent, name) = target
            .split()
            .ok_or_else(|| CallProblem::bad_request("path: nothing can become the root folder"))?;
        let here = item.path().unwrap_or("/");
        if here == "/" {
            return Err(CallProblem::bad_request("path: the root folder cannot be moved"));
        }
        if item.is_folder() && target.as_str().starts_with(&format!("{here}/")) {
            return Err(CallProblem::bad_request("path: a folder cannot be put into itself"));
        }
        let place = self.ensure_folder(&parent).await?;
        let taken = self.child(&place, name).await?.filter(|other| other.id() != item.id());
        if taken.is_some() && !overwrite {
            return Err(CallProblem::conflict(format!(
                "{}: something of this name is already there",
                target.as_str()
            )));
        }
        let moved = match self.files.address {
            Address::Id => {
                let old = self.parent_of(item).await?;
                let mut change = details.clone();
                change.insert("name".to_owned(), name.into());
                if old.id != place.id && !self.is_root_alias(&old, &place).await? {
                    change.insert("add_parent".to_owned(), place.id.clone().into());
                    change.insert("remove_parent".to_owned(), old.id.into());
                }
                let moved = self.update(item, &Value::Object(change)).await?;
                if let Some(taken) = taken {
                    self.remove(&taken, false).await?;
                }
                moved
            }
            Address::Path => {
                let request = self.files.rename.as_ref().ok_or_else(not_supported)?;
                let scope = self.moving(item, target, &place, name, overwrite);
                let parsed = self.session.fetch(request, &scope).await?;
                let record = parsed.record(request, &scope)?;
                let moved = self.made(record, &place, name, Some(target)).await?;
                if details.is_empty() {
                    moved
                } else {
                    self.update(&moved, &Value::Object(details.clone())).await?
                }
            }
        };
        Ok(moved)
    }

    /// The root folder has two ids: the alias and its own.
    async fn is_root_alias(&self, old: &Place, new: &Place) -> Result<bool, CallProblem> {
        if new.id != self.files.root {
            return Ok(false);
        }
        Ok(self.by_id("root").await?.id() == old.id)
    }

    /// What requests that move or copy see.
    pub(super) fn moving(
        &self,
        item: &Item,
        target: &HubItemPath,
        place: &Place,
        name: &str,
        overwrite: bool,
    ) -> crate::engine::scope::Scope {
        let target = serde_json::json!({"path": target.as_str(), "name": name, "parent": place.value()});
        let mut scope = self.session.scope.clone().with("id", item.vendor_id()).with("item", item.value());
        scope.set("path", item.path());
        scope.set("parent", place.value());
        scope.set("name", name);
        scope.set("target", target);
        scope.set("overwrite", overwrite);
        scope
    }

    /// Sends a change of metadata.
    pub(super) async fn update(&self, item: &Item, change: &Value) -> Result<Item, CallProblem> {
        let request = self.files.update.as_ref().ok_or_else(not_supported)?;
        let mut scope = self.session.scope.clone().with("id", item.vendor_id()).with("item", item.value());
        scope.set("path", item.path());
        scope.set("change", change.clone());
        let parsed = self.session.fetch(request, &scope).await?;
        match parsed.record(request, &scope)? {
            Value::Null => self.by_id(item.id()).await,
            record => self.item(record, None),
        }
    }
}
