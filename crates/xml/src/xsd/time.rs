//! Dates, times and durations (XML Schema part 2, 3.2.6 to 3.2.14 and appendix D).

use std::cmp::Ordering;

use super::builtin::Builtin;

/// A point of time, or what is known of one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moment {
    /// Seconds since the year 0, as if in UTC.
    seconds: i128,
    nanos: u32,
    has_zone: bool,
}

const DAY: i128 = 86_400;

impl Moment {
    pub(super) fn parse(kind: Builtin, text: &str) -> Option<Self> {
        let (text, zone) = split_zone(text)?;
        let (date, time) = match kind {
            Builtin::DateTime => {
                let (date, time) = text.split_once('T')?;
                (Some(date), Some(time))
            }
            Builtin::Time => (None, Some(text)),
            _ => (Some(text), None),
        };
        let (year, month, day) = match (kind, date) {
            (Builtin::DateTime | Builtin::Date, Some(date)) => {
                let (rest, day) = date.rsplit_once('-')?;
                let (year, month) = rest.rsplit_once('-')?;
                (read_year(year)?, two(month)?, two(day)?)
            }
            (Builtin::YearMonth, Some(date)) => {
                let (year, month) = date.rsplit_once('-')?;
                (read_year(year)?, two(month)?, 1)
            }
            (Builtin::Year, Some(date)) => (read_year(date)?, 1, 1),
            // A leap year, so that every day of a month exists.
            (Builtin::MonthDay, Some(date)) => {
                let (month, day) = date.strip_prefix("--")?.split_once('-')?;
                (1972, two(month)?, two(day)?)
            }
            (Builtin::Day, Some(date)) => (1972, 1, two(date.strip_prefix("---")?)?),
            (Builtin::Month, Some(date)) => (1972, two(date.strip_prefix("--")?)?, 1),
            _ => (1972, 12, 31),
        };
        if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
            return None;
        }
        let (seconds, nanos) = time.map_or(Some((0, 0)), read_time)?;
        let offset = i128::from(zone.unwrap_or(0)) * 60;
        let seconds = days_before(year, month, day) * DAY + i128::from(seconds) - offset;
        Some(Self { seconds, nanos, has_zone: zone.is_some() })
    }

    /// With a zone on one side only, what is less than 14 hours apart has no order.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        let plain = (self.seconds, self.nanos).cmp(&(other.seconds, other.nanos));
        if self.has_zone == other.has_zone || (self.seconds - other.seconds).abs() > 14 * 3600 {
            Some(plain)
        } else {
            None
        }
    }
}

fn split_zone(text: &str) -> Option<(&str, Option<i32>)> {
    if let Some(rest) = text.strip_suffix('Z') {
        return Some((rest, Some(0)));
    }
    let Some(at) = text.len().checked_sub(6) else { return Some((text, None)) };
    let Some(zone) = text.get(at..) else { return Some((text, None)) };
    let is_zone = zone.as_bytes()[3] == b':' && matches!(zone.as_bytes()[0], b'+' | b'-');
    if !is_zone {
        return Some((text, None));
    }
    let (hours, minutes) = (two(zone.get(1..3)?)?, two(zone.get(4..6)?)?);
    if hours > 14 || minutes > 59 || (hours == 14 && minutes > 0) {
        return None;
    }
    let minutes = i32::try_from(hours * 60 + minutes).ok()?;
    Some((&text[..at], Some(if zone.starts_with('-') { -minutes } else { minutes })))
}

fn two(text: &str) -> Option<u32> {
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn read_year(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let fits = (4..=12).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits.len() == 4 || !digits.starts_with('0'));
    let year: i64 = if fits { text.parse().ok()? } else { return None };
    (year != 0).then_some(year)
}

fn read_time(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.splitn(3, ':');
    let (hours, minutes, rest) = (two(parts.next()?)?, two(parts.next()?)?, parts.next()?);
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
    let seconds = two(whole)?;
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos: u32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let is_midnight = hours == 24 && minutes == 0 && seconds == 0 && nanos == 0;
    if (hours > 23 && !is_midnight) || minutes > 59 || seconds > 59 {
        return None;
    }
    Some((hours * 3600 + minutes * 60 + seconds, nanos))
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

fn days_before(year: i64, month: u32, day: u32) -> i128 {
    let before = i128::from(year) - 1;
    let years = before * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    let months: u32 = (1..month).map(|month| days_in(year, month)).sum();
    years + i128::from(months) + i128::from(day) - 1
}

/// Months and seconds, which have no fixed relation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Duration {
    months: i128,
    seconds: i128,
    nanos: i64,
}

impl Duration {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let rest = rest.strip_prefix('P')?;
        let (date, time) = match rest.split_once('T') {
            Some((_, "")) => return None,
            Some((date, time)) => (date, Some(time)),
            None => (rest, None),
        };
        if date.is_empty() && time.is_none() {
            return None;
        }
        let (mut months, mut seconds, mut nanos) = (0i128, 0i128, 0i64);
        read_parts(date, "YMD", |unit, number, fraction| {
            match (unit, fraction) {
                ('Y', None) => months += number * 12,
                ('M', None) => months += number,
                ('D', None) => seconds += number * DAY,
                _ => return None,
            }
            Some(())
        })?;
        read_parts(time.unwrap_or_default(), "HMS", |unit, number, fraction| {
            match (unit, fraction) {
                ('H', None) => seconds += number * 3600,
                ('M', None) => seconds += number * 60,
                ('S', fraction) => {
                    seconds += number;
                    nanos = format!("{:0<9}", fraction.unwrap_or_default()).get(..9)?.parse().ok()?;
                }
                _ => return None,
            }
            Some(())
        })?;
        Some(Self {
            months: sign * months,
            seconds: sign * seconds,
            nanos: nanos * i64::try_from(sign).ok()?,
        })
    }

    /// A month has 28 to 31 days: only what holds for all of them is an order.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        let with = |days: i128| {
            let of = |d: &Self| (d.months * days * DAY + d.seconds, d.nanos);
            of(self).cmp(&of(other))
        };
        let (short, long) = (with(28), with(31));
        (short == long).then_some(short)
    }
}

fn read_parts(
    text: &str,
    units: &str,
    mut take: impl FnMut(char, i128, Option<&str>) -> Option<()>,
) -> Option<()> {
    let mut rest = text;
    let mut units = units.chars();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let unit = rest[end..].chars().next()?;
        // Each unit once and in order.
        units.find(|next| *next == unit)?;
        let (whole, fraction) = match rest[..end].split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() && !fraction.contains('.') => {
                (whole, Some(fraction))
            }
            Some(_) => return None,
            None => (&rest[..end], None),
        };
        if whole.is_empty() || whole.len() > 18 {
            return None;
        }
        take(unit, whole.parse().ok()?, fraction)?;
        rest = &rest[end + unit.len_utf8()..];
    }
    Some(())
}
