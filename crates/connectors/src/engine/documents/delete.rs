//! `DELETE /files` and `/folders`.

use serde_json::Value;

use super::{Documents, Half, Item};
use crate::engine::{CallHead, CallProblem, HubAnswer, not_supported};

impl Documents<'_> {
    pub(super) async fn delete(
        &self,
        half: Half,
        id: Option<&str>,
        call: &CallHead,
    ) -> Result<HubAnswer, CallProblem> {
        let item = self.addressed(id, call).await?;
        Self::must_be(half, &item)?;
        if item.path() == Some("/") || id == Some("root") {
            return Err(CallProblem::new(http::StatusCode::FORBIDDEN, "the root folder cannot be deleted"));
        }
        self.remove(&item, call.flag("emptyTrash")).await?;
        Ok(HubAnswer::json(&Value::Null))
    }

    /// Removes an item; `for_good` past the vendor's trash, where it has one.
    pub(super) async fn remove(&self, item: &Item, for_good: bool) -> Result<(), CallProblem> {
        let request = self.files.purge.as_ref().filter(|_| for_good).or(self.files.delete.as_ref());
        let request = request.ok_or_else(not_supported)?;
        let mut scope = self.session.scope.clone().with("id", item.vendor_id()).with("item", item.value());
        scope.set("path", item.path());
        self.session.fetch(request, &scope).await?;
        Ok(())
    }
}
