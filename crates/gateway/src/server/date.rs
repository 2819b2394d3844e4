//! The Date of answers, written once a second.

use std::cell::{Cell, RefCell};
use std::time::{Duration, SystemTime};

use pierhead_domain::EpochMillis;

/// A Date has four digits for the year.
const END_OF_9999: u64 = 253_402_300_799;

/// A thread's Date line, its end included.
#[derive(Debug, Default)]
pub(super) struct DateLine {
    second: Cell<i64>,
    line: RefCell<String>,
}

impl DateLine {
    /// The line of this second.
    pub(super) fn at(&self, now: EpochMillis) -> std::cell::Ref<'_, String> {
        let second = now.seconds();
        if self.second.replace(second) != second || self.line.borrow().is_empty() {
            let since = Duration::from_secs(u64::try_from(second).unwrap_or(0).min(END_OF_9999));
            let date = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since);
            *self.line.borrow_mut() = format!("date: {date}\r\n");
        }
        self.line.borrow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_that_of_the_second() {
        let line = DateLine::default();
        for (millis, time) in [(0, "00:00:00"), (999, "00:00:00"), (1000, "00:00:01"), (61_500, "00:01:01")] {
            let expected = format!("date: Thu, 01 Jan 1970 {time} GMT\r\n");
            assert_eq!(*line.at(EpochMillis::new(millis)), expected);
        }
    }
}
