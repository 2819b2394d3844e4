//! `Quota`: so many messages in a time (api-management §9.4).

mod read;
mod variables;

use std::borrow::Cow;
use std::sync::Arc;

use http::StatusCode;

use crate::condition::Lookup;
use crate::dialect::Dialect;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::setting::Setting;
use crate::policy::{Next, Policy, PolicyRun};
use crate::state::{Batch, Count, CountMode, CounterName, Quantity, WindowRule};
use crate::variable::Variable;

pub(super) use read::compile;
use variables::QuotaVariables;

/// The counter of a caller that cannot be told from others.
pub(super) const DEFAULT_IDENTIFIER: &str = "_default";

/// What is allowed where nothing says how much.
const DEFAULT_COUNT: u64 = 2000;

/// A month of windows that do not follow the calendar is 28 days long.
const MONTH_DAYS: i64 = 28;

/// Counts messages per identifier and class, and refuses those above what is allowed. A refused message is not
/// counted. Windows are precise to the millisecond, with and without `PreciseAtSecondsLevel`.
///
/// Faults: `policies.ratelimit.QuotaViolation` 429 (sap: 500); all 500:
/// `policies.ratelimit.FailedToResolveQuotaIntervalReference`,
/// `policies.ratelimit.FailedToResolveQuotaIntervalTimeUnitReference`, `policies.ratelimit.InvalidMessageWeight`.
/// Unsourced: that windows of several calendar units are counted from 1970 (weeks from its first Sunday); that a
/// count, which is no whole number, is as good as none.
#[derive(Debug)]
struct Quota {
    /// Name of its counters in each proxy: the policy's, or the shared one.
    owner: Arc<str>,
    /// `ratelimit.<policy>.`
    prefix: Arc<str>,
    kind: Kind,
    plan: Plan,
    product: Option<ProductPlan>,
    identifier: Setting,
    weight: Option<Setting>,
    mode: CountMode,
    /// How nodes share; `None` counts on this node alone.
    distributed: Option<Batch>,
}

/// How windows follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// From a moment on; in milliseconds since 1970.
    Calendar(i64),
    Default,
    Flexi,
    Rolling,
}

/// How much is allowed in how long.
#[derive(Debug, Default)]
struct Plan {
    allow: Allow,
    interval: Setting,
    unit: Setting,
}

#[derive(Debug, Default)]
struct Allow {
    count: Setting,
    classes: Option<Classes>,
}

#[derive(Debug)]
struct Classes {
    class: Variable,
    counts: Vec<(Box<str>, Setting)>,
}

/// What the product of the key or token says, by the step that checked it.
#[derive(Debug)]
struct ProductPlan {
    /// Each with limit, interval and time unit.
    places: Vec<[Variable; 3]>,
    otherwise: Plan,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
}

/// One message, ready to be counted.
struct Asked {
    identifier: Box<str>,
    class: Box<str>,
    what: Quantity,
}

impl Policy for Quota {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        let asked = match self.ask(cx) {
            Ok(asked) => asked,
            Err(fault) => return PolicyRun::Done(Err(fault)),
        };
        match self.distributed.filter(|_| cx.services.state.quotas.is_shared()) {
            None => {
                let count = self.count_here(cx, &asked);
                PolicyRun::Done(self.conclude(cx, asked, count))
            }
            Some(batch) => PolicyRun::Wait(Box::pin(async move {
                let state = Arc::clone(&cx.services.state);
                let key = self.name(&cx.proxy().name, &asked).to_key();
                let count = match state.quotas.count_shared(&key, asked.what, batch).await {
                    Some(count) => count,
                    None => self.count_here(cx, &asked),
                };
                self.conclude(cx, asked, count)
            })),
        }
    }

    fn counter(&self) -> Option<&Arc<str>> {
        Some(&self.owner)
    }
}

impl Quota {
    fn name<'a>(&'a self, proxy: &'a Arc<str>, asked: &'a Asked) -> CounterName<'a> {
        CounterName { proxy, owner: &self.owner, identifier: &asked.identifier, class: &asked.class }
    }

    fn count_here(&self, cx: &Exchange, asked: &Asked) -> Count {
        cx.services.state.quotas.count(self.name(&cx.proxy().name, asked), asked.what)
    }

    fn ask(&self, cx: &Exchange) -> Result<Asked, Fault> {
        let identifier = self.identifier.filled(cx).unwrap_or(Cow::Borrowed(DEFAULT_IDENTIFIER));
        let (class, allowed, rule) = self.limits(cx)?;
        let units = match &self.weight {
            None => 1,
            Some(weight) => weight_of(cx, weight)?,
        };
        Ok(Asked {
            identifier: identifier.into(),
            class: class.into(),
            what: Quantity { rule, now: cx.now(), units, allowed, mode: self.mode },
        })
    }

    /// Class, allowed units and windows for this message.
    fn limits<'a>(&'a self, cx: &'a Exchange) -> Result<(Cow<'a, str>, u64, WindowRule), Fault> {
        let mut plan = &self.plan;
        if let Some(product) = &self.product {
            if let Some((allowed, rule)) = product.of_product(cx, self.kind) {
                return Ok((Cow::Borrowed(""), allowed, rule));
            }
            plan = &product.otherwise;
        }
        let (class, allowed) = plan.allow.resolve(cx);
        let interval = plan.interval.filled(cx).and_then(|text| positive(&text)).ok_or_else(|| {
            let name = plan.interval.name();
            failed(
                "policies.ratelimit.FailedToResolveQuotaIntervalReference",
                format!(
                    "Failed to resolve quota interval reference {name} in quota policy {}",
                    self.policy()
                ),
            )
        })?;
        let unit = plan.unit.filled(cx).and_then(|text| Unit::parse(&text)).ok_or_else(|| {
            let name = plan.unit.name();
            failed(
                "policies.ratelimit.FailedToResolveQuotaIntervalTimeUnitReference",
                format!(
                    "Failed to resolve quota time unit reference {name} in quota policy {}",
                    self.policy()
                ),
            )
        })?;
        Ok((class, allowed, self.kind.rule(interval, unit)))
    }

    fn policy(&self) -> &str {
        self.prefix.trim_start_matches("ratelimit.").trim_end_matches('.')
    }

    fn conclude(&self, cx: &mut Exchange, asked: Asked, count: Count) -> Result<Next, Fault> {
        let violation = (!count.granted).then(|| {
            let status = match cx.proxy().dialect {
                Dialect::Sap => StatusCode::INTERNAL_SERVER_ERROR,
                Dialect::Apigee => StatusCode::TOO_MANY_REQUESTS,
            };
            // The original's text has two blanks.
            let text = format!(
                "Rate limit quota violation. Quota limit  exceeded. Identifier : {}",
                asked.identifier
            );
            Fault::step(status, "policies.ratelimit.QuotaViolation", text)
        });
        let Asked { identifier, class, what } = asked;
        let variables = QuotaVariables { identifier, class, allowed: what.allowed, count };
        cx.variables.provide(&self.prefix, Arc::new(variables));
        violation.map_or(Ok(Next::Continue), Err)
    }
}

impl Allow {
    /// The class of the caller, when one of ours, and what it may use.
    fn resolve<'a>(&'a self, cx: &'a Exchange) -> (Cow<'a, str>, u64) {
        if let Some(classes) = &self.classes
            && let Some(class) = cx.value(&classes.class).into_text()
            && let Some((_, count)) = classes.counts.iter().find(|(name, _)| **name == *class)
        {
            return (class, count_of(cx, count));
        }
        (Cow::Borrowed(""), count_of(cx, &self.count))
    }
}

fn count_of(cx: &Exchange, count: &Setting) -> u64 {
    let whole = |text: &str| text.trim().parse::<u64>().ok();
    count
        .referred(cx)
        .and_then(|text| whole(&text))
        .or_else(|| whole(count.literal_text()?))
        .unwrap_or(DEFAULT_COUNT)
}

impl ProductPlan {
    fn of_product(&self, cx: &Exchange, kind: Kind) -> Option<(u64, WindowRule)> {
        self.places.iter().find_map(|[limit, interval, unit]| {
            let text = |variable| cx.value(variable).into_text();
            let allowed = text(limit)?.trim().parse().ok()?;
            Some((allowed, kind.rule(positive(&text(interval)?)?, Unit::parse(&text(unit)?)?)))
        })
    }
}

impl Kind {
    fn rule(self, interval: i64, unit: Unit) -> WindowRule {
        let length = interval.saturating_mul(unit.millis());
        match (self, unit) {
            (Self::Calendar(from), _) => WindowRule::Aligned { from, length },
            (Self::Flexi, _) => WindowRule::FromFirst { length },
            (Self::Rolling, _) => WindowRule::Sliding { length },
            (Self::Default, Unit::Month) => WindowRule::Months(u32::try_from(interval).unwrap_or(u32::MAX)),
            // 1970 began on a Thursday.
            (Self::Default, Unit::Week) => WindowRule::Aligned { from: 3 * Unit::Day.millis(), length },
            (Self::Default, _) => WindowRule::Aligned { from: 0, length },
        }
    }
}

impl Unit {
    fn parse(text: &str) -> Option<Self> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "second" => Self::Second,
            "minute" => Self::Minute,
            "hour" => Self::Hour,
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            _ => return None,
        })
    }

    const fn millis(self) -> i64 {
        const DAY: i64 = 86_400_000;
        match self {
            Self::Second => 1_000,
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
            Self::Month => MONTH_DAYS * DAY,
        }
    }
}

fn positive(text: &str) -> Option<i64> {
    text.trim().parse().ok().filter(|number| *number > 0)
}

/// What a message counts for; 1 when nothing says it.
pub(super) fn weight_of(cx: &Exchange, weight: &Setting) -> Result<u64, Fault> {
    let Some(text) = weight.filled(cx) else { return Ok(1) };
    text.trim().parse().map_err(|_| {
        let name = weight.name();
        failed("policies.ratelimit.InvalidMessageWeight", format!("Invalid message weight value of {name}"))
    })
}

fn failed(code: &'static str, text: String) -> Fault {
    Fault::internal(code, text)
}

#[cfg(test)]
mod tests;
