//! `InvalidateCache`: forgets what was remembered (api-management §9.4).

use std::sync::Arc;

use super::cache::{self, CacheKey, Context};
use crate::exchange::Exchange;
use crate::policy::setting::Setting;
use crate::policy::{Blueprint, Compiled, Next, Policy, PolicyRun};

/// Forgets the entry of a key; with `PurgeChildEntries` every entry that has its prefix. Never fails.
#[derive(Debug)]
struct InvalidateCache {
    cache: Arc<str>,
    key: CacheKey,
    context: Context,
    children: bool,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    let root = policy.root;
    policy.only_in_root(&[], &[cache::COMMON, &["CacheContext", "PurgeChildEntries"]].concat());
    let (key, cache) = (cache::key(policy), cache::resource(policy));
    cache::lookup_timeout(policy);
    let mut context = Context::default();
    if let Some(element) = root.child("CacheContext") {
        policy.only(element, &[], &["APIProxyName", "ProxyName", "TargetName"]);
        let mut name = |child: &str| {
            let child = element.child(child)?;
            policy.only(child, &["ref"], &[]);
            Some(Setting::plain(policy, child)).filter(|setting| !setting.is_empty())
        };
        context =
            Context { api_proxy: name("APIProxyName"), proxy: name("ProxyName"), target: name("TargetName") };
    }
    let children = policy.flag_child(root, "PurgeChildEntries", false);
    Some(Box::new(InvalidateCache { cache, key, context, children }))
}

impl Policy for InvalidateCache {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        let caches = &cx.services.state.caches;
        if self.children {
            caches.remove_below(&self.cache, &self.key.prefix(cx, &self.context));
        } else {
            caches.remove(&self.cache, &self.key.text_in(cx, &self.context));
        }
        PolicyRun::Done(Ok(Next::Continue))
    }
}

#[cfg(test)]
mod tests;
