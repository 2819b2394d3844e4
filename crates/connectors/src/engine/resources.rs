//! Resources that are not files: hub paths, the vendor's requests behind them, and field mappings.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Map, Value};

use super::documents::Documents;
use super::listing::{self, ListAsk, Local, Source};
use super::scope::Scope;
use super::session::Session;
use super::{Body, CallHead, CallProblem, HubAnswer, push};
use crate::ceql::{BadQuery, Condition};
use crate::definition::{Connector, Field, FieldKind, Operation, Resource, Segment, Verb, Write};

/// A resource's verb that fits a call, and what its path named.
pub(crate) struct Found<'c> {
    resource: &'c Resource,
    operation: &'c Operation,
    named: BTreeMap<&'c str, String>,
}

/// What of a connector's resources answers `method` on these path segments. The error is true when the path
/// is known and only the method is not.
pub(crate) fn find<'c>(
    connector: &'c Connector,
    method: &Method,
    segments: &[String],
) -> Result<Found<'c>, bool> {
    let mut known = false;
    for resource in &connector.resources {
        for operation in &resource.operations {
            let Some(named) = fit(resource, operation.verb, segments) else { continue };
            known = true;
            if operation.verb.method() == *method {
                return Ok(Found { resource, operation, named });
            }
        }
    }
    Err(known)
}

/// Lays a path over a resource's; `{id}` of an item may be left out when `path` is in the query.
fn fit<'c>(resource: &'c Resource, verb: Verb, segments: &[String]) -> Option<BTreeMap<&'c str, String>> {
    let full: Vec<&'c Segment> = resource.path.iter().collect();
    let without_id = full.iter().copied().filter(|segment| segment.name() != Some("id")).collect();
    let forms: Vec<Vec<&'c Segment>> = if resource.item { vec![full, without_id] } else { vec![full] };
    forms.into_iter().find_map(|form| {
        let wanted = form.len() + usize::from(verb.has_key());
        if wanted != segments.len() {
            return None;
        }
        let mut named = BTreeMap::new();
        for (segment, text) in form.iter().zip(segments) {
            match segment {
                Segment::Fixed(fixed) if fixed == text => {}
                Segment::Fixed(_) => return None,
                Segment::Named(name) => {
                    named.insert(name.as_str(), text.clone());
                }
            }
        }
        if verb.has_key() {
            named.insert("key", segments.last()?.clone());
        }
        Some(named)
    })
}

/// Answers a call of a resource.
pub(crate) async fn answer(
    session: &Session<'_>,
    found: Found<'_>,
    call: &CallHead,
    body: Body,
) -> Result<HubAnswer, CallProblem> {
    let Found { resource, operation, named } = found;
    let mut scope = session.scope.clone();
    scope.set("query", super::build::object_of(&call.query));
    for (name, text) in &named {
        scope.set(name, text.as_str());
    }
    if resource.item {
        let documents = Documents::of(session)?;
        let item = documents.addressed(named.get("id").map(String::as_str), call).await?;
        scope.set("id", item.vendor_id());
        scope.set("item", item.value());
    }
    if matches!(operation.verb, Verb::Create | Verb::Update | Verb::Replace) {
        let given = super::client_json(call, body).await?;
        let fields = match &resource.fields {
            Some(fields) => to_vendor(session, fields, &given)?,
            None => given.clone(),
        };
        scope.set("body", given);
        scope.set("fields", fields);
    }
    for (name, request) in &operation.before {
        let parsed = session.fetch(request, &scope).await?;
        let record = parsed.record(request, &scope)?;
        scope.set(name, record);
    }
    let request = &operation.request;
    let map = |record: Value| -> Result<Option<Value>, CallProblem> {
        match &resource.fields {
            Some(fields) => to_hub(session, fields, &record).map(Some),
            None => Ok(Some(record)),
        }
    };
    if operation.verb == Verb::List {
        let ask = ListAsk::read(call)?;
        let split = push::split(&resource.push_down, ask.condition.clone())?;
        let order = push::order(&resource.push_down, &ask.orders)?;
        let local = Local {
            orders: if order.is_some() { Vec::new() } else { ask.orders.clone() },
            condition: split.local,
        };
        scope.set("where", split.pushed);
        scope.set("order", order);
        let page = listing::page(Source::Vendor { session, request, scope: &scope, map: &map }, &ask, &local)
            .await?;
        return Ok(super::list_answer(page, &local));
    }
    let parsed = session.fetch(request, &scope).await?;
    if operation.verb == Verb::Delete {
        return Ok(HubAnswer::json(&Value::Null));
    }
    let record = parsed.record(request, &scope)?;
    Ok(HubAnswer::json(&map(record)?.unwrap_or_default()))
}

/// The setting `filter.response.nulls`: members without a value are left out unless it says false.
fn keeps_nulls(session: &Session<'_>) -> bool {
    session.scope.get("connection")["filter.response.nulls"] == "false"
}

/// A vendor record as the hub's.
fn to_hub(session: &Session<'_>, fields: &[Field], record: &Value) -> Result<Value, CallProblem> {
    let scope = Scope::default();
    let (mut made, nulls) = (Map::new(), keeps_nulls(session));
    for field in fields {
        let Some(read) = &field.read else { continue };
        let value = session.eval(read, record, &scope, &field.name)?;
        let value = match &value {
            Value::String(text) => field
                .values
                .iter()
                .find(|(_, vendor)| *vendor == text)
                .map_or(value.clone(), |(hub, _)| hub.as_str().into()),
            _ => value,
        };
        if nulls || !value.is_null() {
            made.insert(field.name.clone(), convert(value, field.kind));
        }
    }
    Ok(Value::Object(made))
}

fn convert(value: Value, kind: FieldKind) -> Value {
    match (kind, &value) {
        (_, Value::Null) | (FieldKind::Any, _) | (FieldKind::String, Value::String(_)) => value,
        (FieldKind::String, other) => other.to_string().into(),
        (FieldKind::Number | FieldKind::Integer, Value::String(text)) => {
            text.trim().parse::<serde_json::Number>().map_or(value, Value::Number)
        }
        (FieldKind::Boolean, Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => true.into(),
            "false" | "0" | "no" => false.into(),
            _ => value,
        },
        (FieldKind::Date, Value::String(text)) => {
            let format = time::format_description::well_known::Rfc3339;
            match time::OffsetDateTime::parse(text, &format) {
                Ok(date) => {
                    pierhead_domain::EpochMillis::new(date.unix_timestamp() * 1000).rfc3339_seconds().into()
                }
                Err(_) => value,
            }
        }
        _ => value,
    }
}

/// The caller's record as the vendor's body.
fn to_vendor(session: &Session<'_>, fields: &[Field], body: &Value) -> Result<Value, CallProblem> {
    let Value::Object(given) = body else {
        return Err(CallProblem::bad_request("the body must be a JSON object"));
    };
    let mut made = Value::Object(Map::new());
    for (name, value) in given {
        let Some(field) = fields.iter().find(|field| field.name == *name) else { continue };
        let value = match value {
            Value::String(text) => {
                field.values.get(text).map_or(value.clone(), |vendor| vendor.as_str().into())
            }
            _ => value.clone(),
        };
        match &field.write {
            Write::Never => {}
            Write::Path(path) => put(&mut made, path, value),
            Write::Merge(program) => {
                let scope = Scope::default().with("value", value);
                merge(&mut made, session.eval(program, body, &scope, name)?);
            }
        }
    }
    Ok(made)
}

fn put(into: &mut Value, path: &[String], value: Value) {
    let nested =
        path.iter().rev().fold(value, |value, name| Value::Object(Map::from_iter([(name.clone(), value)])));
    merge(into, nested);
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

impl From<BadQuery> for CallProblem {
    fn from(error: BadQuery) -> Self {
        Self::bad_request(error.to_string())
    }
}

/// Names of a condition's fields, for the header that says what was done here.
pub(crate) fn names(condition: &Condition) -> Vec<String> {
    let mut names = Vec::new();
    condition.fields(&mut names);
    names
}
