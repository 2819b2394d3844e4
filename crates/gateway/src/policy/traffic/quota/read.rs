//! Reading a quota's document.

use super::{Allow, Classes, Kind, Plan, ProductPlan, Quota, Setting, Unit, positive};
use crate::dialect::Dialect;
use crate::policy::{Blueprint, Compiled, Element};
use crate::state::{Batch, CountMode};
use crate::variable::Variable;

const SETTINGS: &[&str] = &[
    "Allow",
    "Interval",
    "TimeUnit",
    "StartTime",
    "Identifier",
    "MessageWeight",
    "Distributed",
    "Synchronous",
    "AsynchronousConfiguration",
    "PreciseAtSecondsLevel",
    "UseQuotaConfigInAPIProduct",
    "SharedName",
    "CountOnly",
    "EnforceOnly",
    "RequestCountAlgorithm",
];

/// How often a node that shares a counter in batches fetches one when nothing says it.
const SYNC_INTERVAL_SECONDS: i64 = 10;

pub(in crate::policy::traffic) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    let root = policy.root;
    policy.only_in_root(&["type"], SETTINGS);
    if let Some(element) = root.child("RequestCountAlgorithm") {
        policy.problem(element, "NotSupported", "RequestCountAlgorithm is documented nowhere; leave it out");
    }
    let kind = kind(policy);
    let plan = plan(policy, root);
    let distributed = distributed(policy);
    let is_second = |plan: &Plan| plan.unit.literal_text().and_then(Unit::parse) == Some(Unit::Second);
    if distributed.is_some() && is_second(&plan) {
        let at = root.child("TimeUnit").unwrap_or(root);
        let message = "a quota of seconds cannot be Distributed";
        policy.problem(at, "InvalidTimeUnitForDistributedQuota", message);
    }
    let product = root.child("UseQuotaConfigInAPIProduct").and_then(|element| product(policy, element));
    let identifier = read(policy, "Identifier").unwrap_or_default();
    let weight = read(policy, "MessageWeight").filter(|weight| !weight.is_empty());
    // Windows are always that precise.
    policy.flag_child(root, "PreciseAtSecondsLevel", false);
    let mode = mode(policy);
    let shared = root.child("SharedName").map(|element| {
        policy.only(element, &[], &[]);
        element.text()
    });
    let owner = match shared.filter(|name| !name.is_empty()) {
        Some(name) => format!("shared\u{1f}{name}").into(),
        None => policy.name.clone(),
    };
    Some(Box::new(Quota {
        owner,
        prefix: format!("ratelimit.{}.", policy.name).into(),
        kind: kind?,
        plan,
        product,
        identifier,
        weight,
        mode,
        distributed,
    }))
}

fn read(policy: &mut Blueprint<'_>, name: &str) -> Option<Setting> {
    let element = policy.root.child(name)?;
    policy.only(element, &["ref"], &[]);
    Some(Setting::plain(policy, element))
}

fn kind(policy: &mut Blueprint<'_>) -> Option<Kind> {
    let root = policy.root;
    let start = root.child("StartTime").filter(|element| !element.text().is_empty());
    if let Some(element) = start {
        policy.only(element, &[], &[]);
    }
    let kind = match root.attribute("type").map(str::to_ascii_lowercase).as_deref() {
        // In SAP a quota without a type follows the calendar, which needs a start.
        None | Some("") if policy.dialect == Dialect::Sap => return calendar(policy, start),
        Some("calendar") => return calendar(policy, start),
        None | Some("" | "default") => Kind::Default,
        Some("flexi") => Kind::Flexi,
        Some("rollingwindow") => Kind::Rolling,
        Some(other) => {
            let message = format!("'{other}' is none of calendar, default, flexi and rollingwindow");
            policy.problem(root, "InvalidQuotaType", message);
            return None;
        }
    };
    if let Some(element) = start {
        let message = "only a quota of type calendar has a StartTime";
        policy.problem(element, "StartTimeNotSupported", message);
    }
    Some(kind)
}

fn calendar(policy: &mut Blueprint<'_>, start: Option<&Element>) -> Option<Kind> {
    let moment = start.and_then(|element| moment(element.text()));
    if moment.is_none() {
        let message = "a quota of type calendar needs a StartTime of the form yyyy-MM-dd HH:mm:ss (UTC)";
        policy.problem(start.unwrap_or(policy.root), "InvalidStartTime", message);
    }
    moment.map(Kind::Calendar)
}

/// `2015-2-11 12:00:00` in milliseconds since 1970; the leading zeros may be missing.
fn moment(text: &str) -> Option<i64> {
    let (date, clock) = text.trim().split_once(' ')?;
    let numbers = |text: &str, separator| -> Option<[u16; 3]> {
        let parts: Vec<u16> =
            text.trim().split(separator).map(|part| part.parse().ok()).collect::<Option<_>>()?;
        parts.try_into().ok()
    };
    let ([year, month, day], [hour, minute, second]) = (numbers(date, '-')?, numbers(clock, ':')?);
    let month = time::Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = time::Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()?;
    let small = |number: u16| u8::try_from(number).ok();
    let at = date.with_hms(small(hour)?, small(minute)?, small(second)?).ok()?.assume_utc();
    (year >= 1000).then(|| at.unix_timestamp() * 1000)
}

fn plan<'d>(policy: &mut Blueprint<'d>, parent: &'d Element) -> Plan {
    let mut plan = Plan::default();
    if let Some(element) = parent.child("Allow") {
        plan.allow = allow(policy, element);
    }
    if let Some(element) = parent.child("Interval") {
        policy.only(element, &["ref", "type"], &[]);
        plan.interval = Setting::plain(policy, element);
        if plan.interval.literal_text().is_some_and(|text| positive(text).is_none()) {
            let message = format!("the interval '{}' is not a whole number above 0", element.text());
            policy.problem(element, "InvalidQuotaInterval", message);
        }
    }
    if let Some(element) = parent.child("TimeUnit") {
        policy.only(element, &["ref", "type"], &[]);
        plan.unit = Setting::plain(policy, element);
        if plan.unit.literal_text().is_some_and(|text| Unit::parse(text).is_none()) {
            let message =
                format!("'{}' is none of second, minute, hour, day, week and month", element.text());
            policy.problem(element, "InvalidQuotaTimeUnit", message);
        }
    }
    plan
}

fn allow<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Allow {
    policy.only(element, &["count", "countRef"], &["Class"]);
    let count = count(policy, element);
    let classes = element.child("Class").and_then(|class| {
        policy.only(class, &["ref"], &["Allow"]);
        let Some(name) = class.attribute("ref").filter(|name| !name.is_empty()) else {
            policy.problem(class, "InvalidVariableName", "Class needs a ref");
            return None;
        };
        let counts = class
            .children
            .iter()
            .map(|allow| {
                policy.only(allow, &["class", "count", "countRef"], &[]);
                (allow.attribute("class").unwrap_or_default().into(), self::count(policy, allow))
            })
            .collect();
        Some(Classes { class: policy.variable(class, name)?, counts })
    });
    Allow { count, classes }
}

/// `count` or the text, and `countRef`.
fn count(policy: &mut Blueprint<'_>, element: &Element) -> Setting {
    let literal = element.attribute("count").map(str::trim).unwrap_or(element.text());
    if !literal.is_empty() && literal.parse::<u64>().is_err() {
        policy.problem(element, "InvalidCount", format!("'{literal}' is not a number of messages"));
    }
    Setting::plain_by(policy, element, "countRef", literal)
}

fn distributed(policy: &mut Blueprint<'_>) -> Option<Batch> {
    let root = policy.root;
    let distributed = policy.flag_child(root, "Distributed", false);
    let synchronous = policy.flag_child(root, "Synchronous", false);
    let mut batch = Batch::Millis(SYNC_INTERVAL_SECONDS * 1000);
    if let Some(element) = root.child("AsynchronousConfiguration") {
        if synchronous {
            let message = "a Synchronous quota has no AsynchronousConfiguration";
            policy.problem(element, "InvalidAsynchronizeConfigurationForSynchronousQuota", message);
        }
        policy.only(element, &[], &["SyncIntervalInSeconds", "SyncMessageCount"]);
        let mut number = |name: &str| {
            let child = element.child(name)?;
            policy.only(child, &[], &[]);
            let number = child.text().parse::<i64>().ok().filter(|number| *number >= 0);
            if number.is_none() {
                let message = format!("{name} '{}' is not a number of 0 or more", child.text());
                policy.problem(child, "InvalidSynchronizeIntervalForAsyncConfiguration", message);
            }
            number
        };
        let (seconds, messages) = (number("SyncIntervalInSeconds"), number("SyncMessageCount"));
        batch = match (messages, seconds) {
            (Some(0), _) | (None, Some(0)) => Batch::Each,
            (Some(messages), _) => Batch::Units(messages.unsigned_abs()),
            (None, Some(seconds)) => Batch::Millis(seconds.saturating_mul(1000)),
            (None, None) => batch,
        };
    }
    distributed.then_some(if synchronous { Batch::Each } else { batch })
}

fn product<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<ProductPlan> {
    policy.only(element, &["stepName"], &["DefaultConfig"]);
    let Some(step) = element.attribute("stepName").map(str::trim).filter(|name| !name.is_empty()) else {
        let message = "UseQuotaConfigInAPIProduct needs the stepName of the policy that checks key or token";
        policy.problem(element, "StepNameIsMissing", message);
        return None;
    };
    let otherwise = match element.child("DefaultConfig") {
        Some(config) => {
            policy.only(config, &[], &["Allow", "Interval", "TimeUnit"]);
            plan(policy, config)
        }
        None => plan(policy, policy.root),
    };
    // A token's check sets them below its own prefix or below none.
    let places = [format!("verifyapikey.{step}."), format!("oauthv2accesstoken.{step}."), String::new()]
        .into_iter()
        .map(|prefix| {
            ["limit", "interval", "timeunit"]
                .map(|name| Variable::new(&format!("{prefix}apiproduct.developer.quota.{name}")))
        })
        .collect();
    Some(ProductPlan { places, otherwise })
}

fn mode(policy: &mut Blueprint<'_>) -> CountMode {
    let root = policy.root;
    let count_only = policy.flag_child(root, "CountOnly", false);
    let enforce_only = policy.flag_child(root, "EnforceOnly", false);
    if count_only && enforce_only {
        let at = root.child("EnforceOnly").unwrap_or(root);
        policy.problem(
            at,
            "CountOnlyAndEnforceOnly",
            "a quota that neither counts nor enforces does nothing",
        );
    }
    match (count_only, enforce_only) {
        (true, _) => CountMode::CountOnly,
        (false, true) => CountMode::EnforceOnly,
        (false, false) => CountMode::Enforce,
    }
}
