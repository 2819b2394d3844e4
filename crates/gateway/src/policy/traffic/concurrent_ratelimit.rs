//! `ConcurrentRatelimit`: so many exchanges with a target at once (api-management §9.4; retired in both originals).

use std::borrow::Cow;
use std::sync::Arc;

use http::StatusCode;

use crate::exchange::{ComputedVariables, Exchange};
use crate::fault::Fault;
use crate::policy::setting::Setting;
use crate::policy::{Blueprint, Compiled, Next, Policy, PolicyRun};
use crate::state::{ConnectionLimit, CounterName};
use crate::variable::Value;

/// In a request flow it counts the exchange, in a response flow or fault rule it ends counting; an exchange that
/// ends is not counted any more in any case. Counted on each node for itself.
///
/// Fault: `policies.concurrentratelimit.ConcurrentRatelimtViolation` 503, spelt as the original spells it.
/// Unsourced: that an identifier without a value is `_default`.
#[derive(Debug)]
struct ConcurrentRatelimit {
    owner: Arc<str>,
    /// `concurrentratelimit.<policy>.`
    prefix: Arc<str>,
    limit: ConnectionLimit,
    strict: bool,
    identifier: Setting,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    let root = policy.root;
    policy.only_in_root(&[], &["AllowConnections", "Distributed", "StrictOnTtl", "TargetIdentifier"]);
    let mut limit = None;
    if let Some(element) = root.child("AllowConnections") {
        policy.only(element, &["count", "ttl"], &[]);
        let seconds = element.attribute("ttl").map(|text| policy.number::<u32>(element, text, "InvalidTtl"));
        let lasts = seconds.flatten().map(|seconds| i64::from(seconds) * 1000);
        let count = element.attribute("count").unwrap_or(element.text());
        limit = policy
            .number(element, count, "InvalidCountValue")
            .map(|allowed| ConnectionLimit { allowed, lasts });
    } else {
        policy.problem(root, "InvalidCountValue", "ConcurrentRatelimit needs AllowConnections with a count");
    }
    let identifier = match root.child("TargetIdentifier") {
        None => Setting::default(),
        Some(element) => {
            policy.only(element, &["name", "ref"], &[]);
            let name = element.attribute("name").unwrap_or(element.text());
            Setting::plain_by(policy, element, "ref", name)
        }
    };
    // Each node counts its own connections.
    policy.flag_child(root, "Distributed", false);
    let strict = policy.flag_child(root, "StrictOnTtl", false);
    Some(Box::new(ConcurrentRatelimit {
        owner: policy.name.clone(),
        prefix: format!("concurrentratelimit.{}.", policy.name).into(),
        limit: limit?,
        strict: strict && limit?.lasts.is_some(),
        identifier,
    }))
}

impl Policy for ConcurrentRatelimit {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        if cx.position.segment.is_of_request() {
            return PolicyRun::Done(self.begin(cx));
        }
        cx.traffic.slots.retain(|slot| *slot.owner() != self.owner);
        PolicyRun::Done(Ok(Next::Continue))
    }
}

impl ConcurrentRatelimit {
    fn begin(&self, cx: &mut Exchange) -> Result<Next, Fault> {
        let identifier: Box<str> =
            self.identifier.filled(cx).unwrap_or(Cow::Borrowed(super::quota::DEFAULT_IDENTIFIER)).into();
        let name =
            CounterName { proxy: &cx.proxy().name, owner: &self.owner, identifier: &identifier, class: "" };
        let opened = cx.services.state.connections.open(name, cx.now(), self.limit, self.strict);
        let (used, slot) = match opened {
            Ok((slot, used)) => (used, Some(slot)),
            Err(used) => (used, None),
        };
        let allowed = self.limit.allowed;
        cx.variables.provide(&self.prefix, Arc::new(Connections { identifier, allowed, used }));
        let Some(slot) = slot else {
            let text = format!("ConcurrentRateLimit connection exceeded. Connection limit : {allowed}");
            let code = "policies.concurrentratelimit.ConcurrentRatelimtViolation";
            return Err(Fault::step(StatusCode::SERVICE_UNAVAILABLE, code, text));
        };
        cx.traffic.slots.push(slot);
        Ok(Next::Continue)
    }
}

struct Connections {
    identifier: Box<str>,
    allowed: usize,
    used: usize,
}

impl ComputedVariables for Connections {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        let number = |number: usize| Some(Value::Long(i64::try_from(number).unwrap_or(i64::MAX)));
        match name {
            "allowed.count" => number(self.allowed),
            "used.count" => number(self.used),
            "available.count" => number(self.allowed.saturating_sub(self.used)),
            "identifier" => Some(Value::text(&self.identifier)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
