//! What the four cache policies share: which cache, which key, how long.

mod expiry;

use std::sync::Arc;

use crate::exchange::Exchange;
use crate::policy::setting::Setting;
use crate::policy::{Blueprint, Element};

pub(super) use expiry::Expiry;

/// The cache of those that name none. Unsourced: its name.
const DEFAULT_CACHE: &str = "default";

/// Longer names of caches are refused.
const MAX_NAME_BYTES: usize = 255;

/// A key: a prefix, and what follows it, joined by two underscores.
#[derive(Debug)]
pub(super) struct CacheKey {
    prefix: Prefix,
    fragments: Vec<Setting>,
}

#[derive(Debug)]
enum Prefix {
    Given(Box<str>),
    Scope(Scope),
}

/// Where a key is the same, from the narrowest to the widest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The endpoint where the policy runs.
    Exclusive,
    Target,
    Proxy,
    Application,
    Global,
}

/// Whose entries `CacheContext` names instead of one's own.
#[derive(Debug, Default)]
pub(super) struct Context {
    pub(super) api_proxy: Option<Setting>,
    pub(super) proxy: Option<Setting>,
    pub(super) target: Option<Setting>,
}

/// The elements of every cache policy.
pub(super) const COMMON: &[&str] = &["CacheKey", "Scope", "CacheResource", "CacheLookupTimeoutInSeconds"];

/// `CacheKey` and `Scope`.
pub(super) fn key(policy: &mut Blueprint<'_>) -> CacheKey {
    let root = policy.root;
    let scope = scope(policy);
    let Some(element) = root.child("CacheKey") else {
        policy.problem(root, "CacheKeyMissing", format!("{} needs a CacheKey", root.name));
        return CacheKey { prefix: Prefix::Scope(scope), fragments: Vec::new() };
    };
    policy.only(element, &[], &["Prefix", "KeyFragment"]);
    let given = element.child("Prefix").map(Element::text).filter(|text| !text.is_empty());
    let fragments = element
        .children("KeyFragment")
        .map(|fragment| {
            policy.only(fragment, &["ref", "type"], &[]);
            Setting::plain(policy, fragment)
        })
        .collect();
    CacheKey { prefix: given.map_or(Prefix::Scope(scope), |text| Prefix::Given(text.into())), fragments }
}

fn scope(policy: &mut Blueprint<'_>) -> Scope {
    let Some(element) = policy.root.child("Scope") else { return Scope::Exclusive };
    policy.only(element, &[], &[]);
    match element.text() {
        "" | "Exclusive" => Scope::Exclusive,
        "Target" => Scope::Target,
        "Proxy" => Scope::Proxy,
        "Application" => Scope::Application,
        "Global" => Scope::Global,
        other => {
            let message = format!("'{other}' is none of Exclusive, Global, Application, Proxy and Target");
            policy.problem(element, "InvalidScope", message);
            Scope::Exclusive
        }
    }
}

/// `CacheResource`: a cache comes into being when it is first named.
pub(super) fn resource(policy: &mut Blueprint<'_>) -> Arc<str> {
    let Some(element) = policy.root.child("CacheResource") else { return DEFAULT_CACHE.into() };
    policy.only(element, &[], &[]);
    let name = element.text();
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '$' | '%');
    if name.len() > MAX_NAME_BYTES || !name.chars().all(is_name) {
        let message = format!("'{name}' is not the name of a cache");
        policy.problem(element, "InvalidCacheResourceReference", message);
    }
    if name.is_empty() { DEFAULT_CACHE.into() } else { name.into() }
}

/// `CacheLookupTimeoutInSeconds`: our cache is in memory and never makes anybody wait.
pub(super) fn lookup_timeout(policy: &mut Blueprint<'_>) {
    let Some(element) = policy.root.child("CacheLookupTimeoutInSeconds") else { return };
    policy.only(element, &[], &[]);
    if !element.text().is_empty() && element.text().parse::<u32>().is_err() {
        let message = format!("'{}' is not a number of seconds", element.text());
        policy.problem(element, "InvalidTimeout", message);
    }
}

impl CacheKey {
    /// The whole key, as documented: `org__env__proxy__revision__endpoint__fragment__fragment`.
    pub(super) fn text(&self, cx: &Exchange) -> String {
        let mut key = self.prefix(cx, &Context::default());
        self.add_fragments(&mut key, cx);
        key
    }

    /// The key of somebody else's entry.
    pub(super) fn text_in(&self, cx: &Exchange, context: &Context) -> String {
        let mut key = self.prefix(cx, context);
        self.add_fragments(&mut key, cx);
        key
    }

    fn add_fragments(&self, key: &mut String, cx: &Exchange) {
        for fragment in &self.fragments {
            key.push_str("__");
            key.push_str(&fragment.filled(cx).unwrap_or_default());
        }
    }

    /// What comes before the fragments. Unsourced: that an endpoint which is not there yet is left out.
    pub(super) fn prefix(&self, cx: &Exchange, context: &Context) -> String {
        let scope = match &self.prefix {
            Prefix::Given(text) => return text.to_string(),
            Prefix::Scope(scope) => *scope,
        };
        // Room for the whole key: it is made for every request.
        let mut prefix = String::with_capacity(192);
        prefix.push_str(cx.snapshot.organization());
        prefix.push_str("__");
        prefix.push_str(cx.snapshot.environment());
        let mut add = |part: &str| {
            prefix.push_str("__");
            prefix.push_str(part);
        };
        if scope == Scope::Global {
            return prefix;
        }
        let named = |setting: &Option<Setting>| {
            setting.as_ref().and_then(|setting| setting.filled(cx)).map(String::from)
        };
        let proxy = match named(&context.api_proxy) {
            None => cx.proxy(),
            Some(name) => {
                add(&name);
                // Of a proxy that is not deployed there is nothing more to say.
                match cx.snapshot.proxy(&name) {
                    Some(proxy) => &**proxy,
                    None => return prefix,
                }
            }
        };
        if context.api_proxy.is_none() || named(&context.api_proxy).is_none() {
            add(&proxy.name);
        }
        if scope == Scope::Application {
            return prefix;
        }
        add(&proxy.revision);
        let of_target = match scope {
            Scope::Target => true,
            Scope::Exclusive => {
                named(&context.target).is_some()
                    || (named(&context.proxy).is_none() && cx.position.segment.is_of_target())
            }
            _ => false,
        };
        let endpoint = if of_target {
            named(&context.target).or_else(|| Some(cx.target()?.name.to_string()))
        } else {
            named(&context.proxy).or_else(|| Some(cx.endpoint().name.to_string()))
        };
        if let Some(endpoint) = endpoint {
            add(&endpoint);
        }
        prefix
    }
}

#[cfg(test)]
mod tests;
