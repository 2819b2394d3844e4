//! Moments as `NotBefore` writes them.

use time::format_description::well_known::{Rfc2822, Rfc3339};
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

/// Seconds since 1970 of `2026-11-21T09:30:00Z` (also with milliseconds, an offset with or without colon, or
/// none, which is UTC), of `Sat, 21 Nov 2026 09:30:00 GMT`, or of the number itself.
pub(super) fn read(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds);
    }
    let with_colon = offset_with_colon(text);
    let parsed = OffsetDateTime::parse(&with_colon, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(&text.replace("UTC", "GMT"), &Rfc2822))
        .map(OffsetDateTime::unix_timestamp);
    let local = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    parsed.or_else(|_| PrimitiveDateTime::parse(text, local).map(|at| at.assume_utc().unix_timestamp())).ok()
}

/// `+0100` as `+01:00`.
fn offset_with_colon(text: &str) -> String {
    match text.len().checked_sub(5).and_then(|at| text.split_at_checked(at)) {
        Some((date, offset))
            if date.contains('T')
                && offset.starts_with(['+', '-'])
                && offset[1..].bytes().all(|b| b.is_ascii_digit()) =>
        {
            format!("{date}{}:{}", &offset[..3], &offset[3..])
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn moments_are_read_in_every_form() {
        for text in [
            "2017-08-14T11:00:21Z",
            "2017-08-14T11:00:21.269Z",
            "2017-08-14T11:00:21",
            "2017-08-14T13:00:21+02:00",
            "2017-08-14T04:00:21.269-0700",
            "Mon, 14 Aug 2017 11:00:21 GMT",
            "Mon, 14 Aug 2017 11:00:21 UTC",
            "1502708421",
        ] {
            assert_eq!(read(text), Some(1_502_708_421), "{text}");
        }
        for text in ["", "tomorrow", "2017-08-14", "2017-13-14T11:00:21Z"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
