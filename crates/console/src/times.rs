//! Moments as people read them: how long ago, with the exact time beside it.

use pierhead_domain::EpochMillis;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment on a page: `<time datetime=… title=…>…</time>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// RFC 3339 in UTC, for the markup.
    pub(crate) exact: String,
    /// `just now`, `5 minutes ago`, `3 days ago`, or the date when it is longer ago than 30 days.
    pub(crate) spoken: String,
}

impl Moment {
    /// From either wire: the hub's RFC 3339 or OData's `/Date(1709793613017)/`. `None` for other text.
    pub(crate) fn read(wire: &str, now: EpochMillis) -> Option<Self> {
        let at = match wire.strip_prefix("/Date(").and_then(|rest| rest.split([')', '+']).next()) {
            Some(millis) => millis.parse().ok()?,
            None => {
                let at = OffsetDateTime::parse(wire, &Rfc3339).ok()?;
                i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()?
            }
        };
        Some(Self::at(EpochMillis::new(at), now))
    }

    /// The moment `at`, as seen at `now`.
    pub(crate) fn at(at: EpochMillis, now: EpochMillis) -> Self {
        Self { exact: at.rfc3339_seconds(), spoken: spoken(at, now) }
    }
}

fn spoken(at: EpochMillis, now: EpochMillis) -> String {
    let seconds = now.since(at).as_secs();
    let counted = |n: u64, unit: &str| format!("{n} {unit}{} ago", if n == 1 { "" } else { "s" });
    match seconds {
        _ if at > now.plus(std::time::Duration::from_secs(60)) => at.rfc3339_seconds()[..10].to_owned(),
        0..60 => "just now".to_owned(),
        60..3_600 => counted(seconds / 60, "minute"),
        3_600..86_400 => counted(seconds / 3_600, "hour"),
        86_400..2_592_000 => counted(seconds / 86_400, "day"),
        _ => at.rfc3339_seconds().chars().take(10).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: EpochMillis = EpochMillis::new(1_763_740_800_000);

    #[test]
    fn both_wires_dates_are_read() {
        let hub = Moment::read("2025-11-21T15:00:00Z", NOW).unwrap();
        let odata = Moment::read("/Date(1763737200000)/", NOW).unwrap();

        assert_eq!(hub, odata);
        assert_eq!(hub.spoken, "1 hour ago");
        assert_eq!(hub.exact, "2025-11-21T15:00:00Z");
        assert_eq!(Moment::read("yesterday", NOW), None);
    }

    #[test]
    fn old_and_future_moments_are_dates() {
        assert_eq!(Moment::read("2017-06-06T18:54:51Z", NOW).unwrap().spoken, "2017-06-06");
        assert_eq!(Moment::read("2026-06-06T18:54:51Z", NOW).unwrap().spoken, "2026-06-06");
        assert_eq!(Moment::at(NOW, NOW).spoken, "just now");
    }
}
