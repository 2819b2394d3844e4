//! `POST /folders`: a folder and its missing parents.

use serde_json::Value;

use super::path::HubItemPath;
use super::{Documents, Half};
use crate::engine::{Body, CallHead, CallProblem, HubAnswer, client_json};

impl Documents<'_> {
    pub(super) async fn make_folder(&self, call: &CallHead, body: Body) -> Result<HubAnswer, CallProblem> {
        let body = client_json(call, body).await?;
        let path =
            body["path"].as_str().ok_or_else(|| CallProblem::bad_request("path: is required, as text"))?;
        let path = HubItemPath::parse(path)?;
        let (parent, name) =
            path.split().ok_or_else(|| CallProblem::conflict("path: the root folder is already there"))?;
        let place = self.ensure_folder(&parent).await?;
        if self.child(&place, name).await?.is_some() {
            return Err(CallProblem::conflict(format!(
                "{}: something of this name is already there",
                path.as_str()
            )));
        }
        let folder = self.make_child_folder(&place, name).await?;
        Self::must_be(Half::Folders, &folder)?;
        let tags = body["tags"].as_array().is_some_and(|tags| !tags.is_empty());
        let tagged = if tags { Some(self.apply_tags(&folder, &body["tags"]).await?) } else { None };
        let partial =
            matches!(tagged, Some(None)).then(|| "tags were ignored: this connector keeps none".to_owned());
        let mut answer = self.shown(tagged.flatten().unwrap_or(folder), call).await?;
        answer.partial = partial;
        Ok(answer)
    }

    /// Sets an item's tags; none when the connector keeps none.
    pub(super) async fn apply_tags(
        &self,
        item: &super::Item,
        tags: &Value,
    ) -> Result<Option<super::Item>, CallProblem> {
        if !self.files.changes.iter().any(|change| change == "tags") {
            return Ok(None);
        }
        let change = Value::Object(serde_json::Map::from_iter([("tags".to_owned(), tags.clone())]));
        self.update(item, &change).await.map(Some)
    }
}
