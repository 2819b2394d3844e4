//! Reading: a path and its options become entities.

use std::cmp::Ordering;

use serde_json::Value;

use super::entity::{Entity, millis};
use super::options::Options;
use super::path::Target;
use super::{Expand, ODataError, Service};

/// Entities of a list after all options but the last page.
pub(super) struct Listing {
    pub(super) entities: Vec<Entity>,
    /// How many there are without `$top` and `$skip`.
    pub(super) total: usize,
    /// How many the server has shown when there are more.
    pub(super) next: Option<usize>,
}

/// The entities that a path leads to, unfiltered.
pub(super) async fn reach<S: Service>(
    service: &S,
    target: &Target,
    expand: &Expand,
) -> Result<Vec<Entity>, ODataError> {
    let Some(key) = &target.key else { return service.list(target.set, expand).await };
    let below = target
        .steps
        .iter()
        .rev()
        .fold(expand.clone(), |below, step| Expand::only(step.navigation.name, below));
    let missing = || ODataError::not_found(format_args!("{} with key {key}", capital(target.set.title)));
    let mut entities = vec![service.find(target.set, key, &below).await?.ok_or_else(missing)?];
    for step in &target.steps {
        let Some(mut from) = entities.pop() else { break };
        entities = from.take_related(step.navigation.name);
        if let Some(key) = &step.key {
            entities.retain(|entity| entity.key() == *key);
            if entities.is_empty() {
                return Err(ODataError::not_found(format_args!(
                    "{} with key {key}",
                    capital(step.set.title)
                )));
            }
        }
    }
    Ok(entities)
}

/// The one entity that a path leads to.
pub(super) async fn reach_one<S: Service>(
    service: &S,
    target: &Target,
    expand: &Expand,
) -> Result<Entity, ODataError> {
    let found = reach(service, target, expand).await?;
    let title = target.last_set().title;
    found.into_iter().next().ok_or_else(|| ODataError::not_found(capital(title)))
}

/// The list that a path leads to, with its options applied. At most `page` entities.
pub(super) async fn list<S: Service>(
    service: &S,
    target: &Target,
    options: &Options,
    page: usize,
) -> Result<Listing, ODataError> {
    let mut entities = reach(service, target, &options.expand).await?;
    if let Some(filter) = &options.filter {
        entities.retain(|entity| filter.holds(entity));
    }
    if let Some(search) = &options.search {
        entities.retain(|entity| contains(entity, search));
    }
    if !options.order.is_empty() {
        entities.sort_by(|left, right| order(&options.order, left, right));
    }
    let total = entities.len();
    let wanted = options.top.unwrap_or(usize::MAX);
    let rest = total.saturating_sub(options.skip).min(wanted).saturating_sub(options.skip_token);
    let first = options.skip.saturating_add(options.skip_token);
    let entities: Vec<Entity> = entities.into_iter().skip(first).take(rest.min(page)).collect();
    let next = (rest > page).then(|| options.skip_token + page);
    Ok(Listing { entities, total, next })
}

/// How many entities `$filter` and `$search` leave.
pub(super) async fn count<S: Service>(
    service: &S,
    target: &Target,
    options: &Options,
) -> Result<usize, ODataError> {
    let entities = reach(service, target, &Expand::default()).await?;
    let counts = |entity: &&Entity| {
        options.filter.as_ref().is_none_or(|filter| filter.holds(entity))
            && options.search.as_ref().is_none_or(|search| contains(entity, search))
    };
    Ok(entities.iter().filter(counts).count())
}

fn contains(entity: &Entity, search: &str) -> bool {
    entity.values.values().filter_map(Value::as_str).any(|text| text.to_lowercase().contains(search))
}

fn order(by: &[(String, bool)], left: &Entity, right: &Entity) -> Ordering {
    by.iter()
        .map(|(path, descending)| {
            let order = compare(left.value(path), right.value(path));
            if *descending { order.reverse() } else { order }
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Nulls come first, as V2 asks.
fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::String(left), Value::String(right)) => match (millis(left), millis(right)) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => left.cmp(right),
        },
        (Value::Number(left), Value::Number(right)) => {
            left.as_f64().partial_cmp(&right.as_f64()).unwrap_or(Ordering::Equal)
        }
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (left, right) => right.is_null().cmp(&left.is_null()),
    }
}

/// With a capital first letter, for the beginning of a sentence.
fn capital(title: &str) -> String {
    let mut chars = title.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
