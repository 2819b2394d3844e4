//! `POST /files` and `PUT`/`PATCH /files/{id}`: bytes on their way to the vendor.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use super::address::Place;
use super::leftover::Leftover;
use super::multipart::{Incoming, incoming};
use super::path::HubItemPath;
use super::{Documents, Half, Item};
use crate::definition::Upload;
use crate::engine::build::{Payload, object_of};
use crate::engine::scope::Scope;
use crate::engine::session::Sending;
use crate::engine::{Body, CallHead, CallProblem, HubAnswer, not_supported};

/// A file to be made or replaced.
struct Job<'a> {
    place: &'a Place,
    name: &'a str,
    path: Option<HubItemPath>,
    /// What is there now.
    existing: Option<Item>,
    overwrite: bool,
}

impl Documents<'_> {
    pub(super) async fn upload(&self, mut call: CallHead, body: Body) -> Result<HubAnswer, CallProblem> {
        let plan = self.files.upload.as_ref().ok_or_else(not_supported)?;
        let file = incoming(&mut call, body).await?;
        let (place, name) = self.destination(&call, file.name.as_deref()).await?;
        let overwrite = call.flag("overwrite");
        let existing = self.child(&place, &name).await?;
        if let Some(existing) = &existing
            && (existing.is_folder() || !overwrite)
        {
            return Err(CallProblem::conflict(format!(
                "{name}: something of this name is already there; overwrite=true replaces a file"
            )));
        }
        let path = place.path.as_ref().map(|path| path.child(&name)).transpose()?;
        let job = Job { place: &place, name: &name, path, existing, overwrite };
        let made = self.store(plan, job, file, &call).await?;
        self.with_details(made, &call).await
    }

    pub(super) async fn replace(
        &self,
        id: Option<&str>,
        mut call: CallHead,
        body: Body,
    ) -> Result<HubAnswer, CallProblem> {
        let plan = self.files.upload.as_ref().ok_or_else(not_supported)?;
        let item = self.addressed(id, &call).await?;
        Self::must_be(Half::Files, &item)?;
        let file = incoming(&mut call, body).await?;
        let place = self.parent_of(&item).await?;
        let (name, path) = (item.name().to_owned(), item.path().map(HubItemPath::parse).transpose()?);
        let job = Job { place: &place, name: &name, path, existing: Some(item), overwrite: true };
        let made = self.store(plan, job, file, &call).await?;
        self.with_details(made, &call).await
    }

    /// Where an upload goes: `path`, or `folderId` and the file's own name.
    async fn destination(
        &self,
        call: &CallHead,
        own_name: Option<&str>,
    ) -> Result<(Place, String), CallProblem> {
        let own_name = own_name.map(|name| name.rsplit(['/', '\\']).next().unwrap_or_default());
        if let Some(path) = call.query("path").filter(|path| !path.is_empty()) {
            let whole = HubItemPath::parse(path)?;
            let whole = if path.ends_with('/') {
                let name = own_name.ok_or_else(|| {
                    CallProblem::bad_request("path: names a folder, and the file has no name")
                })?;
                whole.child(name)?
            } else {
                whole
            };
            let (parent, name) =
                whole.split().ok_or_else(|| CallProblem::bad_request("path: must name a file"))?;
            return Ok((self.ensure_folder(&parent).await?, name.to_owned()));
        }
        let folder = call.query("folderId").filter(|id| !id.is_empty());
        let folder = folder.ok_or_else(|| CallProblem::bad_request("path: is required, or folderId"))?;
        let name = own_name.ok_or_else(|| CallProblem::bad_request("file: has no name; name it by path"))?;
        super::path::check_name(name).map_err(|rule| CallProblem::bad_request(format!("file: {rule}")))?;
        let folder = self.by_id(folder).await?;
        Self::must_be(Half::Folders, &folder)?;
        Ok((Self::place_of(&folder)?, name.to_owned()))
    }

    async fn store(
        &self,
        plan: &Upload,
        job: Job<'_>,
        file: Incoming,
        call: &CallHead,
    ) -> Result<Item, CallProblem> {
        let scope = self.upload_scope(&job, &file, call);
        let client = file.end();
        let payload = Payload::Stream { body: file.body, length: file.size };
        let sent = self.send_content(plan, &job, &scope, payload).await;
        let record = sent.map_err(|problem| client.explain(problem))?;
        self.made(record, job.place, job.name, job.path.as_ref()).await
    }

    async fn send_content(
        &self,
        plan: &Upload,
        job: &Job<'_>,
        scope: &Scope,
        payload: Payload,
    ) -> Result<Value, CallProblem> {
        match plan {
            Upload::Simple { create, replace } => {
                let request = if job.existing.is_some() { replace } else { create };
                let sending = Sending { payload: Some(payload), ..Sending::default() };
                let parsed = self.session.fetch_with(request, scope, sending).await?;
                parsed.record(request, scope)
            }
            Upload::Resumable { create, replace, session, chunk, more } => {
                let request = if job.existing.is_some() { replace } else { create };
                let Payload::Stream { body, .. } = payload else {
                    return Err(CallProblem::internal("no body"));
                };
                self.store_in_chunks(request, session, *chunk, more, scope, body).await
            }
            Upload::Publish { write, publish, discard } => {
                let discard = self.session.ready(discard, scope).await?;
                let times = self.session.connector().transport.times;
                let leftover = Leftover::new(Arc::clone(&self.session.parts.outbound), times, discard);
                let sending = Sending { payload: Some(payload), ..Sending::default() };
                let written = match self.session.fetch_with(write, scope, sending).await {
                    Ok(_) => self.session.fetch(publish, scope).await,
                    Err(problem) => Err(problem),
                };
                match written {
                    Ok(parsed) => {
                        leftover.settle();
                        parsed.record(publish, scope)
                    }
                    Err(problem) => {
                        leftover.remove().await;
                        Err(problem)
                    }
                }
            }
        }
    }

    fn upload_scope(&self, job: &Job<'_>, file: &Incoming, call: &CallHead) -> Scope {
        let mut scope = self.session.scope.clone();
        let known =
            file.media_type.as_deref().filter(|kind| !kind.is_empty() && *kind != "application/octet-stream");
        let guessed = || mime_guess::from_path(job.name).first_raw().unwrap_or("application/octet-stream");
        let media_type = known.map_or_else(|| guessed().to_owned(), str::to_owned);
        scope.set("content", json!({"type": media_type, "size": file.size}));
        scope.set("parent", job.place.value());
        scope.set("name", job.name);
        scope.set("path", job.path.as_ref().map(HubItemPath::as_str));
        scope.set("overwrite", job.overwrite);
        scope.set("query", object_of(&call.query));
        scope.set("item", job.existing.as_ref().map(Item::value));
        scope.set("id", job.existing.as_ref().map(|item| item.vendor_id().to_owned()));
        let mut random = [0u8; 12];
        self.session.parts.rng.fill(&mut random);
        let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let folder = job.place.path.as_ref().map_or("", |path| path.as_str().trim_end_matches('/'));
        scope.set("temporary", format!("{folder}/.pierhead-{digits}.part"));
        scope
    }

    /// Adds what came with the file: tags and a description.
    async fn with_details(&self, mut made: Item, call: &CallHead) -> Result<HubAnswer, CallProblem> {
        let tags = call.query.iter().filter(|(name, _)| name == "tags[]" || name == "tags");
        let tags: Vec<Value> = tags
            .flat_map(|(_, tags)| tags.split(','))
            .map(str::trim)
            .filter(|t| !t.is_empty())
            .map(Value::from)
            .collect();
        let description = call.query("description").filter(|text| !text.is_empty());
        let mut change = serde_json::Map::new();
        let mut ignored = Vec::new();
        let given = [
            ("tags", (!tags.is_empty()).then_some(Value::Array(tags))),
            ("description", description.map(Value::from)),
        ];
        for (name, value) in given {
            match value {
                Some(value) if self.files.changes.iter().any(|change| change == name) => {
                    change.insert(name.to_owned(), value);
                }
                Some(_) => ignored.push(name),
                None => {}
            }
        }
        if !change.is_empty() {
            let path = made.path().map(str::to_owned);
            made = self.update(&made, &Value::Object(change)).await?;
            made.set_path(path.as_deref());
        }
        let mut answer = self.shown(made, call).await?;
        answer.status = StatusCode::OK;
        if !ignored.is_empty() {
            answer.partial = Some(format!("{} ignored: this connector keeps none", ignored.join(" and ")));
        }
        Ok(answer)
    }
}
