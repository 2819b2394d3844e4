//! `GET /folders/contents` and `GET /search`.

use std::collections::VecDeque;

use serde_json::Value;

use super::path::HubItemPath;
use super::view::wants_path;
use super::{Documents, Half, Item};
use crate::ceql::{self, Comparison, Condition, Literal};
use crate::definition::{Address, Search, VendorRequest};
use crate::engine::listing::{self, ListAsk, Local, Source};
use crate::engine::scope::Scope;
use crate::engine::{CallHead, CallProblem, HubAnswer, list_answer, push};

/// Items a search that walks may look at.
const WALK_BUDGET: usize = 20_000;

impl Documents<'_> {
    pub(super) async fn contents(&self, id: Option<&str>, call: &CallHead) -> Result<HubAnswer, CallProblem> {
        let mut ask = ListAsk::read(call)?;
        let mut folder = self.addressed(id, call).await?;
        Self::must_be(Half::Folders, &folder)?;
        if wants_path(call) {
            self.locate(&mut folder).await?;
        } else {
            folder.set_path(
                folder.path().map(str::to_owned).filter(|_| self.files.address == Address::Path).as_deref(),
            );
        }
        ask.condition = ask.condition.map(without_prefixes);
        let mut scope = self.listing_scope(&folder);
        scope.set("query", crate::engine::build::object_of(&call.query));
        let local = self.push(&mut scope, &ask)?;
        let map = |record| {
            let item = self.listed(record, &folder)?;
            Ok(item.map(|mut item| {
                if !wants_path(call) {
                    item.set_path(None);
                }
                item.show(call.flag("raw"), self.keeps_nulls())
            }))
        };
        let source =
            Source::Vendor { session: self.session, request: &self.files.list, scope: &scope, map: &map };
        let page = listing::page(source, &ask, &local).await?;
        Ok(list_answer(page, &local))
    }

    pub(super) async fn search(&self, call: &CallHead) -> Result<HubAnswer, CallProblem> {
        let mut ask = ListAsk::read(call)?;
        let (mut path, condition) = path_condition(ask.condition.take());
        path = call.query("path").filter(|path| !path.is_empty()).map(str::to_owned).or(path);
        ask.condition = parameters(call, condition.map(without_prefixes))?;
        let within = match &path {
            Some(path) => self.find(&HubItemPath::parse(path)?).await?,
            None => None,
        };
        if path.is_some() && (within.is_none() || ask.condition.is_none()) {
            // Searching by path alone finds that one item.
            let items = within.into_iter().map(|item| self.plain(item, call)).collect();
            let page = listing::page(Source::Ready(items), &ask, &Local::default()).await?;
            return Ok(list_answer(page, &Local::default()));
        }
        match &self.files.search {
            Search::Request(request) => self.search_by_request(request, within, &ask, call).await,
            Search::Walk { max_folders } => self.search_by_walk(within, *max_folders, &ask, call).await,
        }
    }

    async fn search_by_request(
        &self,
        request: &VendorRequest,
        within: Option<Item>,
        ask: &ListAsk,
        call: &CallHead,
    ) -> Result<HubAnswer, CallProblem> {
        let mut scope = self.session.scope.clone();
        scope.set("item", within.as_ref().map(Item::value));
        scope.set("id", within.as_ref().map(|item| item.vendor_id().to_owned()));
        scope.set("query", crate::engine::build::object_of(&call.query));
        let local = self.push(&mut scope, ask)?;
        let map = |record: Value| {
            if !self.is_visible(&record)? {
                return Ok(None);
            }
            self.item(record, None).map(|item| Some(item.value()))
        };
        let source = Source::Vendor { session: self.session, request, scope: &scope, map: &map };
        let mut page = listing::page(source, ask, &local).await?;
        for value in &mut page.items {
            let raw = value.as_object_mut().and_then(|fields| fields.remove("raw")).unwrap_or_default();
            let mut item = self.item(raw, None)?;
            if wants_path(call) {
                self.locate(&mut item).await?;
            }
            *value = item.show(call.flag("raw"), self.keeps_nulls());
        }
        Ok(list_answer(page, &local))
    }

    /// Lists folder after folder, nearest first.
    async fn search_by_walk(
        &self,
        within: Option<Item>,
        max_folders: usize,
        ask: &ListAsk,
        call: &CallHead,
    ) -> Result<HubAnswer, CallProblem> {
        let start = match within {
            Some(item) => item,
            None => self.by_path(&HubItemPath::parse("/")?).await?,
        };
        let mut open = VecDeque::from([start]);
        let (mut found, mut seen, mut listed, mut cut) = (Vec::new(), 0, 0, false);
        while let Some(folder) = open.pop_front() {
            if listed == max_folders || seen >= WALK_BUDGET {
                cut = true;
                break;
            }
            listed += 1;
            if !folder.is_folder() {
                continue;
            }
            for child in self.children(&folder).await? {
                seen += 1;
                if child.is_folder() {
                    open.push_back(child.clone());
                }
                found.push(self.plain(child, call));
            }
        }
        let local = Local { condition: ask.condition.clone(), orders: ask.orders.clone() };
        let page = listing::page(Source::Ready(found), ask, &local).await?;
        let mut answer = list_answer(page, &local);
        if cut {
            let text = format!(
                "the search stopped after {listed} folders and {seen} items: name a path to narrow it"
            );
            answer.partial = Some(text);
        }
        Ok(answer)
    }

    fn plain(&self, mut item: Item, call: &CallHead) -> Value {
        if !wants_path(call) {
            item.set_path(None);
        }
        item.show(call.flag("raw"), self.keeps_nulls())
    }

    pub(super) fn listing_scope(&self, folder: &Item) -> Scope {
        let mut scope =
            self.session.scope.clone().with("id", folder.vendor_id()).with("item", folder.value());
        scope.set("path", folder.path());
        scope
    }

    /// A listed record as an item of `folder`; none for records that are not shown or not in it.
    pub(super) fn listed(&self, record: Value, folder: &Item) -> Result<Option<Item>, CallProblem> {
        if !self.is_visible(&record)? {
            return Ok(None);
        }
        let mut item = self.item(record, None)?;
        match self.files.address {
            // Listings of paths tend to hold the folder itself.
            Address::Path if item.text("parentFolderId") != Some(folder.id()) => return Ok(None),
            Address::Path => {}
            Address::Id => {
                let path =
                    folder.path().map(|path| format!("{}/{}", path.trim_end_matches('/'), item.name()));
                item.set_path(path.as_deref());
            }
        }
        Ok(Some(item))
    }

    /// Puts what the vendor can do into the scope and gives the rest.
    fn push(&self, scope: &mut Scope, ask: &ListAsk) -> Result<Local, CallProblem> {
        let split = push::split(&self.files.push_down, ask.condition.clone())?;
        let order = push::order(&self.files.push_down, &ask.orders)?;
        let orders = if order.is_some() { Vec::new() } else { ask.orders.clone() };
        scope.set("where", split.pushed);
        scope.set("order", order);
        Ok(Local { condition: split.local, orders })
    }
}

/// `text`, `startDate`, `endDate`, `tags[]`, `extension` and `mimeType` as conditions.
fn parameters(call: &CallHead, condition: Option<Condition>) -> Result<Option<Condition>, CallProblem> {
    const NAMED: &[(&str, &str, Comparison)] = &[
        ("text", "text", Comparison::Contains),
        ("startDate", "modifiedDate", Comparison::GreaterOrEqual),
        ("endDate", "modifiedDate", Comparison::LessOrEqual),
        ("extension", "extension", Comparison::Equal),
        ("mimeType", "mimeType", Comparison::Equal),
    ];
    for name in ["startDate", "endDate"] {
        if call.query(name).is_some_and(|value| !value.is_empty() && !ceql::is_date(value)) {
            let message = format!("{name}: must be a date such as 2026-11-21 or 2026-11-21T09:30:00Z");
            return Err(CallProblem::bad_request(message));
        }
    }
    let named = NAMED.iter().filter_map(|(parameter, field, operator)| {
        let value = call.query(parameter).filter(|value| !value.is_empty())?;
        let value = if *field == "extension" { value.trim_start_matches('.') } else { value };
        Some(Condition::compare(field, *operator, value))
    });
    let tags = call.query.iter().filter(|(name, _)| name == "tags[]" || name == "tags");
    let tags = tags.flat_map(|(_, tags)| tags.split(',')).map(str::trim).filter(|tag| !tag.is_empty());
    let tags = tags.map(|tag| Condition::compare("tags", Comparison::Has, tag));
    Ok(named.chain(tags).fold(condition, |condition, more| {
        Some(match condition {
            Some(condition) => condition.and(more),
            None => more,
        })
    }))
}

/// Takes `path = '…'` out of a condition, where it stands beside the others.
fn path_condition(condition: Option<Condition>) -> (Option<String>, Option<Condition>) {
    let mut parts = match condition {
        None => return (None, None),
        Some(Condition::All(parts)) => parts,
        Some(one) => vec![one],
    };
    let at = parts.iter().position(|part| {
        matches!(part, Condition::Compare { field, operator: Comparison::Equal, value: Literal::Text(_) } if field.name == "path")
    });
    let path = at.map(|at| parts.remove(at)).and_then(|part| match part {
        Condition::Compare { value, .. } => Some(value.text()),
        _ => None,
    });
    let rest = match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(Condition::All(parts)),
    };
    (path, rest)
}

/// `properties.mimeType` and `mimeType` are one field.
fn without_prefixes(condition: Condition) -> Condition {
    use crate::ceql::Field;
    let plain = |field: Field| match field.name.strip_prefix("properties.") {
        Some(name) => Field::plain(name),
        None => field,
    };
    match condition {
        Condition::All(parts) => Condition::All(parts.into_iter().map(without_prefixes).collect()),
        Condition::Any(parts) => Condition::Any(parts.into_iter().map(without_prefixes).collect()),
        Condition::Not(part) => Condition::Not(Box::new(without_prefixes(*part))),
        Condition::Compare { field, operator, value } => {
            Condition::Compare { field: plain(field), operator, value }
        }
        Condition::Like { field, pattern } => Condition::Like { field: plain(field), pattern },
        Condition::IsNull(field) => Condition::IsNull(plain(field)),
    }
}
