//! `SpikeArrest`: smooths bursts (api-management §9.4).

use std::borrow::Cow;
use std::sync::Arc;

use http::StatusCode;

use super::quota::{DEFAULT_IDENTIFIER, weight_of};
use crate::dialect::Dialect;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::setting::Setting;
use crate::policy::{Blueprint, Compiled, Next, Policy, PolicyRun};
use crate::state::{CounterName, Rate};

/// Lets one message pass per share of the period: `30pm` is one every two seconds. With `UseEffectiveCount` a
/// period's messages may come at once, and no more in any period. Counted on each node for itself.
///
/// Faults: `policies.ratelimit.SpikeArrestViolation` 429 (sap: 500); 500:
/// `policies.ratelimit.FailedToResolveSpikeArrestRate`, `policies.ratelimit.InvalidMessageWeight`.
#[derive(Debug)]
struct SpikeArrest {
    owner: Arc<str>,
    /// What the text says, parsed at deploy.
    rate: Option<Rate>,
    rate_setting: Setting,
    identifier: Setting,
    weight: Option<Setting>,
    bursts: bool,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    let root = policy.root;
    policy.only_in_root(&[], &["Rate", "Identifier", "MessageWeight", "UseEffectiveCount"]);
    let mut setting = |name: &str| {
        let element = root.child(name)?;
        policy.only(element, &["ref"], &[]);
        Some(Setting::plain(policy, element))
    };
    let rate_setting = setting("Rate").unwrap_or_default();
    let identifier = setting("Identifier").unwrap_or_default();
    let weight = setting("MessageWeight").filter(|weight| !weight.is_empty());
    let rate = rate_setting.literal_text().and_then(parse_rate);
    if rate.is_none() && (rate_setting.literal_text().is_some() || rate_setting.is_empty()) {
        let message = "a rate is a whole number above 0 followed by ps or pm, such as 30pm";
        policy.problem(root.child("Rate").unwrap_or(root), "InvalidAllowedRate", message);
    }
    let bursts = policy.flag_child(root, "UseEffectiveCount", false);
    let owner = policy.name.clone();
    Some(Box::new(SpikeArrest { owner, rate, rate_setting, identifier, weight, bursts }))
}

fn parse_rate(text: &str) -> Option<Rate> {
    let text = text.trim();
    let (number, period_millis) = match (text.strip_suffix("ps"), text.strip_suffix("pm")) {
        (Some(number), _) => (number, 1_000),
        (_, Some(number)) => (number, 60_000),
        (None, None) => return None,
    };
    let messages = number.trim().parse().ok().filter(|messages| *messages > 0)?;
    Some(Rate { messages, period_millis })
}

impl Policy for SpikeArrest {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.check(cx))
    }
}

impl SpikeArrest {
    fn check(&self, cx: &Exchange) -> Result<Next, Fault> {
        let rate = match self.rate_setting.referred(cx) {
            Some(text) => parse_rate(&text),
            None => self.rate,
        };
        let rate = rate.ok_or_else(|| {
            let name = self.rate_setting.name();
            let text = format!("Failed to resolve Spike Arrest rate reference {name}");
            Fault::internal("policies.ratelimit.FailedToResolveSpikeArrestRate", text)
        })?;
        let weight = match &self.weight {
            None => 1,
            Some(weight) => u32::try_from(weight_of(cx, weight)?).unwrap_or(u32::MAX),
        };
        let identifier = self.identifier.filled(cx).unwrap_or(Cow::Borrowed(DEFAULT_IDENTIFIER));
        let name =
            CounterName { proxy: &cx.proxy().name, owner: &self.owner, identifier: &identifier, class: "" };
        if cx.services.state.spikes.passes(name, cx.now(), rate, weight, self.bursts) {
            return Ok(Next::Continue);
        }
        let status = match cx.proxy().dialect {
            Dialect::Sap => StatusCode::INTERNAL_SERVER_ERROR,
            Dialect::Apigee => StatusCode::TOO_MANY_REQUESTS,
        };
        let text = format!(
            "Spike arrest violation. Allowed rate : MessageRate{{messagesPerPeriod={}, \
             periodInMicroseconds={}, maxBurstMessageCount=1.0}}",
            rate.messages,
            u64::from(rate.period_millis) * 1_000
        );
        Err(Fault::step(status, "policies.ratelimit.SpikeArrestViolation", text))
    }
}

#[cfg(test)]
mod tests;
