//! The windows in which a quota counts.

use pierhead_domain::EpochMillis;
use serde::{Deserialize, Serialize};

/// How the windows of a counter follow each other. Lengths and moments are in milliseconds (since 1970 UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WindowRule {
    /// One after another, all of one length; one of them begins at `from`.
    Aligned {
        /// When some window begins.
        from: i64,
        /// How long each is; more than 0.
        length: i64,
    },
    /// This many whole calendar months, counted from January of year 0.
    Months(u32),
    /// From the first that is counted; the next begins with the first after its end.
    FromFirst {
        /// How long each is; more than 0.
        length: i64,
    },
    /// Always the time just past.
    Sliding {
        /// How much of it; more than 0.
        length: i64,
    },
}

impl WindowRule {
    /// The window around `now`: its first moment, and the first after it. A window that begins with what is
    /// counted begins now.
    pub fn around(self, now: i64) -> (i64, i64) {
        match self {
            Self::Aligned { from, length } => {
                let begins = now - now.saturating_sub(from).rem_euclid(length.max(1));
                (begins, begins.saturating_add(length))
            }
            Self::Months(count) => {
                let at = EpochMillis::new(now).utc();
                let month = i64::from(at.year()) * 12 + i64::from(u8::from(at.month())) - 1;
                let first = month - month.rem_euclid(i64::from(count.max(1)));
                (month_begins(first), month_begins(first + i64::from(count.max(1))))
            }
            Self::FromFirst { length } => (now, now.saturating_add(length)),
            Self::Sliding { length } => (now.saturating_sub(length), now.saturating_add(length)),
        }
    }
}

/// When a month begins; months are counted from January of year 0.
fn month_begins(month: i64) -> i64 {
    let year = i32::try_from(month.div_euclid(12)).unwrap_or(i32::MAX);
    let of_year = u8::try_from(month.rem_euclid(12) + 1).unwrap_or(1);
    time::Month::try_from(of_year)
        .ok()
        .and_then(|month| time::Date::from_calendar_date(year, month, 1).ok())
        .map_or(i64::MAX, |date| date.midnight().assume_utc().unix_timestamp() * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> i64 {
        use time::format_description::well_known::Rfc3339;
        time::OffsetDateTime::parse(text, &Rfc3339).unwrap().unix_timestamp() * 1000
    }

    #[test]
    fn months_end_at_the_edges_of_the_calendar() {
        for (now, begins, ends) in [
            ("2024-02-29T23:59:59Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("2023-12-31T23:59:59Z", "2023-12-01T00:00:00Z", "2024-01-01T00:00:00Z"),
            ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"),
        ] {
            assert_eq!(WindowRule::Months(1).around(millis(now)), (millis(begins), millis(ends)), "{now}");
        }
        assert_eq!(
            WindowRule::Months(3).around(millis("2023-12-15T00:00:00Z")),
            (millis("2023-10-01T00:00:00Z"), millis("2024-01-01T00:00:00Z"))
        );
    }

    #[test]
    fn aligned_windows_follow_each_other_without_a_gap_before_and_after_their_origin() {
        let rule = WindowRule::Aligned { from: 1_000, length: 300 };
        assert_eq!(rule.around(1_000), (1_000, 1_300));
        assert_eq!(rule.around(1_299), (1_000, 1_300));
        assert_eq!(rule.around(1_300), (1_300, 1_600));
        assert_eq!(rule.around(999), (700, 1_000));
    }
}
