//! Times on the wire: RFC 3339 with milliseconds out, several forms in.

use pierhead_domain::EpochMillis;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

/// `2017-06-06T18:54:51.123Z`.
pub(crate) fn write(at: EpochMillis) -> String {
    let whole = at.rfc3339_seconds();
    format!("{}.{:03}Z", whole.trim_end_matches('Z'), at.as_i64().rem_euclid(1000))
}

/// RFC 3339; a missing offset means UTC, and a date alone its first moment, as in Drive's queries.
pub(crate) fn read(text: &str) -> Option<EpochMillis> {
    let bare = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second][optional [.[subsecond]]]");
    let day = format_description!("[year]-[month]-[day]");
    let at = OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .or_else(|| PrimitiveDateTime::parse(text, &bare).ok().map(PrimitiveDateTime::assume_utc))
        .or_else(|| Date::parse(text, &day).ok().map(|date| date.midnight().assume_utc()))?;
    i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).ok().map(EpochMillis::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_goes_out_and_in_unchanged() {
        let at = EpochMillis::new(1_496_775_291_007);
        assert_eq!(write(at), "2017-06-06T18:54:51.007Z");
        assert_eq!(read(&write(at)), Some(at));
    }

    #[test]
    fn an_offset_is_honoured_and_a_missing_one_means_utc() {
        assert_eq!(read("2017-06-06T20:54:51+02:00"), read("2017-06-06T18:54:51"));
        assert_eq!(read("2017-06-06"), read("2017-06-06T00:00:00Z"));
        assert_eq!(read("yesterday"), None);
    }
}
