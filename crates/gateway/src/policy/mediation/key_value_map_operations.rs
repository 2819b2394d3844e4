//! `KeyValueMapOperations`: reads and writes key value maps (api-management §9.5).

use std::borrow::Cow;
use std::sync::Arc;

use crate::condition::Lookup;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::ports::{KvmAddress, KvmScope};
use crate::variable::{Stored, Variable};

/// Gets, puts and deletes entries, in that order of the document.
///
/// A missing entry leaves the variable null. Values may hold several items, kept as a JSON array of texts.
/// Faults, all 500: `steps.keyvaluemapoperations.SetVariableFailed` (an encrypted entry read into a variable
/// that is not `private.`, or a variable that cannot be set),
/// `steps.keyvaluemapoperations.UnsupportedOperationException` (empty map name, or a map that cannot be
/// written now), `steps.keyvaluemapoperations.UnresolvedVariable` (a key or value has no value).
#[derive(Debug)]
pub(super) struct KeyValueMapOperations {
    name: Arc<str>,
    scope: KvmScope,
    map: MapName,
    operations: Vec<Operation>,
}

#[derive(Debug)]
struct MapName {
    reference: Option<Variable>,
    literal: Box<str>,
}

#[derive(Debug)]
enum Operation {
    /// `index` counts from 1; without one several items are a list.
    Get {
        key: Key,
        into: Variable,
        index: Option<usize>,
    },
    Put {
        key: Key,
        values: Vec<Parameter>,
        replace: bool,
    },
    Delete {
        key: Key,
    },
}

/// Parameters joined by `__`.
#[derive(Debug)]
struct Key(Vec<Parameter>);

#[derive(Debug)]
struct Parameter {
    reference: Option<Variable>,
    literal: Option<Box<str>>,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(
        &["mapIdentifier"],
        &["MapName", "Scope", "ExclusiveCache", "ExpiryTimeInSecs", "InitialEntries", "Get", "Put", "Delete"],
    );
    let root = policy.root;
    policy.flag_child(root, "ExclusiveCache", false);
    if let Some(expiry) = root.child("ExpiryTimeInSecs") {
        // Entries are never older than the snapshot, so there is no cache to expire.
        policy.only(expiry, &["ref"], &[]);
        policy.number::<i64>(expiry, expiry.text(), "InvalidExpiryTime");
    }
    let scope = scope(policy);
    let map = map_name(policy);
    let mut operations = Vec::new();
    for element in &root.children {
        let operation = match element.name.as_str() {
            "Get" => get(policy, element),
            "Put" => put(policy, element),
            "Delete" => {
                policy.only(element, &[], &["Key"]);
                key(policy, element).map(|key| Operation::Delete { key })
            }
            "InitialEntries" => {
                initial_entries(policy, element, &scope, &map);
                None
            }
            _ => None,
        };
        operations.extend(operation);
    }
    Some(Box::new(KeyValueMapOperations { name: policy.name.clone(), scope, map, operations }))
}

fn scope(policy: &mut Blueprint<'_>) -> KvmScope {
    let Some(element) = policy.root.child("Scope") else { return KvmScope::Environment };
    match element.text().to_ascii_lowercase().as_str() {
        "" | "environment" => KvmScope::Environment,
        "organization" => KvmScope::Organization,
        "apiproxy" => KvmScope::Proxy(policy.proxy.to_string()),
        "policy" => KvmScope::Policy { proxy: policy.proxy.to_string(), policy: policy.name.to_string() },
        other => {
            let message = format!("'{other}' is not one of environment, organization, apiproxy, policy");
            policy.problem(element, "InvalidScope", message);
            KvmScope::Environment
        }
    }
}

fn map_name(policy: &mut Blueprint<'_>) -> MapName {
    let literal = policy.root.attribute("mapIdentifier");
    let Some(element) = policy.root.child("MapName") else {
        return MapName { reference: None, literal: literal.unwrap_or("kvmap").into() };
    };
    policy.only(element, &["ref"], &[]);
    let reference = element.attribute("ref").and_then(|name| policy.variable(element, name));
    let literal = Some(element.text()).filter(|text| !text.is_empty()).or(literal);
    MapName { reference, literal: literal.unwrap_or_default().into() }
}

fn key<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<Key> {
    let parameters: Vec<Parameter> = match element.child("Key") {
        None => Vec::new(),
        Some(key) => {
            policy.only(key, &[], &["Parameter"]);
            key.children.iter().filter_map(|item| parameter(policy, item)).collect()
        }
    };
    if parameters.is_empty() {
        policy.problem(element, "KeyIsMissing", format!("{} needs a Key with a Parameter", element.name));
        return None;
    }
    Some(Key(parameters))
}

fn parameter<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<Parameter> {
    policy.only(element, &["ref"], &[]);
    let reference = element.attribute("ref").and_then(|name| policy.variable(element, name));
    let literal = Some(element.text()).filter(|text| !text.is_empty()).map(Into::into);
    (reference.is_some() || literal.is_some()).then_some(Parameter { reference, literal })
}

fn get<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<Operation> {
    policy.only(element, &["assignTo", "index"], &["Key"]);
    let index = match element.attribute("index") {
        None => None,
        Some(text) => match text.trim().parse() {
            Ok(index @ 1..) => Some(index),
            _ => {
                policy.problem(element, "InvalidIndex", format!("the index '{text}' is not a number from 1"));
                None
            }
        },
    };
    let key = key(policy, element);
    let Some(into) = element.attribute("assignTo") else {
        policy.problem(element, "InvalidVariableName", "Get needs assignTo");
        return None;
    };
    let into = policy.variable(element, into)?;
    Some(Operation::Get { key: key?, into, index })
}

fn put<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<Operation> {
    policy.only(element, &["override"], &["Key", "Value"]);
    let replace = policy.flag(element, "override", false);
    let key = key(policy, element);
    let values: Vec<Parameter> =
        element.children("Value").filter_map(|value| parameter(policy, value)).collect();
    if values.is_empty() {
        policy.problem(element, "ValueIsMissing", "Put needs a Value");
        return None;
    }
    Some(Operation::Put { key: key?, values, replace })
}

fn initial_entries<'d>(policy: &mut Blueprint<'d>, element: &'d Element, scope: &KvmScope, map: &MapName) {
    policy.only(element, &[], &["Entry"]);
    for entry in element.children("Entry") {
        policy.only(entry, &[], &["Key", "Value"]);
        let literal = |parameter: &Parameter| parameter.literal.as_deref().unwrap_or_default().to_owned();
        let Some(Key(parameters)) = key(policy, entry) else { continue };
        let values: Vec<Parameter> =
            entry.children("Value").filter_map(|value| parameter(policy, value)).collect();
        if values.is_empty() {
            policy.problem(entry, "ValueIsMissing", "Entry needs a Value");
        }
        if parameters.iter().chain(&values).any(|item| item.reference.is_some()) || map.reference.is_some() {
            policy.problem(
                entry,
                "LiteralNeeded",
                "InitialEntries are written at deploy, where no variable has a value",
            );
            continue;
        }
        let key = parameters.iter().map(literal).collect::<Vec<_>>().join("__");
        let value = write_items(values.iter().map(literal).collect());
        let at = KvmAddress { scope: scope.clone(), map: map.literal.to_string(), key };
        policy.initial_entries.push((at, value));
    }
}

/// One item is kept as it is; several become a JSON array of texts.
fn write_items(mut items: Vec<String>) -> String {
    if items.len() == 1 { items.remove(0) } else { serde_json::Value::from(items).to_string() }
}

/// The items of a value, when it holds several.
fn read_items(value: &str) -> Option<Vec<String>> {
    if value.starts_with('[') { serde_json::from_str(value).ok() } else { None }
}

impl Policy for KeyValueMapOperations {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        for (index, operation) in self.operations.iter().enumerate() {
            match operation {
                Operation::Get { key, into, index } => {
                    if let Err(fault) = self.get(cx, key, into, *index) {
                        return PolicyRun::Done(Err(fault));
                    }
                }
                // From the first write on, it waits for the store.
                Operation::Put { .. } | Operation::Delete { .. } => {
                    return PolicyRun::Wait(Box::pin(self.run_from(cx, index)));
                }
            }
        }
        PolicyRun::Done(Ok(Next::Continue))
    }
}

impl KeyValueMapOperations {
    async fn run_from(&self, cx: &mut Exchange, first: usize) -> Result<Next, Fault> {
        for operation in &self.operations[first..] {
            match operation {
                Operation::Get { key, into, index } => self.get(cx, key, into, *index)?,
                Operation::Put { key, values, replace } => {
                    let at = self.address(cx, key)?;
                    let values = values
                        .iter()
                        .map(|value| value.text(cx).map(Cow::into_owned))
                        .collect::<Result<_, _>>();
                    let value = write_items(values.map_err(|name| self.unresolved(name))?);
                    let exists = cx.kvm_value(&at.scope, &at.map, &at.key).is_some();
                    let written = cx.services.ports.kvm.put(at.clone(), value.clone(), *replace).await;
                    written.map_err(|_| self.unavailable(&at))?;
                    if *replace || !exists {
                        cx.remember_kvm(at, Some(value));
                    }
                }
                Operation::Delete { key } => {
                    let at = self.address(cx, key)?;
                    let deleted = cx.services.ports.kvm.delete(at.clone()).await;
                    deleted.map_err(|_| self.unavailable(&at))?;
                    cx.remember_kvm(at, None);
                }
            }
        }
        Ok(Next::Continue)
    }

    fn get(&self, cx: &mut Exchange, key: &Key, into: &Variable, index: Option<usize>) -> Result<(), Fault> {
        let found = {
            let (map, key) = (self.map_name(cx)?, self.key(cx, key)?);
            let found = cx.kvm_value(&self.scope, &map, &key);
            let encrypted = cx.snapshot.kvm(&self.scope, &map).is_some_and(|map| map.encrypted);
            if found.is_some() && encrypted && !into.is_private() {
                let text = format!(
                    "KeyValueMapOperations[{}]: map '{map}' is encrypted, its entries can be read into private. variables only, not into {into}",
                    self.name
                );
                return Err(Fault::internal("steps.keyvaluemapoperations.SetVariableFailed", text));
            }
            found
        };
        let value = found.and_then(|secret| match (read_items(secret.expose()), index) {
            (Some(items), None) => {
                Some(Stored::List(items.into_iter().map(String::into_boxed_str).collect()))
            }
            (Some(items), Some(index)) => items.into_iter().nth(index - 1).map(Stored::from),
            (None, None | Some(1)) => Some(Stored::Secret(secret)),
            (None, Some(_)) => None,
        });
        cx.set(into, value).map_err(|why| {
            let text = format!("KeyValueMapOperations[{}]: Failed to set variable {into}: {why}", self.name);
            Fault::internal("steps.keyvaluemapoperations.SetVariableFailed", text)
        })
    }

    fn address(&self, cx: &Exchange, key: &Key) -> Result<KvmAddress, Fault> {
        let (map, key) = (self.map_name(cx)?.into_owned(), self.key(cx, key)?.into_owned());
        Ok(KvmAddress { scope: self.scope.clone(), map, key })
    }

    fn map_name<'a>(&'a self, cx: &'a Exchange) -> Result<Cow<'a, str>, Fault> {
        let named = self.map.reference.as_ref().and_then(|name| cx.value(name).into_text());
        let map = named.unwrap_or(Cow::Borrowed(&*self.map.literal));
        if map.is_empty() {
            let text = format!("KeyValueMapOperations[{}]: the name of the map is empty", self.name);
            return Err(Fault::internal("steps.keyvaluemapoperations.UnsupportedOperationException", text));
        }
        Ok(map)
    }

    fn key<'a>(&'a self, cx: &'a Exchange, key: &'a Key) -> Result<Cow<'a, str>, Fault> {
        let text = |parameter: &'a Parameter| parameter.text(cx).map_err(|name| self.unresolved(name));
        if let [only] = &*key.0 {
            return text(only);
        }
        let parts = key.0.iter().map(text).collect::<Result<Vec<_>, Fault>>()?;
        Ok(Cow::Owned(parts.join("__")))
    }

    fn unresolved(&self, name: &str) -> Fault {
        let text = format!("KeyValueMapOperations[{}]: Unresolved variable : {name}", self.name);
        Fault::internal("steps.keyvaluemapoperations.UnresolvedVariable", text)
    }

    fn unavailable(&self, at: &KvmAddress) -> Fault {
        let text = format!("KeyValueMapOperations[{}]: map '{}' cannot be written now", self.name, at.map);
        Fault::internal("steps.keyvaluemapoperations.UnsupportedOperationException", text)
    }
}

impl Parameter {
    /// The variable when it has a value, else the literal; else the variable's name as an error.
    fn text<'a>(&'a self, cx: &'a Exchange) -> Result<Cow<'a, str>, &'a str> {
        let value = self.reference.as_ref().and_then(|name| cx.value(name).into_text());
        match (value, &self.literal) {
            (Some(value), _) => Ok(value),
            (None, Some(literal)) => Ok(Cow::Borrowed(literal)),
            (None, None) => Err(self.reference.as_ref().map_or("", Variable::name)),
        }
    }
}

#[cfg(test)]
mod tests;
