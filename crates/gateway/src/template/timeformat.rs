//! Java's SimpleDateFormat, in UTC.

use std::fmt::Write as _;

use pierhead_domain::EpochMillis;

use crate::variable::moment;

/// Writes `at` by a pattern of letters; text in single quotes and all other characters stay as they are.
pub(super) fn format(pattern: &str, at: EpochMillis) -> String {
    let date = at.utc();
    let mut out = String::new();
    let chars: Vec<char> = pattern.chars().collect();
    let mut index = 0;
    while let Some(&letter) = chars.get(index) {
        if letter == '\'' {
            index = quoted(&chars, index + 1, &mut out);
            continue;
        }
        let run = chars[index..].iter().take_while(|c| **c == letter).count();
        index += run;
        let mut number = |value: i64| {
            let _ = write!(out, "{value:0run$}");
        };
        match letter {
            'y' | 'Y' | 'u' if run == 2 => {
                let _ = write!(out, "{:02}", date.year().rem_euclid(100));
            }
            'y' | 'Y' => number(i64::from(date.year())),
            'M' | 'L' if run >= 4 => out.push_str(moment::month(date.month())),
            'M' | 'L' if run == 3 => out.push_str(&moment::month(date.month())[..3]),
            'M' | 'L' => number(i64::from(u8::from(date.month()))),
            'd' => number(i64::from(date.day())),
            'D' => number(i64::from(date.ordinal())),
            'E' if run >= 4 => out.push_str(moment::weekday(date.weekday())),
            'E' => out.push_str(&moment::weekday(date.weekday())[..3]),
            'u' => number(i64::from(date.weekday().number_from_monday())),
            'H' => number(i64::from(date.hour())),
            'k' => number(i64::from(if date.hour() == 0 { 24 } else { date.hour() })),
            'K' => number(i64::from(date.hour() % 12)),
            'h' => number(i64::from(if date.hour().is_multiple_of(12) { 12 } else { date.hour() % 12 })),
            'm' => number(i64::from(date.minute())),
            's' => number(i64::from(date.second())),
            'S' => number(i64::from(date.millisecond())),
            'a' => out.push_str(if date.hour() < 12 { "AM" } else { "PM" }),
            'G' => out.push_str(if date.year() > 0 { "AD" } else { "BC" }),
            'z' => out.push_str("UTC"),
            'Z' => out.push_str("+0000"),
            'X' => out.push('Z'),
            other => out.extend(std::iter::repeat_n(other, run)),
        }
    }
    out
}

/// Copies quoted text from `index` on and returns where it ended. Two quotes are one quote.
fn quoted(chars: &[char], mut index: usize, out: &mut String) -> usize {
    if chars.get(index) == Some(&'\'') {
        out.push('\'');
        return index + 1;
    }
    while let Some(&c) = chars.get(index) {
        index += 1;
        if c != '\'' {
            out.push(c);
        } else if chars.get(index) == Some(&'\'') {
            out.push('\'');
            index += 1;
        } else {
            break;
        }
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_letters_of_java_are_understood() {
        let at = EpochMillis::new(1_496_775_291_007);
        for (pattern, text) in [
            ("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "2017-06-06T18:54:51.007Z"),
            ("EEE, dd MMM yy hh:mm a z", "Tue, 06 Jun 17 06:54 PM UTC"),
            ("EEEE d MMMM", "Tuesday 6 June"),
            ("'o''clock' ''H", "o'clock '18"),
            ("yyyyMMddXZ", "20170606Z+0000"),
        ] {
            assert_eq!(format(pattern, at), text, "{pattern}");
        }
    }
}
