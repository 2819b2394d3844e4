//! `LookupCache`: reads what was remembered (api-management §9.4).

use std::sync::Arc;

use super::cache::{self, CacheKey};
use crate::exchange::{ComputedVariables, Exchange};
use crate::fault::Fault;
use crate::policy::{Blueprint, Compiled, Next, Policy, PolicyRun};
use crate::state::Cached;
use crate::variable::{Stored, Value, Variable};

/// Assigns a cached text to a variable; when there is none, the variable stays as it is. Never fails, except
/// where the variable cannot be set: `steps.lookupcache.SetVariableFailed` 500. Unsourced: that code.
#[derive(Debug)]
struct LookupCache {
    cache: Arc<str>,
    key: CacheKey,
    assign_to: Variable,
    /// `lookupcache.<policy>.`
    prefix: Arc<str>,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    let root = policy.root;
    policy.only_in_root(&[], &[cache::COMMON, &["AssignTo"]].concat());
    let (key, cache) = (cache::key(policy), cache::resource(policy));
    cache::lookup_timeout(policy);
    let assign_to = match root.child("AssignTo").filter(|element| !element.text().is_empty()) {
        Some(element) => {
            policy.only(element, &[], &[]);
            policy.variable(element, element.text())
        }
        None => {
            policy.problem(root, "AssignToIsMissing", "LookupCache needs AssignTo, the name of a variable");
            None
        }
    };
    let prefix = format!("lookupcache.{}.", policy.name).into();
    Some(Box::new(LookupCache { cache, key, assign_to: assign_to?, prefix }))
}

impl Policy for LookupCache {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.look_up(cx))
    }
}

impl LookupCache {
    fn look_up(&self, cx: &mut Exchange) -> Result<Next, Fault> {
        let key = self.key.text(cx);
        let found = match cx.services.state.caches.get(&self.cache, &key, cx.now().as_i64()) {
            Some(Cached::Text(text)) => Some(text),
            // A whole response is not the value of a variable.
            Some(Cached::Response(_)) | None => None,
        };
        let told =
            Told { cache: self.cache.clone(), key, hit: found.is_some(), assign_to: self.assign_to.clone() };
        cx.variables.provide(&self.prefix, Arc::new(told));
        if let Some(text) = found {
            cx.set(&self.assign_to, Some(Stored::Shared(text))).map_err(|why| {
                let text = format!("Failed to set variable {}: {why}", self.assign_to);
                Fault::internal("steps.lookupcache.SetVariableFailed", text)
            })?;
        }
        Ok(Next::Continue)
    }
}

/// What the last look told.
struct Told {
    cache: Arc<str>,
    key: String,
    hit: bool,
    assign_to: Variable,
}

impl ComputedVariables for Told {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        Some(match name {
            "cachename" => Value::text(&self.cache),
            "cachekey" => Value::text(&self.key),
            "cachehit" => Value::Boolean(self.hit),
            "assignto" => Value::text(self.assign_to.name()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
