//! Moments as variables show them.

use pierhead_domain::EpochMillis;

/// `Wed, 21 Aug 2013 19:16:47 UTC`.
pub(crate) fn long_utc(at: EpochMillis) -> String {
    let at = at.utc();
    format!(
        "{}, {:02} {} {} {:02}:{:02}:{:02} UTC",
        &weekday(at.weekday())[..3],
        at.day(),
        &month(at.month())[..3],
        at.year(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

pub(crate) const fn weekday(day: time::Weekday) -> &'static str {
    use time::Weekday::*;
    match day {
        Monday => "Monday",
        Tuesday => "Tuesday",
        Wednesday => "Wednesday",
        Thursday => "Thursday",
        Friday => "Friday",
        Saturday => "Saturday",
        Sunday => "Sunday",
    }
}

pub(crate) const fn month(month: time::Month) -> &'static str {
    use time::Month::*;
    match month {
        January => "January",
        February => "February",
        March => "March",
        April => "April",
        May => "May",
        June => "June",
        July => "July",
        August => "August",
        September => "September",
        October => "October",
        November => "November",
        December => "December",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_the_reference_shows_it() {
        assert_eq!(long_utc(EpochMillis::new(1_377_112_607_000)), "Wed, 21 Aug 2013 19:16:47 UTC");
    }
}
