//! `PopulateCache`: remembers the value of a variable (api-management §9.4).

use std::sync::Arc;

use super::cache::{self, CacheKey, Expiry};
use crate::condition::Lookup;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::{Blueprint, Compiled, Next, Policy, PolicyRun};
use crate::state::Cached;
use crate::variable::Variable;

/// Writes a variable's text under a key; a variable without a value writes nothing.
///
/// Fault: `policies.populatecache.EntryCannotBeCached` 500: the key is longer than 2 KiB or the value than
/// 512 KiB. Unsourced: that a message is cached as its content.
#[derive(Debug)]
struct PopulateCache {
    cache: Arc<str>,
    key: CacheKey,
    expiry: Expiry,
    source: Variable,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    let root = policy.root;
    policy.only_in_root(&[], &[cache::COMMON, &["ExpirySettings", "Source"]].concat());
    let (key, cache) = (cache::key(policy), cache::resource(policy));
    cache::lookup_timeout(policy);
    let expiry = Expiry::read(policy);
    let source = match root.child("Source").filter(|element| !element.text().is_empty()) {
        Some(element) => {
            policy.only(element, &[], &[]);
            policy.variable(element, element.text())
        }
        None => {
            policy.problem(root, "SourceIsMissing", "PopulateCache needs a Source, the name of a variable");
            None
        }
    };
    Some(Box::new(PopulateCache { cache, key, expiry, source: source? }))
}

impl Policy for PopulateCache {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.put(cx))
    }
}

impl PopulateCache {
    fn put(&self, cx: &Exchange) -> Result<Next, Fault> {
        let Some(text) = cx.value(&self.source).into_text() else { return Ok(Next::Continue) };
        let (now, until) = (cx.now().as_i64(), self.expiry.until(cx).as_i64());
        let value = Cached::Text(text.into());
        if cx.services.state.caches.put(&self.cache, &self.key.text(cx), value, now, until) {
            return Ok(Next::Continue);
        }
        let text = format!("The value of {} cannot be cached: it or its key is too long", self.source);
        Err(Fault::internal("policies.populatecache.EntryCannotBeCached", text))
    }
}

#[cfg(test)]
mod tests;
