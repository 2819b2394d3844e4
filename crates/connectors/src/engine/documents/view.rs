//! What is said about one item: metadata, links; and the storage as a whole.

use http::Method;
use serde_json::{Map, Value};

use super::{Documents, Half, Item};
use crate::engine::{CallHead, CallProblem, HubAnswer, not_supported};

impl Documents<'_> {
    pub(super) async fn metadata(
        &self,
        half: Half,
        id: Option<&str>,
        call: &CallHead,
    ) -> Result<HubAnswer, CallProblem> {
        debug_assert_eq!(call.method, Method::GET);
        let item = self.addressed(id, call).await?;
        Self::must_be(half, &item)?;
        self.shown(item, call).await
    }

    /// The hub's JSON of an item, with its path unless the caller does without.
    pub(super) async fn shown(&self, mut item: Item, call: &CallHead) -> Result<HubAnswer, CallProblem> {
        if wants_path(call) {
            self.locate(&mut item).await?;
        } else {
            item.set_path(None);
        }
        Ok(HubAnswer::json(&item.show(call.flag("raw"), self.keeps_nulls())))
    }

    /// `{cloudElementsLink, providerLink, providerViewLink, expires}`.
    pub(super) async fn links(
        &self,
        half: Half,
        id: Option<&str>,
        call: &CallHead,
    ) -> Result<HubAnswer, CallProblem> {
        let item = self.addressed(id, call).await?;
        Self::must_be(half, &item)?;
        let mut links = Map::new();
        for (name, program) in &self.files.links {
            let link = self.session.eval(
                program,
                item.raw(),
                &self.session.scope,
                &format!("files.links.{name}"),
            )?;
            if !link.is_null() {
                links.insert(name.clone(), link);
            }
        }
        if half == Half::Files
            && let Some(link) = self.session.connection.download_link(item.id())
        {
            links.insert("cloudElementsLink".to_owned(), link.url.into());
            links.insert("expires".to_owned(), link.expires.rfc3339_seconds().into());
        }
        if call.flag("raw") {
            links.insert("raw".to_owned(), item.raw().clone());
        }
        Ok(HubAnswer::json(&Value::Object(links)))
    }

    /// `{total, used, shared}` in bytes.
    pub(super) async fn storage(&self) -> Result<HubAnswer, CallProblem> {
        let (request, answer) = self.files.storage.as_ref().ok_or_else(not_supported)?;
        let scope = &self.session.scope;
        let parsed = self.session.fetch(request, scope).await?;
        let record = parsed.record(request, scope)?;
        let mut storage = Map::new();
        for (name, program) in answer {
            let value =
                self.session.eval(program, &record, scope, &format!("files.storage.answer.{name}"))?;
            if !value.is_null() {
                storage.insert(name.clone(), value);
            }
        }
        Ok(HubAnswer::json(&Value::Object(storage)))
    }
}

/// `calculateFolderPath` is true unless it says false.
pub(super) fn wants_path(call: &CallHead) -> bool {
    !call.query("calculateFolderPath").is_some_and(|value| value.eq_ignore_ascii_case("false"))
}
