//! `POST …/copy`: files, and folders with all they hold.

use super::address::Place;
use super::path::HubItemPath;
use super::{Documents, Half, Item};
use crate::engine::listing::{ListAsk, Local, Source, page};
use crate::engine::{Body, CallHead, CallProblem, HubAnswer, client_json, not_supported};

/// Items one call may copy when the vendor cannot copy folders itself.
const MAX_ITEMS: usize = 10_000;

impl Documents<'_> {
    pub(super) async fn copy(
        &self,
        half: Half,
        id: Option<&str>,
        call: &CallHead,
        body: Body,
    ) -> Result<HubAnswer, CallProblem> {
        let body = client_json(call, body).await?;
        let path =
            body["path"].as_str().ok_or_else(|| CallProblem::bad_request("path: is required, as text"))?;
        let mut target = HubItemPath::parse(path)?;
        if let Some(given) = body["name"].as_str() {
            super::path::check_name(given)
                .map_err(|rule| CallProblem::bad_request(format!("name: {rule}")))?;
            let parent = target.split().map(|(parent, _)| parent);
            target = parent.unwrap_or(target).child(given)?;
        }
        let item = self.addressed(id, call).await?;
        Self::must_be(half, &item)?;
        let (parent, name) = target
            .split()
            .ok_or_else(|| CallProblem::bad_request("path: nothing can become the root folder"))?;
        let mut source = item.clone();
        self.locate(&mut source).await?;
        if let Some(here) = source.path()
            && source.is_folder()
            && (here == "/" || target.as_str() == here || target.as_str().starts_with(&format!("{here}/")))
        {
            return Err(CallProblem::bad_request("path: a folder cannot be copied into itself"));
        }
        let overwrite = call.flag("overwrite");
        let place = self.ensure_folder(&parent).await?;
        let taken = self.child(&place, name).await?;
        if taken.as_ref().is_some_and(|taken| !overwrite || taken.id() == item.id()) {
            return Err(CallProblem::conflict(format!(
                "{}: something of this name is already there",
                target.as_str()
            )));
        }
        let copied = if item.is_folder() && !self.files.copies_folders {
            self.copy_tree(&item, &place, name).await?
        } else {
            self.copy_one(&item, &target, &place, name, overwrite).await?
        };
        if let Some(taken) = taken.filter(|_| self.files.child.is_some()) {
            // Vendors with ids now have two of the name: the old one goes last, so that nothing is lost.
            self.remove(&taken, false).await?;
        }
        let tags = &body["tags"];
        let mut partial = None;
        let mut shown = copied;
        if tags.as_array().is_some_and(|tags| !tags.is_empty()) {
            match self.apply_tags(&shown, tags).await? {
                Some(tagged) => shown = tagged,
                None => partial = Some("tags were ignored: this connector keeps none".to_owned()),
            }
        }
        let mut answer = self.shown(shown, call).await?;
        answer.partial = partial;
        Ok(answer)
    }

    async fn copy_one(
        &self,
        item: &Item,
        target: &HubItemPath,
        place: &Place,
        name: &str,
        overwrite: bool,
    ) -> Result<Item, CallProblem> {
        let request = self.files.copy.as_ref().ok_or_else(not_supported)?;
        let scope = self.moving(item, target, place, name, overwrite);
        let parsed = self.session.fetch(request, &scope).await?;
        let record = parsed.record(request, &scope)?;
        self.made(record, place, name, Some(target)).await
    }

    /// Copies a folder item by item, parents first.
    async fn copy_tree(&self, folder: &Item, place: &Place, name: &str) -> Result<Item, CallProblem> {
        let made = self.make_child_folder(place, name).await?;
        let mut open = vec![(folder.clone(), Self::place_of(&made)?)];
        let mut copied = 0;
        while let Some((source, into)) = open.pop() {
            for child in self.children(&source).await? {
                copied += 1;
                if copied > MAX_ITEMS {
                    let message = format!(
                        "the folder holds more than {MAX_ITEMS} items; the first of them were copied"
                    );
                    return Err(CallProblem::bad_request(message));
                }
                if child.is_folder() {
                    let inner = self.make_child_folder(&into, child.name()).await?;
                    open.push((child, Self::place_of(&inner)?));
                } else {
                    let path = into.path.as_ref().map(|path| path.child(child.name())).transpose()?;
                    let path = path.map_or_else(|| HubItemPath::parse("/"), Ok)?;
                    self.copy_one(&child, &path, &into, child.name(), false).await?;
                }
            }
        }
        Ok(made)
    }

    /// Everything in a folder.
    pub(super) async fn children(&self, folder: &Item) -> Result<Vec<Item>, CallProblem> {
        let scope = self.listing_scope(folder);
        let map = |record| self.listed(record, folder).map(|item| item.map(|item| item.value()));
        let mut call = CallHead::plain();
        call.query.push(("pageSize".to_owned(), "1000".to_owned()));
        let mut items = Vec::new();
        loop {
            let ask = ListAsk::read(&call)?;
            let source =
                Source::Vendor { session: self.session, request: &self.files.list, scope: &scope, map: &map };
            let found = page(source, &ask, &Local::default()).await?;
            for mut value in found.items {
                let raw = value.as_object_mut().and_then(|fields| fields.remove("raw")).unwrap_or_default();
                let path = value["path"].as_str().map(HubItemPath::parse).transpose()?;
                items.push(self.item(raw, path.as_ref())?);
            }
            match found.next {
                Some(next) if items.len() <= MAX_ITEMS => {
                    call.query.retain(|(name, _)| name != "nextPage");
                    call.query.push(("nextPage".to_owned(), next));
                }
                _ => return Ok(items),
            }
        }
    }
}
