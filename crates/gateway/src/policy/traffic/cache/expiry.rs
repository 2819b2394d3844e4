//! How long an entry is kept.

use pierhead_domain::EpochMillis;

use crate::exchange::Exchange;
use crate::policy::setting::Setting;
use crate::policy::{Blueprint, Element};

/// Kept so long when nothing says how long. Unsourced.
const DEFAULT_SECONDS: i64 = 300;

const DAY: i64 = 86_400_000;

/// `ExpirySettings`: seconds win over a date, a date over a time of day. Times are in UTC.
#[derive(Debug, Default)]
pub(in crate::policy::traffic) struct Expiry {
    /// `TimeoutInSeconds`, else the older `TimeoutInSec`.
    seconds: Option<Setting>,
    older_seconds: Option<Setting>,
    date: Option<Setting>,
    time_of_day: Option<Setting>,
}

impl Expiry {
    pub(in crate::policy::traffic) fn read(policy: &mut Blueprint<'_>) -> Self {
        let Some(element) = policy.root.child("ExpirySettings") else { return Self::default() };
        policy.only(element, &[], &["ExpiryDate", "TimeOfDay", "TimeoutInSeconds", "TimeoutInSec"]);
        Self {
            seconds: setting(policy, element, "TimeoutInSeconds", |text| seconds(text).is_some()),
            older_seconds: setting(policy, element, "TimeoutInSec", |text| seconds(text).is_some()),
            date: setting(policy, element, "ExpiryDate", |text| date(text).is_some()),
            time_of_day: setting(policy, element, "TimeOfDay", |text| time_of_day(text).is_some()),
        }
    }

    /// When what is cached now is over.
    pub(in crate::policy::traffic) fn until(&self, cx: &Exchange) -> EpochMillis {
        let now = cx.now().as_i64();
        let text = |setting: &Option<Setting>| setting.as_ref()?.filled(cx).map(String::from);
        let after = |seconds: i64| now.saturating_add(seconds.saturating_mul(1000));
        let until = text(&self.seconds)
            .and_then(|text| seconds(&text))
            .or_else(|| seconds(&text(&self.older_seconds)?))
            .map(after)
            .or_else(|| date(&text(&self.date)?))
            .or_else(|| Some(next(now, time_of_day(&text(&self.time_of_day)?)?)))
            .unwrap_or_else(|| after(DEFAULT_SECONDS));
        EpochMillis::new(until)
    }
}

fn setting<'d>(
    policy: &mut Blueprint<'d>,
    parent: &'d Element,
    name: &str,
    is_right: fn(&str) -> bool,
) -> Option<Setting> {
    let element = parent.child(name)?;
    policy.only(element, &["ref"], &[]);
    let setting = Setting::plain(policy, element);
    if setting.literal_text().is_some_and(|text| !is_right(text)) {
        let message = format!("{name} '{}' is not of the form it must have", element.text());
        policy.problem(element, "InvalidTimeout", message);
    }
    (!setting.is_empty()).then_some(setting)
}

fn seconds(text: &str) -> Option<i64> {
    text.trim().parse().ok().filter(|seconds| *seconds >= 0)
}

/// `mm-dd-yyyy`, in milliseconds since 1970.
fn date(text: &str) -> Option<i64> {
    let mut parts = text.trim().split('-').map(|part| part.parse::<u16>().ok());
    let (month, day, year) = (parts.next()??, parts.next()??, parts.next()??);
    let month = time::Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = time::Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()?;
    parts.next().is_none().then(|| date.midnight().assume_utc().unix_timestamp() * 1000)
}

/// `hh:mm:ss`, in milliseconds since midnight.
fn time_of_day(text: &str) -> Option<i64> {
    let mut parts = text.trim().split(':').map(|part| part.parse::<u8>().ok());
    let time = time::Time::from_hms(parts.next()??, parts.next()??, parts.next()??).ok()?;
    let (hours, minutes, seconds) = time.as_hms();
    let of_day = (i64::from(hours) * 60 + i64::from(minutes)) * 60 + i64::from(seconds);
    parts.next().is_none().then_some(of_day * 1000)
}

/// The next time it is that late, after now.
fn next(now: i64, of_day: i64) -> i64 {
    let today = now - now.rem_euclid(DAY) + of_day;
    if today > now { today } else { today + DAY }
}
